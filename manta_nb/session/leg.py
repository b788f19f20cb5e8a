"""`Leg`: one execution of a run, from its start or from where it was resumed, to its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from manta_nb.engine.driver import Driver
from manta_nb.engine.events import RunEvent, StopRequested
from manta_nb.engine.instructions import FinishRun
from manta_nb.engine.progress import Progress
from manta_nb.engine.run_state import RunState

__all__ = ["Drives", "Leg", "Past"]


class Drives(Protocol):
    """A `Driver`, or what is left of one."""

    @property
    def progress(self) -> Progress:
        """See `Driver.progress`."""

    @property
    def finish(self) -> FinishRun | None:
        """See `Driver.finish`."""

    def post(self, event: RunEvent) -> None:
        """See `Driver.post`."""


@dataclass(frozen=True)
class Past:
    """The end of a leg that another process executed."""

    progress: Progress
    finish: FinishRun
    #: seconds the run took
    elapsed: float
    #: asks the process that executes it, if one does, to stop
    ask: Callable[[str], None] | None = None

    def post(self, event: RunEvent) -> None:
        """Nothing can be told to it but to stop."""
        if self.ask is not None and isinstance(event, StopRequested):
            self.ask(event.reason)


class Leg:
    """One execution of a run, from its start or from where it was resumed, to its end."""

    def __init__(self, state: RunState, driver: Drives, before: float = 0.0) -> None:
        self.state = state
        self.driver = driver
        #: set when it is over
        self.done = threading.Event()
        self._before = before
        self._clock = time.monotonic()
        self._took = 0.0

    @classmethod
    def over(cls, state: RunState, past: Past) -> Leg:
        """One that is over, as it was stored."""
        leg = cls(state, past)
        leg._took = past.elapsed
        leg.done.set()
        return leg

    @property
    def elapsed(self) -> float:
        """Seconds the run has taken so far, its earlier legs included; what lay between them is not counted."""
        return self._took if self.done.is_set() else self._before + time.monotonic() - self._clock

    def work(self, tidy: Callable[[], None]) -> None:
        """Run to the end on this thread; then `tidy`, whatever happened."""
        try:
            if isinstance(self.driver, Driver):
                self.driver.run()
        finally:
            self._took = self._before + time.monotonic() - self._clock
            try:
                tidy()
            finally:
                self.done.set()
