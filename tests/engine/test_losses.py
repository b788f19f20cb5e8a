"""Machines and values that go away."""

from __future__ import annotations

from collections.abc import Callable

from manta_nb.engine.events import (
    BatchFinished,
    IterationCommitted,
    NodesGone,
    NodesJoined,
    NodesLost,
    RunStarted,
    SegmentsLost,
)
from manta_nb.engine.instructions import CommitIteration, DropSegments, Record, RunTask
from manta_nb.engine.records import Batch, Failure, NodeInfo, TaskPlan
from tests.engine.conftest import Play
from tests.fakes import done, lost, make_plan, only, value, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]
MakePlay = Callable[..., Play]


def kinds(play: Play) -> list[str]:
    """The kinds of all events recorded so far."""
    return [record.event.kind for record in only(Record, play.said)]


def test_lost_turn_is_done_again_on_the_same_node(start: StartRun) -> None:
    """A killed node is no failure of the task: its turn runs again there, without any `retries`."""
    play, run = start(worker_and_aggregator())
    again = play.run(NodesLost(("node_1",), "killed"), lost(run, "node_1"))
    play(NodesJoined((NodeInfo("node_1", "w1"),)))

    assert (again.attempt, again.node_ids) == (1, ("node_1",))
    assert kinds(play) == ["away", "lost", "back"]


def test_others_of_a_lost_dispatch_are_kept(start: StartRun) -> None:
    """Only the nodes without an outcome run again."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0"]))
    again = play.run(lost(run, "node_1", "node_2"))
    aggregator = play.run(done(again))

    assert again.node_ids == ("node_1", "node_2")
    assert [batch.nodes for batch in aggregator.results.batches] == [("node_0",), ("node_1", "node_2")]


def test_sixth_loss_is_a_failure(start: StartRun) -> None:
    """A turn that is lost again and again ends the run rather than running for ever."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0", "node_2"]))
    for attempt in range(1, 6):
        run = play.run(lost(run, "node_1"))
        assert run.attempt == attempt
    finish = play.end(lost(run, "node_1"))

    assert finish.status == "failed"
    assert finish.reason.startswith("worker was lost on node_1: the worker process was killed")


def test_lost_report_of_an_old_attempt_is_ignored(start: StartRun) -> None:
    """A loss that was reported twice is one loss."""
    play, run = start(worker_and_aggregator())
    play.run(lost(run, "node_1"))
    said = play(lost(run, "node_1"))

    assert not only(RunTask, said)
    assert kinds(play) == ["lost", "late"]


def test_node_that_would_not_start_it_runs_again(start: StartRun) -> None:
    """A refusal is treated like a loss: the node says nothing about the task."""
    play, _ = start(worker_and_aggregator())
    refusal = (Failure("node_1", "refused", "node_1 is not hosted here"),)
    again = play.run(BatchFinished(Batch(0, "worker", 0, "w1", (), refusal)))

    assert (again.attempt, again.node_ids) == (1, ("node_1",))


def test_node_gone_for_good_fails_the_run(start: StartRun) -> None:
    """Without slack the run fails and names the node and why."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0", "node_2"]))
    finish = play.end(NodesGone(("node_1",), "did not come back within 60 s"))

    assert finish.reason.startswith("worker was lost on node_1: did not come back within 60 s")
    assert finish.failure is not None


def test_node_gone_for_good_is_left_out_with_slack(start: StartRun) -> None:
    """With `min_nodes` the iteration goes on, and the next ones do without the node."""
    play, run = start(worker_and_aggregator(min_nodes=2))
    play(done(run, ["node_0", "node_2"]), lost(run, "node_1"))
    aggregator = play.run(NodesGone(("node_1",), "did not come back within 60 s"))
    late = play(lost(run, "node_1"))
    run = play.run(done(aggregator))

    assert not only(RunTask, late)
    assert run.node_ids == ("node_0", "node_2")


def test_idle_node_that_goes_harms_nobody(start: StartRun) -> None:
    """A node that owes nothing is struck off, the run goes on."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0"]), NodesGone(("node_0",), "switched off"))
    aggregator = play.run(done(run, ["node_1", "node_2"]))

    assert aggregator.node_ids[0] in ("node_1", "node_2")
    assert len(aggregator.results.batches) == 2


def test_all_nodes_gone_ends_the_run(start: StartRun) -> None:
    """A run without nodes says so instead of waiting."""
    play, _ = start(worker_and_aggregator(min_nodes=0), 2)
    finish = play.end(NodesGone(("node_0", "node_1"), "switched off"))

    assert finish.reason == "no node can run 'aggregator': there are no nodes"


def test_lost_input_is_made_again_before_the_task(start: StartRun) -> None:
    """The holder of a finished result died: its nodes run again, then the waiting task, and nobody else."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0"], key="a", writes={"w": "node_0"}))
    aggregator = play.run(done(run, ["node_1", "node_2"], key="b"))
    redo = play.run(lost(aggregator, segments=["a"]))
    again = play.run(done(redo, key="c", writes={"w": "node_0"}))

    assert (redo.alias, redo.attempt, redo.node_ids) == ("worker", 1, ("node_0",))
    assert (again.alias, again.attempt, again.node_ids) == ("aggregator", 1, aggregator.node_ids)
    assert [batch.segment and batch.segment.key for batch in again.results.batches] == ["b", "c"]
    assert again.globals["w"].segment.key == "c"


def test_value_known_to_be_lost_is_made_again_at_once(start: StartRun) -> None:
    """A loss that is found out early is repaired before the next task starts."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0"], key="a"))
    redo = play.run(SegmentsLost(("a",), "worker w0 was killed"))
    waiting = play(done(run, ["node_1", "node_2"], key="b"))

    assert (redo.attempt, redo.node_ids) == (1, ("node_0",))
    assert not only(RunTask, waiting)
    assert play.run(done(redo)).alias == "aggregator"


def test_two_lost_tasks_are_made_again_in_order(start: StartRun) -> None:
    """What is made again does not read something that is lost as well."""
    tasks = (TaskPlan("a"), TaskPlan("b", ("a",)), TaskPlan("c", ("b",)))
    play, a = start(make_plan(*tasks))
    b = play.run(done(a, key="a"))
    c = play.run(done(b, key="b"))
    a = play.run(lost(c, segments=["b", "a"]))
    b = play.run(done(a, key="a2"))
    c = play.run(done(b, key="b2"))

    assert [(run.alias, run.attempt) for run in (a, b, c)] == [("a", 1), ("b", 1), ("c", 1)]
    assert [batch.segment and batch.segment.key for batch in c.results.batches] == ["a2", "b2"]


def test_task_made_again_keeps_its_place_in_the_order(start: StartRun) -> None:
    """What an input writes again does not hide what a later task wrote to the same tag."""
    tasks = (TaskPlan("a"), TaskPlan("b", ("a",)), TaskPlan("c", ("b",)))
    play, a = start(make_plan(*tasks))
    b = play.run(done(a, key="a", writes={"w": a.node_ids[0]}))
    c = play.run(done(b, key="b", writes={"w": b.node_ids[0]}))
    a = play.run(lost(c, segments=["a"]))
    c = play.run(done(a, key="a2", writes={"w": a.node_ids[0]}))

    assert a.globals == {}
    assert c.globals["w"].segment.key == "b"


def test_iteration_is_not_committed_with_a_lost_value(play: MakePlay) -> None:
    """A finished task whose value is lost runs again before the commit, even if no task would read it."""
    played = play(make_plan(TaskPlan("a"), TaskPlan("b"), iterations=1), 2)
    a, b = only(RunTask, played(RunStarted()))
    redo = played.run(done(a, key="a", writes={"w": a.node_ids[0]}), SegmentsLost(("a",), "killed"))

    assert not only(CommitIteration, played(done(b)))
    [commit] = only(CommitIteration, played(done(redo, key="a2", writes={"w": a.node_ids[0]})))
    assert commit.globals["w"].segment.key == "a2"


def test_lost_value_of_a_node_that_is_gone_fails_the_run(start: StartRun) -> None:
    """What nobody can make again is a failure of its node."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0"], key="a"), NodesGone(("node_0",), "switched off"))
    play(SegmentsLost(("a",), "worker w0 is gone"))

    assert play.end(done(run, ["node_1", "node_2"])).reason.startswith("worker was lost on node_0")


def test_lost_committed_global_fails_the_run_and_is_named(start: StartRun) -> None:
    """Nothing can make a committed Global again: the run ends and says which one it was."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    run = play.run(done(run, key="a", writes={"weights": "node_0"}), IterationCommitted(0))
    finish = play.end(lost(run, "node_1", segments=["a"]))

    expected = "the committed value of Global 'weights' is lost: the worker process was killed"
    assert (finish.status, finish.reason) == ("failed", expected)


def test_lost_older_result_becomes_unreadable(start: StartRun) -> None:
    """A result of an earlier iteration cannot be made again: the task runs again without it."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    run = play.run(done(run, key="a"))
    said = play(lost(run, segments=["a"]))
    [again] = only(RunTask, said)

    assert [batch.iteration for batch in run.results.batches] == [0]
    assert again.results.batches == ()
    assert again.results.dropped == {"worker": 0}
    assert only(DropSegments, said) == [DropSegments(("a",))]


def test_unknown_lost_segment_changes_nothing(start: StartRun) -> None:
    """A loss of what nobody reads any more is no loss."""
    play, _ = start(worker_and_aggregator(), 3, {"w": value("init")})

    assert play(SegmentsLost(("whatever",), "killed")) == []


def test_loss_after_another_reader_had_it_made_again(start: StartRun) -> None:
    """The second reader that misses the same value only runs again itself."""
    tasks = (TaskPlan("a", method="all"), TaskPlan("b", ("a",)), TaskPlan("c", ("a",)))
    play, a = start(make_plan(*tasks))
    b, c = only(RunTask, play(done(a, key="a")))
    redo = play.run(lost(b, segments=["a"]))
    assert play(lost(c, segments=["a"])) != []
    runs = only(RunTask, play(done(redo, key="a2")))

    assert [(run.alias, run.attempt) for run in runs] == [("b", 1), ("c", 1)]
    assert all(run.results.batches[0].segment == value("a2", "w0").segment for run in runs)


def test_task_waits_for_what_its_input_read(play: MakePlay) -> None:
    """A task does not start while something before its inputs is being made again: it may read that, too."""
    tasks = (TaskPlan("a"), TaskPlan("b", ("a",)), TaskPlan("side"), TaskPlan("end", ("b", "side")))
    played = play(make_plan(*tasks))
    a, side = only(RunTask, played(RunStarted()))
    b = played.run(done(a, key="a"))
    redo = played.run(done(b), SegmentsLost(("a",), "killed"))

    assert played(done(side)) == []
    assert played.run(done(redo, key="a2")).alias == "end"
