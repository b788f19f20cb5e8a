"""How often a costly section is made: so often that it costs little, and a person can still read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Clock", "Pace"]

Clock = Callable[[], float]

#: a section that takes t seconds is made again after so many t at the earliest: 2 % of the time
_RATIO = 50


class Pace:
    """Says when a section is due again.

    Args:
        pause: seconds between two of them, at least.
        hurry: whether all that is left has to go out now, since the run is over.
        clock: seconds, as `time.monotonic` counts them.
    """

    def __init__(self, pause: float, hurry: Callable[[], bool], clock: Clock) -> None:
        self._pause = pause
        self._hurry = hurry
        self._clock = clock
        self._next = -float("inf")

    def due(self) -> bool:
        """Whether it is time."""
        return self._clock() >= self._next or self._hurry()

    @contextmanager
    def making(self) -> Iterator[None]:
        """The section is made now."""
        began = self._clock()
        yield
        now = self._clock()
        self._next = now + max(self._pause, _RATIO * (now - began))
