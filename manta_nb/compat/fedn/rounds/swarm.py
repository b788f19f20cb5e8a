"""A package as an ordinary swarm: train, aggregate and validate are one iteration, which FEDn calls a round."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manta_nb.compat.fedn.package.archive import Package
from manta_nb.compat.fedn.rounds.settings import Settings
from manta_nb.sdk.flow import TaskSpec
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import Swarm

__all__ = ["PackageSwarm"]

_MODULES = Path(__file__).resolve().parent / "modules"


class PackageSwarm(Swarm):
    """The rounds of a package.

    Args:
        settings: the package, and how its entry points are called.
        package: what is run.
        model: the model the first round begins with: a list or dict of arrays.
        nodes: the nodes that may take part, in order.
        timeout: seconds an entry point may take on a node; None: no limit.

    Globals: `model`, `package`, `fedn` (the settings), and what the aggregator carries from round to round.
    """

    def __init__(
        self,
        settings: Settings,
        package: Package,
        model: Any,
        nodes: Sequence[str],
        timeout: float | None = None,
    ) -> None:
        super().__init__()
        self.name = settings.package
        self._settings = settings
        # who fails is named and not waited for
        everywhere: dict[str, Any] = {"method": "all", "timeout": timeout}
        self.train = Module(_MODULES / "train.py", min_nodes=settings.min_clients, **everywhere)
        self.aggregate = Module(_MODULES / "aggregate.py")
        if "validate" in settings.commands:
            self.validate = Module(_MODULES / "validate.py", min_nodes=0, **everywhere)
        if settings.server_functions:
            self.coordinate = Module(_MODULES / "coordinate.py")
            self.set_global("nodes", list(nodes))
        self.set_global("model", model)
        self.set_global("fedn", settings.as_value())
        self.set_global("package", package.content)

    def execute(self) -> TaskSpec:
        """The tasks that the package and the options ask for."""
        trained = self.train(self.coordinate()) if self._settings.server_functions else self.train()
        model = self.aggregate(trained)
        return self.validate(model) if "validate" in self._settings.commands else model
