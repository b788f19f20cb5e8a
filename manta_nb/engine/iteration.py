"""One time through the graph: what has started, what has finished, and what each task may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from manta_nb.engine.committed import Committed, globals_of, states_of
from manta_nb.engine.graph import TaskGraph
from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Batch
from manta_nb.engine.task_state import TaskState
from manta_nb.engine.writers import Writers

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
        self.writers = Writers(graph)
        self._graph = graph
        self._committed = committed

    @property
    def complete(self) -> bool:
        """Whether every task has finished."""
        return len(self.settled) == len(self._graph.tasks)

    @property
    def busy(self) -> bool:
        """Whether a task still runs on some node."""
        return any(task.running for task in self.tasks.values())

    def close(self) -> bool:
        """It is committed or given up; returns whether something of it still ran."""
        ran, self.open = self.open and self.busy, False
        return ran

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
                kept=self._committed.confirmed,
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
