"""Following a run from a thread of its own: at most two updates a second, and the end at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, Self

from manta_nb.session.digest import RunLike
from manta_nb.session.showing import Shows

__all__ = ["HOLD", "PAUSE", "Follower", "Shows", "WatchedRun"]

#: seconds between two updates, at least
PAUSE = 0.5
#: seconds after a stop from a screen during which that screen can resume the run
HOLD = 60.0
#: seconds without a change after which the clock on the screen moves on
_TICK = 1.0
#: an update that takes t seconds is followed by a pause of this many t: 2 % of the time, at most
_RATIO, _LONGEST = 50, 10.0


class WatchedRun(RunLike, Protocol):
    """A run that tells when something changes; a `Run` is one."""

    def watch(self, callback: Callable[[Self], None]) -> Callable[[], None]:
        """Call back at each change and once after the end, from the run's thread; returns the end of that."""


class Follower:
    """Calls `update` while a run goes on and `finish` when it is over, from a daemon thread, until that says True.

    The run's own thread only sets a flag. Lives until the run is over; where `hold()` is true at the end, a minute
    longer, and on if the run is resumed within it.
    """

    def __init__(
        self,
        run: WatchedRun,
        update: Callable[[], None],
        finish: Callable[[], bool],
        pause: float = PAUSE,
        hold: Callable[[], bool] = lambda: False,
    ) -> None:
        self._run = run
        self._update = update
        self._finish = finish
        self._pause = pause
        self._hold = hold
        self._changed = threading.Event()
        self._over = threading.Event()
        self._released = threading.Event()
        self._unwatch = run.watch(self._note)
        self._thread = threading.Thread(target=self._follow, name=f"manta-nb-display-{run.name}", daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait until the end has been shown; False where that took longer than `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def release(self) -> None:
        """The end has been shown: there is nothing to hold on to."""
        self._released.set()

    def _note(self, run: WatchedRun) -> None:
        self._changed.set()
        if run.finished:
            self._over.set()
        elif self._over.is_set():
            # it was resumed
            self._over.clear()
            self._released.set()

    def _follow(self) -> None:
        over = False
        while not over:
            self._until_over()
            # resumed in the very moment: then it goes on
            over = not self._held() and self._finish()
        self._unwatch()

    def _until_over(self) -> None:
        while not self._run.finished:
            self._changed.wait(_TICK)
            self._changed.clear()
            if self._run.finished:
                break
            began = time.perf_counter()
            self._update()
            cost = time.perf_counter() - began
            self._over.wait(min(max(self._pause, _RATIO * cost), _LONGEST))

    def _held(self) -> bool:
        """Wait for a while after the end, if it is to be held; whether the run goes on again."""
        if not self._hold():
            return False
        self._released.wait(HOLD)
        self._released.clear()
        return not self._run.finished
