"""A package as a swarm: its tasks, where they run, and what they need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manta_nb.compat.fedn.package.archive import Package, read_package
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.compat.fedn.rounds.swarm import PackageSwarm
from manta_nb.session.planning import blueprint
from tests.fedn.packages import client


@pytest.fixture(scope="module")
def package() -> Package:
    """One with train and validate."""
    return read_package(client("good"))


def swarm(package: Package, timeout: float | None = None, **options: Any) -> PackageSwarm:
    """The swarm of a package with these settings."""
    given = {"commands": package.spec.entry_points, "helper": "numpyhelper", **options}
    settings = Settings(package.name, package.checksum, **given)
    return PackageSwarm(settings, package, [np.zeros(3)], ["node_0", "node_1"], timeout)


def layers(made: PackageSwarm) -> list[list[str]]:
    """Its tasks in the order in which they run."""
    return [list(layer) for layer in made.graph().layers()]


def test_a_round_is_an_iteration(package: Package) -> None:
    """Train, aggregate, validate, one after the other; the run is called after the package."""
    made = swarm(package)

    assert made.name == "good" and layers(made) == [["train"], ["aggregate"], ["validate"]]
    assert {"model", "package", "fedn"} == set(made.globals)


def test_a_package_without_validate(package: Package) -> None:
    """Ends with the model."""
    assert layers(swarm(package, commands={"train": "x"})) == [["train"], ["aggregate"]]


def test_server_functions_come_first(package: Package) -> None:
    """They choose among the nodes there are."""
    made = swarm(package, server_functions="class ServerFunctions: ...")

    assert layers(made)[0] == ["coordinate"] and made.globals["nodes"] == ["node_0", "node_1"]


def test_who_fails_is_not_waited_for(package: Package) -> None:
    """As many as `min_clients` have to train; nobody has to validate; both have the time limit, combining has none."""
    plan = blueprint(swarm(package, timeout=30, min_clients=2), None, 1, 0).plan
    tasks = {task.alias: task for task in plan.tasks}

    assert (tasks["train"].min_nodes, tasks["validate"].min_nodes) == (2, 0)
    assert (tasks["train"].timeout, tasks["aggregate"].timeout, tasks["validate"].timeout) == (30, None, 30)
