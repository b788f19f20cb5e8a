"""Whatever happens in whatever order, a run that survives gives the same values."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from manta_nb.engine.records import Quorum, RunPlan, TaskPlan
from tests.engine.chaos import play_wildly
from tests.engine.simulation import play_calmly, play_with
from tests.fakes import make_nodes


@st.composite
def plans(draw: st.DrawFn) -> RunPlan:
    """A random graph of one to five tasks with random placement."""
    tasks: list[TaskPlan] = []
    for index in range(draw(st.integers(1, 5))):
        before = [task.alias for task in tasks]
        tasks.append(
            TaskPlan(
                f"t{index}",
                inputs=tuple(draw(st.lists(st.sampled_from(before), unique=True, max_size=2)))
                if before
                else (),
                method=draw(st.sampled_from(["any", "all"])),
                maximum=draw(st.sampled_from([None, 1, 2, 0.5])),
                fixed=draw(st.booleans()),
                retries=2,
            )
        )
    keep = draw(st.sampled_from([1, 2, None]))
    return RunPlan("run-1", "fl", tuple(tasks), draw(st.integers(1, 4)), draw(st.integers(0, 99)), keep)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans(), st.integers(1, 4), st.integers(0, 2**32))
def test_disturbed_run_gives_the_values_of_the_calm_one(plan: RunPlan, nodes: int, seed: int) -> None:
    """Pieces, losses, retries, dead holders, late and double reports: all committed Globals are the same."""
    calm = play_calmly(plan, make_nodes(nodes))
    wild = play_wildly(plan, make_nodes(nodes), Random(seed))

    assert wild.finish == calm.finish
    assert wild.committed_values() == calm.committed_values()
    assert len(wild.commits) == plan.iterations


@pytest.mark.parametrize("seed", range(3))
def test_thirty_iterations_under_many_kills_are_exact(seed: int) -> None:
    """The usual swarm of worker, aggregator and scheduler gets through 30 bad iterations exactly."""
    tasks = (
        TaskPlan("worker", method="all", retries=2),
        TaskPlan("aggregator", ("worker",), retries=2),
        TaskPlan("scheduler", ("aggregator",), retries=2),
    )
    plan = RunPlan("run-1", "fl", tasks, 30, 7)
    calm = play_calmly(plan, make_nodes(4))
    wild = play_wildly(plan, make_nodes(4), Random(seed))

    assert wild.committed_values() == calm.committed_values()


def rounds(quorum: Quorum, iterations: int) -> tuple[RunPlan, dict[str, Quorum]]:
    """A task on all nodes with a quorum, one that reads it, and another on all nodes with a quorum."""
    tasks = (
        TaskPlan("train", method="all", retries=2),
        TaskPlan("merge", ("train",), specified_ids=("node_0",), retries=2),
        TaskPlan("adopt", ("merge",), method="all", retries=2),
    )
    return RunPlan("run-1", "fl", tasks, iterations, 7), {"train": quorum, "adopt": quorum}


quorums = st.builds(
    Quorum, st.integers(1, 4), st.sampled_from([0.0, 1.0]), st.sampled_from([1.0, 60.0]), st.booleans()
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(quorums, st.integers(1, 4), st.integers(0, 2**32))
def test_a_run_that_leaves_nodes_out_gives_the_values_of_those_that_took_part(
    quorum: Quorum, iterations: int, seed: int
) -> None:
    """Timers at any time, nodes away at any time: as if the nodes that were left out had not been asked."""
    plan, said = rounds(quorum, iterations)
    wild = play_wildly(plan, make_nodes(4), Random(seed), quorums=said, kills=False)
    assert wild.finish is not None
    if wild.finish.status == "failed":
        assert (
            "of 4 nodes done" in wild.finish.reason or f"of {quorum.nodes} nodes done" in wild.finish.reason
        )
        return
    again = play_with(wild, plan, make_nodes(4))

    assert wild.finish.status == "completed"
    assert wild.committed_values() == again.committed_values()
    assert {slot: nodes for slot, nodes in wild.left.items() if nodes} == again.left


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(quorums, quorums, st.integers(0, 2**32))
@example(Quorum(1, 0.0, 1.0), Quorum(1, 0.0, 1.0), 207)
def test_a_run_with_quorums_survives_everything(one: Quorum, other: Quorum, seed: int) -> None:
    """Values that are lost after nodes were left out, too: it ends, and never with too few."""
    plan, said = rounds(one, 3)
    wild = play_wildly(plan, make_nodes(4), Random(seed), quorums={**said, "adopt": other})

    assert wild.finish is not None
    # a loss that nobody has noticed yet: the one turn that would have asked for the value was left out
    unnoticed = "the committed value of Global" in wild.finish.reason
    assert wild.finish.status == "completed" or unnoticed or "nodes done" in wild.finish.reason
