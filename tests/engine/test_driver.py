"""The loop around a `RunState`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

import pytest

from manta_nb.engine.driver import Driver, Observer
from manta_nb.engine.events import RunEvent, RunStarted, StopRequested
from manta_nb.engine.instructions import (
    CommitIteration,
    DropSegments,
    FinishRun,
    Instruction,
    ReleaseNodes,
    RunTask,
)
from manta_nb.engine.progress import Progress
from manta_nb.engine.records import Quorum, RunPlan, TaskPlan
from manta_nb.engine.run_state import RunState
from manta_nb.engine.timers import Timers
from manta_nb.errors import NodeError
from manta_nb.store.unkept import Unkept
from tests.fakes import (
    RecordingDispatcher,
    ScriptedDispatcher,
    done,
    failed,
    make_nodes,
    make_plan,
    worker_and_aggregator,
)


def drive(
    dispatcher: RecordingDispatcher,
    plan: RunPlan | None = None,
    store: Unkept | None = None,
    observers: Iterable[Observer] = (),
) -> Driver:
    """A driver of a small run on three nodes."""
    state = RunState(plan or worker_and_aggregator(), make_nodes(3))
    return Driver(state, dispatcher, store or Unkept(), tuple(observers))


def test_run_goes_to_its_end() -> None:
    """Every task is dispatched, every iteration committed, the dispatcher closed once."""
    dispatcher, store = (
        ScriptedDispatcher(lambda run: [done(run, writes={"w": run.node_ids[0]})]),
        Unkept(),
    )
    driver = drive(dispatcher, store=store)

    finish = driver.run()

    assert finish == FinishRun("completed", "all 3 iterations")
    assert (driver.finish, store.status, store.reason) == (finish, "completed", "all 3 iterations")
    assert list(store.globals) == [0, 1, 2]
    assert [(run.iteration, run.alias) for run in dispatcher.runs][:3] == [
        (0, "worker"),
        (0, "aggregator"),
        (1, "worker"),
    ]
    assert (dispatcher.stopped, dispatcher.closed) == (0, 1)
    assert dispatcher.dropped


def test_failure_stops_and_is_stored() -> None:
    """A failed run has its events in the store and its reason everywhere."""
    store = Unkept()
    driver = drive(ScriptedDispatcher(lambda run: [failed(run, "node_1")]), store=store)

    finish = driver.run()

    assert finish.status == store.status == driver.progress.status == "failed"
    assert finish.reason == store.reason == driver.progress.reason
    assert [event.kind for event in store.events] == ["failure"]


def test_nodes_get_to_work_before_the_store_writes() -> None:
    """The next iteration is dispatched before the commit of the last one is written."""
    seen: list[object] = []
    dispatcher = ScriptedDispatcher(lambda run: [done(run)])
    drive(dispatcher, observers=[seen.append]).run()

    order = [type(what) for what in seen if isinstance(what, RunTask | CommitIteration)]
    assert [kind is CommitIteration for kind in order] == [False] * 3 + [True] + [False] * 2 + [
        True,
        False,
        True,
    ]


def test_a_value_is_dropped_when_the_next_is_known() -> None:
    """Who reads a run that goes on reads what was committed last: it goes when the commit has been observed."""
    seen: list[object] = []
    dispatcher = ScriptedDispatcher(lambda run: [done(run, writes={"w": run.node_ids[0]})])
    drive(dispatcher, observers=[seen.append]).run()

    for number, what in enumerate(seen):
        if isinstance(what, DropSegments):
            after = [type(each) for each in seen[number + 1 :] if not isinstance(each, FinishRun)]
            assert not after or after[0] is not CommitIteration
    assert any(isinstance(what, DropSegments) for what in seen)


def test_observers_see_every_event_and_instruction() -> None:
    """An observer sees events before what follows from them, and the end last."""
    seen: list[RunEvent | Instruction] = []
    drive(ScriptedDispatcher(lambda run: [done(run)]), observers=[seen.append]).run()

    assert seen[0] == RunStarted()
    assert isinstance(seen[1], RunTask)
    assert isinstance(seen[-1], FinishRun)


def test_observer_that_raises_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    """The screen may break; the run goes on and the error is in the log."""

    def broken(what: RunEvent | Instruction) -> None:
        raise RuntimeError("no screen")

    with caplog.at_level(logging.ERROR):
        finish = drive(ScriptedDispatcher(lambda run: [done(run)]), observers=[broken]).run()

    assert finish.status == "completed"
    assert "no screen" in caplog.text


class BrokenStore(Unkept):
    """A store whose disk is full."""

    def commit(self, commit: CommitIteration) -> None:
        """Raise."""
        raise OSError("disk full")


class UselessStore(BrokenStore):
    """A store that cannot even note the end."""

    def finish(self, end: FinishRun) -> None:
        """Raise."""
        raise OSError("disk still full")


@pytest.mark.parametrize("store", [BrokenStore, UselessStore])
def test_error_of_ours_ends_the_run_with_its_traceback(store: type[Unkept]) -> None:
    """A store that fails ends the run as failed, nodes are stopped, and nothing hangs."""
    dispatcher = ScriptedDispatcher(lambda run: [done(run)])
    driver = drive(dispatcher, store=store())

    finish = driver.run()

    assert finish.status == driver.progress.status == "failed"
    assert finish.reason == "an error inside manta_nb ended the run: OSError: disk full"
    assert finish.failure is not None
    assert "in commit" in finish.failure.traceback
    assert (dispatcher.stopped, dispatcher.closed) == (1, 1)


class RefusingDispatcher(RecordingDispatcher):
    """A dispatcher that has no cluster."""

    def open(self, plan: RunPlan, post: Callable[[RunEvent], None]) -> None:
        """Raise."""
        raise NodeError("the cluster is closed: start it again with %manta start")


def test_mistake_that_one_line_explains_keeps_its_line() -> None:
    """A MantaError is the reason, word for word."""
    assert (
        drive(RefusingDispatcher()).run().reason == "the cluster is closed: start it again with %manta start"
    )


def test_interrupt_ends_the_run_and_goes_on_up() -> None:
    """An interrupt of the thread that runs the driver leaves no run behind that seems to go on."""

    def interrupt(run: RunTask) -> list[RunEvent]:
        raise KeyboardInterrupt

    driver = drive(ScriptedDispatcher(interrupt))
    with pytest.raises(KeyboardInterrupt):
        driver.run()

    assert driver.progress.status == "failed"


def test_other_threads_post_and_watch() -> None:
    """A stop from another thread ends the run; progress is always a whole picture."""
    started = threading.Event()
    pictures: list[Progress] = []
    dispatcher = RecordingDispatcher()
    driver = drive(dispatcher, observers=[lambda what: started.set() if isinstance(what, RunTask) else None])
    thread = threading.Thread(target=driver.run)
    thread.start()
    assert started.wait(10)
    pictures.append(driver.progress)
    driver.post(StopRequested("enough"))
    thread.join(10)
    driver.post(StopRequested("too late"))
    pictures.append(driver.progress)

    assert not thread.is_alive()
    assert driver.finish == FinishRun("stopped", "enough")
    assert pictures[0].status in ("pending", "running")
    assert (pictures[1].status, pictures[1].reason, pictures[1].iteration) == ("stopped", "enough", 0)
    assert [task.alias for task in pictures[1].tasks] == ["worker", "aggregator"]
    assert dispatcher.stopped == 1


def test_progress_shows_the_end_of_a_run() -> None:
    """A completed run shows all its iterations as committed and its last counts."""
    driver = drive(ScriptedDispatcher(lambda run: [done(run)]))
    driver.run()

    progress = driver.progress
    assert (progress.status, progress.iteration, progress.committed, progress.iterations) == (
        "completed",
        2,
        3,
        3,
    )
    assert [(task.alias, task.done) for task in progress.tasks] == [("worker", 3), ("aggregator", 1)]


def test_records_reach_the_store() -> None:
    """What the engine notes is kept by the store."""
    store = Unkept()
    drive(
        ScriptedDispatcher(lambda run: [done(run, contested=("w",), writes={"w": run.node_ids[0]})]),
        store=store,
    ).run()

    assert {event.kind for event in store.events} == {"conflict"}


def test_timers_end_without_a_report() -> None:
    """Two of three are done and the third never is: the driver's own clock lets the run go on without it."""
    two = Quorum(2, patience=0.02, deadline=60)

    def answer(run: RunTask) -> list[RunEvent]:
        if run.alias == "worker":
            return [done(run, ["node_0"], quorum=two), done(run, ["node_1"], quorum=two)]
        return [done(run)]

    dispatcher = ScriptedDispatcher(answer)
    finish = drive(dispatcher).run()

    assert finish == FinishRun("completed", "all 3 iterations")
    assert dispatcher.released == [ReleaseNodes(number, "worker", ("node_2",)) for number in range(3)]


def test_a_deadline_ends_a_run_that_hears_nothing() -> None:
    """One of three is done and nothing else comes: the run fails at its deadline."""
    dispatcher = ScriptedDispatcher(lambda run: [done(run, ["node_0"], quorum=Quorum(2, 60, deadline=0.02))])

    assert drive(dispatcher).run().reason == (
        "worker: 1 of 2 nodes done 0.02 s after the first (node_0); "
        "missing: node_1 still runs, node_2 still runs"
    )


def test_what_has_come_goes_before_what_is_due() -> None:
    """A report in the queue counts, also where the timer is over: with no patience at all nobody is wronged."""
    none = Quorum(2, patience=0, deadline=60)

    def answer(run: RunTask) -> list[RunEvent]:
        return [done(run, [node], quorum=none) for node in run.node_ids]

    dispatcher = ScriptedDispatcher(answer)
    drive(dispatcher, plan=make_plan(TaskPlan("worker", method="all"))).run()

    assert dispatcher.released == []


def test_timers_go_in_the_order_they_are_due() -> None:
    """Whatever the order they were set in; equal ones in that."""
    timers, events = Timers(), SimpleQueue[RunEvent]()
    for seconds, reason in ((0.03, "last"), (0.0, "first"), (0.01, "third"), (0.0, "second")):
        timers.set(seconds, StopRequested(reason))
    found = [timers.next_event(events) for _ in range(4)]
    events.put(StopRequested("queued"))

    assert found == [StopRequested(reason) for reason in ("first", "second", "third", "last")]
    assert timers.next_event(events) == StopRequested("queued")
