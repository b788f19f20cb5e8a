"""Where a single task runs: near its input, and away from what runs beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from manta_nb.engine.events import RunStarted
from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import TaskPlan
from tests.engine.conftest import Play
from tests.fakes import done, make_nodes, make_plan, only, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]
MakePlay = Callable[..., Play]


def test_single_task_goes_where_most_input_lies(start: StartRun) -> None:
    """The aggregator runs on the node that wrote most, whatever the seed."""
    for seed in range(10):
        play, run = start(replace(worker_and_aggregator(), seed=seed), 8)
        sizes = {**dict.fromkeys(run.node_ids, 10), "node_5": 11}

        assert play.run(done(run, bytes_out=sizes)).node_ids == ("node_5",)


def test_input_of_several_tasks_is_summed(start: StartRun) -> None:
    """What counts is the sum over all inputs, of nodes that are eligible only."""
    plan = make_plan(
        TaskPlan("worker", method="all"),
        TaskPlan("extra", ("worker",), method="all"),
        TaskPlan("agg", ("worker", "extra"), excepted_ids=("node_0",)),
    )
    play, run = start(plan, 4)
    run = play.run(done(run, bytes_out={"node_0": 500, "node_1": 50, "node_2": 40, "node_3": 30}))
    run = play.run(done(run, bytes_out={"node_1": 5, "node_2": 20}))

    assert run.node_ids == ("node_2",)


def branches() -> tuple[TaskPlan, ...]:
    """A root on all nodes, two branches of two tasks, a fan-in."""
    return (
        TaskPlan("root", method="all"),
        TaskPlan("a1", ("root",)),
        TaskPlan("b1", ("root",)),
        TaskPlan("a2", ("a1",)),
        TaskPlan("b2", ("b1",)),
        TaskPlan("fan_in", ("a2", "b2")),
    )


def placed_in_branches(play: Play, root: RunTask, a_first: bool) -> dict[str, str]:
    """Run one iteration with one branch wholly before the other; returns who ran where."""
    sizes = {node: 10 + index for index, node in enumerate(root.node_ids)}
    running = {run.alias: run for run in only(RunTask, play(done(root, bytes_out=sizes)))}
    placed: dict[str, str] = {}
    for alias in ("a1", "a2", "b1", "b2", "fan_in") if a_first else ("b1", "b2", "a1", "a2", "fan_in"):
        run = running.pop(alias)
        [placed[alias]] = run.node_ids
        running |= {run.alias: run for run in only(RunTask, play(done(run)))}
    return placed


@pytest.mark.parametrize("nodes", [2, 4, 8])
def test_parallel_branches_run_on_different_nodes(start: StartRun, nodes: int) -> None:
    """Each branch stays where its input lies, the two never meet, whichever finishes first."""
    for seed in range(20):
        plan = make_plan(*branches(), seed=seed)
        one, two = (placed_in_branches(*start(plan, nodes), a_first) for a_first in (True, False))

        assert one == two
        assert one["a1"] != one["b1"]
        assert (one["a1"], one["b1"]) == (one["a2"], one["b2"])
        assert one["a1"] == f"node_{nodes - 1}"


def test_branches_prefer_different_workers(start: StartRun) -> None:
    """Virtual nodes of one worker take turns, so the second branch goes to the other worker."""
    for seed in range(20):
        play, root = start(make_plan(*branches(), seed=seed), make_nodes(10, per_worker=5))
        placed = placed_in_branches(play, root, a_first=True)

        workers = {node.node_id: node.worker_id for node in play.state.roster.nodes.values()}
        assert workers[placed["a1"]] != workers[placed["b1"]]


def test_single_roots_keep_apart(play: MakePlay) -> None:
    """Two tasks without inputs, one node each, start on different nodes; a third one of two shares."""
    for seed in range(20):
        played = play(make_plan(TaskPlan("a"), TaskPlan("b"), TaskPlan("c"), seed=seed), 2)
        runs = {run.alias: run.node_ids for run in only(RunTask, played(RunStarted()))}

        assert runs["a"] != runs["b"]
        assert runs["c"]
