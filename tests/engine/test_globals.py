"""What tasks read and write: Globals, states of the nodes, the schedule of the next iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from manta_nb.engine.events import RunStarted
from manta_nb.engine.instructions import CommitIteration, DropSegments, Record, RunTask
from manta_nb.engine.records import TaskPlan
from tests.engine.conftest import Play
from tests.fakes import done, failed, make_plan, only, value, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]
MakePlay = Callable[..., Play]


def conflicts(play: Play) -> list[str]:
    """The messages of all conflicts recorded so far."""
    return [record.event.message for record in only(Record, play.said) if record.event.kind == "conflict"]


def test_first_iteration_reads_the_initial_globals(start: StartRun) -> None:
    """What set_global gave is what the first task reads."""
    initial = {"w": value("init")}

    assert start(worker_and_aggregator(), 3, initial)[1].globals == initial


def test_write_is_seen_by_later_tasks_of_the_iteration(start: StartRun) -> None:
    """A later task reads what an earlier one wrote, and the next iteration reads what was committed."""
    play, run = start(worker_and_aggregator(), 3, {"w": value("init"), "lr": value("lr")})
    written = done(run, writes={"w": "node_1"})
    aggregator = play.run(written)
    [commit, *_] = only(CommitIteration, play(done(aggregator, writes={"v": aggregator.node_ids[0]})))

    assert aggregator.globals["w"] == written.batch.globals["w"][1]
    assert aggregator.globals["lr"] == value("lr")
    assert commit.changed == ("w", "v")
    assert list(commit.globals) == ["w", "lr", "v"]
    assert play.state.committed.globals == commit.globals


def test_task_that_runs_beside_does_not_see_half_a_task(play: MakePlay) -> None:
    """Only tasks that have finished on all their nodes are visible to one that starts."""
    tasks = (TaskPlan("a", method="all"), TaskPlan("b"), TaskPlan("c", ("b",)))
    played = play(make_plan(*tasks))
    a, b = only(RunTask, played(RunStarted()))
    played(done(a, ["node_0"], writes={"w": "node_0"}))

    c = played.run(done(b))

    assert c.globals == {}
    assert [batch.task for batch in c.results.batches] == ["b"]


def test_write_of_a_failed_node_is_never_seen(start: StartRun) -> None:
    """A node that wrote a Global and then failed leaves nothing behind."""
    play, run = start(worker_and_aggregator(min_nodes=1))
    aggregator = play.run(failed(run, "node_2", writes={"w": "node_2", "v": "node_0"}))

    assert list(aggregator.globals) == ["v"]


def test_tasks_that_run_beside_and_write_one_tag_conflict(play: MakePlay) -> None:
    """The later finish wins, and the conflict is recorded once for the tag in each iteration."""
    played = play(make_plan(TaskPlan("a", method="all"), TaskPlan("b"), TaskPlan("c", ("a", "b"))))
    a, b = only(RunTask, played(RunStarted()))
    played(done(b, writes={"w": "node_0"}))
    last = done(a, ["node_1", "node_2"], writes={"w": "node_2"})
    c = played.run(done(a, ["node_0"], writes={"w": "node_0"}), last)

    assert c.globals["w"] == last.batch.globals["w"][1]
    assert len(conflicts(played)) == 1
    assert "'w'" in conflicts(played)[0]

    a, b = only(RunTask, played(done(c)))
    played(done(a, writes={"w": "node_0"}), done(b, writes={"w": "node_0"}))
    assert len(conflicts(played)) == 2


def test_nodes_of_one_batch_conflict(start: StartRun) -> None:
    """Two nodes of one batch that write a tag are reported by the batch itself."""
    play, run = start(worker_and_aggregator())
    play(done(run, writes={"w": "node_2"}, contested=("w",)))

    assert len(conflicts(play)) == 1


def test_tasks_in_a_row_do_not_conflict(start: StartRun) -> None:
    """Writing a tag that an earlier task wrote is the normal case."""
    play, run = start(worker_and_aggregator())
    aggregator = play.run(done(run, writes={"w": "node_0"}))
    play(done(aggregator, writes={"w": aggregator.node_ids[0]}))

    assert conflicts(play) == []


def test_state_of_a_node_is_committed_with_the_iteration(start: StartRun) -> None:
    """A task starts from the version that an earlier task of its iteration left, else from the committed."""
    play, run = start(worker_and_aggregator())
    assert run.states == {}

    aggregator = play.run(done(run, stateful=("node_0", "node_1", "node_2")))
    [node] = aggregator.node_ids
    assert aggregator.states == {node: "0-worker-0"}

    run = play.run(done(aggregator, stateful=(node,)))
    expected = dict.fromkeys(run.node_ids, "0-worker-0") | {node: "0-aggregator-0"}
    assert run.states == expected


def test_state_of_a_retry_is_that_of_the_first_attempt(start: StartRun) -> None:
    """A node that tries again starts from where it started before."""
    play, run = start(worker_and_aggregator(retries=1), 2)
    aggregator = play.run(done(run, stateful=run.node_ids))
    run = play.run(done(aggregator))
    retry = play.run(failed(run, "node_1", stateful=("node_0",)))
    aggregator = play.run(done(retry, stateful=("node_1",)))

    assert retry.states == {"node_1": "0-worker-0"}
    [(node, version)] = aggregator.states.items()
    assert version == {"node_0": "1-worker-0", "node_1": "1-worker-1"}[node]


def test_schedule_restricts_one_task_for_one_iteration(start: StartRun) -> None:
    """schedule_next_iter holds for the next iteration; after that the task runs as declared."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    run = play.run(done(run, schedule={"worker": ("node_2", "node_0")}))
    after = play.run(done(run))

    assert run.node_ids == ("node_0", "node_2")
    assert after.node_ids == ("node_0", "node_1", "node_2")


def test_schedule_leaves_maximum_in_force(start: StartRun) -> None:
    """`any` and `maximum` choose among the nodes that were asked for."""
    play, run = start(make_plan(TaskPlan("worker", maximum=2), iterations=None), 9)
    asked = ("node_1", "node_4", "node_5")
    for _ in range(5):
        run = play.run(done(run, schedule={"worker": asked}))
        assert len(run.node_ids) == 2
        assert set(run.node_ids) <= set(asked)


def test_last_schedule_of_an_alias_counts(start: StartRun) -> None:
    """Per alias the batch that finished last wins; other aliases keep theirs."""
    play, run = start(worker_and_aggregator())
    play(done(run, ["node_0"], schedule={"worker": ("node_0",), "aggregator": ("node_2",)}))
    aggregator = play.run(done(run, ["node_1", "node_2"], schedule={"worker": ("node_1",)}))
    run = play.run(done(aggregator))
    aggregator = play.run(done(run))

    assert run.node_ids == ("node_1",)
    assert aggregator.node_ids == ("node_2",)


def test_schedule_of_unknown_names_is_ignored_and_recorded(start: StartRun) -> None:
    """An alias or a node nobody knows changes nothing but leaves an event each."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    said = play(done(run, schedule={"worke": ("node_0",), "worker": ("node_9", "node_1")}))

    assert [run.node_ids for run in only(RunTask, said)] == [("node_1",)]
    assert [record.event.kind for record in only(Record, said)] == ["schedule", "schedule"]


def test_schedule_of_a_whole_unknown_list_runs_as_declared(start: StartRun) -> None:
    """Where no node of the list is known the task runs where it would have run."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))

    assert play.run(done(run, schedule={"worker": ("node_9",)})).node_ids == run.node_ids


def test_overwritten_global_frees_its_segment_after_the_commit(start: StartRun) -> None:
    """The value that the iteration began with is not needed any more: what it left is what the run goes on from."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None), 1, {"w": value("init")})
    options: dict[str, Any] = {"result_bytes": {}, "writes": {"w": "node_0"}}
    run = play.run(done(run, **options))

    assert only(DropSegments, play.said) == [DropSegments(("init",))]
