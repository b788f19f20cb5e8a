"""Looking at the values of committed iterations, in time that nobody waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from manta_nb.engine.records import Batch, ValueRef
from manta_nb.errors import CorruptBytes
from manta_nb.runtime.book import SegmentBook
from manta_nb.sdk.refusal import size_text
from manta_nb.session.feed.disagreement import Leaves, Spread, leaves, spread
from manta_nb.session.feed.peek import Gone, Peek
from manta_nb.session.feed.sketch import Sketch, Sketches
from manta_nb.session.findings import Commit, Disagreement, Findings, Recent, ResultsWritten

__all__ = ["LIMIT", "Study"]

#: bytes of results, and of Globals, that are read in one iteration
LIMIT = 32 << 20
#: nodes of which numbers are kept; of more, those that stand out
MOST_NODES = 128
_NOTHING = Sketch("", "")


class Study:
    """Fills in a run's `Findings`; several may work on the same ones, and none does another's work.

    Args:
        findings: what is known of the run's values.
        book: where they lie.
    """

    def __init__(self, findings: Findings, book: SegmentBook) -> None:
        self._findings = findings
        self._book = book
        memory = findings.memory
        self._sketches: Sketches = memory.setdefault("sketches", Sketches())
        #: tag → the newest Global of it that was read, its arrays kept for the iteration that begins with it
        self._held: dict[str, tuple[ValueRef, Leaves | None]] = memory.setdefault("held", {})
        #: result tag → what it was the last time
        self._types: dict[str, str] = memory.setdefault("types", {})
        #: tags whose cost was told
        self._told: set[str] = memory.setdefault("told", set())

    def work(self) -> bool:
        """Look at what was committed since the last time; returns whether there was something."""
        findings = self._findings
        if not findings.waiting or not findings.lock.acquire(blocking=False):
            return False
        try:
            recent = {entry.iteration: entry for entry in list(findings.recent)}
            while findings.waiting:
                self._describe(findings.waiting.popleft(), recent)
            for entry in recent.values():
                if entry.iteration > findings.memory.get("studied", -1):
                    findings.memory["studied"] = entry.iteration
                    self._compare(entry)
            self._hold()
        finally:
            findings.lock.release()
        return True

    def _describe(self, commit: Commit, recent: Mapping[int, Recent]) -> None:
        for change in commit.changes:
            seen = self._glance(change.tag, change.ref)
            self._findings.changes.append(replace(change, type=seen.type, preview=seen.preview))
        entry = recent.get(commit.iteration)
        for written in commit.results:
            if entry is not None:
                self._glance_at_result(written, entry)
            self._findings.results.append(replace(written, type=self._types.get(written.tag, "")))

    def _glance(self, tag: str, ref: ValueRef) -> Sketch:
        try:
            with Peek(self._book, ref.segment.key) as peek:
                return self._sketches.of(tag, peek, ref)
        except (Gone, CorruptBytes, OSError):
            return _NOTHING

    def _glance_at_result(self, written: ResultsWritten, entry: Recent) -> None:
        """The type of a tag, from the value of one node."""
        batch = next((b for b in entry.batches if written.tag in b.result_bytes and b.segment), None)
        if batch is None or batch.segment is None:
            return
        try:
            with Peek(self._book, batch.segment.key) as peek:
                found = peek.entries(written.tag)
                if found:
                    ref = ValueRef(batch.segment, *found[-1][1:])
                    seen = self._sketches.of(f"result {written.tag}", peek, ref)
            self._types[written.tag] = seen.type if found else ""
        except (Gone, CorruptBytes, OSError):
            return

    def _compare(self, entry: Recent) -> None:
        """How far the nodes disagree in an iteration, tag by tag."""
        nodes: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for batch in entry.batches:
            for tag, nbytes in batch.result_bytes.items():
                nodes[tag] = nodes.get(tag, 0) + len(batch.partial_tags.get(tag, batch.nodes))
                sizes[tag] = sizes.get(tag, 0) + nbytes
        left = LIMIT
        for tag in [tag for tag, count in nodes.items() if count > 1]:
            if sizes[tag] > left:
                self._tell_cost(tag, entry.iteration, sizes[tag])
                continue
            left -= sizes[tag]
            self._compare_tag(tag, entry)

    def _tell_cost(self, tag: str, iteration: int, nbytes: int) -> None:
        if tag in self._told:
            return
        self._told.add(tag)
        nothing = np.zeros(0)
        most = size_text(LIMIT)
        note = (
            f"not computed: {size_text(nbytes)} of results would be read in every iteration, {most} at most"
        )
        self._findings.disagreements.append(Disagreement(tag, iteration, (), nothing, nothing, note))

    def _compare_tag(self, tag: str, entry: Recent) -> None:
        try:
            read = self._read(tag, entry.batches)
        except (Gone, CorruptBytes, OSError):
            return
        parts = {node: part for node, value in read.items() if (part := leaves(value)) is not None}
        structures = {part.structure for part in parts.values()}
        if len(parts) < 2 or len(structures) != 1:
            return
        try:
            base = self._base(structures.pop(), entry.before)
        except Gone:
            return
        numbers = spread(list(parts.values()), base)
        self._findings.disagreements.append(_telling(tag, entry.iteration, tuple(parts), numbers))

    def _read(self, tag: str, batches: Sequence[Batch]) -> dict[str, object]:
        found: dict[str, object] = {}
        for batch in batches:
            if tag in batch.result_bytes and batch.segment is not None:
                with Peek(self._book, batch.segment.key) as peek:
                    found.update(peek.results(tag, batch.partial_tags.get(tag, batch.nodes)))
        return found

    def _base(self, structure: object, before: Mapping[str, ValueRef]) -> Leaves | None:
        """The one Global of that structure as the iteration began with it. `Gone` where it was not read in time."""
        if not before.keys() <= self._held.keys():
            raise Gone("nobody knows what it was")
        alike = [tag for tag in before if (held := self._held[tag][1]) and held.structure == structure]
        if len(alike) != 1:
            return None
        ref, base = self._held[alike[0]]
        if ref != before[alike[0]]:
            raise Gone("it is no longer kept")
        return base

    def _hold(self) -> None:
        """Read the Globals that the next iterations begin with."""
        left = LIMIT
        for tag, ref in self._findings.current().items():
            known = self._held.get(tag)
            if known is not None and known[0] == ref:
                left -= ref.nbytes if known[1] is not None else 0
                continue
            if ref.nbytes > left:
                # too large to be compared with anything
                self._held[tag] = (ref, None)
                continue
            try:
                with Peek(self._book, ref.segment.key) as peek:
                    held = leaves(peek.value(ref))
            except (Gone, CorruptBytes, OSError):
                continue
            self._held[tag] = (ref, held)
            left -= ref.nbytes if held is not None else 0


def _telling(tag: str, iteration: int, nodes: tuple[str, ...], numbers: Spread) -> Disagreement:
    """All nodes, or, of many, those that stand out most."""
    if len(nodes) <= MOST_NODES:
        return Disagreement(tag, iteration, nodes, *numbers)
    half = MOST_NODES // 2
    cosine = np.where(np.isnan(numbers.cosine), -2.0, numbers.cosine)
    norm = np.where(np.isnan(numbers.norm), np.inf, numbers.norm)
    chosen = np.unique(np.r_[np.argsort(cosine)[:half], np.argsort(norm)[-half:]])
    names = tuple(nodes[index] for index in chosen.tolist())
    said = f"of {len(nodes):,} nodes the {half} that point away most and the {half} with the largest updates"
    return Disagreement(tag, iteration, names, numbers.norm[chosen], numbers.cosine[chosen], said)
