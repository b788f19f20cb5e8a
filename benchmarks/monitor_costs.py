"""What each update of a monitor takes the kernel, in seconds of the thread that sends it; also used in a notebook."""

from __future__ import annotations

import time
from typing import Self

from manta_nb.session.feed import RunFeed
from manta_nb.ui.monitor.pump import Pump

__all__ = ["Costs"]


class Costs:
    """Notes the updates of every monitor while its block lasts.

    Attributes:
        updates: making and sending one message.
        beside: what the thread does after it, at leisure: the nodes' processes, how much their results differ.
    """

    def __init__(self) -> None:
        self.updates: list[float] = []
        self.beside: list[float] = []

    def __enter__(self) -> Self:
        self._once, self._background = once, background = Pump._once, RunFeed.background

        def looked(feed: RunFeed) -> None:
            began = time.thread_time()
            background(feed)
            self._last = time.thread_time() - began

        def timed(pump: Pump) -> float | None:
            self._last = 0.0
            cost = once(pump)
            if cost is not None:
                self.updates.append(cost - self._last)
                self.beside.append(self._last)
            return cost

        Pump._once, RunFeed.background = timed, looked  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        Pump._once, RunFeed.background = self._once, self._background  # type: ignore[method-assign]
