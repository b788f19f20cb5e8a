"""`Swarm`: the graph of tasks that makes one iteration, and the Globals it starts with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from manta_nb import render
from manta_nb.errors import DefinitionError
from manta_nb.sdk.codec import encode
from manta_nb.sdk.flow import Flow, ends_of
from manta_nb.sdk.graph import TaskGraph
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import listed, shorten
from manta_nb.sdk.options import check_iterations
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.source import module_base

__all__ = ["FlowSwarm", "Swarm"]


class Swarm:
    """A swarm: subclass it, make the modules in `__init__`, connect them in `execute`.

    Attributes:
        name: what runs of it are called; by default the name of the class.
        globals: tag → first value, as `set_global` stored it.
        max_iteration: how many iterations to run; None where the run or a task says when to end.

    Example:
        >>> class FLSwarm(Swarm):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.worker = Module("modules/worker", method="all")
        ...         self.aggregator = Module("modules/aggregator.py")
        ...         self.set_global("lr", 0.1)
        ...
        ...     def execute(self):
        ...         m = self.worker()
        ...         return self.aggregator(m)
    """

    name: str = ""
    globals: dict[str, Any]
    max_iteration: int | None

    def __init__(self, max_iteration: int | None = None) -> None:
        self.max_iteration = check_iterations(max_iteration)
        self.globals = {}
        # Modules that `execute` makes are looked for where those of `__init__` were.
        self._base: Path | None = module_base.get()
        if not self.name:
            self.name = type(self).__name__

    def __getattr__(self, name: str) -> Any:
        kind = type(self).__name__
        if name in ("globals", "max_iteration", "_base"):
            raise DefinitionError(
                one_line(f"{kind}.__init__ does not call super().__init__(): add it as its first line")
            )
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")

    def set_global(self, tag: str, value: Any) -> None:
        """Give a Global its first value; tasks read it as `self.world.globals[tag]`.

        Raises:
            DefinitionError: the tag is not a text.
            ValueRefused: the value cannot travel; the message names its type and path.

        Example:
            >>> swarm.set_global("hyperparameters", {"lr": 0.1, "epochs": 1})
        """
        first = self.globals
        if not isinstance(tag, str) or not 0 < len(tag) <= 200:
            raise DefinitionError(
                one_line(
                    f"the tag of a Global is a text of 1 to 200 characters, got {shorten(repr(tag), 60)} "
                    f'({type(tag).__name__}): write set_global("lr", 0.1)'
                )
            )
        encode(value, f'set_global("{shorten(tag, 40)}")')
        first[tag] = value

    def execute(self) -> Any:
        """Connect the modules: return the last call, or a list of the last ones. To be overridden.

        It declares one iteration; that the graph is repeated goes without saying.
        """
        raise DefinitionError(
            one_line(
                f"{type(self).__name__} has no execute: add "
                '"def execute(self): return self.aggregator(self.worker())" with your modules'
            )
        )

    def graph(self) -> TaskGraph:
        """The tasks behind what `execute()` returns, checked; made anew at every call.

        Raises:
            DefinitionError: the swarm could not run as it is written.
        """
        base = self._base
        if not isinstance(self.name, str) or not self.name.strip():
            raise DefinitionError(
                one_line(f"the name of a swarm is a text, got {shorten(repr(self.name), 60)}")
            )
        token = module_base.set(base)
        try:
            returned = self.execute()
        finally:
            module_base.reset(token)
        return TaskGraph.build(returned, type(self).__name__, self._modules())

    def _modules(self) -> Iterator[Module]:
        """The modules it holds, as attributes or in lists, tuples and dicts of them."""
        for value in (*vars(type(self)).values(), *vars(self).values()):
            values = value.values() if isinstance(value, Mapping) else value
            for item in values if not isinstance(value, Module) and isinstance(value, _MANY) else [value]:
                if isinstance(item, Module):
                    yield item

    def __repr__(self) -> str:
        return " · ".join([self.name or type(self).__name__, *self._parts()])

    def _parts(self) -> list[str]:
        try:
            parts = [repr(self.graph())]
        except Exception as error:  # noqa: BLE001 - execute() is the user's; a half-written swarm is shown, too
            parts = [one_line(f"not complete: {error}")]
        first = self.__dict__.get("globals", {})
        return [*parts, f"Globals {listed(list(first))}"] if first else parts

    def _repr_html_(self) -> str:
        return render.Card(self.name or type(self).__name__, self._parts())._repr_html_()


_MANY = (list, tuple, Mapping)


class FlowSwarm(Swarm):
    """A swarm made of a flow, as a `%%swarm` cell ends in: `FlowSwarm("fl", worker >> aggregator)`."""

    def __init__(self, name: str, flow: object, globals: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.name = name
        self._flow = Flow(ends_of(flow))
        for tag, value in (globals or {}).items():
            self.set_global(tag, value)

    def execute(self) -> Flow:
        """The flow."""
        return self._flow

    def graph(self) -> TaskGraph:
        """The tasks of the flow."""
        return TaskGraph.build(self._flow, self.name)
