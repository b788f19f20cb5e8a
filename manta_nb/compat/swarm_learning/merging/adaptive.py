"""Adaptive sync: how many batches the nodes train between two merges, judged by what the merges bring.

HPE has published what the rule looks at, and no numbers: no factors, thresholds or bounds. These are manta_nb's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

__all__ = ["FACTOR", "LEAST_GAIN", "REACH", "Adaptive"]

#: the interval is multiplied or divided by it
FACTOR: Final = 2
#: at most so many times, and at least this part of, the interval that the script asks for
REACH: Final = 8
#: the part of the mark by which a loss must be below it to count as better
LEAST_GAIN: Final = 0.01


@dataclass(frozen=True)
class Adaptive:
    """The interval between two merges, and what it was judged by; each merge makes the next state with `next`.

    The judge is the mean of the nodes' validation losses after a merge. The first one only sets the mark. Where a
    mean is below the mark by more than 1 % of it, it becomes the mark, and as merging less often does no harm, the
    interval doubles. Otherwise it halves. It stays between an eighth (at least 1) and 8 times of where it started.
    A merge without losses, or with one that is not finite, changes nothing. HPE publishes no factors; these are
    manta_nb's.

    Attributes:
        start: batches between two merges that the script asks for.
        interval: batches until the next merge.
        best: the mark: the mean loss that was last better, or the first one; None before that.
        reason: why the interval is what it is, for the log.

    Example:
        >>> state = Adaptive.start_at(128).next([0.9, 0.7])
        >>> state.next([0.5, 0.3]).interval
        256
        >>> state.next([0.5, 0.3]).next([0.5, 0.4]).interval
        128
    """

    start: int
    interval: int
    best: float | None = None
    reason: str = ""

    @classmethod
    def start_at(cls, start: int) -> Self:
        """The state before the first merge; `start` is the script's own interval, at least 1."""
        return cls(start=max(1, int(start)), interval=max(1, int(start)))

    def next(self, losses: Iterable[float | None]) -> Self:
        """The state after a merge.

        Args:
            losses: the validation loss of each node with the merged model; None where a node has none.
        """
        known = [float(loss) for loss in losses if loss is not None]
        if not known:
            return replace(self, reason="no node has a validation loss")
        if not all(map(math.isfinite, known)):
            return replace(self, reason="a validation loss is not finite")
        loss = math.fsum(each / len(known) for each in known)
        told = f"the mean validation loss of {len(known)} node{'s' * (len(known) > 1)}"
        if self.best is None:
            return replace(self, best=loss, reason=f"{told} is {loss:.4g}, the first")
        if self.best - loss > LEAST_GAIN * abs(self.best):
            interval = min(self.interval * FACTOR, self.start * REACH)
            return replace(
                self, interval=interval, best=loss, reason=f"{told} fell from {self.best:.4g} to {loss:.4g}"
            )
        interval = max(self.interval // FACTOR, self.start // REACH, 1)
        reason = f"{told} is {loss:.4g}, not 1 % below the best, {self.best:.4g}"
        return replace(self, interval=interval, reason=reason)

    def as_value(self) -> dict[str, Any]:
        """The state as a value that can travel."""
        return asdict(self)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_value`."""
        return cls(**value)
