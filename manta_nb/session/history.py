"""What a run leaves behind while it goes: metrics, log lines, events, and where its values lie."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from manta_nb.engine.events import (
    BatchFinished,
    BatchLost,
    NodesGone,
    NodesJoined,
    NodesLost,
    RunEvent,
)
from manta_nb.engine.instructions import (
    CommitIteration,
    FinishRun,
    Instruction,
    Record,
    ReleaseNodes,
    RunTask,
)
from manta_nb.engine.records import Batch, ValueRef
from manta_nb.engine.results import ResultIndex
from manta_nb.engine.run_state import RunState
from manta_nb.errors import MissingTag
from manta_nb.runtime.book import SegmentBook
from manta_nb.session.findings import Findings
from manta_nb.session.logs import EventTable, LogRow, LogTable
from manta_nb.session.metrics import MetricTable
from manta_nb.session.nodework import NodeWork
from manta_nb.session.views import GlobalInfo, ResultInfo, RunningNotice, misspelt

__all__ = ["History"]


class History:
    """Filled by the run's threads, read by anybody.

    Args:
        state: whose committed values are shown.
        book: where the values lie.
        initial: the Globals at the start.
    """

    def __init__(self, state: RunState, book: SegmentBook, initial: Mapping[str, ValueRef]) -> None:
        self.metrics = MetricTable()
        self.logs = LogTable()
        self.events = EventTable()
        #: what the nodes do and did
        self.work = NodeWork(lambda node_id: _worker(self._state, node_id))
        #: node → bytes that left it, all iterations together
        self.bytes_out = self.work.bytes_out
        #: node → seconds it spent in tasks
        self.seconds = self.work.seconds
        #: iteration → bytes that left all nodes in it
        self.bytes_moved: dict[int, int] = {}
        #: the sum of these
        self.bytes_total = 0
        #: what is known of the values
        self.findings = Findings()
        self.findings.begin(initial)
        self.book = book
        #: of the leg that goes on now
        self._state = state
        self._globals = dict(initial)
        self._changed: dict[str, int | None] = dict.fromkeys(initial)
        self._results = ResultIndex()
        self._lock = threading.Lock()

    def notice(self, notice: RunningNotice) -> None:
        """Say `notice` when a value is taken out while the run goes on."""
        self.metrics._notice = notice

    def lines(
        self, iteration: int, task: str, node_ids: Sequence[str], lines: Sequence[Sequence[Any]]
    ) -> None:
        """Metrics and log lines of a batch, as its worker streams them."""
        metrics, logs = [], []
        speaker = 0
        for kind, node, *rest in lines:
            if not 0 <= node < len(node_ids):
                continue
            speaker = max(speaker, node)
            if kind == "m":
                name, value, step = rest
                metrics.append((iteration, node_ids[node], task, str(name), step, float(value)))
            else:
                level, text = rest
                logs.append(LogRow(iteration, node_ids[node], task, str(level), str(text)))
        self.metrics.extend(metrics)
        self.logs.extend(logs)
        # a turn that the run has gone on without says nothing of what its node has to do by now
        if speaker and iteration == self.work.iteration:
            # the turns of a batch go one after another
            self.work.spoke(task, node_ids, speaker)

    def observe(self, what: RunEvent | Instruction) -> None:
        """See `engine.driver.Observer`."""
        match what:
            case RunTask():
                self.work.dispatched(what)
            case BatchFinished(batch):
                self._count(batch)
                if batch.failures:
                    nodes = [failure.node_id for failure in batch.failures]
                    self.metrics.discard(batch.iteration, batch.task, nodes)
            case BatchLost(task, iteration, _, node_ids):
                self.work.lost(what)
                self.metrics.discard(iteration, task, node_ids)
            case ReleaseNodes():
                self.work.released(what)
            case Record(event):
                self.events.extend([event])
            case CommitIteration():
                self._commit(what)
            case FinishRun():
                self.work.ended(what.failure)
            case _:
                self._moved(what)

    def _moved(self, what: RunEvent | Instruction) -> None:
        match what:
            case NodesLost(node_ids, _):
                self.work.left(node_ids, "lost")
            case NodesGone(node_ids, _):
                self.work.left(node_ids, "gone")
            case NodesJoined(nodes):
                self.work.joined(node.node_id for node in nodes)

    def _count(self, batch: Batch) -> None:
        moved = sum(batch.bytes_out.values())
        self.bytes_moved[batch.iteration] = self.bytes_moved.get(batch.iteration, 0) + moved
        self.bytes_total += moved
        self.work.finished(batch)

    def _commit(self, commit: CommitIteration) -> None:
        results = self._state.committed.results.index(())
        written = takewhile(lambda batch: batch.iteration == commit.iteration, reversed(results.batches))
        with self._lock:
            self.findings.commit(commit, self._globals, list(written)[::-1])
            self._globals = dict(commit.globals)
            self._changed.update(dict.fromkeys(commit.changed, commit.iteration))
            self._results = results
        self.work.committed(commit.iteration)

    def finished(self, committed: int) -> list[str]:
        """The run is over: forget what was not committed; returns the keys of what is still shown."""
        for iteration in {row.iteration for row in self.metrics.rows(since=committed)}:
            self.metrics.discard(iteration)
        return self.shown()

    def shown(self) -> list[str]:
        """The keys of the segments that hold what is shown."""
        results = [batch.segment.key for batch in self._results.batches if batch.segment is not None]
        return [*self.global_keys(), *results]

    def global_keys(self) -> list[str]:
        """The keys of the segments that hold Globals."""
        return [ref.segment.key for ref in self._globals.values()]

    def read_global(self, tag: str) -> Any:
        """The committed value of a Global."""
        with self._lock:
            return self.book.value(self._globals[tag])

    def global_tags(self) -> dict[str, GlobalInfo]:
        """All Globals and where they stand."""
        with self._lock:
            return {tag: GlobalInfo(self._changed.get(tag), ref.nbytes) for tag, ref in self._globals.items()}

    def select(self, tag: str, iteration: int | None, latest: bool) -> dict[str, Any]:
        """`{node_id: value}`; see `ResultsView.select`."""
        with self._lock:
            return self.book.select(tag, self._batches(tag, iteration, latest))

    def global_ref(self, tag: str) -> tuple[ValueRef, int | None]:
        """Where a Global lies, and the iteration that changed it last (None: the start)."""
        with self._lock:
            if tag not in self._globals:
                raise MissingTag(misspelt("Global", tag, self._globals))
            return self._globals[tag], self._changed.get(tag)

    def result_batches(self, tag: str, iteration: int | None) -> list[Batch]:
        """The batches that hold a result tag of that iteration, or of the latest one that wrote it."""
        with self._lock:
            tags = dict.fromkeys(known for batch in self._results.batches for known in batch.result_bytes)
            if tag not in tags:
                raise MissingTag(misspelt("Result", tag, tags))
            return self._batches(tag, iteration, latest=False)

    def _batches(self, tag: str, iteration: int | None, latest: bool) -> list[Batch]:
        index = self._results
        batches = [batch for batch in index.batches if tag in batch.result_bytes]
        if iteration is not None:
            found = [batch for batch in batches if batch.iteration == iteration]
            if not found and iteration <= index.dropped.get(tag, -1):
                raise MissingTag(
                    f"{tag!r} of iteration {iteration} is no longer kept: give keep_results=n or 'all'"
                )
            return found
        if not latest and batches:
            newest = max(batch.iteration for batch in batches)
            batches = [batch for batch in batches if batch.iteration == newest]
        return batches

    def result_tags(self) -> dict[str, ResultInfo]:
        """All result tags and where they stand."""
        with self._lock:
            batches = self._results.batches
        infos: dict[str, ResultInfo] = {}
        for batch in batches:
            for tag, nbytes in batch.result_bytes.items():
                nodes = batch.partial_tags.get(tag, batch.nodes)
                before = infos.get(tag)
                if before is not None and before.iteration == batch.iteration:
                    merged = tuple(dict.fromkeys((*before.nodes, *nodes)))
                    infos[tag] = ResultInfo(batch.iteration, merged, before.nbytes + nbytes)
                elif before is None or before.iteration < batch.iteration:
                    infos[tag] = ResultInfo(batch.iteration, tuple(nodes), nbytes)
        return infos

    def note_change(self, tag: str, iteration: int | None) -> None:
        """A Global changed in that iteration, or at the start (None)."""
        self._changed[tag] = iteration

    def reopen(self, state: RunState) -> None:
        """The run goes on from where `state` stands."""
        start = state.committed.checkpoint
        with self._lock:
            self._state = state
            self._globals, self._results = dict(start.globals), start.results
        self.work.reopened()


def _worker(state: RunState, node_id: str) -> str:
    node = state.roster.nodes.get(node_id)
    return "" if node is None else node.worker_id
