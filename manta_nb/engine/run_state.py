"""A run as a state machine: what happened goes in, what shall be done comes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from manta_nb.engine import events as ev
from manta_nb.engine.arrivals import come_or_go
from manta_nb.engine.changes import Changes
from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.committed import Committed
from manta_nb.engine.endings import end_after, lost_globals, not_stored, stopped, too_few
from manta_nb.engine.faults import lose_batch, lose_nodes, lose_segments, take_report
from manta_nb.engine.graph import TaskGraph
from manta_nb.engine.instructions import DropSegments, FinishRun, Instruction, Record, StopTasks
from manta_nb.engine.invariants import check, check_liveness
from manta_nb.engine.iteration import Iteration
from manta_nb.engine.placement import Placement
from manta_nb.engine.progress import Progress
from manta_nb.engine.quorum import attend, deadline_over, patience_over
from manta_nb.engine.records import Batch, Event, Failure, NodeInfo, RunPlan, Status, ValueRef
from manta_nb.engine.roster import Roster
from manta_nb.engine.scheduling import next_schedule

__all__ = ["RunState"]


class RunState:
    """One run from its start to its end. It knows no clock, no thread and no network.

    The same plan and the same events give the same instructions. Only `handle` changes it, and one thread
    calls it. After a `FinishRun` it answers nothing any more.

    >>> from manta_nb.engine.records import TaskPlan
    >>> plan = RunPlan("r1", "demo", (TaskPlan("worker", method="all"),), iterations=1, seed=0)
    >>> [run] = RunState(plan, [NodeInfo("node_0", "w0")]).handle(ev.RunStarted())
    >>> run.alias, run.node_ids
    ('worker', ('node_0',))
    """

    def __init__(
        self,
        plan: RunPlan,
        nodes: Sequence[NodeInfo],
        initial_globals: Mapping[str, ValueRef] | None = None,
        start: Checkpoint | None = None,
    ) -> None:
        start = start or Checkpoint(globals=dict(initial_globals or {}))
        self.plan = plan
        self.graph = TaskGraph(plan.tasks)
        self.roster = Roster(nodes)
        self.placement = Placement(self.graph, self.roster, plan.seed, start.fixed)
        self.committed = Committed(start, plan.keep_results)
        self.status: Status = "pending"
        self.reason = ""
        #: the running iteration; None before the first one
        self.iteration: Iteration | None = None
        #: the end that is decided, until every commit is confirmed
        self.ending: FinishRun | None = None
        self.changes = Changes()
        self._soft_stop: ev.StopRequested | None = None
        self._out: list[Instruction] = []

    @classmethod
    def resumed(cls, plan: RunPlan, nodes: Sequence[NodeInfo], checkpoint: Checkpoint) -> RunState:
        """The same run from where `checkpoint` stands: it goes on as if it had never ended."""
        return cls(plan, nodes, start=checkpoint)

    @property
    def finished(self) -> bool:
        """Whether `FinishRun` was given."""
        return self.ending is not None and self.status == self.ending.status

    def handle(self, event: ev.RunEvent) -> list[Instruction]:
        """Take in what happened; returns what shall be done, in this order."""
        if self.finished:
            return []
        self._out = []
        if isinstance(event, ev.IterationCommitted | ev.IterationSkipped | ev.StoreFailed):
            self._on_stored(event)
        elif isinstance(event, ev.Noted):
            self._emit([Record(event.event)])
        elif self.ending is None:
            self._on(event)
        out, self._out = self._out, []
        return out

    def progress(self) -> Progress:
        """How far the run is."""
        confirmed = self.committed.confirmed
        return Progress.of(self.plan, self.status, self.reason, self.iteration, confirmed)

    def validate(self) -> None:
        """Raise `AssertionError` where the state contradicts itself; for tests."""
        check(self.iteration, self.committed, self.roster, self.changes.keys())
        ended, waits = self.ending is not None, self.changes.waiting
        goes_on = self.status in ("running", "stopping") and not (ended or waits)
        check_liveness(self.iteration, self.committed, ended and not self.finished, goes_on)

    def _on(self, event: ev.RunEvent) -> None:
        match event:
            case ev.RunStarted() if self.status == "pending":
                start, self.status = self.committed.checkpoint, "running"
                self._open(start.iterations, start.schedule)
            case ev.BatchFinished(batch):
                self._on_batch(batch)
            case ev.BatchLost():
                self._on_batch_lost(event)
            case ev.SegmentsLost(keys, reason):
                self._lose_segments(frozenset(keys), reason)
            case ev.NodesJoined() | ev.NodesLost() | ev.NodesGone():
                self._on_nodes(event)
            case ev.PatienceOver():
                self._emit(patience_over(self.iteration, event))
            case ev.DeadlineOver():
                timers, end = deadline_over(self.iteration, event, self.roster)
                self._emit(timers)
                if end is not None:
                    self._end(end)
            case ev.StopRequested():
                self._on_stop(event)
            case ev.ChangeRequested(change):
                self.changes.ask(change)
            case ev.GlobalsEdited():
                self.changes.made(event)
                self.committed.segments.update(dict.fromkeys(self.changes.keys()))
        self._advance()

    def _on_batch(self, batch: Batch) -> None:
        iteration = self.iteration
        if batch.segment is not None:
            self.committed.segments.setdefault(batch.segment.key)
        if iteration is not None:
            self._emit(take_report(iteration, batch))
        if batch.segment is not None and (iteration is None or not iteration.holds(batch)):
            self._sweep()

    def _on_batch_lost(self, event: ev.BatchLost) -> None:
        # First what it needed, so that its next attempt waits for that.
        self._lose_segments(frozenset(event.lost_segments), event.failure.message, event.failure)
        if self.iteration is not None and self.ending is None:
            self._emit(lose_batch(self.iteration, event))

    def _on_nodes(self, event: ev.NodesJoined | ev.NodesLost | ev.NodesGone) -> None:
        told, gone = come_or_go(self.roster, event, self.iteration.number if self.iteration else 0)
        self._emit(told)
        if self.iteration is not None and isinstance(event, ev.NodesGone):
            self._emit(lose_nodes(self.iteration, gone, event.reason))

    def _on_stop(self, event: ev.StopRequested) -> None:
        if event.now or self.status == "pending":
            self.status = "stopping"
            self._end(stopped(event))
        elif self._soft_stop is None:
            self.status = "stopping"
            self._soft_stop = event

    def _on_stored(self, event: ev.IterationCommitted | ev.IterationSkipped | ev.StoreFailed) -> None:
        if self.committed.stored(event):
            self._sweep()
        if isinstance(event, ev.StoreFailed):
            self._emit([Record(Event(self.progress().iteration, "store", event.message))])
            failed = not_stored(event.message, self.committed.confirmed, self.plan.iterations)
            if self.ending is None or self.ending.status != "failed":
                self._end(failed)
                return
        self._conclude()

    def _lose_segments(self, keys: frozenset[str], reason: str, failure: Failure | None = None) -> None:
        if not keys:
            return
        if tags := self.committed.lose(keys):
            self._end(lost_globals(tags, reason, failure))
            return
        if self.iteration is not None:
            self._emit(lose_segments(self.iteration, keys, reason, self.roster))
        self._sweep()

    def _advance(self) -> None:
        """Go on as far as what has finished allows."""
        while self.iteration is not None and self.ending is None and not self.changes.waiting:
            self._emit(attend(self.iteration, self.roster))
            short = self.iteration.settle()
            if short is not None:
                self._end(too_few(short))
                return
            self._emit(self.iteration.release())
            if self.iteration.complete:
                self._complete(self.iteration)
                continue
            ready = self.iteration.ready()
            if not ready:
                return
            for alias in ready:
                self._start(self.iteration, alias)

    def _start(self, iteration: Iteration, alias: str) -> None:
        if self.ending is not None:
            return
        nodes = self.placement.place(alias, iteration.bytes_of)
        if nodes:
            self._emit(iteration.start(alias, nodes))
        else:
            self._end(FinishRun("failed", self.placement.explain(alias), task=alias))

    def _complete(self, iteration: Iteration) -> None:
        """Commit the iteration; then the next one begins at once, or the run ends."""
        finish = end_after(iteration, self.plan.iterations, self._soft_stop)
        if finish is None and (edit := self.changes.begin(iteration, self.committed.globals)):
            self._emit(edit)
            return
        batches = iteration.batches()
        schedule, notes = next_schedule(iteration.number, batches, self.graph.tasks, self.roster.knows)
        edited, told = self.changes.take(iteration.number)
        self._emit([*map(Record, notes), *told])
        self._emit([self.committed.commit(iteration.number, batches, schedule, self.placement.fixed, edited)])
        iteration.close()
        self._sweep()
        if finish is not None:
            self._end(finish)
        else:
            self._open(iteration.number + 1, schedule)

    def _open(self, number: int, schedule: Mapping[str, tuple[str, ...]]) -> None:
        if trouble := self.placement.open(number, schedule):
            self._end(FinishRun("failed", trouble))
        else:
            self.iteration = Iteration(number, self.graph, self.committed)

    def _end(self, finish: FinishRun) -> None:
        """Give up what still runs; the run is over as soon as the store has what was committed."""
        self.ending = finish
        if self.iteration is not None and self.iteration.close():
            self._emit([StopTasks()])
        self._sweep()
        self._conclude()

    def _conclude(self) -> None:
        if self.ending is not None and not self.committed.unconfirmed:
            self.status, self.reason = self.ending.status, self.ending.reason
            self._emit([self.ending])

    def _sweep(self) -> None:
        running = self.iteration.segment_keys() if self.iteration else set()
        if keys := self.committed.sweep(running | self.changes.keys()):
            self._emit([DropSegments(keys)])

    def _emit(self, instructions: Iterable[Instruction]) -> None:
        self._out.extend(instructions)
