"""`Task`: the class whose `run` a person writes."""

from __future__ import annotations

import logging
from typing import Any

from manta_nb.errors import DefinitionError
from manta_nb.sdk.context import current_context
from manta_nb.sdk.local import Local
from manta_nb.sdk.world import World

__all__ = ["Task"]


class Task:
    """One piece of work on one node. A new object is made for every node and every iteration.

    Attributes:
        world: the Globals and Results of the swarm, metrics, and what comes next.
        local: the datasets of the node this task runs on.
        logger: a `logging.Logger` whose lines appear in the run's logs.

    Example:
        >>> class Worker(Task):
        ...     def run(self):
        ...         data = self.local.get_numpy_data("digits")
        ...         self.world.results.add("rows", len(data["x_train"]))
    """

    world: World
    local: Local
    logger: logging.Logger

    def __init__(self) -> None:
        context = current_context(f"{type(self).__name__}()")
        self.world = World(context)
        self.local = Local(context)
        self.logger = logging.getLogger(f"manta.{context.task}")

    def __getattr__(self, name: str) -> Any:
        if name in ("world", "local", "logger"):
            kind = type(self).__name__
            raise DefinitionError(
                f"{kind}.__init__ does not call super().__init__(), so self.{name} is missing: "
                "add super().__init__() as its first line"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
