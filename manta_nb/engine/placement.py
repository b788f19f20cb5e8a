"""Which nodes run a task: `any`, `all`, `maximum`, `fixed`, and the node that holds the input."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random

from manta_nb.engine.graph import TaskGraph
from manta_nb.engine.records import TaskPlan
from manta_nb.engine.roster import Roster
from manta_nb.engine.seeds import derive_seed
from manta_nb.engine.wording import nobody_eligible

__all__ = ["Placement", "wanted"]

#: `node → bytes` that a task's nodes wrote, or None while it has not finished
BytesOf = Callable[[str], Mapping[str, int] | None]


def wanted(task: TaskPlan, eligible: int) -> int:
    """How many of `eligible` nodes run `task`; more than there are means all of them.

    >>> wanted(TaskPlan("worker", maximum=0.5), 5)
    3
    """
    maximum = task.maximum
    if maximum is None:
        maximum = 1 if task.method == "any" else -1
    if maximum == -1:
        return eligible
    if isinstance(maximum, float):
        # 0.1 * 30 is a little more than 3: without the slack it would round up to 4.
        maximum = max(1, math.ceil(maximum * eligible - 1e-9))
    return min(maximum, eligible)


def _is_single(task: TaskPlan) -> bool:
    return task.method == "any" and (
        task.maximum is None or (isinstance(task.maximum, int) and task.maximum == 1)
    )


class Placement:
    """Chooses the nodes of every task.

    The choice follows from the run's seed and from what the tasks wrote, never from the order in which things
    happened to finish.

    * Several nodes, or one node for a task without inputs: a uniform sample, anew every iteration.
    * One node for a task with inputs: the node that holds most of their bytes; among equals the same one every
      iteration, so that what it keeps, and the latest value of each node that is kept for readers, do not pile up.
    * Tasks that may run at the same time are placed together, in topological order, before the first of them
      starts, and each single node keeps away from those taken already. An input that lies among them has not
      run yet: then each input counts one on each of its nodes.
    """

    def __init__(
        self,
        graph: TaskGraph,
        roster: Roster,
        seed: int,
        fixed: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._graph = graph
        self._roster = roster
        self._seed = seed
        self._iteration = 0
        #: alias → first choice of a fixed task
        self.fixed = dict(fixed or {})
        #: alias → nodes asked for by `schedule_next_iter`, for this iteration
        self._scheduled: Mapping[str, tuple[str, ...]] = {}
        self._pools: dict[str, tuple[str, ...]] = {}
        self._planned: dict[str, tuple[str, ...]] = {}

    def open(self, iteration: int, scheduled: Mapping[str, tuple[str, ...]]) -> str:
        """Begin an iteration with the nodes there are now; returns why it cannot begin, or `""`."""
        self._iteration, self._scheduled, self._planned = iteration, scheduled, {}
        self._pools = {alias: self._eligible(task) for alias, task in self._graph.tasks.items()}
        return next(filter(None, map(self._trouble, self._graph.tasks.values())), "")

    def place(self, alias: str, bytes_of: BytesOf) -> tuple[str, ...]:
        """The nodes of a task that starts now; empty where the last eligible one has gone."""
        if alias not in self._planned:
            for member in self._graph.regions[alias]:
                self._planned[member] = self._choose(member, bytes_of)
        gone = self._roster.gone
        if gone and not gone.keys().isdisjoint(self._planned[alias]):
            self._planned[alias] = self._choose(alias, bytes_of)
        nodes = self._planned[alias]
        if self._graph.tasks[alias].fixed and nodes:
            self.fixed.setdefault(alias, nodes)
        return nodes

    def explain(self, alias: str) -> str:
        """Why no node can run this task, node by node, in one line."""
        task = self._graph.tasks[alias]
        return nobody_eligible(task, self._roster, self._scheduled.get(alias), self.fixed.get(alias))

    def _trouble(self, task: TaskPlan) -> str:
        pool = self._pools[task.alias]
        if not pool:
            return self.explain(task.alias)
        count = self._count(task, len(pool))
        if task.min_nodes is not None and count < task.min_nodes:
            runs = f"{task.alias!r} runs on {count} of {len(pool)} eligible nodes"
            return f"{runs} but {task.min_nodes} must succeed: lower min_nodes or add nodes"
        return ""

    def _count(self, task: TaskPlan, pool: int) -> int:
        return pool if task.alias in self.fixed else wanted(task, pool)

    def _eligible(self, task: TaskPlan) -> tuple[str, ...]:
        pool = self._roster.holding(task.datasets)
        for names in (task.specified_ids, self.fixed.get(task.alias), self._scheduled.get(task.alias)):
            if names is not None:
                allowed = set(names)
                pool = tuple(node for node in pool if node in allowed)
        if task.excepted_ids:
            refused = set(task.excepted_ids)
            pool = tuple(node for node in pool if node not in refused)
        return pool

    def _choose(self, alias: str, bytes_of: BytesOf) -> tuple[str, ...]:
        task, pool = self._graph.tasks[alias], self._pools[alias]
        if self._roster.gone:
            pool = tuple(node for node in pool if node in self._roster.nodes)
        count = self._count(task, len(pool))
        if count >= len(pool):
            return pool
        if not _is_single(task):
            random = self._random(self._iteration, alias)
            return tuple(pool[index] for index in sorted(random.sample(range(len(pool)), count)))
        random = self._random(0 if task.inputs else self._iteration, alias)
        return (random.choice(self._best(task, self._least_loaded(alias, pool), bytes_of)),)

    def _random(self, iteration: int, alias: str) -> Random:
        return Random(derive_seed(self._seed, iteration, alias, ""))  # noqa: S311 - repeatable, not secret

    def _least_loaded(self, alias: str, pool: Sequence[str]) -> Sequence[str]:
        """The nodes of the workers, then the nodes, with the fewest tasks that may run beside this one."""
        nodes = self._roster.nodes
        load: Counter[str] = Counter()
        # Nodes of one worker take turns, so branches overlap only on different workers.
        workers: Counter[str] = Counter()
        for other in self._graph.beside[alias]:
            taken = [node for node in self._planned.get(other, ()) if node in nodes]
            load.update(taken)
            workers.update({nodes[node].worker_id for node in taken})
        if not load:
            return pool
        loads = [(workers[nodes[node].worker_id], load[node]) for node in pool]
        least = min(loads)
        return [node for node, here in zip(pool, loads, strict=True) if here == least]

    def _best(self, task: TaskPlan, pool: Sequence[str], bytes_of: BytesOf) -> Sequence[str]:
        """The nodes of `pool` that hold most of the task's input."""
        weights: Counter[str] = Counter()
        written = [bytes_of(name) for name in task.inputs]
        for name, sizes in zip(task.inputs, written, strict=True):
            if None in written or sizes is None:
                weights.update(self._planned.get(name, ()))
            else:
                weights.update(sizes)
        most = max((weights.get(node, 0) for node in pool), default=0)
        return [node for node in pool if weights.get(node, 0) == most] if most else pool
