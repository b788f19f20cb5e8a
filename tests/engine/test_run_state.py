"""A run from its start to its end, when nothing goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from manta_nb.engine.events import IterationCommitted, Noted, RunStarted, StopRequested
from manta_nb.engine.instructions import CommitIteration, FinishRun, Record, RunTask, StopTasks
from manta_nb.engine.records import Event, TaskPlan
from manta_nb.engine.run_state import RunState
from manta_nb.errors import DefinitionError
from tests.engine.conftest import Play
from tests.fakes import done, make_nodes, make_plan, only, value, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]
MakePlay = Callable[..., Play]


def test_first_task_starts_on_all_its_nodes(start: StartRun) -> None:
    """Iteration 0 begins with the tasks that wait for nothing."""
    play, run = start(worker_and_aggregator())

    assert (run.iteration, run.alias, run.attempt) == (0, "worker", 0)
    assert run.node_ids == ("node_0", "node_1", "node_2")
    assert play.state.status == "running"


def test_task_waits_for_every_node_of_its_inputs(start: StartRun) -> None:
    """The aggregator starts when the last node has finished, not before."""
    play, run = start(worker_and_aggregator())

    assert play(done(run, ["node_0", "node_2"])) == []
    assert play.run(done(run, ["node_1"])).alias == "aggregator"


def test_task_with_two_inputs_waits_for_both(play: MakePlay) -> None:
    """A fan-in starts after the slower branch."""
    played = play(make_plan(TaskPlan("a"), TaskPlan("b"), TaskPlan("c", ("a", "b"))))
    a, b = only(RunTask, played(RunStarted()))

    assert played(done(b)) == []
    assert played.run(done(a)).alias == "c"


def test_next_iteration_starts_with_the_commit(start: StartRun) -> None:
    """The next iteration does not wait until the store has confirmed the last one."""
    play, run = start(worker_and_aggregator())
    aggregator = play.run(done(run))

    commit, following = play(done(aggregator))

    assert isinstance(commit, CommitIteration)
    assert isinstance(following, RunTask)
    assert (commit.iteration, following.iteration) == (0, 1)


def test_run_ends_after_its_last_commit_is_confirmed(start: StartRun) -> None:
    """Reaching N runs N complete iterations; the end waits for the store."""
    play, run = start(make_plan(TaskPlan("worker"), iterations=3))
    run = play.run(done(run))
    run = play.run(done(run), IterationCommitted(0))

    last = play(done(run))
    early = play(IterationCommitted(1))
    finish = play.end(IterationCommitted(2))

    assert [commit.iteration for commit in only(CommitIteration, last)] == [2]
    assert not only(FinishRun, [*last, *early])
    assert (finish.status, finish.reason) == ("completed", "all 3 iterations")
    assert play.state.progress().committed == 3


def test_one_iteration_is_named_in_the_singular(start: StartRun) -> None:
    """Nobody reads 'all 1 iterations'."""
    play, run = start(make_plan(TaskPlan("worker"), iterations=1))
    play(done(run))

    assert play.end(IterationCommitted(0)).reason == "1 iteration"


def test_stop_swarm_ends_the_run_after_its_iteration(start: StartRun) -> None:
    """stop_swarm() by any task completes and commits the iteration, then ends it and says who."""
    play, run = start(worker_and_aggregator(iterations=None))
    aggregator = play.run(done(run, stop="node_1"))
    committed = play(done(aggregator))
    finish = play.end(IterationCommitted(0))

    assert [type(instruction) for instruction in committed] == [CommitIteration]
    assert finish == FinishRun("completed", "stop_swarm() by worker on node_1", task="worker")


def test_nothing_is_answered_after_the_end(start: StartRun) -> None:
    """Whatever comes after FinishRun changes nothing."""
    play, run = start(make_plan(TaskPlan("worker"), iterations=1))
    play(done(run), IterationCommitted(0))

    late = play(done(run), RunStarted(), StopRequested(), IterationCommitted(0), Noted(Event(0, "nan", "x")))

    assert late == []
    assert play.state.status == "completed"


def test_second_start_is_harmless(start: StartRun) -> None:
    """A run starts once."""
    play, _ = start(worker_and_aggregator())

    assert play(RunStarted()) == []


def test_note_of_a_node_is_recorded(start: StartRun) -> None:
    """What a node reports as worth keeping is kept as it is."""
    play, _ = start(worker_and_aggregator())
    event = Event(0, "nan", "worker on node_1: NaN in 'loss'", "node_1", "worker")

    assert play(Noted(event)) == [Record(event)]


def test_same_events_give_the_same_instructions(play: MakePlay) -> None:
    """Two states of one plan answer alike, instruction by instruction."""
    plan = make_plan(TaskPlan("worker", maximum=3), TaskPlan("agg", ("worker",)), iterations=4)
    one, two = play(plan, 9), play(plan, 9)

    run = one.run(RunStarted())
    assert two(RunStarted()) == [run]
    for _ in range(7):
        said = one(done(run))
        assert two(done(run)) == said
        [run] = only(RunTask, said) or [run]


@pytest.mark.parametrize("now", [True, False])
def test_stop_before_the_start_ends_at_once(play: MakePlay, now: bool) -> None:
    """A pending run that is stopped never runs."""
    played = play(worker_and_aggregator())

    finish = played.end(StopRequested("changed my mind", now))

    assert finish == FinishRun("stopped", "changed my mind")
    assert played(RunStarted()) == []


def test_stop_now_gives_up_the_running_iteration(start: StartRun) -> None:
    """Tasks are stopped at once, and what the iteration wrote is rolled back."""
    play, run = start(worker_and_aggregator())
    play(done(run, writes={"w": "node_0"}))

    said = play(StopRequested("stopped by the user"))

    assert said[0] == StopTasks()
    assert said[-1] == FinishRun("stopped", "stopped by the user")
    assert play.state.committed.globals == {}


def test_stop_now_waits_for_a_commit_under_way(start: StartRun) -> None:
    """The iteration before is complete: the end waits until the store has it. A second stop is harmless."""
    play, run = start(make_plan(TaskPlan("worker")))
    play(done(run))

    stopped = play(StopRequested("enough"))
    again = play(StopRequested("enough!"))
    status = play.state.status
    finish = play.end(IterationCommitted(0))

    assert StopTasks() in stopped
    assert not only(FinishRun, stopped)
    assert again == []
    assert status == "stopping"
    assert finish == FinishRun("stopped", "enough")


def test_soft_stop_finishes_the_iteration(start: StartRun) -> None:
    """A stop that is not now lets the iteration end, commits it, and starts no other."""
    play, run = start(worker_and_aggregator())

    assert play(StopRequested("enough", now=False), StopRequested("again", now=False)) == []
    assert play.state.progress().status == "stopping"

    aggregator = play.run(done(run))
    assert [type(said) for said in play(done(aggregator))] == [CommitIteration]
    assert play.end(IterationCommitted(0)) == FinishRun("stopped", "enough")


def test_second_stop_may_be_harder(start: StartRun) -> None:
    """Who asked to stop after the iteration can still stop now."""
    play, _ = start(worker_and_aggregator())
    play(StopRequested("enough", now=False))

    assert play.end(StopRequested("now!")).reason == "now!"


def test_soft_stop_in_the_last_iteration_completes(start: StartRun) -> None:
    """A run that reaches its end anyway is completed."""
    play, run = start(make_plan(TaskPlan("worker"), iterations=1))
    play(StopRequested("enough", now=False), done(run))

    assert play.end(IterationCommitted(0)).status == "completed"


def test_progress_counts_nodes(start: StartRun) -> None:
    """Progress is a picture of the running iteration in numbers of nodes."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0"]))

    worker, aggregator = play.state.progress().tasks

    assert (worker.alias, worker.placed, worker.running, worker.done, worker.failed) == ("worker", 3, 2, 1, 0)
    assert (aggregator.placed, aggregator.running) == (0, 0)


def test_plan_with_two_tasks_of_one_name_is_refused() -> None:
    """What cannot run is refused when the state is made."""
    with pytest.raises(DefinitionError, match="two tasks are called 'a'"):
        RunState(make_plan(TaskPlan("a"), TaskPlan("a")), make_nodes(1), {"w": value("init")})
