"""`World.quorum`: going on without all nodes of a task, in its time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from manta_nb.engine.events import (
    BatchFinished,
    DeadlineOver,
    IterationCommitted,
    NodesGone,
    NodesJoined,
    NodesLost,
    PatienceOver,
    SegmentsLost,
    StopRequested,
)
from manta_nb.engine.instructions import CommitIteration, Record, ReleaseNodes, RunTask, SetTimer
from manta_nb.engine.records import Quorum
from tests.engine.conftest import Play
from tests.fakes import done, failed, lost, make_nodes, only, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]

TWO = Quorum(nodes=2, patience=30, deadline=600)


def said(run: RunTask, node: str, quorum: Quorum | None = TWO, **changes: Any) -> BatchFinished:
    """The report of one node that is done and said this."""
    return done(run, [node], quorum=quorum, **changes)


def told(play: Play, kind: str = "left_out") -> list[str]:
    """The lines of all events of a kind."""
    return [record.event.message for record in only(Record, play.said) if record.event.kind == kind]


@pytest.fixture
def begun(start: StartRun) -> tuple[Play, RunTask]:
    """Three nodes at work."""
    return start(worker_and_aggregator())


def test_the_rest_has_its_patience_and_is_then_left_out(begun: tuple[Play, RunTask]) -> None:
    """The second of two is there: a timer; when it is over the run goes on, and the third is released."""
    play, run = begun
    play(said(run, "node_0"))
    [timer] = only(SetTimer, play(said(run, "node_1")))
    after = play(timer.event)

    assert timer == SetTimer(30, PatienceOver(0, "worker", 2, 30))
    assert only(ReleaseNodes, after) == [ReleaseNodes(0, "worker", ("node_2",))]
    [next_task] = only(RunTask, after)
    assert next_task.alias == "aggregator"
    assert {node for batch in next_task.results.batches for node in batch.nodes} == {"node_0", "node_1"}
    assert told(play) == ["worker goes on without node_2: not done 30 s after 2 others"]


def test_one_that_comes_in_time_takes_part(begun: tuple[Play, RunTask]) -> None:
    """Nobody is left out where all are done before the timer, which is stale then."""
    play, run = begun
    play(said(run, "node_0"))
    [timer] = only(SetTimer, play(said(run, "node_1")))
    [aggregator] = only(RunTask, play(said(run, "node_2")))

    assert play(timer.event) == []
    assert told(play) == []
    assert {node for batch in aggregator.results.batches for node in batch.nodes} == set(run.node_ids)


def test_the_iteration_after_has_all_nodes_again(begun: tuple[Play, RunTask]) -> None:
    """Who was left out is charged with nothing: the next iteration asks it, and its late report is ignored."""
    play, run = begun
    play(said(run, "node_0"), said(run, "node_1"), PatienceOver(0, "worker", 2, 30))
    [aggregator] = only(RunTask, play.said[-4:])
    [again] = only(RunTask, play(done(aggregator), IterationCommitted(0)))
    late = play(said(run, "node_2"))

    assert (again.iteration, again.node_ids) == (1, run.node_ids)
    assert [record.event.kind for record in only(Record, late)] == ["late"]
    assert told(play, "failure") == []


def test_nodes_that_are_away_get_no_patience(begun: tuple[Play, RunTask]) -> None:
    """One is away before there are enough, another goes after: both are left out at once."""
    play, run = begun
    play(NodesLost(("node_2",), "killed"), said(run, "node_0"))
    after = play(said(run, "node_1"))

    assert only(ReleaseNodes, after) == [ReleaseNodes(0, "worker", ("node_2",))]
    assert told(play) == ["worker goes on without node_2: away when 2 others had done it"]
    assert [task.alias for task in only(RunTask, after)] == ["aggregator"]


def test_a_node_that_goes_away_while_the_rest_has_patience(start: StartRun) -> None:
    """It is left out at once, the other one when the time is over; its loss is told no second time."""
    play, run = start(worker_and_aggregator(), 4)
    play(said(run, "node_0"), said(run, "node_1"))
    away = play(NodesLost(("node_2",), "killed"), lost(run, "node_2"))
    over = play(PatienceOver(0, "worker", 2, 30))

    assert only(ReleaseNodes, away) == [ReleaseNodes(0, "worker", ("node_2",))]
    assert only(ReleaseNodes, over) == [ReleaseNodes(0, "worker", ("node_3",))]
    assert told(play, "late") == told(play, "lost") == []


def test_nodes_that_are_away_are_waited_for_where_all_say_so(begun: tuple[Play, RunTask]) -> None:
    """With `away` a node that is away has the same patience."""
    play, run = begun
    waits = Quorum(2, 30, 600, away=True)
    play(NodesLost(("node_2",), "killed"), said(run, "node_0", waits), said(run, "node_1", waits))
    assert told(play) == []
    play(NodesJoined(tuple(make_nodes(3)[2:])))
    [aggregator] = only(RunTask, play(said(run, "node_2", waits)))

    assert aggregator.alias == "aggregator"


def test_below_the_quorum_nodes_that_are_away_are_waited_for(begun: tuple[Play, RunTask]) -> None:
    """A node that is killed alone with too few runs again when it is back."""
    play, run = begun
    play(said(run, "node_0"), NodesLost(("node_1",), "killed"))
    again = play.run(lost(run, "node_1"))
    play(NodesJoined(tuple(make_nodes(3)[1:2])), said(again, "node_1"))

    assert (again.attempt, again.node_ids) == (1, ("node_1",))
    assert play.state.iteration is not None and "worker" not in play.state.iteration.settled


def test_the_deadline_names_who_is_missing_and_why(start: StartRun) -> None:
    """One of three is done when it passes: one has failed, one is away, one still runs."""
    play, run = start(worker_and_aggregator(), 4)
    three = Quorum(3, 30, 60)
    [timer] = only(SetTimer, play(said(run, "node_0", three)))
    play(done(run, [], failures=failed(run, "node_1").batch.failures), NodesLost(("node_2",), "killed"))
    finish = play.end(timer.event)

    assert timer == SetTimer(60, DeadlineOver(0, "worker", 1, 60))
    assert finish.reason == (
        "worker: 1 of 3 nodes done 60 s after the first (node_0); "
        "missing: node_1 failed: ValueError: no, node_2 is away, node_3 still runs"
    )
    assert (finish.status, finish.task) == ("failed", "worker")
    assert finish.failure is not None and finish.failure.node_id == "node_1"


def test_the_reason_is_one_short_line_whatever_is_missing(start: StartRun) -> None:
    """A thousand nodes and endless messages fit in 200 characters."""
    play, run = start(worker_and_aggregator(), 1000)
    play(said(run, "node_0", Quorum(500, 1, 1)))
    play(done(run, [], failures=failed(run, "node_1", message="x y\n" * 500).batch.failures))
    reason = play.end(DeadlineOver(0, "worker", 1, 1)).reason

    assert len(reason) <= 200 and "\n" not in reason
    assert "node_1 failed: x y" in reason and "more" in reason


def test_too_few_and_nothing_awaited_fails_at_once(begun: tuple[Play, RunTask]) -> None:
    """Nobody waits for a deadline that cannot help; the reason names them too."""
    play, run = begun
    three = Quorum(3, 30, 600)
    play(said(run, "node_0", three), said(run, "node_1", three))
    finish = play.end(done(run, [], failures=failed(run, "node_2").batch.failures))

    assert (
        finish.reason == "worker: 2 of 3 nodes done (node_0, node_1); missing: node_2 failed: ValueError: no"
    )


def test_a_quorum_of_more_nodes_than_there_are(begun: tuple[Play, RunTask]) -> None:
    """All are done and they are too few: the reason says so."""
    play, run = begun
    finish = play.end(done(run, quorum=Quorum(5, 1, 600)))

    assert finish.reason == (
        "worker: 3 of 5 nodes done (node_0, node_1, node_2); it ran on 3: ask for a quorum of fewer"
    )


def test_a_node_that_is_gone_for_good_is_named(begun: tuple[Play, RunTask]) -> None:
    """It did not come back in time, and with it went the quorum."""
    play, run = begun
    play(said(run, "node_0", Quorum(3, 1, 600)), said(run, "node_1", Quorum(3, 1, 600)))
    finish = play.end(NodesGone(("node_2",), "did not come back within 60 s"))

    assert finish.reason.endswith("missing: node_2 failed: did not come back within 60 s")


def test_it_replaces_min_nodes(start: StartRun) -> None:
    """The module asks for one, the node that is done for two; and the other way round."""
    play, run = start(worker_and_aggregator(min_nodes=1))
    play(said(run, "node_0"))
    finish = play.end(done(run, [], failures=failed(run, "node_1", "node_2").batch.failures))
    other, run = start(worker_and_aggregator(min_nodes=3))
    one = Quorum(1, 30, 600)
    other(said(run, "node_0", one))
    after = other(done(run, [], failures=failed(run, "node_1", "node_2").batch.failures))

    assert finish.reason.startswith("worker: 1 of 2 nodes done (node_0)")
    assert [task.alias for task in only(RunTask, after)] == ["aggregator"]


def test_several_say_different_things() -> None:
    """Most nodes, least patience, longest deadline, and away only where all say so."""
    assert Quorum.of([]) is None
    assert Quorum.of([Quorum(1, 5, 9, True), Quorum(3, 7, 8, True)]) == Quorum(3, 5, 9, True)
    assert Quorum.of([Quorum(1, 5, 9, True), Quorum(3, 7, 8, False)]) == Quorum(3, 5, 9, False)


def test_a_smaller_patience_counts_from_its_report(start: StartRun) -> None:
    """A second, shorter timer; the longer one changes nothing when it ends later."""
    play, run = start(worker_and_aggregator(), 4)
    play(said(run, "node_0"), said(run, "node_1"))
    [shorter] = only(SetTimer, play(said(run, "node_2", Quorum(2, 3, 1))))
    after = play(shorter.event)

    assert shorter == SetTimer(3, PatienceOver(0, "worker", 2, 3))
    assert told(play) == ["worker goes on without node_3: not done 3 s after 3 others"]
    assert [task.alias for task in only(RunTask, after)] == ["aggregator"]
    assert play(PatienceOver(0, "worker", 2, 30)) == []


def test_a_longer_deadline_counts_from_the_first(start: StartRun) -> None:
    """When the short one ends, the rest of the long one is waited for; then the run fails."""
    play, run = start(worker_and_aggregator(), 4)
    [timer] = only(SetTimer, play(said(run, "node_0", Quorum(3, 1, 60))))
    assert only(SetTimer, play(said(run, "node_1", Quorum(3, 1, 100)))) == []
    [rest] = only(SetTimer, play(timer.event))
    finish = play.end(rest.event)

    assert rest == SetTimer(40, DeadlineOver(0, "worker", 1, 100))
    assert finish.reason.startswith("worker: 2 of 3 nodes done 100 s after the first (node_0, node_1)")


def test_a_deadline_that_ends_when_there_are_enough_changes_nothing(begun: tuple[Play, RunTask]) -> None:
    """The rest still has its patience."""
    play, run = begun
    [deadline] = only(SetTimer, play(said(run, "node_0")))
    play(said(run, "node_1"))

    assert play(deadline.event) == []
    assert play.state.status == "running"


def test_more_nodes_asked_for_later_end_the_patience(start: StartRun) -> None:
    """Two were enough, then one asks for four: the timer is stale, and a deadline runs."""
    play, run = start(worker_and_aggregator(), 4)
    play(said(run, "node_0"))
    [patience] = only(SetTimer, play(said(run, "node_1")))
    [deadline] = only(SetTimer, play(said(run, "node_2", Quorum(4, 30, 50))))

    assert play(patience.event) == []
    assert deadline == SetTimer(600, DeadlineOver(0, "worker", 3, 600))


def test_no_limit_sets_no_timer(begun: tuple[Play, RunTask]) -> None:
    """`math.inf` waits for ever."""
    play, run = begun
    endless = Quorum(2, math.inf, math.inf)
    said_all = [*play(said(run, "node_0", endless)), *play(said(run, "node_1", endless))]

    assert only(SetTimer, said_all) == []


def test_a_turn_that_failed_has_no_say(start: StartRun) -> None:
    """What counts comes from nodes that are done."""
    play, run = start(worker_and_aggregator(retries=1))
    play(failed(run, "node_0", "node_1", "node_2", quorum=TWO))

    assert only(SetTimer, play.said) == []


def test_a_value_that_is_lost_takes_its_word_back(begun: tuple[Play, RunTask]) -> None:
    """Both that said it run again: the task waits as if nobody had, and the timer is stale."""
    play, run = begun
    play(said(run, "node_0", key="a"))
    [patience] = only(SetTimer, play(said(run, "node_1", key="b")))
    again = only(RunTask, play(SegmentsLost(("a", "b"), "its holder died")))

    assert [(each.attempt, each.node_ids) for each in again] == [(1, ("node_0",)), (1, ("node_1",))]
    assert play(patience.event) == []
    assert play.state.iteration is not None
    assert play.state.iteration.tasks["worker"].quorum is None


def test_a_lost_value_makes_enough_too_few_again(begun: tuple[Play, RunTask]) -> None:
    """A new deadline from then on; when the node has run again, the rest has its whole patience again."""
    play, run = begun
    play(said(run, "node_0", key="a"), said(run, "node_1", key="b"))
    after = play(SegmentsLost(("a",), "its holder died"))
    [deadline], [again] = only(SetTimer, after), only(RunTask, after)
    [patience] = only(SetTimer, play(said(again, "node_0")))

    assert deadline == SetTimer(600, DeadlineOver(0, "worker", 3, 600))
    assert patience == SetTimer(30, PatienceOver(0, "worker", 4, 30))


def test_a_value_lost_after_nodes_were_left_out_is_made_again(begun: tuple[Play, RunTask]) -> None:
    """The task that reads it has begun: the node runs again, nobody asks the one that was left out."""
    play, run = begun
    play(said(run, "node_0", key="a"), said(run, "node_1", key="b"), PatienceOver(0, "worker", 2, 30))
    [aggregator] = only(RunTask, play.said[-4:])
    [again] = only(RunTask, play(SegmentsLost(("a",), "its holder died")))
    play(said(again, "node_0"))
    after = play(done(aggregator))

    assert again.node_ids == ("node_0",)
    assert len(only(CommitIteration, after)) == 1
    assert only(ReleaseNodes, play.said) == [ReleaseNodes(0, "worker", ("node_2",))]


def test_a_node_that_has_to_run_again_may_be_left_out_too(begun: tuple[Play, RunTask]) -> None:
    """What it wrote is lost and it is away: enough others are done, so the run goes on."""
    play, run = begun
    for node in run.node_ids[:2]:
        play(said(run, node, key=node))
    play(said(run, "node_2", key="node_2"))
    play(NodesLost(("node_2",), "killed"))
    after = play(SegmentsLost(("node_2",), "its holder died"))

    assert only(ReleaseNodes, after) == [ReleaseNodes(0, "worker", ("node_2",))]
    assert play.state.iteration is not None and "worker" in play.state.iteration.settled


@pytest.mark.parametrize("stale", [PatienceOver(0, "worker", 2, 30), DeadlineOver(0, "worker", 1, 600)])
def test_timers_of_what_has_passed_change_nothing(
    begun: tuple[Play, RunTask], stale: PatienceOver | DeadlineOver
) -> None:
    """Of an earlier iteration, of a task that is not there, and after the end."""
    play, run = begun
    [aggregator] = only(RunTask, play(*(said(run, node) for node in run.node_ids)))
    [again] = only(RunTask, play(done(aggregator), IterationCommitted(0)))
    play(said(again, "node_0"))

    assert play(stale) == []
    assert play(PatienceOver(1, "nobody", 1, 1)) == []
    play.end(StopRequested(), IterationCommitted(0))
    assert play(DeadlineOver(1, "worker", 1, 600)) == []


def test_a_task_without_a_quorum_sets_no_timer(begun: tuple[Play, RunTask]) -> None:
    """What nobody asked for costs nothing."""
    play, run = begun
    [aggregator] = only(RunTask, play(done(run)))
    play(done(aggregator), IterationCommitted(0))

    assert only(SetTimer, play.said) == [] and only(ReleaseNodes, play.said) == []
