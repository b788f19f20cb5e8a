"""Small real objects that stand in for machines: makers of plans and reports, dispatchers without Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from manta_nb.engine.events import BatchFinished, BatchLost, RunEvent
from manta_nb.engine.instructions import ReleaseNodes, RunTask
from manta_nb.engine.records import Batch, Failure, NodeInfo, RunPlan, Segment, TaskPlan, ValueRef

__all__ = [
    "RecordingDispatcher",
    "ScriptedDispatcher",
    "done",
    "failed",
    "lost",
    "make_nodes",
    "make_plan",
    "only",
    "value",
    "worker_and_aggregator",
]

I_ = TypeVar("I_")


def make_nodes(count: int, per_worker: int = 1, datasets: Sequence[str] = ()) -> list[NodeInfo]:
    """`node_0` to `node_{count - 1}`, `per_worker` of them in each worker process."""
    return [NodeInfo(f"node_{i}", f"w{i // per_worker}", frozenset(datasets)) for i in range(count)]


def make_plan(
    *tasks: TaskPlan, iterations: int | None = 3, seed: int = 0, keep_results: int | None = 2
) -> RunPlan:
    """A run of these tasks."""
    return RunPlan("run-1", "fl", tasks, iterations, seed, keep_results)


def worker_and_aggregator(iterations: int | None = 3, **worker: Any) -> RunPlan:
    """A worker on all nodes, then an aggregator on one; options go to the worker."""
    return make_plan(
        TaskPlan("worker", method="all", **worker),
        TaskPlan("aggregator", inputs=("worker",)),
        iterations=iterations,
    )


def value(key: str, holder: str = "w0") -> ValueRef:
    """A value in a segment of its own."""
    return ValueRef(Segment(key, holder, 8), 0, 8)


def done(run: RunTask, nodes: Sequence[str] | None = None, **changes: Any) -> BatchFinished:
    """The report of a batch that finished; by default all nodes wrote 10 bytes each under the task's alias.

    `writes={"w": "node_0"}` stands for a Global of that tag written by that node.
    """
    nodes = tuple(run.node_ids if nodes is None else nodes)
    key = changes.pop("key", f"{run.iteration}-{run.alias}-{run.attempt}-{nodes[0] if nodes else ''}")
    segment = Segment(key, "w0", 8)
    writes = changes.pop("writes", {})
    batch: dict[str, Any] = {
        "segment": segment,
        "result_bytes": {run.alias: 10 * len(nodes)} if nodes else {},
        "bytes_out": dict.fromkeys(nodes, 10),
        "globals": {tag: (node, ValueRef(segment, 0, 8)) for tag, node in writes.items()},
    }
    batch.update(changes)
    return BatchFinished(Batch(run.iteration, run.alias, run.attempt, "w0", nodes, **batch))


def failed(
    run: RunTask, *nodes: str, kind: Any = "error", message: str = "ValueError: no", **changes: Any
) -> BatchFinished:
    """The report of a batch in which these nodes failed and all others finished."""
    failures = tuple(Failure(node, kind, message, where=changes.pop("where", "")) for node in nodes)
    good = [node for node in run.node_ids if node not in nodes]
    return done(run, good, failures=failures, **changes)


def lost(run: RunTask, *nodes: str, segments: Sequence[str] = ()) -> BatchLost:
    """The report that the turns of these nodes (all, where none is named) were lost with their machine."""
    names = nodes or run.node_ids
    failure = Failure(names[0], "lost", "the worker process was killed")
    return BatchLost(run.alias, run.iteration, run.attempt, names, failure, tuple(segments))


def only(kind: type[I_], instructions: Iterable[object]) -> list[I_]:
    """The instructions of one kind."""
    return [instruction for instruction in instructions if isinstance(instruction, kind)]


class RecordingDispatcher:
    """A dispatcher that carries nothing out and remembers what it was asked for."""

    def __init__(self) -> None:
        self.runs: list[RunTask] = []
        self.dropped: list[str] = []
        self.released: list[ReleaseNodes] = []
        self.stopped = 0
        self.closed = 0
        self.post: Callable[[RunEvent], None] = lambda event: None

    def open(self, plan: RunPlan, post: Callable[[RunEvent], None]) -> None:
        """Remember where to post."""
        self.post = post

    def run(self, task: RunTask) -> None:
        """Remember the task."""
        self.runs.append(task)

    def release(self, release: ReleaseNodes) -> None:
        """Remember the nodes."""
        self.released.append(release)

    def drop(self, keys: tuple[str, ...]) -> None:
        """Remember the keys."""
        self.dropped += keys

    def stop(self) -> None:
        """Count."""
        self.stopped += 1

    def close(self) -> None:
        """Count."""
        self.closed += 1


class ScriptedDispatcher(RecordingDispatcher):
    """A dispatcher that answers every task at once with the events that `script` gives for it."""

    def __init__(self, script: Callable[[RunTask], Iterable[RunEvent]]) -> None:
        super().__init__()
        self._script = script

    def run(self, task: RunTask) -> None:
        """Post what the script says."""
        super().run(task)
        for event in self._script(task):
            self.post(event)
