"""What nodes end with, for each way to merge and each way to end: numbers that one can check by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from manta_nb.swarm_learning import ScriptRun

pytestmark = pytest.mark.cluster

Play = Callable[..., ScriptRun]


def weights(run: ScriptRun) -> list[dict[str, float]]:
    return [row["nodes"] for row in run.merges]


def final(run: ScriptRun) -> float:
    return float(run.globals["model"]["w"][0])


def assert_all_alike(run: ScriptRun) -> None:
    """All scripts ended well, and with the same parameters."""
    assert {row["exit_code"] for row in run.scripts} == {0}
    assert len({row["checksum"] for row in run.scripts}) == 1


def test_the_mean_of_all(play: Play) -> None:
    """Begin: (1+2+6)/3 = 3; then each adds 2·(1, 2, 3), twice: 3+4 = 7, 11; nothing is left for the end."""
    run = play({f"node_{i}": {"step": i + 1.0, "start": start} for i, start in enumerate((1.0, 2.0, 6.0))})

    assert final(run) == pytest.approx(11)
    assert weights(run) == [{"node_0": 1, "node_1": 1, "node_2": 1}] * 4
    assert [row["interval"] for row in run.merges] == [2, 2, 2, 2]
    assert_all_alike(run)
    assert run.status == "completed" and "stop_swarm" in run.reason


def test_weights_count(play: Play) -> None:
    """Begin: (1·0 + 3·4 + 0·100)/4 = 3; a node that counts 0 is a peer all the same."""
    plans = {
        "node_0": {"weight": 1},
        "node_1": {"weight": 3, "start": 4.0},
        "node_2": {"weight": 0, "start": 100.0},
    }
    run = play({node: {**plan, "step": 0.0} for node, plan in plans.items()}, min_peers=2)

    assert final(run) == pytest.approx(3)
    assert weights(run)[0] == {"node_0": 1, "node_1": 3, "node_2": 0}
    assert_all_alike(run)


@pytest.mark.parametrize(("method", "number"), [("coordmedian", 2.0), ("geomedian", 2.0), ("mean", 4.0)])
def test_methods(play: Play, method: str, number: float) -> None:
    """Of 1, 2 and 9 the medians are 2 (of numbers on a line both are the same), the mean is 4."""
    plans = {f"node_{i}": {"start": start, "step": 0.0} for i, start in enumerate((1.0, 2.0, 9.0))}
    by_script = play({node: {**plan, "method": method} for node, plan in plans.items()})
    by_option = play(plans, merge=method)

    assert final(by_script) == pytest.approx(number, abs=1e-4)
    assert final(by_option) == pytest.approx(number, abs=1e-4)
    assert by_option.merges[0]["method"] == method


def test_a_function_of_ones_own(play: Play) -> None:
    """The largest of 1, 2 and 9."""

    def largest(models: list[dict[str, Any]], weights: list[float]) -> dict[str, Any]:
        return {
            name: max((model[name] for model in models), key=lambda array: float(array.sum()))
            for name in models[0]
        }

    run = play(
        {f"node_{i}": {"start": start, "step": 0.0} for i, start in enumerate((1.0, 2.0, 9.0))}, merge=largest
    )

    assert final(run) == 9
    assert run.merges[0]["method"] == "own"
    assert_all_alike(run)


@pytest.mark.parametrize("mode", ["snapshot", "active", "inactive"])
def test_modes_of_the_end(play: Play, mode: str) -> None:
    """Node 0 ends after 2 batches (at 2, which two merges later the others have left behind), nodes 1, 2 after 4.

    Begin 0. First merge: 2, 2, 2 → 2. Then node 0 ends, the others are at 4. Snapshot: (2+4+4)/3 = 10/3, the others go
    on to 16/3: (2+16/3+16/3)/3 = 38/9, … the numbers are those of `expected`.
    """
    run = play(
        {
            "node_0": {"batches": 2, "mode": mode},
            "node_1": {"batches": 6, "mode": mode},
            "node_2": {"batches": 6, "mode": mode},
        }
    )

    assert final(run) == pytest.approx(_expected(mode))
    assert_all_alike(run)


def _expected(mode: str) -> float:
    """By hand: merges at 2, 4 and 6 batches of nodes 1 and 2, and the last one."""
    model = 2.0
    snapshot = model
    for added in (2, 2, 0):
        others = model + added
        own = {"snapshot": snapshot, "active": model, "inactive": None}[mode]
        model = 2 * others / 2 if own is None else (2 * others + own) / 3
    return model
