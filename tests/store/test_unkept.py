"""A history in memory."""

from __future__ import annotations

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.events import IterationCommitted
from manta_nb.engine.instructions import CommitIteration, FinishRun
from manta_nb.engine.ports import RunStore
from manta_nb.engine.records import Event, TaskPlan
from manta_nb.store.unkept import Unkept
from tests.fakes import make_plan, value


def test_history_is_kept() -> None:
    """Globals of each iteration, events and the end can be read again."""
    store = Unkept()
    history: RunStore = store
    plan, event = make_plan(TaskPlan("worker")), Event(0, "retry", "worker on node_1 runs again")
    posted: list[object] = []
    history.begin(plan, posted.append)
    history.commit(CommitIteration(Checkpoint(1, {"w": value("a")}), ("w",)))
    history.commit(CommitIteration(Checkpoint(2, {"w": value("b")}), ("w",)))
    history.record(event)
    running = store.status
    history.hurry()
    history.finish(FinishRun("completed", "all 2 iterations"))

    assert posted == [IterationCommitted(0), IterationCommitted(1)]
    assert (store.plan, running) == (plan, "running")
    assert store.globals == {0: {"w": value("a")}, 1: {"w": value("b")}}
    assert store.events == [event]
    assert (store.status, store.reason) == ("completed", "all 2 iterations")
