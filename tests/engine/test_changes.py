"""Globals that a person changes while the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from manta_nb.engine.driver import Driver
from manta_nb.engine.events import BatchLost, ChangeRequested, GlobalsEdited, StopRequested
from manta_nb.engine.instructions import (
    CommitIteration,
    DropSegments,
    EditGlobals,
    FinishRun,
    Record,
    RunTask,
)
from manta_nb.engine.records import Change, Failure
from manta_nb.engine.run_state import RunState
from manta_nb.store.unkept import Unkept
from tests.engine.conftest import Play
from tests.fakes import ScriptedDispatcher, done, make_nodes, only, value, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]
LR = ChangeRequested(Change("lr", 0.05))
EDITED = GlobalsEdited({"lr": value("edited", "")}, ("lr: 0.1 → 0.05",))


def aggregated(start: StartRun, *before: Any, **plan: Any) -> tuple[Play, list[Any]]:
    """A run with a change asked for, its first iteration complete; and what was answered to that."""
    play, run = start(worker_and_aggregator(**plan), 3, {"lr": value("lr"), "w": value("w")})
    play(*before)
    return play, play(done(play.run(done(run, writes={"w": "node_1"}))))


def test_a_change_waits_for_the_end_of_the_iteration(start: StartRun) -> None:
    """The running iteration reads what it began with; at its end the values are asked for, and nothing else is done."""
    play, run = start(worker_and_aggregator(), 3, {"lr": value("lr")})
    assert play(LR) == []

    aggregator = play.run(done(run, writes={"w": "node_1"}))
    [edit] = play(done(aggregator))

    assert aggregator.globals["lr"] == value("lr")
    assert isinstance(edit, EditGlobals)
    assert (edit.iteration, edit.changes) == (0, (Change("lr", 0.05),))
    assert list(edit.globals) == ["lr", "w"], "what the iteration wrote is there to be changed"


def test_the_next_iteration_has_it_and_so_has_what_is_kept(start: StartRun) -> None:
    """It is committed with the iteration, over what a task wrote, and told as an event of the next one."""
    play, _ = aggregated(start, LR)

    said = play(EDITED)

    [commit], [run] = only(CommitIteration, said), only(RunTask, said)
    [record] = only(Record, said)
    assert run.iteration == 1
    assert (
        run.globals["lr"] == commit.globals["lr"] == commit.checkpoint.globals["lr"] == EDITED.globals["lr"]
    )
    assert commit.changed == ("w", "lr")
    assert (record.event.iteration, record.event.kind, record.event.message) == (
        1,
        "change",
        "lr: 0.1 → 0.05",
    )


def test_it_is_made_once(start: StartRun) -> None:
    """The iteration after the next asks for nothing, and keeps the value."""
    play, _ = aggregated(start, LR)
    [run] = only(RunTask, play(EDITED))

    said = play(done(play.run(done(run))))

    assert only(EditGlobals, said) == []
    assert only(RunTask, said)[0].globals["lr"] == EDITED.globals["lr"]


def test_one_that_comes_while_values_are_made_is_next(start: StartRun) -> None:
    """Nothing is lost, and no iteration waits twice."""
    play, _ = aggregated(start, LR)
    later = ChangeRequested(Change("w", 1))

    play(later)
    [run] = only(RunTask, play(EDITED))
    [edit] = play(done(play.run(done(run))))

    assert edit.changes == (later.change,)


def test_a_run_that_ends_changes_nothing(start: StartRun) -> None:
    """After the last iteration there is none that could read it."""
    _, said = aggregated(start, LR, iterations=1)

    assert only(EditGlobals, said) == []
    assert only(CommitIteration, said)[0].globals["lr"] == value("lr")


def test_a_stop_while_values_are_made_ends_the_run(start: StartRun) -> None:
    """The iteration that waits is given up; the values that come after it do no harm."""
    play, _ = aggregated(start, LR)

    assert play.end(StopRequested("enough")).status == "stopped"
    assert play(EDITED) == []


def test_a_loss_while_values_are_made_is_mended_first(start: StartRun) -> None:
    """What was lost is made again; then the iteration is committed with the change, whose memory was kept."""
    play, _ = aggregated(start, LR)
    lost = BatchLost("worker", 0, 0, (), Failure("", "lost", "gone"), ("0-worker-0-node_0",))
    again = only(RunTask, play(lost, EDITED))
    assert {run.alias for run in again} == {"worker"}
    assert not any("edited" in drop.keys for drop in only(DropSegments, play.said))

    [run] = again
    said = play(done(run, writes={"w": "node_1"}, key="anew"))
    if not only(CommitIteration, said):
        said = play(*[done(each) for each in only(RunTask, said)])

    assert only(CommitIteration, said)[0].globals["lr"] == EDITED.globals["lr"]


def test_what_it_replaced_is_freed(start: StartRun) -> None:
    """Its memory goes when no commit needs it."""
    play, _ = aggregated(start, LR)

    said = play(EDITED)

    assert any("lr" in drop.keys for drop in only(DropSegments, said))


def test_the_driver_has_the_values_made() -> None:
    """It hands them on to whoever can read values, and reports what comes back."""
    asked: list[EditGlobals] = []
    state = RunState(worker_and_aggregator(2), make_nodes(2), {"lr": value("lr")})

    def edit(wanted: EditGlobals) -> GlobalsEdited:
        asked.append(wanted)
        return EDITED

    driver = Driver(state, ScriptedDispatcher(lambda run: [done(run)]), Unkept(), edit=edit)
    driver.post(LR)

    assert driver.run() == FinishRun("completed", "all 2 iterations")
    assert [wanted.iteration for wanted in asked] == [0]
    assert state.committed.globals["lr"] == EDITED.globals["lr"]
