"""Where the values of a run lie, and what each is in a few words, without reading more of a large one than its head."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from manta_nb.engine.records import ValueRef
from manta_nb.errors import CorruptBytes, MantaError, StoreError
from manta_nb.runtime.runners.segments import SegmentReader
from manta_nb.sdk.codec import decode
from manta_nb.sdk.describe import describe

if TYPE_CHECKING:
    from manta_nb.engine.records import Batch, Segment
    from manta_nb.session.run import Run
    from manta_nb.store.ports import Store

__all__ = ["GlobalAt", "LiveValues", "ResultAt", "StoredValues", "Values"]

#: bytes of a segment of a store that are read to say what is in it
_READ = 64 << 20


class GlobalAt(NamedTuple):
    """A Global: where it lies, and the iteration that changed it (None: as at the start)."""

    ref: ValueRef
    iteration: int | None


class ResultAt(NamedTuple):
    """A tag of the Results in the latest iteration that has it: who wrote it, and one batch that holds it."""

    iteration: int
    nodes: tuple[str, ...]
    nbytes: int
    batch: Batch


class Values(Protocol):
    """The values of one run."""

    def globals(self) -> Mapping[str, GlobalAt]:
        """The Globals by tag."""

    def results(self) -> Mapping[str, ResultAt]:
        """The tags of the Results."""

    def kind(self, tag: str, ref: ValueRef) -> str:
        """What lies there: `float32 (64, 784)`; "" where it cannot be read."""

    def result_kind(self, tag: str, batch: Batch) -> str:
        """What one of the nodes of a batch wrote under a tag."""


class LiveValues:
    """The values of a run of this kernel."""

    def __init__(self, run: Run) -> None:
        # by name: they need Dask, which a kernel that has a run has
        self._peek: Any = import_module("manta_nb.session.feed.peek")
        self._sketches: Any = import_module("manta_nb.session.feed.sketch").Sketches()
        self._history = run._history

    def globals(self) -> Mapping[str, GlobalAt]:
        """See `Values`."""
        found = {}
        for tag in self._history.global_tags():
            try:
                found[tag] = GlobalAt(*self._history.global_ref(tag))
            except MantaError:
                # it went in this moment
                continue
        return found

    def results(self) -> Mapping[str, ResultAt]:
        """See `Values`."""
        found = {}
        for tag, info in self._history.result_tags().items():
            try:
                batches = self._history.result_batches(tag, info.iteration)
            except MantaError:
                continue
            if batches:
                found[tag] = ResultAt(info.iteration, info.nodes, info.nbytes, batches[-1])
        return found

    def kind(self, tag: str, ref: ValueRef) -> str:
        """See `Values`."""
        try:
            with self._peek.Peek(self._history.book, ref.segment.key) as peek:
                seen = self._sketches.of(tag, peek, ref)
        except (self._peek.Gone, CorruptBytes, OSError):
            return ""
        if seen.type in ("str", "int", "float", "bool"):
            return str(seen.preview)
        return f"{seen.type}: {seen.preview}" if " of " in seen.type and seen.preview else str(seen.type)

    def result_kind(self, tag: str, batch: Batch) -> str:
        """See `Values`."""
        segment = batch.segment
        if segment is None:
            return ""
        try:
            with self._peek.Peek(self._history.book, segment.key) as peek:
                found = peek.entries(tag)
        except (self._peek.Gone, CorruptBytes, OSError):
            return ""
        if not found:
            return ""
        return self.kind(f"result {tag}", _ref(segment, *found[-1][1:]))


class StoredValues:
    """The values of a run of a store."""

    def __init__(self, store: Store, run_id: str) -> None:
        """Raises `StoreError` where it cannot be read."""
        self._store = store
        self._checkpoint = store.checkpoint(run_id)
        self._changed = {version.tag: version.iteration for version in store.versions(run_id)}

    def globals(self) -> Mapping[str, GlobalAt]:
        """See `Values`."""
        at = {tag: self._changed.get(tag, -1) for tag in self._checkpoint.globals}
        return {
            tag: GlobalAt(ref, at[tag] if at[tag] >= 0 else None)
            for tag, ref in self._checkpoint.globals.items()
        }

    def results(self) -> Mapping[str, ResultAt]:
        """See `Values`."""
        return _latest(self._checkpoint.results.batches)

    def kind(self, tag: str, ref: ValueRef) -> str:
        """See `Values`."""
        if ref.segment.nbytes > _READ:
            return ""
        try:
            view = self._store.segment(ref.segment.key)
            return describe(decode(view[ref.offset : ref.offset + ref.nbytes]))
        except (StoreError, CorruptBytes):
            return ""

    def result_kind(self, tag: str, batch: Batch) -> str:
        """See `Values`."""
        segment = batch.segment
        if segment is None or segment.nbytes > _READ:
            return ""
        try:
            found = list(SegmentReader(segment.key, self._store.segment(segment.key)).entries(tag))
        except (StoreError, CorruptBytes):
            return ""
        return self.kind(tag, _ref(segment, *found[-1][1:])) if found else ""


def _ref(segment: Segment, offset: int, nbytes: int) -> ValueRef:
    return ValueRef(segment, offset, nbytes)


def _latest(batches: Iterable[Batch]) -> dict[str, ResultAt]:
    """Of each tag the latest iteration that has it."""
    found: dict[str, ResultAt] = {}
    for batch in batches:
        for tag, nbytes in batch.result_bytes.items():
            nodes = tuple(batch.partial_tags.get(tag, batch.nodes))
            before = found.get(tag)
            if before is None or before.iteration < batch.iteration:
                found[tag] = ResultAt(batch.iteration, nodes, nbytes, batch)
            elif before.iteration == batch.iteration:
                both = tuple(dict.fromkeys((*before.nodes, *nodes)))
                found[tag] = ResultAt(batch.iteration, both, nbytes + before.nbytes, batch)
    return found
