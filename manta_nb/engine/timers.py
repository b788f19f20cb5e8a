"""`Timers`: events that are due some time later, kept by whoever waits for events anyway."""

from __future__ import annotations

import heapq
import itertools
import time
from queue import Empty, SimpleQueue

from manta_nb.engine.events import RunEvent

__all__ = ["Timers"]

#: seconds that one wait takes at most; a platform may refuse longer ones
LONGEST_WAIT = 3600.0


class Timers:
    """The timers of one driver; used on its thread only."""

    def __init__(self) -> None:
        #: (when, number, event): equal times in the order they were set
        self._due: list[tuple[float, int, RunEvent]] = []
        self._numbers = itertools.count()

    def set(self, seconds: float, event: RunEvent) -> None:
        """Give out `event` in so many seconds."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), event))

    def next_event(self, events: SimpleQueue[RunEvent]) -> RunEvent:
        """Wait for the next event: of the queue, or, while it is empty, one that is due."""
        while self._due:
            left = self._due[0][0] - time.monotonic()
            try:
                return events.get(timeout=min(max(left, 0.0), LONGEST_WAIT))
            except Empty:
                if left <= 0:
                    return heapq.heappop(self._due)[2]
        return events.get()
