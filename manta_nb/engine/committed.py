"""What finished iterations left behind: Globals, states of the nodes, results, and the memory they lie in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from manta_nb.engine.instructions import CommitIteration
from manta_nb.engine.records import Batch, ValueRef, state_version
from manta_nb.engine.results import Retention

__all__ = ["Committed"]


class Committed:
    """The committed side of a run, and the one place that knows which segments are still needed."""

    def __init__(self, initial_globals: Mapping[str, ValueRef], keep_results: int | None) -> None:
        self.globals: Mapping[str, ValueRef] = dict(initial_globals)
        #: node → version of its `local.state`
        self.states: Mapping[str, str] = {}
        self.results = Retention(keep_results)
        #: iteration → segments its commit refers to, until the store has confirmed it
        self.unconfirmed: dict[int, frozenset[str]] = {}
        #: keys of all segments reported and not dropped yet, in the order they came
        self.segments: dict[str, None] = dict.fromkeys(ref.segment.key for ref in initial_globals.values())

    def commit(self, iteration: int, batches: Sequence[Batch]) -> CommitIteration:
        """Make the writes of an iteration the committed ones; `batches` stand in the order that counts."""
        written = globals_of(batches)
        self.globals = {**self.globals, **written}
        self.states = {**self.states, **states_of(batches)}
        self.results.commit(iteration, batches)
        self.unconfirmed[iteration] = frozenset(ref.segment.key for ref in self.globals.values())
        return CommitIteration(iteration, self.globals, tuple(written))

    def confirm(self, iteration: int) -> None:
        """The store has this iteration."""
        self.unconfirmed.pop(iteration, None)

    def lose(self, keys: frozenset[str]) -> list[str]:
        """Forget results in lost segments; returns the tags of the committed Globals that lay there."""
        self.results.forget(keys)
        return [tag for tag, ref in self.globals.items() if ref.segment.key in keys]

    def sweep(self, in_use: Iterable[str]) -> tuple[str, ...]:
        """Stop keeping the segments that nobody can read; `in_use` are those of the running iteration."""
        needed = self.needed().union(in_use)
        unneeded = tuple(key for key in self.segments if key not in needed)
        for key in unneeded:
            del self.segments[key]
        return unneeded

    def needed(self) -> set[str]:
        """The segments that committed values lie in."""
        globals_ = (ref.segment.key for ref in self.globals.values())
        return self.results.keys().union(globals_, *self.unconfirmed.values())


def globals_of(batches: Iterable[Batch]) -> dict[str, ValueRef]:
    """What these batches wrote to Globals; the last one counts."""
    return {tag: ref for batch in batches for tag, (_, ref) in batch.globals.items()}


def states_of(batches: Iterable[Batch]) -> dict[str, str]:
    """Node → version of the `local.state` these batches left; the last one counts."""
    states: dict[str, str] = {}
    for batch in batches:
        if batch.stateful:
            states.update(
                dict.fromkeys(batch.stateful, state_version(batch.iteration, batch.task, batch.attempt))
            )
    return states
