"""Which nodes run a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.engine.events import IterationCommitted, NodesGone, NodesJoined, NodesLost, RunStarted
from manta_nb.engine.instructions import CommitIteration, Record, RunTask
from manta_nb.engine.placement import wanted
from manta_nb.engine.records import NodeInfo, TaskPlan
from tests.engine.conftest import Play
from tests.fakes import done, make_plan, only, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]
MakePlay = Callable[..., Play]


@pytest.mark.parametrize(
    ("method", "maximum", "eligible", "expected"),
    [
        ("any", None, 8, 1),
        ("any", -1, 8, 8),
        ("any", 3, 8, 3),
        ("any", 12, 8, 8),
        ("any", 0.5, 5, 3),
        ("any", 0.1, 30, 3),
        ("any", 0.01, 8, 1),
        ("any", 1.0, 8, 8),
        ("all", None, 8, 8),
        ("all", -1, 8, 8),
        ("all", 5, 8, 5),
    ],
)
def test_how_many_nodes(method: Any, maximum: float | None, eligible: int, expected: int) -> None:
    """`any` means one unless told otherwise, a fraction is rounded up, more than there are means all."""
    assert wanted(TaskPlan("worker", method=method, maximum=maximum), eligible) == expected


@given(st.floats(0.001, 1.0), st.integers(1, 10_000))
def test_fraction_never_leaves_out_everybody(fraction: float, eligible: int) -> None:
    """Some node runs, and never more than there are."""
    assert 1 <= wanted(TaskPlan("worker", maximum=fraction), eligible) <= eligible


def choices(play: Play, run: RunTask, iterations: int) -> list[tuple[str, ...]]:
    """The nodes of a one-task run in its first iterations."""
    chosen = [run.node_ids]
    for _ in range(iterations - 1):
        run = play.run(done(run))
        chosen.append(run.node_ids)
    return chosen


def test_choice_is_anew_in_every_iteration_and_from_the_seed(start: StartRun) -> None:
    """Two runs with one seed choose alike; another seed chooses otherwise; iterations differ."""
    plan = make_plan(TaskPlan("worker", maximum=3), iterations=None)
    one, two, other = (choices(*start(replace(plan, seed=seed), 20), 8) for seed in (7, 7, 8))

    assert one == two
    assert one != other
    assert len(set(one)) > 1
    assert all(len(set(nodes)) == 3 for nodes in one)


def test_choice_is_uniform(start: StartRun) -> None:
    """Over many iterations each of ten nodes is chosen about equally often."""
    plan = make_plan(TaskPlan("worker", maximum=2), iterations=None)
    counts = Counter(node for nodes in choices(*start(plan, 10), 1000) for node in nodes)

    assert len(counts) == 10
    assert all(140 <= count <= 260 for count in counts.values())


def test_one_reader_among_equals_is_the_same_in_every_iteration(start: StartRun) -> None:
    """What an aggregator leaves on its node stays on that node; another seed, another node."""
    chosen: set[str] = set()
    for seed in range(8):
        play, worker = start(replace(worker_and_aggregator(), iterations=None, seed=seed), 5)
        readers: set[str] = set()
        for iteration in range(6):
            aggregator = play.run(done(worker))
            readers.update(aggregator.node_ids)
            worker = play.run(done(aggregator), IterationCommitted(iteration))
        assert len(readers) == 1
        chosen |= readers

    assert len(chosen) > 1


def test_fixed_keeps_the_first_choice(start: StartRun) -> None:
    """A fixed task stays on its nodes, all of them, also where `maximum` is a fraction."""
    plan = make_plan(TaskPlan("worker", maximum=0.5, fixed=True), iterations=None)
    chosen = choices(*start(plan, 8), 5)

    assert len(chosen[0]) == 4
    assert set(chosen) == {chosen[0]}


def test_fixed_goes_on_with_those_that_are_left(start: StartRun) -> None:
    """A fixed node that is gone is not replaced."""
    play, run = start(make_plan(TaskPlan("worker", maximum=3, fixed=True), iterations=None), 8)
    first = run.node_ids
    play(done(run, first[:2]))
    # Its result is there; then it goes for good while another node still works.
    play(NodesGone((first[0],), "switched off"))

    run = play.run(done(run, first[2:]))

    assert run.node_ids == first[1:]


def test_fixed_without_any_node_left_says_so(start: StartRun) -> None:
    """A fixed task never moves to a node that holds nothing of its past."""
    plan = make_plan(TaskPlan("agg", fixed=True, excepted_ids=("node_1",)), TaskPlan("end", ("agg",)))
    play, agg = start(plan, 2)
    end = play.run(done(agg, bytes_out={"node_1": 99}))
    play(NodesGone(("node_0",), "switched off"), done(end))

    finish = play.end(IterationCommitted(0))

    assert finish.status == "failed"
    assert finish.reason == "no node can run 'agg': node_0 is gone"


def test_specified_excepted_and_datasets_restrict(start: StartRun) -> None:
    """A task runs only where all three allow it."""
    nodes = [
        NodeInfo("a", "w0", frozenset({"mnist"})),
        NodeInfo("b", "w1", frozenset({"mnist"})),
        NodeInfo("c", "w2"),
        NodeInfo("d", "w3", frozenset({"mnist", "digits"})),
    ]
    task = TaskPlan(
        "worker", method="all", specified_ids=("a", "c", "d"), excepted_ids=("a",), datasets=("mnist",)
    )
    _, run = start(make_plan(task), nodes)

    assert run.node_ids == ("d",)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"datasets": ("mnist",)},
            "no node can run 'worker': it needs the dataset 'mnist'; node_0 has digits, node_1 has none",
        ),
        (
            {"specified_ids": ("node_7",)},
            "no node can run 'worker': node_7 is unknown",
        ),
        (
            {"excepted_ids": ("node_0", "node_1")},
            "no node can run 'worker': node_0 is excepted, node_1 is excepted",
        ),
    ],
)
def test_nobody_eligible_says_why(play: MakePlay, options: dict[str, Any], expected: str) -> None:
    """The run fails before anything runs, and names each node with its reason."""
    nodes = [NodeInfo("node_0", "w0", frozenset({"digits"})), NodeInfo("node_1", "w1")]
    played = play(
        make_plan(TaskPlan("first"), TaskPlan("worker", ("first",), method="all", **options)), nodes
    )

    finish = played.end(RunStarted())

    assert ("failed", expected) == (finish.status, finish.reason)
    assert not only(RunTask, played.said)


def test_long_list_of_nodes_is_cut(play: MakePlay) -> None:
    """Of 1000 nodes that cannot run it only as many are named as a line holds."""
    played = play(make_plan(TaskPlan("worker", datasets=("mnist",))), 1000)

    reason = played.end(RunStarted()).reason

    assert reason.startswith("no node can run 'worker': it needs the dataset 'mnist'; node_0 has none, ")
    assert reason.endswith("node_6 has none and 993 more")
    assert len(reason) <= 200


def test_no_nodes_at_all(play: MakePlay) -> None:
    """A run without nodes fails at once."""
    finish = play(make_plan(TaskPlan("worker")), []).end(RunStarted())

    assert finish.reason == "no node can run 'worker': there are no nodes"


def test_fewer_nodes_than_must_succeed(play: MakePlay) -> None:
    """Where fewer nodes are placed than `min_nodes`, no one starts."""
    played = play(worker_and_aggregator(min_nodes=5), 3)

    assert "min_nodes" in played.end(RunStarted()).reason


def test_node_that_is_away_stays_eligible(start: StartRun) -> None:
    """A node that restarts is still chosen: what is sent to it waits."""
    play, run = start(make_plan(TaskPlan("worker", method="all")), 3)
    play(NodesLost(("node_1",), "killed"))

    assert play.run(done(run)).node_ids == ("node_0", "node_1", "node_2")


def test_new_node_joins_with_the_next_iteration(start: StartRun) -> None:
    """A late joiner takes no part in the running iteration, not even in tasks that start later."""
    plan = make_plan(TaskPlan("worker", method="all"), TaskPlan("check", ("worker",), method="all"))
    play, run = start(plan, 2)
    play(NodesJoined((NodeInfo("node_2", "w2"),)))
    check = play.run(done(run))
    worker = play.run(done(check))

    assert check.node_ids == ("node_0", "node_1")
    assert worker.node_ids == ("node_0", "node_1", "node_2")


def test_known_node_that_joins_is_back(start: StartRun) -> None:
    """A node that comes back is not counted twice, and its return is recorded once."""
    play, run = start(make_plan(TaskPlan("worker", method="all")), 2)
    play(NodesLost(("node_1",), "killed"), NodesJoined((NodeInfo("node_1", "w1"),)))
    play(NodesJoined((NodeInfo("node_1", "w1"),)))

    assert [record.event.kind for record in only(Record, play.said)] == ["away", "back"]
    assert play.run(done(run)).node_ids == ("node_0", "node_1")


def test_node_gone_before_a_task_starts_is_replaced(start: StartRun) -> None:
    """The aggregator moves to another node when the one that holds the input is gone."""
    play, run = start(worker_and_aggregator(), 3)
    play(done(run, ("node_1",), bytes_out={"node_1": 99}))
    play(NodesGone(("node_1",), "switched off"))
    aggregator = play.run(done(run, ("node_0", "node_2")))
    play(done(aggregator))

    assert aggregator.node_ids != ("node_1",)
    assert [commit.iteration for commit in only(CommitIteration, play.said)] == [0]
