"""`Gatherer`: what a store is given of a run, taken from its history piece by piece."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.instructions import FinishRun
from manta_nb.engine.records import ValueRef
from manta_nb.store.records import Columns, Committed, Ending, Loose

if TYPE_CHECKING:
    from manta_nb.session.history import History
    from manta_nb.session.metrics import MetricTable

__all__ = ["Gatherer", "best_of"]

#: seconds between two times that the sums of the nodes are written
SUMS_EVERY = 1.0
#: metrics whose best values are noted for lists of runs
MOST_BEST = 50


class Gatherer:
    """Remembers what is stored already: `stored` says that what was given last is. Used by one thread at a time.

    Args:
        history: of the run.
        start: what the store has of it, or what the run begins with.
        elapsed: seconds the run has taken.
    """

    def __init__(self, history: History, start: Checkpoint, elapsed: Callable[[], float]) -> None:
        self._history = history
        self._elapsed = elapsed
        #: iterations, lines and events that the store has, and the Globals as it has them
        self._has = (start.iterations, history.logs.count, history.events.count)
        self._globals: Mapping[str, ValueRef] = start.globals
        self._given = self._has
        self._sums_at = 0.0
        self._texts: dict[str, tuple[str, ...]] = {}

    def committed(self, checkpoint: Checkpoint) -> Committed:
        """What came of the iterations since the last time, up to `checkpoint`."""
        known, moved = self._globals, self._history.bytes_moved
        numbers = range(self._has[0], checkpoint.iterations)
        loose = self.loose() or Loose()
        self._given = (checkpoint.iterations, *self._given[1:])
        return Committed(
            checkpoint,
            tuple(tag for tag, ref in checkpoint.globals.items() if known.get(tag) != ref),
            self._metrics(numbers),
            loose,
            {number: moved.get(number, 0) for number in numbers},
            self._elapsed(),
            self._sums(),
        )

    def loose(self) -> Loose | None:
        """The log lines and events since the last time; None where there are none."""
        iterations, of_lines, of_events = self._has
        first_line, lines = self._history.logs.since(of_lines)
        first_event, events = self._history.events.since(of_events)
        self._given = (iterations, first_line + len(lines), first_event + len(events))
        return Loose(tuple(lines), tuple(events)) if lines or events else None

    def stored(self, checkpoint: Checkpoint | None = None) -> None:
        """What was given last is stored; with a `checkpoint` its Globals are."""
        self._has = self._given
        if checkpoint is not None:
            self._globals = checkpoint.globals

    def ending(self, end: FinishRun) -> Ending:
        """How it ended, and what is left."""
        self._sums_at = 0.0
        return Ending(
            end.status,
            end.reason,
            time.time(),
            self._elapsed(),
            end.failure,
            end.task,
            self.loose() or Loose(),
            self._sums(),
            best_of(self._history.metrics, self._has[0]),
        )

    def _metrics(self, numbers: range) -> Columns | None:
        if not numbers:
            return None
        stored = self._history.metrics.stored
        found = stored.of_iterations(numbers[0], numbers[-1])
        if not len(found["value"]):
            return None
        for column in ("node", "task", "name"):
            known = self._texts.get(column, ())
            self._texts[column] = (*known, *stored.texts(column, len(known)))
        return Columns(
            **found, nodes=self._texts["node"], tasks=self._texts["task"], names=self._texts["name"]
        )

    def _sums(self) -> dict[str, Any] | None:
        """Seconds, bytes and last error of each node, not more often than once a second."""
        now = time.monotonic()
        if now < self._sums_at:
            return None
        self._sums_at = now + SUMS_EVERY
        work = self._history.work
        nodes = list(dict.fromkeys([*work.seconds, *work.bytes_out]))
        return {
            "nodes": nodes,
            "seconds": np.array([work.seconds.get(node, 0.0) for node in nodes]),
            "bytes_out": np.array([work.bytes_out.get(node, 0) for node in nodes], dtype=np.int64),
            "errors": dict(work.errors),
        }


def best_of(metrics: MetricTable, iterations: int) -> dict[str, tuple[float, int, float, int]]:
    """Metric → lowest mean over the nodes and its iteration, highest and its; of so many iterations."""
    best = {}
    for name in metrics.names()[:MOST_BEST]:
        curve = metrics.by_iteration(name)
        points = zip(curve.mean.tolist(), curve.x.tolist(), strict=True)
        known = [(mean, int(x)) for mean, x in points if x < iterations and not math.isnan(mean)]
        if known:
            low, high = min(known), max(known, key=lambda point: (point[0], -point[1]))
            best[name] = (*low, *high)
    return best
