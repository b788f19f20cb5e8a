"""What was found out about the values of a run: every change of a Global, the Results of every iteration.

The run's thread notes what was committed, which costs it microseconds; what a value is, in words, is found out
later by whoever shows the run (`session.feed.study`), once for all who look at it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from manta_nb.engine.instructions import CommitIteration
from manta_nb.engine.records import Batch, ValueRef

__all__ = ["Commit", "Disagreement", "Findings", "GlobalChange", "Kept", "ResultsWritten"]

#: nodes of a result that are kept by name; of more only their number
FEW_NODES = 128
MOST_CHANGES, MOST_RESULTS, MOST_DISAGREEMENTS = 5_000, 20_000, 5_000
#: commits that wait for somebody to look at their values
MOST_WAITING = 5_000
#: commits whose results can still be read, at most
RECENT = 3

Row = TypeVar("Row")


@dataclass(frozen=True)
class GlobalChange:
    """A new value of a Global. `iteration` None: from the start; `version` counts from 1."""

    tag: str
    iteration: int | None
    version: int
    ref: ValueRef
    #: what it is, in a few words, and its first values; "" where it was gone before anybody looked
    type: str = ""
    preview: str = ""


@dataclass(frozen=True)
class ResultsWritten:
    """What the nodes wrote under one tag in one committed iteration; of many nodes only their number is kept."""

    tag: str
    iteration: int
    nodes: tuple[str, ...] | int
    nbytes: int
    type: str = ""


@dataclass(frozen=True)
class Disagreement:
    """How far the updates of the nodes lie apart: norm of each, and cosine to their mean (NaN: not defined)."""

    tag: str
    iteration: int
    nodes: tuple[str, ...]
    norm: npt.NDArray[np.float64]
    cosine: npt.NDArray[np.float64]
    #: why there are no numbers, or not of all nodes
    note: str = ""


@dataclass(frozen=True)
class Commit:
    """One committed iteration, before anybody looked at its values."""

    iteration: int
    changes: tuple[GlobalChange, ...]
    results: tuple[ResultsWritten, ...]


@dataclass(frozen=True)
class Recent:
    """A commit whose values can still be read: its results, and the Globals its tasks began with."""

    iteration: int
    batches: tuple[Batch, ...]
    before: Mapping[str, ValueRef]


class Kept(Generic[Row]):
    """The latest rows of a list that only grows; rows are numbered from 0."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._rows: deque[Row] = deque(maxlen=limit)
        #: how many rows there ever were
        self.count = 0

    def append(self, row: Row) -> None:
        """Add a row; beyond the limit the oldest goes."""
        with self._lock:
            self._rows.append(row)
            self.count += 1

    def since(self, number: int) -> tuple[int, list[Row]]:
        """The rows from `number` on that are still there, oldest first, and the number of the first of them."""
        with self._lock:
            count = self.count
            wanted = max(0, min(count - number, len(self._rows)))
            rows = list(islice(reversed(self._rows), wanted))
        rows.reverse()
        return count - wanted, rows


@dataclass
class Findings:
    """All that is known of a run's values. The run's thread calls `commit`; `lock` is for whoever looks closer."""

    changes: Kept[GlobalChange] = field(default_factory=lambda: Kept(MOST_CHANGES))
    results: Kept[ResultsWritten] = field(default_factory=lambda: Kept(MOST_RESULTS))
    disagreements: Kept[Disagreement] = field(default_factory=lambda: Kept(MOST_DISAGREEMENTS))
    #: not looked at yet, oldest first
    waiting: deque[Commit] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))
    recent: deque[Recent] = field(default_factory=lambda: deque(maxlen=RECENT))
    #: what the one who looks remembers from commit to commit
    memory: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _current: Mapping[str, ValueRef] = field(default_factory=dict)
    _versions: dict[str, int] = field(default_factory=dict)
    #: tag → the nodes that wrote it last: mostly the same ones, so they are kept once
    _writers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def begin(self, initial: Mapping[str, ValueRef]) -> None:
        """These are the Globals at the start."""
        self._current = initial
        changes = tuple(self._changed(tag, None, ref) for tag, ref in initial.items())
        if changes:
            self.waiting.append(Commit(-1, changes, ()))

    def know(self, versions: Mapping[str, int]) -> None:
        """So many values had these Globals already, in an earlier kernel."""
        self._versions.update(versions)

    def commit(
        self, commit: CommitIteration, before: Mapping[str, ValueRef], batches: Sequence[Batch]
    ) -> None:
        """An iteration is committed; `before` are the Globals it began with, `batches` hold its results."""
        self._current = commit.globals
        changes = [self._changed(tag, commit.iteration, commit.globals[tag]) for tag in commit.changed]
        results = tuple(self._written(commit.iteration, batches))
        self.waiting.append(Commit(commit.iteration, tuple(changes), results))
        self.recent.append(Recent(commit.iteration, tuple(batches), before))

    def current(self) -> Mapping[str, ValueRef]:
        """The committed Globals."""
        return self._current

    def _changed(self, tag: str, iteration: int | None, ref: ValueRef) -> GlobalChange:
        version = self._versions[tag] = self._versions.get(tag, 0) + 1
        return GlobalChange(tag, iteration, version, ref)

    def _written(self, iteration: int, batches: Sequence[Batch]) -> list[ResultsWritten]:
        nodes: dict[str, dict[str, None]] = {}
        nbytes: dict[str, int] = {}
        for batch in batches:
            for tag, size in batch.result_bytes.items():
                nodes.setdefault(tag, {}).update(dict.fromkeys(batch.partial_tags.get(tag, batch.nodes)))
                nbytes[tag] = nbytes.get(tag, 0) + size
        return [
            ResultsWritten(tag, iteration, self._shared(tag, names), nbytes[tag])
            for tag, names in nodes.items()
        ]

    def _shared(self, tag: str, names: dict[str, None]) -> tuple[str, ...] | int:
        if len(names) > FEW_NODES:
            return len(names)
        writers, known = tuple(names), self._writers.get(tag)
        if known is not None and known == writers:
            return known
        self._writers[tag] = writers
        return writers
