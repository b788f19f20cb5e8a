"""The `History` of a run, filled from a store."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from manta_nb.engine.records import Batch, Segment, ValueRef
from manta_nb.engine.run_state import RunState
from manta_nb.errors import MantaError
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.runners.segments import SegmentReader
from manta_nb.session.feed.sketch import Sketch, sketch
from manta_nb.session.findings import GlobalChange, ResultsWritten
from manta_nb.session.history import History
from manta_nb.session.logs import LogRow

if TYPE_CHECKING:
    from manta_nb.store.ports import Store

__all__ = ["refilled"]

#: bytes of values that are read to say in words what they are, the latest first
LOOKED_AT = 8 << 20
_UNKNOWN = Sketch("", "")


def refilled(store: Store, run_id: str, state: RunState, book: SegmentBook) -> History:
    """Everything that is shown of a run, as the store has it."""
    history = History(state, book, {})
    for columns in store.metrics(run_id):
        history.metrics.stored.extend_columns(columns)
    whole = state.committed.checkpoint.iterations
    for iteration in {row.iteration for row in history.metrics.rows(since=whole)}:
        # of an iteration whose values are damaged: it is done again
        history.metrics.discard(iteration)
    history.logs.extend(LogRow(*line) for line in store.logs(run_id))
    history.events.extend(store.events(run_id))
    for each in store.iterations(run_id):
        history.bytes_moved[each.iteration] = each.moved
        history.bytes_total += each.moved
    extras = store.extras(run_id)
    nodes = extras.get("nodes", [])
    history.work.seconds.update(zip(nodes, map(float, extras.get("seconds", [])), strict=False))
    history.work.bytes_out.update(zip(nodes, map(int, extras.get("bytes_out", [])), strict=False))
    history.work.errors.update(extras.get("errors", {}))
    look = _Look(store)
    _changes(store, run_id, history, look)
    for written in _results(history, state.committed.results.index(()).batches, look):
        history.findings.results.append(written)
    history.reopen(state)
    return history


class _Look:
    """Says what stored values are, as long as that does not take much reading."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._left = LOOKED_AT
        self._known: dict[str, SegmentReader | None] = {}

    def at(self, ref: ValueRef) -> Sketch:
        """What a value is; nothing where it is too large, or damaged."""
        try:
            reader = self._reader(ref.segment)
            return sketch(reader.value(ref.offset, ref.nbytes)) if reader is not None else _UNKNOWN
        except MantaError:
            return _UNKNOWN

    def at_result(self, tag: str, batch: Batch) -> Sketch:
        """What the nodes of a batch wrote, by the last one's value."""
        try:
            reader = self._reader(batch.segment) if batch.segment is not None else None
            found = list(reader.entries(tag)) if reader is not None else []
            return sketch(reader.value(*found[-1][1:])) if reader is not None and found else _UNKNOWN
        except MantaError:
            return _UNKNOWN

    def _reader(self, segment: Segment) -> SegmentReader | None:
        key = segment.key
        if key not in self._known:
            enough = segment.nbytes > self._left
            self._known[key] = None
            if not enough:
                self._left -= segment.nbytes
                self._known[key] = SegmentReader(key, self._store.segment(key))
        return self._known[key]


def _changes(store: Store, run_id: str, history: History, look: _Look) -> None:
    """When each Global changed, and what it was; those that are held can be looked at."""
    versions: dict[str, int] = {}
    held: list[GlobalChange] = []
    for each in store.versions(run_id):
        number = versions[each.tag] = versions.get(each.tag, 0) + 1
        iteration = None if each.iteration < 0 else each.iteration
        history.note_change(each.tag, iteration)
        if each.ref is not None:
            held.append(GlobalChange(each.tag, iteration, number, each.ref))
    seen = [look.at(change.ref) for change in reversed(held)][::-1]
    for change, (kind, preview) in zip(held, seen, strict=True):
        history.findings.changes.append(
            GlobalChange(change.tag, change.iteration, change.version, change.ref, kind, preview)
        )
    history.findings.know(versions)


def _results(history: History, batches: tuple[Batch, ...], look: _Look) -> Iterator[ResultsWritten]:
    """What the nodes wrote in the iterations whose Results are held."""
    ordered = sorted(batches, key=lambda batch: batch.iteration)
    for iteration, group in groupby(ordered, key=lambda batch: batch.iteration):
        of_iteration = list(group)
        for written in history.findings._written(iteration, of_iteration):
            last = next(batch for batch in reversed(of_iteration) if written.tag in batch.result_bytes)
            kind = look.at_result(written.tag, last).type
            yield ResultsWritten(written.tag, iteration, written.nodes, written.nbytes, kind)
