"""What finished iterations left behind: Globals, states of the nodes, results, and the memory they lie in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.events import IterationCommitted, IterationSkipped, StoreFailed
from manta_nb.engine.instructions import CommitIteration
from manta_nb.engine.records import Batch, ValueRef, state_version
from manta_nb.engine.results import Retention

__all__ = ["Committed", "globals_of", "states_of"]


class Committed:
    """The committed side of a run, and the one place that knows which segments are still needed.

    Args:
        start: what it begins with.
        keep_results: iterations whose results stay readable; None: all.
    """

    def __init__(self, start: Checkpoint, keep_results: int | None) -> None:
        self.globals = start.globals
        #: node → version of its `local.state`
        self.states = start.states
        self.results = Retention(keep_results, start.results)
        #: where the run can go on from: the start, or the latest complete iteration
        self.checkpoint = start
        #: iterations that the store has confirmed
        self.confirmed = start.iterations
        #: iteration → what it left, until the store has confirmed it
        self.unconfirmed: dict[int, Checkpoint] = {}
        #: keys of all segments reported and not dropped yet, in the order they came
        self.segments: dict[str, None] = dict.fromkeys(start.keys)

    def commit(
        self,
        iteration: int,
        batches: Sequence[Batch],
        schedule: Mapping[str, tuple[str, ...]],
        fixed: Mapping[str, tuple[str, ...]],
        edited: Mapping[str, ValueRef] | None = None,
    ) -> CommitIteration:
        """Make the writes of an iteration the committed ones, and over them what a person `edited`.

        `batches` stand in the order that counts.
        """
        written = {**globals_of(batches), **(edited or {})}
        self.globals = {**self.globals, **written}
        self.states = {**self.states, **states_of(batches)}
        self.results.commit(iteration, batches)
        left = Checkpoint(
            iteration + 1, self.globals, self.states, self.results.index(()), dict(schedule), dict(fixed)
        )
        self.checkpoint = self.unconfirmed[iteration] = left
        return CommitIteration(left, tuple(written))

    def stored(self, event: IterationCommitted | IterationSkipped | StoreFailed) -> bool:
        """What the store says of an iteration; False where nobody waits for that."""
        if isinstance(event, StoreFailed):
            # what is in memory is what there is
            self.unconfirmed.clear()
            self.confirmed = self.checkpoint.iterations
            return True
        left = self.unconfirmed.pop(event.iteration, None)
        if left is not None and isinstance(event, IterationCommitted):
            self.confirmed = max(self.confirmed, left.iterations)
        return left is not None

    def lose(self, keys: frozenset[str]) -> list[str]:
        """Forget results in lost segments; returns the tags of the committed Globals that lay there."""
        self.results.forget(keys)
        self.checkpoint = self.checkpoint.without(keys)
        self.unconfirmed = {number: left.without(keys) for number, left in self.unconfirmed.items()}
        return [tag for tag, ref in self.globals.items() if ref.segment.key in keys]

    def sweep(self, in_use: Iterable[str]) -> tuple[str, ...]:
        """Stop keeping the segments that nobody can read; `in_use` are those of the running iteration."""
        needed = self.needed().union(in_use)
        unneeded = tuple(key for key in self.segments if key not in needed)
        for key in unneeded:
            del self.segments[key]
        return unneeded

    def needed(self) -> set[str]:
        """The segments that committed values lie in, and those of what the run could go on from."""
        globals_ = (ref.segment.key for ref in self.globals.values())
        ahead = (left.keys for left in self.unconfirmed.values())
        return self.results.keys().union(globals_, self.checkpoint.keys, *ahead)


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
