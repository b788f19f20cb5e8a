"""One run as `MemoryStore` keeps it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Batch, Event, Status
from manta_nb.errors import StoreError
from manta_nb.store.columns import only
from manta_nb.store.encoding import pack, pack_ending, pack_head, unpack, unpack_head
from manta_nb.store.finding import shown_status
from manta_nb.store.records import (
    Columns,
    Committed,
    Ending,
    GlobalVersion,
    IterationInfo,
    LogLine,
    Loose,
    RunHead,
    RunInfo,
)
from manta_nb.store.retention import RECENT, Keeping
from manta_nb.store.rows import Version, grouped, readable, ungrouped

__all__ = ["MemoryRun"]

States = Mapping[str, tuple[str, ...]]


class MemoryRun:
    """All that is kept of one run but its values. `MemoryStore` calls it, one thread at a time."""

    def __init__(self, head: RunHead, budget: int) -> None:
        self._budget = budget
        self.keeping = Keeping(budget)
        #: as bytes: whatever comes out of a store was in none of the caller's hands meanwhile
        self.head = b""
        self.extras = pack({}, "extras")
        self.ending: bytes | None = None
        self._best = pack({}, "best")
        self._status: Status = "running"
        self._reason, self._updated, self._elapsed = "", 0.0, 0.0
        #: complete iterations → the checkpoint without its states, and these as version → nodes
        self._commits: dict[int, tuple[Checkpoint, States]] = {}
        self._moved: dict[int, int] = {}
        self._versions: list[Version] = []
        self._metrics: list[tuple[int, Columns]] = []
        self.logs: list[LogLine] = []
        self.events: list[Event] = []
        self.begin(head)

    def begin(self, head: RunHead) -> None:
        """It begins, or goes on."""
        self.head = pack_head(head)
        self._status, self._reason, self.ending = "running", "", None
        self._updated = time.time()
        done = self.latest or 0
        left = [(at, only(columns, columns.iteration < done)) for at, columns in self._metrics]
        self._metrics = [(at, columns) for at, columns in left if len(columns)]

    @property
    def latest(self) -> int | None:
        """Complete iterations at the latest commit; None: there was none."""
        return next(reversed(self._commits), None)

    def commit(self, committed: Committed) -> set[str]:
        """Keep a checkpoint; returns the segments that are no longer kept."""
        checkpoint = committed.checkpoint
        extras = self.extras if committed.extras is None else pack(dict(committed.extras), "extras")
        if self.latest is not None and checkpoint.iterations <= self.latest:
            self._truncate(checkpoint.iterations)
        self.extras = extras
        self._add_versions(checkpoint, frozenset(committed.changed))
        done = self._start() if self.latest is None else self.latest
        for number in range(done, checkpoint.iterations):
            self._moved[number] = committed.moved.get(number, 0)
        self._commits[checkpoint.iterations] = self._slim(checkpoint)
        if committed.metrics is not None and len(committed.metrics):
            self._metrics.append((checkpoint.iterations, committed.metrics))
        self._elapsed = committed.elapsed
        self.append(committed.loose)
        dropped = self.keeping.add(checkpoint)
        for number in list(self._commits)[-3:-2]:
            old, states = self._commits[number]
            self._commits[number] = old.without(self.keeping.missing(old.keys)), states
        return dropped

    def append(self, loose: Loose) -> None:
        """Keep log lines and events."""
        self.logs += loose.logs
        self.events += loose.events
        self._updated = time.time()

    def finish(self, ending: Ending) -> None:
        """It is over."""
        data, best = pack_ending(ending), pack(dict(ending.best), "best")
        if ending.extras is not None:
            self.extras = pack(dict(ending.extras), "extras")
        self.ending, self._best = data, best
        self._status, self._reason, self._elapsed = ending.status, ending.reason, ending.elapsed
        self.append(ending.loose)

    def info(self, owner: str) -> RunInfo:
        """As a list shows it."""
        head = unpack_head(self.head)
        plan = head.plan
        return RunInfo(
            plan.run_id, plan.name, shown_status(self._status, owner), self._reason, self.latest or 0, plan.iterations,
            plan.seed, head.started, self._updated, self._elapsed, self.nbytes, head.source, head.parent,
            unpack(self._best), owner,
        )  # fmt: skip

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes."""
        metrics = sum(columns.value.nbytes * 4 for _, columns in self._metrics)
        return self.keeping.nbytes + len(self.head) + len(self.extras) + metrics

    def checkpoint(self, iterations: int | None) -> Checkpoint:
        """See `Store.checkpoint`."""
        number = self.latest if iterations is None else iterations
        if number is None or number not in self._commits:
            raise StoreError(
                "nothing is committed: start the run again"
                if number is None
                else f"nothing is committed after {number} iterations: run.held() lists what there is"
            )
        kept, states = self._commits[number]
        gone = self.keeping.missing(kept.keys)
        if lost := kept.lost(gone):
            raise StoreError(
                f"the Globals after {number} iterations are no longer held ({len(lost)} of {len(kept.globals)}): "
                "`held` in run.iterations tells which are"
            )
        return replace(kept, states=ungrouped(states)).without(gone)

    def iterations(self) -> list[IterationInfo]:
        """See `Store.iterations`."""
        whole = {
            number
            for number, (kept, _) in self._commits.items()
            if not self.keeping.missing(ref.segment.key for ref in kept.globals.values())
        }
        return [IterationInfo(number, moved, number + 1 in whole) for number, moved in self._moved.items()]

    def versions(self) -> list[GlobalVersion]:
        """See `Store.versions`."""
        return [
            GlobalVersion(tag, at - 1, ref.nbytes, None if self.keeping.missing([ref.segment.key]) else ref)
            for at, tag, _, ref in self._versions
            if ref is not None
        ]

    def metrics(self) -> list[Columns]:
        """See `Store.metrics`."""
        return [columns for _, columns in self._metrics]

    def _start(self) -> int:
        _, iteration = unpack_head(self.head).parent or ("", None)
        return 0 if iteration is None else iteration + 1

    def _add_versions(self, checkpoint: Checkpoint, changed: frozenset[str]) -> None:
        first = self.latest is None
        for tag, ref in checkpoint.globals.items():
            if first or tag in changed:
                self._versions.append(Version(checkpoint.iterations, tag, True, ref))

    def _slim(self, checkpoint: Checkpoint) -> tuple[Checkpoint, States]:
        """Less what no reader needs, and with the parts of the one before that are equal."""
        before = {id(batch): batch for batch in self._batches()}
        batches = tuple(before.get(id(batch), readable(batch)) for batch in checkpoint.results.batches)
        states: States = grouped(checkpoint.states.items())
        if self.latest is not None:
            lists = {nodes: nodes for nodes in self._commits[self.latest][1].values()}
            states = {version: lists.get(nodes, nodes) for version, nodes in states.items()}
        return replace(checkpoint, states={}, results=replace(checkpoint.results, batches=batches)), states

    def _batches(self) -> Iterable[Batch]:
        return () if self.latest is None else self._commits[self.latest][0].results.batches

    def _truncate(self, iterations: int) -> None:
        """Forget the commits from this one on."""
        self._commits = {number: kept for number, kept in self._commits.items() if number < iterations}
        latest = self.latest
        self._moved = {n: moved for n, moved in self._moved.items() if latest is not None and n < latest}
        self._versions = [version for version in self._versions if version.iterations < iterations]
        self._metrics = [(at, columns) for at, columns in self._metrics if at < iterations]
        self.keeping = self.keeping.again()
        last = list(self._commits)[-RECENT:]
        for number, (kept, _) in self._commits.items():
            globals_ = frozenset(ref.segment.key for ref in kept.globals.values())
            self.keeping.restore(number, globals_, kept.keys if number in last else None)
