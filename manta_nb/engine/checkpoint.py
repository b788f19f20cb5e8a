"""`Checkpoint`: all that the next iteration depends on, as a plain record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from manta_nb.engine.records import ValueRef
from manta_nb.engine.results import ResultIndex

__all__ = ["Checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """A run as its last complete iteration left it: what a store keeps, and what `RunState.resumed` goes on from.

    With the plan and the nodes it gives the same iterations as the run itself would have done: no generator of
    random numbers has a state, each is made of seed, iteration, task and node.
    """

    #: complete iterations, and so the number of the next one
    iterations: int = 0
    globals: Mapping[str, ValueRef] = field(default_factory=dict)
    #: node → version of its `local.state`
    states: Mapping[str, str] = field(default_factory=dict)
    #: what can be selected
    results: ResultIndex = field(default_factory=ResultIndex)
    #: alias → nodes that the next iteration was asked to use
    schedule: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: alias → nodes of a task that keeps its first ones
    fixed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The segments that its values lie in."""
        globals_ = (ref.segment.key for ref in self.globals.values())
        results = (batch.segment.key for batch in self.results.batches if batch.segment is not None)
        return frozenset(globals_).union(results)

    def lost(self, keys: Iterable[str]) -> list[str]:
        """The Globals that lie in these segments: without them there is no going on."""
        gone = frozenset(keys)
        return [tag for tag, ref in self.globals.items() if ref.segment.key in gone]

    def without(self, keys: Iterable[str]) -> Checkpoint:
        """As if nobody had kept the results in these segments."""
        return replace(self, results=self.results.without(frozenset(keys)))
