"""The `History` of a run, filled from a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manta_nb.engine.run_state import RunState
from manta_nb.runtime.book import SegmentBook
from manta_nb.session.findings import GlobalChange
from manta_nb.session.history import History
from manta_nb.session.logs import LogRow

if TYPE_CHECKING:
    from manta_nb.store.ports import Store

__all__ = ["refilled"]


def refilled(store: Store, run_id: str, state: RunState, book: SegmentBook) -> History:
    """Everything that is shown of a run, as the store has it."""
    history = History(state, book, {})
    for columns in store.metrics(run_id):
        history.metrics.stored.extend_columns(columns)
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
    _changes(store, run_id, history)
    history.reopen(state)
    return history


def _changes(store: Store, run_id: str, history: History) -> None:
    """When each Global changed; those that are held can be looked at."""
    versions: dict[str, int] = {}
    for each in store.versions(run_id):
        number = versions[each.tag] = versions.get(each.tag, 0) + 1
        iteration = None if each.iteration < 0 else each.iteration
        history.note_change(each.tag, iteration)
        if each.ref is not None:
            history.findings.changes.append(GlobalChange(each.tag, iteration, number, each.ref))
    history.findings.know(versions)
