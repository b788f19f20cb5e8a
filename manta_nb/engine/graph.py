"""Who waits for whom, and who may run at the same time: what follows from the graph alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from manta_nb.engine.records import TaskPlan
from manta_nb.errors import DefinitionError

__all__ = ["TaskGraph"]


class TaskGraph:
    """The tasks of a run in topological order, with what can be read off their inputs once and for all."""

    def __init__(self, tasks: Sequence[TaskPlan]) -> None:
        #: alias → task, every task behind its inputs
        self.tasks: dict[str, TaskPlan] = {}
        #: alias → all tasks that must have finished before it can start
        self.ancestors: dict[str, frozenset[str]] = {}
        for task in tasks:
            self._add(task)
        if not self.tasks:
            raise DefinitionError("the graph has no task: return what a module call gave from execute()")
        #: alias → tasks that may run at the same time as it, in topological order
        self.beside: dict[str, tuple[str, ...]] = {alias: self._beside(alias) for alias in self.tasks}
        #: alias → its region: itself where nothing can run beside it, else all tasks up to the next such one.
        #: When the first task of a region starts, every task before the region has finished.
        self.regions: dict[str, tuple[str, ...]] = self._regions()

    def _add(self, task: TaskPlan) -> None:
        if task.alias in self.tasks:
            raise DefinitionError(f"two tasks are called {task.alias!r}: give one of them another alias")
        for name in task.inputs:
            if name not in self.tasks:
                raise DefinitionError(f"task {task.alias!r} waits for {name!r}, which is no task before it")
        inherited = (self.ancestors[name] for name in task.inputs)
        self.ancestors[task.alias] = frozenset(task.inputs).union(*inherited)
        self.tasks[task.alias] = task

    def _beside(self, alias: str) -> tuple[str, ...]:
        return tuple(
            other
            for other in self.tasks
            if other != alias and other not in self.ancestors[alias] and alias not in self.ancestors[other]
        )

    def _regions(self) -> dict[str, tuple[str, ...]]:
        regions: dict[str, tuple[str, ...]] = {}
        for shared, group in groupby(self.tasks, key=lambda alias: bool(self.beside[alias])):
            members = tuple(group)
            regions.update({alias: members if shared else (alias,) for alias in members})
        return regions
