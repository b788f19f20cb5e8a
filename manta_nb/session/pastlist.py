"""A run as a row of a list: from a store, which has not read more of it than that, or from the run itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from manta_nb.engine.records import Status
from manta_nb.render import number, plain
from manta_nb.sdk.names import listed, shorten
from manta_nb.session.compare import Best, best, chosen_metric, falls
from manta_nb.session.keeping import best_of
from manta_nb.session.metrics import MetricTable

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.store.ports import Store
    from manta_nb.store.records import RunInfo

__all__ = ["Extremes", "PastRun", "when_text"]

#: metric → lowest mean over the nodes, its iteration, highest mean, its iteration
Extremes = Mapping[str, tuple[float, int, float, int]]

_ACTIVE = ("pending", "running", "stopping")
_DAY = 86_400


@dataclass(frozen=True)
class PastRun:
    """One run of the list."""

    run_id: str
    name: str
    status: Status
    reason: str
    #: committed iterations
    iterations: int
    #: iterations asked for; None: no limit
    limit: int | None
    seed: int
    started: float
    #: when it changed last
    updated: float
    elapsed: float
    #: bytes on disk; None: no store has it
    nbytes: int | None
    #: the notebook or file it was started from
    source: str
    parent: tuple[str, int | None] | None
    #: finds the best values of its metrics, where it is no run of this kernel
    look: Callable[[], Extremes]
    #: who has it, where that is known: "pid 4711 on HOST"
    owner: str = ""
    #: the run itself, where it is one of this kernel
    live: Run | None = None

    @classmethod
    def stored(cls, info: RunInfo, store: Store) -> PastRun:
        """A run of a store; of one that never ended the best metrics are looked up when they are asked for."""
        unknown = not info.best and info.iterations and info.status in (*_ACTIVE, "interrupted")
        return cls(
            info.run_id,
            info.name,
            info.status,
            info.reason,
            info.iterations,
            info.limit,
            info.seed,
            info.started,
            info.updated,
            info.elapsed,
            info.nbytes,
            info.source,
            info.parent,
            (lambda: _looked_up(store, info)) if unknown else (lambda: info.best),
            info.owner,
        )

    @classmethod
    def of(cls, run: Run, info: RunInfo | None, here: str) -> PastRun:
        """A run of this kernel, and what its store says of it, if it has one."""
        return cls(
            run.run_id,
            run.name,
            run.status,
            run.reason,
            run.iteration,
            run.iterations,
            run.seed,
            run.started,
            time.time(),
            run.elapsed,
            info.nbytes if info is not None else None,
            info.source if info is not None else here,
            getattr(run, "parent", None) or (info.parent if info is not None else None),
            dict,
            live=run,
        )

    @property
    def active(self) -> bool:
        """Whether it goes on, here or elsewhere."""
        return self.status in _ACTIVE

    @property
    def counted(self) -> str:
        """`3 of 20`, or `3`."""
        return f"{self.iterations} of {self.limit}" if self.limit else str(self.iterations)

    @cached_property
    def metrics(self) -> list[str]:
        """The names of its metrics."""
        return self.live.metrics.names() if self.live is not None else [*self._best]

    def judged(self, wanted: str = "") -> tuple[str, Best] | None:
        """The metric it is judged by and where that was best; None where it has none."""
        name = chosen_metric(self.metrics, wanted)
        if not name:
            return None
        if self.live is not None:
            found = best(self.live.metrics, name)
            return (name, found) if found is not None else None
        low, low_at, high, high_at = self._best[name]
        return name, Best(low, low_at, True) if falls(name) else Best(high, high_at, False)

    def best_text(self, wanted: str = "") -> str:
        """`val_acc 0.93 (highest)`."""
        found = self.judged(wanted)
        if found is None:
            missing = wanted and self.metrics and wanted not in self.metrics
            return f"no {wanted}; there are: {listed(self.metrics, 3)}" if missing else ""
        name, value = found
        return f"{shorten(plain(name), 30)} {number(value.value)} ({'lowest' if value.lowest else 'highest'})"

    @cached_property
    def _best(self) -> Extremes:
        return self.look()


def when_text(moment: float, now: float) -> str:
    """`12 s ago`, `3 min ago`, `5 h ago`; of what is older, or in the future, the date."""
    ago = now - moment
    if -2 <= ago < 60:
        return f"{max(0, round(ago))} s ago"
    if 0 < ago < 3600:
        return f"{ago // 60:.0f} min ago"
    if 0 < ago < _DAY:
        return f"{ago // 3600:.0f} h ago"
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
    except (OverflowError, ValueError, OSError):
        return ""


def _looked_up(store: Store, info: RunInfo) -> Extremes:
    """The best values of a run that never ended: those of one that did are noted."""
    metrics = MetricTable()
    for columns in store.metrics(info.run_id):
        metrics.stored.extend_columns(columns)
    return best_of(metrics, info.iterations)
