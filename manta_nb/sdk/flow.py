"""`worker >> aggregator >> scheduler`: who runs after whom, written as an expression.

* `TaskSpec`: one call of a module, and the calls it waits for;
* `Flow`: an end (or several) of such a graph, which `>>` extends;
* `Chain`: what modules, calls and flows have in common.

A flow is a value: `>>` never changes its sides, it returns a new flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manta_nb.errors import DefinitionError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

if TYPE_CHECKING:
    from manta_nb.sdk.module import Module

__all__ = ["Chain", "Flow", "TaskSpec", "ends_of"]


class Chain:
    """Something that can stand on either side of `>>`: a `Module`, a `TaskSpec` or a `Flow`."""

    def ends(self) -> tuple[TaskSpec, ...]:
        """The calls that whatever comes next waits for."""
        raise NotImplementedError

    def __rshift__(self, other: object) -> Flow:
        return _join(self, other)

    def __rrshift__(self, other: object) -> Flow:
        return _join(other, self)

    def __gt__(self, other: object) -> bool:
        raise DefinitionError("one > joins nothing: write a flow with two, such as worker >> aggregator")


@dataclass(frozen=True, eq=False, repr=False)
class TaskSpec(Chain):
    """One call of a module inside `Swarm.execute`; every call is a task of its own."""

    module: Module
    #: the calls it waits for
    after: tuple[TaskSpec, ...] = ()

    def ends(self) -> tuple[TaskSpec, ...]:
        """The call itself."""
        return (self,)

    def __repr__(self) -> str:
        return f"{self.module.alias}({', '.join(spec.module.alias for spec in self.after)})"


@dataclass(frozen=True, eq=False, repr=False)
class Flow(Chain):
    """A graph of calls, known by its last ones. `a >> [b, c] >> d` runs b and c at the same time."""

    #: the calls nothing of this flow waits for
    last: tuple[TaskSpec, ...]

    def ends(self) -> tuple[TaskSpec, ...]:
        """The last calls."""
        return self.last

    def __repr__(self) -> str:
        return f"Flow ending in {', '.join(map(repr, self.last))}"


def ends_of(side: object) -> tuple[TaskSpec, ...]:
    """The calls a module, call, flow, or list of them ends in; `DefinitionError` for anything else."""
    if isinstance(side, Chain):
        return side.ends()
    if isinstance(side, list | tuple):
        if not side:
            raise DefinitionError("a flow has an empty list: put modules in it, such as worker >> [a, b]")
        return _unique([spec for part in side for spec in ends_of(part)])
    if isinstance(side, type):
        raise DefinitionError(
            one_line(f"{side.__name__} is a class, a flow joins modules: write it in a cell with %%module")
        )
    kind = type(side).__name__
    raise DefinitionError(
        one_line(
            f"a flow joins modules, such as worker >> aggregator; {shorten(repr(side), 60)} ({kind}) is none"
        )
    )


def _join(left: object, right: object) -> Flow:
    before = ends_of(left)
    grafted: dict[TaskSpec, TaskSpec] = {}
    return Flow(_unique([_graft(spec, before, grafted) for spec in ends_of(right)]))


def _graft(spec: TaskSpec, before: tuple[TaskSpec, ...], grafted: dict[TaskSpec, TaskSpec]) -> TaskSpec:
    """A copy of `spec` and all it waits for, whose first calls wait for `before`."""
    if spec not in grafted:
        after = tuple(_graft(earlier, before, grafted) for earlier in spec.after) or before
        grafted[spec] = TaskSpec(spec.module, after)
    return grafted[spec]


def _unique(specs: Sequence[TaskSpec]) -> tuple[TaskSpec, ...]:
    return tuple(dict.fromkeys(specs))
