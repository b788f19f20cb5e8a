"""A task that fails on some of its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from manta_nb.engine.events import BatchFinished, IterationCommitted, NodesGone, RunStarted
from manta_nb.engine.instructions import CommitIteration, DropSegments, Record, RunTask, StopTasks
from manta_nb.engine.records import Batch, Failure, TaskPlan
from tests.engine.conftest import Play
from tests.fakes import done, failed, make_plan, only, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]
MakePlay = Callable[..., Play]


def kinds(play: Play) -> list[str]:
    """The kinds of all events recorded so far."""
    return [record.event.kind for record in only(Record, play.said)]


def test_failed_node_fails_the_run_and_is_named(start: StartRun) -> None:
    """By default all nodes must succeed: the reason names task, node, cell, line and message."""
    play, run = start(worker_and_aggregator())
    finish = play.end(failed(run, "node_1", message="ValueError: bad shape", where="Cell In[3], line 4"))

    expected = (
        "worker failed on node_1 at Cell In[3], line 4: ValueError: bad shape "
        "(1 of 3 nodes failed, 3 must succeed)"
    )
    assert (finish.status, finish.reason, finish.task) == ("failed", expected, "worker")
    assert finish.failure is not None
    assert finish.failure.node_id == "node_1"


def test_reason_is_one_short_line(start: StartRun) -> None:
    """However long and broken the message, the reason is one line of 200 characters that keeps the count."""
    play, run = start(worker_and_aggregator())
    reason = play.end(failed(run, "node_1", message="ValueError: " + "x y\n" * 200)).reason

    assert len(reason) <= 200
    assert "\n" not in reason
    assert reason.endswith("(1 of 3 nodes failed, 3 must succeed)")


def test_failure_is_decided_when_all_nodes_have_reported(start: StartRun) -> None:
    """The other nodes of the task may finish first; then it is decided."""
    play, run = start(worker_and_aggregator())
    failures = (Failure("node_1", "error", "ValueError: no"),)
    early = play(BatchFinished(Batch(0, "worker", 0, "w1", (), failures)))

    assert not only(StopTasks, early)
    assert play.end(done(run, ["node_0", "node_2"])).status == "failed"


def test_other_tasks_are_stopped_when_the_run_fails(play: MakePlay) -> None:
    """A branch that still runs is stopped, and everything the iteration wrote is freed."""
    played = play(make_plan(TaskPlan("a"), TaskPlan("b"), TaskPlan("c", ("a",))))
    a, b = only(RunTask, played(RunStarted()))
    c = played.run(done(a, key="of-a"))
    said = played(failed(c, *c.node_ids))

    assert [type(each).__name__ for each in said][-3:] == ["StopTasks", "DropSegments", "FinishRun"]
    assert "of-a" in [key for drop in only(DropSegments, said) for key in drop.keys]
    assert played(done(b)) == []


@pytest.mark.parametrize(("min_nodes", "status"), [(2, "running"), (3, "failed"), (None, "failed")])
def test_iteration_goes_on_with_enough_nodes(start: StartRun, min_nodes: int | None, status: str) -> None:
    """At least `min_nodes` must succeed; those that did are kept, the other one is recorded."""
    play, run = start(worker_and_aggregator(min_nodes=min_nodes))
    said = play(failed(run, "node_1"))

    assert play.state.status == status
    assert kinds(play) == ["failure"]
    if status == "running":
        [aggregator] = only(RunTask, said)
        assert [batch.nodes for batch in aggregator.results.batches] == [("node_0", "node_2")]


def test_failed_node_takes_part_again_in_the_next_iteration(start: StartRun) -> None:
    """A tolerated failure is one of this iteration only."""
    play, run = start(worker_and_aggregator(min_nodes=1))
    aggregator = play.run(failed(run, "node_1"))

    assert play.run(done(aggregator)).node_ids == run.node_ids


@pytest.mark.parametrize("kind", ["error", "died", "timeout"])
def test_failed_turns_are_tried_again(start: StartRun, kind: Any) -> None:
    """Only the failed nodes run again, with the next attempt number, as often as `retries` says."""
    play, run = start(worker_and_aggregator(retries=2), 4)
    first = play.run(failed(run, "node_1", "node_3", kind=kind))
    second = play.run(failed(first, "node_3", kind=kind))
    aggregator = play.run(done(second))

    assert (first.attempt, first.node_ids) == (1, ("node_1", "node_3"))
    assert (second.attempt, second.node_ids) == (2, ("node_3",))
    assert [batch.nodes for batch in aggregator.results.batches] == [
        ("node_0", "node_2"),
        ("node_1",),
        ("node_3",),
    ]
    assert kinds(play) == ["retry", "retry"]


def test_retries_are_counted_for_each_node_and_iteration(start: StartRun) -> None:
    """One node's retry takes nothing from another node, nor from the next iteration."""
    play, run = start(worker_and_aggregator(retries=1), 2)
    first = play.run(failed(run, "node_0"))
    aggregator = play.run(done(first))
    run = play.run(done(aggregator), IterationCommitted(0))
    again = play.run(failed(run, "node_0"))

    assert again.attempt == 1
    assert play.end(failed(again, "node_0")).status == "failed"


def test_retry_reads_what_the_first_attempt_read(play: MakePlay) -> None:
    """What a task beside has written in the meantime stays unseen."""
    played = play(make_plan(TaskPlan("a", retries=1), TaskPlan("b")), 3)
    a, b = only(RunTask, played(RunStarted()))
    played(done(b, writes={"w": b.node_ids[0]}))
    retry = played.run(failed(a, *a.node_ids))

    assert retry.globals == a.globals == {}
    assert retry.results == a.results


def test_stopped_turn_is_not_tried_again(start: StartRun) -> None:
    """A turn that a person stopped has failed."""
    play, run = start(worker_and_aggregator(retries=5))

    assert play.end(failed(run, "node_0", kind="stopped")).status == "failed"


def test_ten_thousand_failures_are_a_few_events(start: StartRun) -> None:
    """Nodes that fail alike share an event; many different failures are cut to eight and a count."""
    play, run = start(worker_and_aggregator(min_nodes=0), 1000)
    play(failed(run, *run.node_ids[:500]))
    assert len(kinds(play)) == 1

    play, run = start(worker_and_aggregator(min_nodes=0), 1000)
    failures = tuple(Failure(node, "error", f"ValueError: {node}") for node in run.node_ids)
    play(done(run, [], failures=failures))
    assert len(kinds(play)) == 9


def test_late_duplicate_is_ignored_and_recorded(start: StartRun) -> None:
    """The report of an abandoned attempt changes nothing, and its memory is freed."""
    play, run = start(worker_and_aggregator(retries=1))
    retry = play.run(failed(run, "node_1"))
    late = play(done(run, ["node_1"], key="late"))
    aggregator = play.run(done(retry))

    assert only(DropSegments, late) == [DropSegments(("late",))]
    assert kinds(play) == ["retry", "late"]
    assert [batch.nodes for batch in aggregator.results.batches] == [("node_0", "node_2"), ("node_1",)]


def test_same_report_twice_does_not_free_what_counts(start: StartRun) -> None:
    """A duplicate names the segment that was accepted: it stays, in this iteration and the next."""
    play, run = start(worker_and_aggregator())
    report = done(run, key="accepted")
    aggregator = play.run(report)
    again = play(report)
    play(done(aggregator))
    later = play(report)

    assert not only(DropSegments, [*again, *later])
    assert kinds(play) == ["late", "late"]


def test_report_that_is_late_for_some_nodes_counts_for_the_others(start: StartRun) -> None:
    """Each node is judged by itself; what the late ones wrote is left out."""
    failures = (Failure("node_0", "error", "ValueError: no"),)
    play, run = start(worker_and_aggregator(retries=1), 3)
    retry = play.run(BatchFinished(Batch(0, "worker", 0, "w0", (), failures)))
    rest = done(
        run,
        result_bytes={"worker": 30, "odd": 10},
        partial_tags={"odd": ("node_0",)},
        writes={"a": "node_0", "b": "node_1"},
        stop="node_0",
        stateful=("node_0", "node_2"),
    )
    play(rest)
    aggregator = play.run(done(retry))

    kept = aggregator.results.batches[0]
    assert kept.nodes == ("node_1", "node_2")
    assert list(kept.result_bytes) == ["worker"]
    assert list(kept.globals) == ["b"]
    assert (kept.stop, kept.stateful) == (None, ("node_2",))
    assert next(type(said) for said in play(done(aggregator))) is CommitIteration


def test_report_of_another_iteration_is_late(start: StartRun) -> None:
    """A report of iteration 0 that comes in iteration 1 is ignored."""
    play, run = start(make_plan(TaskPlan("worker", method="all")))
    play(done(run))
    said = play(done(run, key="late"))

    assert only(DropSegments, said) == [DropSegments(("late",))]
    assert kinds(play) == ["late"]


def test_report_of_an_unknown_task_is_harmless(start: StartRun) -> None:
    """A report that nobody asked for is recorded and forgotten."""
    play, run = start(worker_and_aggregator())
    said = play(BatchFinished(Batch(0, "nobody", 0, "w0", ("node_0",))))

    assert kinds(play) == ["late"]
    assert not only(RunTask, said)
    assert play.run(done(run)).alias == "aggregator"


def test_too_few_nodes_left_to_start_with(start: StartRun) -> None:
    """A task whose nodes went away before it started fails for want of nodes, and says so."""
    plan = make_plan(TaskPlan("a"), TaskPlan("b", ("a",), method="all", min_nodes=2))
    play, run = start(plan, 2)
    spare = next(node for node in ("node_0", "node_1") if node not in run.node_ids)
    play(NodesGone((spare,), "switched off"))
    run = play.run(done(run))

    assert play.end(done(run)).reason == "b: only 1 of the 2 nodes that must succeed could run it"
