"""A run as the views see it, without a session: plain data that a test fills in and changes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from manta_nb.engine.progress import Progress, TaskProgress
from manta_nb.engine.records import Failure, Status
from manta_nb.sdk.graph import TaskGraph
from manta_nb.sdk.module import Module
from manta_nb.session.drawing import GraphView
from manta_nb.session.logs import EventTable, LogTable
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.views import GlobalInfo, GlobalsView, ResultsView


def module(name: str, stops: bool = False) -> Module:
    """A module that prints, and may stop the swarm."""
    call = "world.stop_swarm()" if stops else "print('here')"
    return Module.from_source(f"def main(world=None):\n    {call}\n", name=name)


def seed_graph() -> TaskGraph:
    """worker → aggregator → scheduler, of which the last may stop."""
    return TaskGraph.build(module("worker") >> module("aggregator") >> module("scheduler", stops=True), "fl")


@dataclass(eq=False)
class FakeRun:
    """A run that goes where a test puts it; `move` changes it and tells the watchers, as the run's thread does."""

    run_id: str = "3f2a9c01"
    name: str = "fl"
    status: Status = "running"
    reason: str = ""
    iteration: int = 3
    iterations: int | None = 20
    elapsed: float = 12.0
    error: str = ""
    failure: Failure | None = None
    nodes: list[str] = field(default_factory=lambda: [f"node_{i}" for i in range(8)])
    tasks: tuple[TaskProgress, ...] = (
        TaskProgress("worker", 8, 2, 6, 0),
        TaskProgress("aggregator"),
        TaskProgress("scheduler"),
    )
    metrics: MetricTable = field(default_factory=MetricTable)
    logs: LogTable = field(default_factory=LogTable)
    events: EventTable = field(default_factory=EventTable)
    seed: int = 7
    started: float = 1_700_000_000.0
    bytes_moved: dict[int, int] = field(default_factory=lambda: {0: 1_000, 1: 1_200})
    globals: GlobalsView = field(
        default_factory=lambda: GlobalsView({"lr": 0.1}.__getitem__, lambda: {"lr": GlobalInfo(None, 9)})
    )
    results: ResultsView = field(default_factory=lambda: ResultsView(lambda *_: {}, dict))
    watchers: list[Callable[[FakeRun], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.graph = GraphView(
            seed_graph(), lambda: self.tasks, lambda: {"worker": 8, "aggregator": 1, "scheduler": 1}
        )

    @property
    def finished(self) -> bool:
        """Whether it is over."""
        return self.status not in ("pending", "running", "stopping")

    @property
    def progress(self) -> Progress:
        """Its progress as the engine tells it."""
        return Progress(self.status, self.reason, self.iteration, self.iteration, self.iterations, self.tasks)

    def watch(self, callback: Callable[[FakeRun], None]) -> Callable[[], None]:
        """Call back at each `move` until the returned function is called."""
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback) if callback in self.watchers else None

    def move(self, **changes: object) -> None:
        """Change attributes and tell the watchers."""
        for name, value in changes.items():
            setattr(self, name, value)
        for callback in list(self.watchers):
            callback(self)

    def end(self, status: Status = "completed", **changes: object) -> None:
        """Get over."""
        done = tuple(
            TaskProgress(task.alias, max(1, task.placed), 0, max(1, task.placed)) for task in self.tasks
        )
        self.move(
            **{"status": status, "iteration": self.iterations or self.iteration, "tasks": done, **changes}
        )


def learning_curves(nodes: int, iterations: int, steps: int = 1, seed: int = 0) -> list[MetricRow]:
    """Rows of `val_acc` and `loss` as a federated training makes them."""
    chance = random.Random(seed)
    rows = []
    for node in range(nodes):
        skill = 0.9 + 0.08 * chance.random()
        for iteration in range(iterations):
            for step in range(steps):
                at = iteration + step / steps
                accuracy = skill * (1 - 0.85 * 0.8**at) + chance.gauss(0, 0.006)
                loss = 0.15 + 2 * 0.82**at + chance.gauss(0, 0.03)
                where = (iteration, f"node_{node}", "worker")
                rows.append(MetricRow(*where, "loss", step if steps > 1 else None, loss))
            rows.append(MetricRow(*where, "val_acc", None, accuracy))
    return sorted(rows, key=lambda row: row.iteration)
