"""The numbers that stand for nodes and metrics in the messages."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from manta_nb.session.compare import falls
from manta_nb.session.feed.message import Draft, name, weight
from manta_nb.session.metricrows import Fresh, Key, MetricRows

__all__ = ["Names", "named"]

Array = npt.NDArray[Any]


class Names:
    """Nodes, tasks and metrics, numbered in the order in which the browser hears of them; kept for good.

    Args:
        nodes: those of the run, which come first.
        tasks: the aliases of its graph.
        stored: the rows of its metrics, which have numbers of their own.
    """

    def __init__(self, nodes: Iterable[str], tasks: Iterable[str], stored: MetricRows) -> None:
        self.nodes = {node: index for index, node in enumerate(nodes)}
        self.tasks = list(tasks)
        self._keys: dict[str, str] = {}
        #: (name, task) → number
        self.metrics: dict[Key, int] = {}
        self._stored = stored
        self._coded: dict[str, list[str]] = {"node": [], "task": [], "name": []}
        self._node_of = np.zeros(0, dtype="<i4")
        #: by name and task, as `MetricRows` numbers them: name * width + task
        self._metric_of = np.zeros(0, dtype="<i4")
        self._width = 0
        #: the same two once more, for few rows: node → number, and (name, task) → number
        self._node_list: list[int] = []
        self._pairs: dict[tuple[int, int], int] = {}
        self._sent = (0, 0)

    def node(self, node_id: str) -> int:
        """The number of a node."""
        index = self.nodes.get(node_id)
        if index is None:
            index = self.nodes[node_id] = len(self.nodes)
        return index

    def key(self, node_id: str) -> str:
        """The number of a node as JSON has it where it is a key."""
        key = self._keys.get(node_id)
        if key is None:
            key = self._keys[node_id] = str(self.node(node_id))
        return key

    def node_list(self) -> list[str]:
        """All nodes by their numbers."""
        return list(self.nodes)

    def node_numbers(self, columns: dict[str, Array]) -> Array:
        """The numbers of the nodes of rows as `MetricRows` has them."""
        return self._node_of.take(columns["node"])

    def few(self, rows: Fresh) -> tuple[array[int], array[int]] | None:
        """The numbers of the metrics and of the nodes of a few rows, at least one; None where one has none yet."""
        name, task, pairs = rows.name, rows.task, self._pairs
        try:
            nodes = array("i", list(map(self._node_list.__getitem__, rows.node)))
            if name.count(name[0]) == task.count(task[0]) == len(name):
                return array("i", [pairs[name[0], task[0]]]) * len(name), nodes
            return array("i", list(map(pairs.__getitem__, zip(name, task, strict=True)))), nodes
        except LookupError:
            return None

    def metric_numbers(self, columns: dict[str, Array], room: float = math.inf) -> Array:
        """The numbers of the metrics of rows as `MetricRows` has them.

        Of only the first rows, where the names of new metrics would take more than `room` bytes.
        """
        self._learn()
        pair = columns["name"] * self._width + columns["task"]
        metric: Array = self._metric_of.take(pair)
        if not len(metric) or np.minimum.reduce(metric) >= 0:
            return metric
        for row in np.flatnonzero(metric < 0).tolist():
            if self._metric_of[pair[row]] >= 0:
                continue
            key = (self._coded["name"][columns["name"][row]], self._coded["task"][columns["task"][row]])
            if room < math.inf:
                room -= weight(self._described(key))
                if room < 0 and row:
                    return self._metric_of.take(pair[:row])
            number = self.metrics.setdefault(key, len(self.metrics))
            self._metric_of[pair[row]] = number
            self._pairs[int(columns["name"][row]), int(columns["task"][row])] = number
        return self._metric_of.take(pair)

    def reset(self) -> None:
        """See `Part`."""
        self._sent = (0, 0)

    def add(self, draft: Draft) -> None:
        """See `Part`; after all other parts, which may have met new names."""
        nodes, metrics = self._sent
        if (len(self.nodes), len(self.metrics)) == self._sent and not draft.whole:
            return
        names: dict[str, Any] = {}
        if len(self.nodes) > nodes or draft.whole:
            names["nodes"] = [name(node) for node in self.node_list()[nodes:]]
        if len(self.metrics) > metrics or draft.whole:
            names["metrics"] = [self._described(key) for key in list(self.metrics)[metrics:]]
        if draft.whole:
            names["tasks"] = [name(task) for task in self.tasks]
        self._sent = (len(self.nodes), len(self.metrics))
        draft.put("names", names, 0 if draft.whole else weight(names))

    def _learn(self) -> None:
        """Catch up with the numbers of `MetricRows`."""
        for column, known in self._coded.items():
            fresh = self._stored.texts(column, len(known))
            if not fresh:
                continue
            known.extend(fresh)
            if column == "node":
                self._node_list = [self.node(node) for node in known]
                self._node_of = np.array(self._node_list, dtype="<i4")
        size = (len(self._coded["name"]), len(self._coded["task"]))
        if size[0] * size[1] != len(self._metric_of) or size[1] != self._width:
            self._width = size[1]
            name_of = {text: code for code, text in enumerate(self._coded["name"])}
            task_of = {text: code for code, text in enumerate(self._coded["task"])}
            self._metric_of = np.full(size[0] * size[1], -1, dtype="<i4")
            for (metric, task), number in self.metrics.items():
                self._metric_of[name_of[metric] * self._width + task_of[task]] = number

    def _described(self, key: Key) -> dict[str, Any]:
        metric, task = key
        several = any(other != task for same, other in self.metrics if same == metric)
        label = f"{task}/{metric}" if several else metric
        return {"name": name(metric), "label": name(label), "task": name(task), "lower": falls(metric)}


def named(nodes: Sequence[str], names: Names) -> list[int]:
    """The numbers of nodes."""
    return [names.node(node) for node in nodes]
