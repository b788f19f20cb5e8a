"""Where runs were best, as `%manta runs` says it; found seldom enough to cost nothing."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from manta_nb.errors import MantaError
from manta_nb.ui.panel.sections import Clock, Pace

if TYPE_CHECKING:
    from manta_nb.session.pastlist import PastRun

__all__ = ["Bests"]

#: seconds between two looks at the metrics of a run that goes on
_PAUSE = 0.5


class _Live:
    """What was found of a run of this kernel: of so many rows of its metrics, in that state."""

    def __init__(self, clock: Clock) -> None:
        self.pace = Pace(_PAUSE, clock)
        self.found_of: tuple[object, ...] = ()
        self.text = ""


class Bests:
    """Remembers the best metric of each run while nothing new was measured."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._live: dict[str, _Live] = {}
        #: run of a store → when it changed last, the metric asked for, and what was found
        self._stored: dict[str, tuple[float, str, str]] = {}

    def of(self, run: PastRun, metric: str) -> str:
        """`val_acc 0.93 (highest)`; "" where nothing was measured."""
        return self._of_stored(run, metric) if run.live is None else self._of_live(run, metric)

    def _of_live(self, run: PastRun, metric: str) -> str:
        known = self._live.setdefault(run.run_id, _Live(self._clock))
        now = (len(run.live.metrics) if run.live is not None else 0, run.active, metric)
        if now == known.found_of:
            return known.text
        # the end is told at once, whatever it takes
        if known.pace.due() or not run.active:
            known.text, known.found_of = _text(run, metric), now
            known.pace.done()
        return known.text

    def _of_stored(self, run: PastRun, metric: str) -> str:
        known = self._stored.get(run.run_id)
        if known is None or known[:2] != (run.updated, metric):
            known = self._stored[run.run_id] = (run.updated, metric, _text(run, metric))
        return known[2]


def _text(run: PastRun, metric: str) -> str:
    # a store that was deleted, or a metric that was taken back in this moment
    with suppress(MantaError):
        return run.best_text(metric)
    return ""
