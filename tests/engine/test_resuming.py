"""A run that ended goes on from its last committed iteration as if it had never ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.events import (
    IterationCommitted,
    IterationSkipped,
    RunStarted,
    SegmentsLost,
    StopRequested,
    StoreFailed,
)
from manta_nb.engine.instructions import CommitIteration, DropSegments, FinishRun, Record, RunTask
from manta_nb.engine.records import RunPlan, TaskPlan
from manta_nb.engine.run_state import RunState
from tests.engine.chaos import go_on_wildly, play_wildly
from tests.engine.conftest import Play
from tests.engine.simulation import play_calmly
from tests.engine.test_interleavings import plans
from tests.fakes import done, make_nodes, make_plan, only, value, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]


def resumed(play: Play, plan: RunPlan, nodes: int = 3) -> Play:
    """The run of `play` as it goes on."""
    return Play(RunState.resumed(plan, make_nodes(nodes), play.state.committed.checkpoint))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans(), st.integers(1, 4), st.integers(0, 2**32), st.integers(1, 3))
def test_stopped_and_resumed_run_gives_the_values_of_the_calm_one(
    plan: RunPlan, nodes: int, seed: int, stops: int
) -> None:
    """Stopped anywhere, once or more often, disturbed before and after: all committed Globals are the same."""
    random = Random(seed)
    calm = play_calmly(plan, make_nodes(nodes))
    wild = play_wildly(plan, make_nodes(nodes), random, stop_after=random.randrange(12))
    for left in range(stops, 0, -1):
        if wild.finish is not None and wild.finish.status == "stopped":
            wild.resume(plan)
            go_on_wildly(wild, stop_after=None if left == 1 else random.randrange(12))

    assert wild.finish == calm.finish
    assert wild.committed_values() == calm.committed_values()


def test_resumed_run_knows_how_far_it_is(start: StartRun) -> None:
    """Its progress counts on before and after it starts; the iteration that was given up runs again, as attempt 0."""
    plan = worker_and_aggregator(iterations=5)
    play, run = start(plan)
    run = play.run(done(play.run(done(run))), IterationCommitted(0))
    play(done(run, ["node_0"]), StopRequested())
    again = resumed(play, plan)
    before = again.state.progress()
    run = again.run(RunStarted())

    assert (before.status, before.committed, before.iteration) == ("pending", 1, 1)
    assert (run.iteration, run.alias, run.attempt, len(run.node_ids)) == (1, "worker", 0, 3)
    assert again.state.progress().committed == 1


def test_nothing_committed_begins_at_the_start(start: StartRun) -> None:
    """A run that ended in its first iteration has its first Globals still."""
    plan = worker_and_aggregator()
    play, _ = start(plan, 3, {"w": value("init")})
    play(StopRequested())
    run = resumed(play, plan).run(RunStarted())

    assert (run.iteration, run.globals) == (0, {"w": value("init")})


def test_what_the_last_iteration_asked_for_is_kept(start: StartRun) -> None:
    """The schedule, the nodes of a fixed task, the states of nodes and the readable results go on."""
    plan = make_plan(
        TaskPlan("worker", method="all"),
        TaskPlan("pick", ("worker",), maximum=2, fixed=True),
        iterations=None,
    )
    play, run = start(plan, 6)
    pick = play.run(done(run, stateful=("node_4",)))
    run = play.run(done(pick, schedule={"worker": ("node_2", "node_4")}), IterationCommitted(0))
    play(StopRequested())
    again = resumed(play, plan, 6)
    same = again.run(RunStarted())

    assert same == run
    assert (same.node_ids, same.states) == (("node_2", "node_4"), {"node_4": "0-worker-0"})
    assert again.run(done(same)).node_ids == pick.node_ids


def test_more_iterations_extend_a_completed_run(start: StartRun) -> None:
    """With a larger limit a run that reached the first one goes on where it ended."""
    plan = make_plan(TaskPlan("worker"), iterations=1)
    play, run = start(plan)
    play(done(run), IterationCommitted(0))
    again = resumed(play, replace(plan, iterations=2))
    commit = only(CommitIteration, again(done(again.run(RunStarted()))))
    finish = again.end(IterationCommitted(1))

    assert [each.iteration for each in commit] == [1]
    assert finish.reason == "all 2 iterations"


def test_what_a_store_still_writes_is_kept(start: StartRun) -> None:
    """An iteration counts as committed when its store has confirmed it; only then its memory is free."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None, keep_results=1))
    early = play(done(play.run(done(run, key="s0")), key="s1"))
    before = play.state.progress().committed
    later = play(IterationCommitted(0))

    assert (before, play.state.progress().committed) == (0, 1)
    assert not only(DropSegments, early)
    assert only(DropSegments, later) == [DropSegments(("s0",))]
    assert play.state.committed.checkpoint.iterations == 2


def test_what_a_store_passes_over_is_freed(start: StartRun) -> None:
    """Where iterations come faster than they can be written, a later one stands for those before it."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=2, keep_results=1))
    play(done(play.run(done(run, key="s0")), key="s1"))
    skipped = play(IterationSkipped(0))
    finish = play.end(IterationCommitted(1))

    assert only(DropSegments, skipped) == [DropSegments(("s0",))]
    assert (finish.status, play.state.progress().committed) == ("completed", 2)


def test_a_store_that_fails_ends_the_run_with_nothing_lost(start: StartRun) -> None:
    """The reason says why and from where it goes on; what is in memory is what it goes on from."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=9))
    play(done(run))
    finish = play.end(StoreFailed("the disk is full"))
    again = resumed(play, make_plan(TaskPlan("worker", method="all"), iterations=9))

    assert finish.status == "failed"
    assert finish.reason == "not saved: the disk is full; resume() goes on from iteration 1"
    assert again.run(RunStarted()).iteration == 1


def test_a_run_whose_last_iteration_is_not_stored_is_not_complete(start: StartRun) -> None:
    """Whoever opened it from the store would not find the end of it: it says so, and how it is saved."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=1))
    play(done(run))
    said = play(StoreFailed("the disk is full"))

    [finish] = only(FinishRun, said)
    assert finish.status == "failed"
    assert finish.reason == "not saved: the disk is full; resume(iterations=2) goes on from iteration 1"
    assert [(told.event.kind, told.event.message) for told in only(Record, said)] == [
        ("store", "the disk is full")
    ]


def test_lost_results_are_not_gone_on_with(start: StartRun) -> None:
    """A result that went with its node is gone for the resumed run as it is for this one."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    play(done(run, key="a", writes={"w": "node_0"}, result_bytes={}), IterationCommitted(0))
    play(SegmentsLost(("b",), "gone"))
    checkpoint = play.state.committed.checkpoint

    assert checkpoint.lost(["a"]) == ["w"]
    assert checkpoint.lost(["b"]) == []


@pytest.mark.parametrize("keep", [1, 2, None])
def test_lost_results_are_dropped_from_the_checkpoint(start: StartRun, keep: int | None) -> None:
    """They cannot be read, and asking for them says so."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None, keep_results=keep))
    play(done(run, key="a"), IterationCommitted(0), SegmentsLost(("a",), "gone"))
    checkpoint = play.state.committed.checkpoint

    assert (checkpoint.keys, checkpoint.results.dropped) == (frozenset(), {"worker": 0})
    assert Checkpoint().without(["a"]) == Checkpoint()
