"""How often a costly section is made: so often that it costs little, and a person can still read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from manta_nb.session.feed.message import Draft, Part

__all__ = ["Clock", "Pace", "Slowly"]

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
    def making(self, made: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """The section is made now; where `made` says at the end that there was nothing to make, it stays due."""
        began = self._clock()
        yield
        now = self._clock()
        if made():
            self._next = now + max(self._pause, _RATIO * (now - began))


class Slowly:
    """Parts that are told of together a few times a second, and whenever everything is."""

    def __init__(self, pace: Pace, *parts: Part) -> None:
        self._parts = parts
        self._pace = pace

    def reset(self) -> None:
        """See `Part`."""
        for part in self._parts:
            part.reset()

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        if draft.whole or self._pace.due():
            before = len(draft.content)
            with self._pace.making(lambda: len(draft.content) > before):
                for part in self._parts:
                    part.add(draft)
