"""What is said while a run goes on: one line that is written over, or a line an iteration in a file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from manta_nb.cli.console import Console
from manta_nb.session.curves import Spread
from manta_nb.session.digest import seconds_text, summarise
from manta_nb.session.summary import progress_line
from manta_nb.session.views import spread_text

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["Progress", "follow"]

#: seconds between two looks
_PAUSE = 0.2
_METRICS = 4


def follow(run: Run, console: Console) -> None:
    """Show a run until it is over; an interrupt is passed on."""
    over = threading.Event()
    end = run.watch(lambda seen: over.set() if seen.finished else None)
    progress = Progress(run, console)
    try:
        while not over.wait(_PAUSE):
            progress.update()
        progress.update()
    finally:
        end()
        progress.close()


class Progress:
    """Says how far a run is; `update` as often as you like."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run = run
        self._console = console
        #: iterations that have been told, in a file
        self._told = 0

    def update(self) -> None:
        """Say what is new."""
        if self._console.rewrites:
            self._console.rewrite(progress_line(summarise(self._run)))
        elif self._run.iteration > self._told:
            self._tell()

    def close(self) -> None:
        """Take away the line that is written over."""
        if self._console.rewrites:
            self._console.rewrite("")

    def _tell(self) -> None:
        committed = self._run.iteration
        names = self._run.metrics.names()[:_METRICS]
        values: dict[int, list[str]] = {}
        for name in names:
            curve = self._run.metrics.by_iteration(name)
            for at, *spread in zip(*(column.tolist() for column in curve), strict=True):
                values.setdefault(at, []).append(f"{name} {spread_text(Spread(*spread))}")
        of = f" of {self._run.iterations}" if self._run.iterations else ""
        for at in range(self._told, committed):
            # Of several at once the latest alone knows when it ended.
            when = [seconds_text(self._run.elapsed)] if at == committed - 1 else []
            self._console.say(" · ".join([f"iteration {at + 1}{of}", *when, *values.get(at, [])]))
        self._told = committed
