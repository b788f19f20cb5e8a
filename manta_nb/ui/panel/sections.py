"""`Section`: one part of what a page is shown, and whether it is still the same; and how often one is made anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from manta_nb.ui.panel.texts import weight

__all__ = ["Clock", "Pace", "Section"]

Clock = Callable[[], float]

#: a piece of work that took t seconds is not done again for so many t
_RATIO = 100


class Section:
    """The latest body of a section. It is replaced where something other than a clock has changed.

    `revision` is another object after each change, so that each view knows what it has.
    """

    def __init__(self) -> None:
        self.revision: object = None
        self.body: Any = None
        #: bytes as JSON
        self.size = 0
        self._made_of: object = self

    def put(self, body: Any, made_of: object = None) -> None:
        """This is how it stands; `made_of` is what counts of it (None: all of it)."""
        counts = body if made_of is None else made_of
        if self.is_of(counts):
            return
        self._made_of, self.body, self.size = counts, body, weight(body)
        self.revision = object()

    def is_of(self, made_of: object) -> bool:
        """Whether it was made of the same: then it needs not be made again."""
        return self.revision is not None and made_of == self._made_of


class Pace:
    """Says when something is due again: after `pause` seconds, and so that it takes 1 % of a core at most.

    Args:
        pause: seconds.
        clock: seconds, as `time.monotonic` counts them.
        cost: seconds of processor time, as `time.thread_time` counts them.
        longest: seconds after which it is due whatever it costs.
    """

    def __init__(
        self,
        pause: float,
        clock: Clock = time.monotonic,
        cost: Clock = time.thread_time,
        longest: float = 10.0,
    ) -> None:
        self._pause = pause
        self._clock = clock
        self._cost = cost
        self._longest = longest
        self._next = -float("inf")
        self._began = 0.0

    def due(self) -> bool:
        """Whether it is; the work then begins, and `done` says when it ends."""
        self._began = self._cost()
        return self._clock() >= self._next

    def done(self) -> None:
        """The work has ended."""
        spent = self._cost() - self._began
        self._next = self._clock() + min(max(self._pause, _RATIO * spent), self._longest)

    def hurry(self) -> None:
        """It is due now."""
        self._next = -float("inf")
