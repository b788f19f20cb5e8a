"""What the example and the notebook say of a swarm holds: on real digits, over three seeds, by their own script."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from manta_nb import Session, swarm_learning
from manta_nb.swarm_learning.comparison import Comparison

EXAMPLE = Path(__file__).parents[2] / "examples" / "swarm_callback"
SEEDS = (0, 1, 2)

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]


def trained(
    data: Mapping[str, Any],
    seed: int,
    env: Mapping[str, Any],
    central: bool = False,
    node_env: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Comparison:
    """The example on three nodes with these data: each alone, together, and, if asked, all data in one place."""
    with Session(nodes=3, store="off", **data) as session:
        run = swarm_learning.run(
            EXAMPLE / "train.py", session=session, min_peers=3, seed=seed, env=env, node_env=node_env
        )
        return run.wait().compare(central=central)


def accuracies(
    data: Callable[[int], Mapping[str, Any]], central: bool = False, **env: Any
) -> list[dict[str, float]]:
    """Seed by seed, the mean over the nodes: `{"local", "swarm", "central"}`."""
    return [trained(data(seed), seed, env, central).means("val_accuracy") for seed in SEEDS]


def test_alike_nodes_come_near_to_all_data_in_one_place() -> None:
    """iid: the swarm is better than the mean of the nodes alone, and at most five points below central training."""
    found = accuracies(lambda seed: {"data": "digits", "seed": seed}, central=True)

    print("iid", found)
    assert [each for each in found if each["swarm"] <= each["local"]] == []
    assert [each for each in found if each["swarm"] < each["central"] - 0.05] == []


def test_nodes_with_few_data_gain_much() -> None:
    """Thirty images a node: the swarm is better than the mean of the nodes alone, by three points or more."""
    shares = runpy.run_path(str(EXAMPLE / "make_data.py"))["shares"]
    few = lambda seed: {"data": shares(3, 30, seed), "data_name": "digits"}  # noqa: E731
    found = accuracies(few, MAX_EPOCHS=40)

    print("small", found)
    assert [each for each in found if each["swarm"] < each["local"] + 0.03] == []


def test_nodes_that_know_other_digits_gain_most() -> None:
    """Four of the ten digits a node: none can read more than those alone, the swarm reads them all."""
    skewed = {"data": "digits", "partition": "shards", "labels_per_node": 4}
    found = accuracies(lambda seed: {**skewed, "seed": seed})

    print("label skew", found)
    assert [each for each in found if each["swarm"] < each["local"] + 0.2] == []


def test_a_node_with_nearly_all_data_is_better_alone_unless_it_counts_for_more() -> None:
    """Images 1 : 1 : 18: with equal weights the large node alone beats the swarm; by its weight most comes back."""
    uneven = {"data": "digits", "partition": "sizes", "sizes": [1, 1, 18]}
    env = {"MAX_EPOCHS": 3, "SYNC_INTERVAL": 20}
    equal = trained(uneven, 0, env)
    fair = trained(uneven, 0, env, node_env={"node_2": {"NODE_WEIGHT": "18"}})
    alone, together = equal.local["node_2"]["val_accuracy"], equal.means("val_accuracy")["swarm"]

    print("1 : 1 : 18", alone, together, fair.means("val_accuracy")["swarm"])
    assert together < alone - 0.1
    assert fair.means("val_accuracy")["swarm"] > (together + alone) / 2
