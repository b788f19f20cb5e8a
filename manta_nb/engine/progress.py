"""How far a run is, as an immutable picture that any thread may look at."""

from __future__ import annotations

from dataclasses import dataclass

from manta_nb.engine.iteration import Iteration
from manta_nb.engine.records import RunPlan, Status
from manta_nb.engine.task_state import TaskState

__all__ = ["Progress", "TaskProgress"]


@dataclass(frozen=True)
class TaskProgress:
    """One task of the current iteration, in numbers of nodes; all 0 before it starts."""

    alias: str
    placed: int = 0
    #: running, or waiting for their turn
    running: int = 0
    done: int = 0
    failed: int = 0

    @classmethod
    def of(cls, alias: str, task: TaskState | None) -> TaskProgress:
        """Count the nodes of a task that has started, or has not."""
        if task is None:
            return cls(alias)
        running = sum(map(len, task.running.values())) + sum(map(len, task.waiting.values()))
        return cls(alias, len(task.placed), running, len(task.done), len(task.failed))


@dataclass(frozen=True)
class Progress:
    """One moment of a run."""

    status: Status
    #: why it ended; "" before
    reason: str
    #: the iteration that runs, from 0; the last one once the run is over
    iteration: int
    #: iterations that are complete and kept
    committed: int
    #: iterations asked for; None: until something stops the run
    iterations: int | None
    tasks: tuple[TaskProgress, ...]

    @classmethod
    def of(
        cls, plan: RunPlan, status: Status, reason: str, iteration: Iteration | None, committed: int
    ) -> Progress:
        """Look at a run whose `iteration` runs, or has not begun."""
        started = iteration.tasks if iteration is not None else {}
        tasks = tuple(TaskProgress.of(task.alias, started.get(task.alias)) for task in plan.tasks)
        number = iteration.number if iteration is not None else committed
        return cls(status, reason, number, committed, plan.iterations, tasks)
