"""Whatever happens in whatever order, a run that survives gives the same values."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manta_nb.engine.records import RunPlan, TaskPlan
from tests.engine.chaos import play_wildly
from tests.engine.simulation import play_calmly
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
