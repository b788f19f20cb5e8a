"""What is kept of a run, as plain records: what goes into a store and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Event, Failure, RunPlan, Status, ValueRef

__all__ = [
    "Columns",
    "Committed",
    "Ending",
    "GlobalVersion",
    "IterationInfo",
    "LogLine",
    "Loose",
    "Pruned",
    "RunHead",
    "RunInfo",
]

#: `(iteration, node, task, level, text)`, as `session.logs.LogRow`
LogLine = tuple[int, str, str, str, str]


@dataclass(frozen=True)
class RunHead:
    """A run as it was asked for: all that repeating it takes, but for the data."""

    plan: RunPlan
    #: seconds since 1970, for people
    started: float
    #: alias → its module: texts, and the options that differ from the defaults, as plain values
    modules: Mapping[str, Any] = field(default_factory=dict)
    #: what the nodes were started with, and which nodes there were, as plain values
    session: Mapping[str, Any] = field(default_factory=dict)
    #: package → version
    versions: Mapping[str, str] = field(default_factory=dict)
    #: the notebook or file it was started from; "" where that is not known
    source: str = ""
    #: the run it goes on from, and the iteration of that whose values it begins with (None: it repeats it)
    parent: tuple[str, int | None] | None = None


@dataclass(frozen=True)
class Columns:
    """Metrics as columns of equal length; `node`, `task` and `name` are numbers into the texts beside them."""

    iteration: npt.NDArray[np.int32]
    node: npt.NDArray[np.int32]
    task: npt.NDArray[np.int32]
    name: npt.NDArray[np.int32]
    #: NaN: none
    step: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    nodes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class Loose:
    """What came since the last time it was asked for: log lines and events, oldest first."""

    logs: tuple[LogLine, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Committed:
    """One complete iteration, or several of which only the last one's values are kept."""

    checkpoint: Checkpoint
    #: tags of the Globals that changed since the `Committed` before
    changed: tuple[str, ...] = ()
    #: the metrics of all iterations since then; None where there are none
    metrics: Columns | None = None
    loose: Loose = field(default_factory=Loose)
    #: iteration → bytes that left the nodes in it, of the iterations since then
    moved: Mapping[int, int] = field(default_factory=dict)
    #: seconds the run has taken so far
    elapsed: float = 0.0
    #: what else shall be found again (seconds and bytes of each node, …), replacing what was there; None: as it was
    extras: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    status: Status
    reason: str
    ended: float
    elapsed: float
    failure: Failure | None = None
    task: str = ""
    loose: Loose = field(default_factory=Loose)
    extras: Mapping[str, Any] | None = None
    #: metric → (lowest mean over the nodes, its iteration, highest mean, its iteration), for lists of runs
    best: Mapping[str, tuple[float, int, float, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class GlobalVersion:
    """One value of a Global: from `iteration` on (-1: from the start)."""

    tag: str
    iteration: int
    nbytes: int
    #: where it lies; None where the store no longer has it
    ref: ValueRef | None = None

    @property
    def held(self) -> bool:
        """Whether the store still has it."""
        return self.ref is not None


@dataclass(frozen=True)
class IterationInfo:
    """One committed iteration."""

    iteration: int
    #: bytes that left the nodes in it
    moved: int
    #: whether all its Globals are held, so that a run can go on from it
    held: bool


@dataclass(frozen=True)
class RunInfo:
    """A run as a list shows it."""

    run_id: str
    name: str
    #: `interrupted` where it was running and nobody has it any more
    status: Status
    reason: str
    #: committed iterations
    iterations: int
    #: iterations asked for; None: no limit
    limit: int | None
    seed: int
    started: float
    #: when something was last written
    updated: float
    elapsed: float
    #: bytes on disk
    nbytes: int
    source: str
    parent: tuple[str, int | None] | None
    best: Mapping[str, tuple[float, int, float, int]]
    #: "pid 4711 on HOST" while somebody has it
    owner: str = ""


@dataclass(frozen=True)
class Pruned:
    """What pruning removed, or would remove."""

    run_ids: tuple[str, ...]
    #: bytes given back
    nbytes: int
    #: bytes that are left
    left: int
