"""`Alarm`: what a thread waits for that is told of changes from other threads, and must not hurry for each."""

from __future__ import annotations

import threading

__all__ = ["Alarm"]


class Alarm:
    """Rings for a change, which may wait for its turn, or at once."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._urgent = threading.Event()

    def ring(self) -> None:
        """Something has changed. Costs whoever says so less than a microsecond."""
        self._changed.set()

    def call(self) -> None:
        """Somebody waits for it."""
        self._urgent.set()
        self._changed.set()

    def wait(self, timeout: float) -> None:
        """Wait for a change, so many seconds at most."""
        self._changed.wait(timeout)
        self._changed.clear()

    def rest(self, seconds: float) -> None:
        """Pause, unless somebody waits."""
        self._urgent.wait(seconds)
        self._urgent.clear()
