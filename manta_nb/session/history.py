"""What a run leaves behind while it goes: metrics, log lines, events, and where its values lie."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from manta_nb.engine.events import BatchFinished, BatchLost, RunEvent
from manta_nb.engine.instructions import CommitIteration, Instruction, Record
from manta_nb.engine.records import Batch, ValueRef
from manta_nb.engine.results import ResultIndex
from manta_nb.engine.run_state import RunState
from manta_nb.errors import MissingTag
from manta_nb.runtime.book import SegmentBook
from manta_nb.session.logs import EventTable, LogRow, LogTable
from manta_nb.session.metrics import MetricTable
from manta_nb.session.views import GlobalInfo, ResultInfo, RunningNotice

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
        #: node → bytes that left it, all iterations together
        self.bytes_out: dict[str, int] = {}
        #: iteration → bytes that left all nodes in it
        self.bytes_moved: dict[int, int] = {}
        #: node → seconds it spent in tasks
        self.seconds: dict[str, float] = {}
        self._state = state
        self._book = book
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
        for kind, node, *rest in lines:
            if not 0 <= node < len(node_ids):
                continue
            if kind == "m":
                name, value, step = rest
                metrics.append((iteration, node_ids[node], task, str(name), step, float(value)))
            else:
                level, text = rest
                logs.append(LogRow(iteration, node_ids[node], task, str(level), str(text)))
        self.metrics.extend(metrics)
        self.logs.extend(logs)

    def observe(self, what: RunEvent | Instruction) -> None:
        """See `engine.driver.Observer`."""
        match what:
            case BatchFinished(batch):
                self._count(batch)
                for failure in batch.failures:
                    self.metrics.discard(batch.iteration, batch.task, failure.node_id)
            case BatchLost(task, iteration, _, node_ids):
                for node_id in node_ids:
                    self.metrics.discard(iteration, task, node_id)
            case Record(event):
                self.events.extend([event])
            case CommitIteration():
                self._commit(what)

    def _count(self, batch: Batch) -> None:
        for node_id, nbytes in batch.bytes_out.items():
            self.bytes_out[node_id] = self.bytes_out.get(node_id, 0) + nbytes
        moved = self.bytes_moved.get(batch.iteration, 0)
        self.bytes_moved[batch.iteration] = moved + sum(batch.bytes_out.values())
        for node_id, seconds in batch.seconds.items():
            self.seconds[node_id] = self.seconds.get(node_id, 0.0) + seconds

    def _commit(self, commit: CommitIteration) -> None:
        with self._lock:
            self._globals = dict(commit.globals)
            self._changed.update(dict.fromkeys(commit.changed, commit.iteration))
            self._results = self._state.committed.results.index(())

    def finished(self, committed: int) -> list[str]:
        """The run is over: forget what was not committed; returns the keys of what is still shown."""
        for iteration in {row.iteration for row in self.metrics.rows(since=committed)}:
            self.metrics.discard(iteration)
        keys = [ref.segment.key for ref in self._globals.values()]
        return keys + [batch.segment.key for batch in self._results.batches if batch.segment is not None]

    def read_global(self, tag: str) -> Any:
        """The committed value of a Global."""
        with self._lock:
            return self._book.value(self._globals[tag])

    def global_tags(self) -> dict[str, GlobalInfo]:
        """All Globals and where they stand."""
        with self._lock:
            return {tag: GlobalInfo(self._changed.get(tag), ref.nbytes) for tag, ref in self._globals.items()}

    def select(self, tag: str, iteration: int | None, latest: bool) -> dict[str, Any]:
        """`{node_id: value}`; see `ResultsView.select`."""
        with self._lock:
            index = self._results
            batches = [batch for batch in index.batches if tag in batch.result_bytes]
            if iteration is not None:
                if iteration <= index.dropped.get(tag, -1) and not any(
                    b.iteration == iteration for b in batches
                ):
                    raise MissingTag(
                        f"{tag!r} of iteration {iteration} is no longer kept: give keep_results=n or 'all'"
                    )
                batches = [batch for batch in batches if batch.iteration == iteration]
            elif not latest and batches:
                newest = max(batch.iteration for batch in batches)
                batches = [batch for batch in batches if batch.iteration == newest]
            return self._book.select(tag, batches)

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
