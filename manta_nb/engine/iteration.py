"""One time through the graph: what has started, what has finished, and what each task may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from manta_nb.engine.committed import Committed, globals_of, states_of
from manta_nb.engine.graph import TaskGraph
from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Batch, Event
from manta_nb.engine.task_state import TaskState
from manta_nb.engine.wording import name_some, one_line

__all__ = ["Iteration"]


class Iteration:
    """The running iteration. Nothing in it is visible to the next one before it is committed.

    A task sees the writes of the tasks that had finished when it started, in the order they finished; a task
    that is made again keeps its place in that order.
    """

    def __init__(self, number: int, graph: TaskGraph, committed: Committed) -> None:
        self.number = number
        #: the tasks that have started, in that order
        self.tasks: dict[str, TaskState] = {}
        #: tasks that have finished at least once, in the order they first did
        self.order: list[str] = []
        #: tasks of which nothing is awaited any more, and that succeeded on enough nodes
        self.settled: set[str] = set()
        #: False once it is committed or given up: nothing of it needs to be kept for its own sake
        self.open = True
        self._graph = graph
        self._committed = committed
        #: tag → who wrote it, as (alias, node)
        self._writers: dict[str, dict[tuple[str, str], None]] = {}
        self._contested: set[str] = set()

    @property
    def complete(self) -> bool:
        """Whether every task has finished."""
        return len(self.settled) == len(self._graph.tasks)

    @property
    def busy(self) -> bool:
        """Whether a task still runs on some node."""
        return any(task.running for task in self.tasks.values())

    def batches(self, visible: AbstractSet[str] | None = None) -> list[Batch]:
        """What the tasks (those in `visible`) wrote, in the order that counts: the last write wins."""
        return [
            batch
            for alias in self.order
            if visible is None or alias in visible
            for batch in self.tasks[alias].batches
        ]

    def segment_keys(self) -> set[str]:
        """The segments of this iteration, as long as it is open."""
        if not self.open:
            return set()
        batches = (batch for task in self.tasks.values() for batch in task.batches)
        return {batch.segment.key for batch in batches if batch.segment is not None}

    def holds(self, batch: Batch) -> bool:
        """Whether something in the segment of this batch counts."""
        task = self.tasks.get(batch.task)
        if batch.segment is None or task is None or not self.open:
            return False
        key = batch.segment.key
        return any(kept.segment is not None and kept.segment.key == key for kept in reversed(task.batches))

    def bytes_of(self, alias: str) -> Mapping[str, int] | None:
        """Node → bytes that a finished task wrote there; None while it has not finished."""
        if alias not in self.settled:
            return None
        batches = self.tasks[alias].batches
        return {node: size for batch in batches for node, size in batch.bytes_out.items()}

    def ready(self) -> list[str]:
        """Tasks that have not started and whose ancestors have all finished.

        Looking at the inputs alone is not enough: what an input had read may be lost and on its way again.
        """
        return [
            alias
            for alias, ancestors in self._graph.ancestors.items()
            if alias not in self.tasks and ancestors <= self.settled
        ]

    def start(self, alias: str, nodes: tuple[str, ...]) -> list[RunTask]:
        """Start a task on `nodes`."""
        task = TaskState(self._graph.tasks[alias], nodes, frozenset(self.settled))
        self.tasks[alias] = task
        return self.launch(task, 0, nodes)

    def launch(self, task: TaskState, attempt: int, nodes: Sequence[str]) -> list[RunTask]:
        """Dispatch a task to `nodes`, at once or as soon as everything it reads is there (again)."""
        if not nodes:
            return []
        self.settled.discard(task.plan.alias)
        if not task.visible <= self.settled:
            task.hold(attempt, nodes)
            return []
        task.expect(attempt, nodes)
        seen = self.batches(task.visible)
        states = {**self._committed.states, **states_of(seen)}
        return [
            RunTask(
                iteration=self.number,
                alias=task.plan.alias,
                attempt=attempt,
                node_ids=tuple(nodes),
                globals={**self._committed.globals, **globals_of(seen)},
                results=self._committed.results.index(seen),
                states={node: states[node] for node in nodes if node in states} if states else {},
            )
        ]

    def release(self) -> list[RunTask]:
        """Dispatch what waited for something that is there now."""
        waiting = [task for task in self.tasks.values() if task.waiting and task.visible <= self.settled]
        return [
            run
            for task in waiting
            for attempt, nodes in task.release()
            for run in self.launch(task, attempt, nodes)
        ]

    def settle(self) -> TaskState | None:
        """Mark the tasks of which nothing is awaited as finished; returns the first that cannot go on."""
        for alias, task in self.tasks.items():
            if alias in self.settled or not task.idle:
                continue
            if not task.enough:
                return task
            self.settled.add(alias)
            if alias not in self.order:
                self.order.append(alias)
        return None

    def conflict(self, batch: Batch) -> list[Event]:
        """Note who wrote which Global; returns an event for each tag that has got a second writer beside."""
        events = []
        for tag, (node, _) in batch.globals.items():
            here = (batch.task, node)
            writers = self._writers.setdefault(tag, {})
            rival = (batch.task, "another node") if tag in batch.contested else None
            rival = rival or next((other for other in writers if self._rivals(here, other)), None)
            writers[here] = None
            if rival is not None and tag not in self._contested:
                self._contested.add(tag)
                text = (
                    f"Global {tag!r} was written by {rival[0]} on {rival[1]} and by {batch.task} on {node} "
                    "at the same time: the later one counts"
                )
                events.append(Event(self.number, "conflict", one_line(text), node, batch.task))
        return events

    def _rivals(self, one: tuple[str, str], other: tuple[str, str]) -> bool:
        if one[0] == other[0]:
            return one[1] != other[1]
        return other[0] in self._graph.beside[one[0]]

    def stopper(self) -> tuple[str, str] | None:
        """The task and the node that called `stop_swarm()`, the first one that did."""
        return next(((batch.task, batch.stop) for batch in self.batches() if batch.stop is not None), None)

    def schedule(self, knows: Callable[[str], bool]) -> tuple[dict[str, tuple[str, ...]], list[Event]]:
        """Alias → nodes asked for in the next iteration, and an event for each name nobody knows."""
        asked: dict[str, tuple[str, ...]] = {}
        for batch in self.batches():
            asked.update(batch.schedule)
        events = []
        schedule: dict[str, tuple[str, ...]] = {}
        for alias, node_ids in asked.items():
            known = tuple(node for node in node_ids if knows(node))
            unknown = [node for node in node_ids if not knows(node)]
            if alias not in self._graph.tasks:
                text = f"schedule_next_iter asked for {alias!r}, which is no task of this run: ignored"
                events.append(Event(self.number, "schedule", text, task=alias))
                continue
            if unknown:
                text = f"schedule_next_iter asked {alias!r} onto unknown nodes, ignored: {name_some(unknown)}"
                events.append(Event(self.number, "schedule", one_line(text), task=alias))
            if known:
                schedule[alias] = known
        return schedule, events
