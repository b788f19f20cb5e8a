"""A real run whose nodes are played: the engine, the history and the values are those of any run, the machines are not.

A script says what happens (`stage.step()` starts it, `stage.done(...)` reports a batch), so that it is the same
each time and needs no time at all.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from manta_nb.engine.driver import Driver
from manta_nb.engine.events import BatchFinished, BatchLost, NodesJoined, NodesLost, RunEvent, RunStarted
from manta_nb.engine.instructions import FinishRun, RunTask
from manta_nb.engine.records import Batch, Failure, NodeInfo, RunPlan, Segment, Status, TaskPlan, ValueRef
from manta_nb.engine.run_state import RunState
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.capabilities import HostTag
from manta_nb.runtime.runners.outlet import SharedOutlet
from manta_nb.runtime.runners.storage import SharedSegment
from manta_nb.sdk.codec import encode
from manta_nb.sdk.graph import TaskGraph
from manta_nb.sdk.module import Module
from manta_nb.session.history import History
from manta_nb.session.leg import Leg
from manta_nb.session.run import Run
from manta_nb.store.unkept import Unkept
from tests.fakes import RecordingDispatcher

__all__ = ["Stage", "flow"]

#: 14 November 2023
STARTED = 1_700_000_000.0


def flow(*names: str) -> TaskGraph:
    """Modules one after another, of which the last may stop the run."""
    modules = [_module(name, stops=name == names[-1]) for name in names]
    chain: Any = modules[0]()
    for module in modules[1:]:
        chain = chain >> module
    return TaskGraph.build(chain, "fl")


def _module(name: str, stops: bool) -> Module:
    call = "world.stop_swarm()" if stops else "print('here')"
    return Module.from_source(f"def main(world=None):\n    {call}\n", name=name)


class _Leg(Leg):
    """A leg that takes as long as the script says."""

    now = 0.0

    @property
    def elapsed(self) -> float:
        return self.now


class Stage:
    """A run to be played. The first task runs on all nodes, the others on the first one.

    Args:
        nodes: their names.
        globals: the Globals at the start.
        tasks: the tasks, one after another.
        per_worker: nodes that share a worker.
    """

    def __init__(
        self,
        nodes: Sequence[str],
        globals: Mapping[str, Any] | None = None,
        *,
        tasks: Sequence[str] = ("worker", "aggregator", "scheduler"),
        iterations: int | None = 20,
        per_worker: int = 1,
        name: str = "fl",
        retries: int = 1,
        plans: Sequence[TaskPlan] | None = None,
    ) -> None:
        self.nodes = list(nodes)
        made = tuple(plans or _plans(tasks, retries))
        self.plan = RunPlan("3f2a9c0177aa4be2", name, made, iterations, seed=7)
        self._infos = [NodeInfo(node, f"worker-{i // per_worker}") for i, node in enumerate(nodes)]
        self.worker_of = {info.node_id: info.worker_id for info in self._infos}
        self._host = HostTag("here", "", 0, True)
        self.book = SegmentBook(self._host, lambda entry: None)
        initial = self.book.create(globals or {})
        self.state = RunState(self.plan, self._infos, initial)
        self.history = History(self.state, self.book, initial)
        self.dispatcher = RecordingDispatcher()
        self.dispatcher.drop = self.book.drop  # type: ignore[assignment, method-assign]
        self.run = Run(self._legs(flow(*tasks) if plans is None else flow(*(p.alias for p in plans))))
        self.leg = self.run._leg
        self.run.started = STARTED
        # a session closes the book of its runs; here nobody else does
        weakref.finalize(self.run, self.book.close)
        #: tasks that were sent and wait for their reports
        self.sent = self.dispatcher.runs

    def _legs(self, graph: TaskGraph) -> Any:
        planned = {task.alias: len(self.nodes) if task.method == "all" else 1 for task in self.plan.tasks}
        store = Unkept()
        driver = Driver(self.state, self.dispatcher, store, [lambda what: self.history.observe(what)])
        store.begin(self.plan, driver.post)
        self.driver = driver
        return SimpleNamespace(
            plan=self.plan,
            made=SimpleNamespace(parent=None),
            history=self.history,
            graph=graph,
            node_ids=self.nodes,
            planned=planned,
            first=lambda run: _Leg(self.state, driver),
            end=lambda committed: self.book.adopt(self.history.finished(committed)),
        )

    @property
    def task(self) -> RunTask:
        """The task that was sent last."""
        return self.sent[-1]

    def at(self, seconds: float) -> None:
        """So long after the start."""
        self.leg.now = seconds  # type: ignore[attr-defined]

    def start(self) -> None:
        """The run begins."""
        self.step(RunStarted())

    def step(self, event: RunEvent) -> None:
        """Something happens, and what follows from it."""
        self.driver.post(event)
        while not self.driver._events.empty():
            self.driver.step(self.driver._events.get())
        if self.driver.finish is not None and not self.leg.done.is_set():
            self.run._tidy()
            self.leg.done.set()

    def say(self, task: RunTask, *lines: tuple[Any, ...]) -> None:
        """Lines of a task, `("m", node index, name, value, step)` or `("l", node index, level, text)`.

        Each worker streams those of its own batch.
        """
        groups: dict[str, list[str]] = {}
        for node in task.node_ids:
            groups.setdefault(self.worker_of[node], []).append(node)
        place = {node: index for nodes in groups.values() for index, node in enumerate(nodes)}
        batches: dict[str, list[list[Any]]] = {}
        for kind, index, *rest in lines:
            node = task.node_ids[index]
            batches.setdefault(self.worker_of[node], []).append([kind, place[node], *rest])
        for worker, batch in batches.items():
            self.history.lines(task.iteration, task.alias, groups[worker], batch)

    def measure(self, task: RunTask, values: Mapping[str, Mapping[str, float]]) -> None:
        """Numbers of a task: name → node → value."""
        index = {node: i for i, node in enumerate(task.node_ids)}
        self.say(
            task, *(("m", index[n], name, v, None) for name, of in values.items() for n, v in of.items())
        )

    def done(
        self,
        task: RunTask,
        nodes: Sequence[str] | None = None,
        *,
        results: Mapping[str, Mapping[str, Any]] | None = None,
        globals: Mapping[str, Any] | None = None,
        failures: Sequence[Failure] = (),
        seconds: Callable[[str], float] = lambda node: 0.1,
        stop: str | None = None,
    ) -> None:
        """A batch is reported for each worker: these nodes (all) finished and wrote these values."""
        groups: dict[str, list[str]] = {}
        for node in task.node_ids if nodes is None else nodes:
            groups.setdefault(self.worker_of[node], []).append(node)
        for failure in failures:
            groups.setdefault(self.worker_of[failure.node_id], [])
        for worker, names in groups.items():
            own = [f for f in failures if self.worker_of[f.node_id] == worker]
            written = {
                tag: {node: of[node] for node in names if node in of} for tag, of in (results or {}).items()
            }
            batch = self._written(task, worker, names, written, (globals or {}) if names else {})
            times = {node: seconds(node) for node in [*names, *(f.node_id for f in own)]}
            self.step(BatchFinished(replace(batch, failures=tuple(own), seconds=times, stop=stop)))

    def lose(
        self, task: RunTask, nodes: Sequence[str], message: str = "the worker process was killed"
    ) -> None:
        """A worker is killed while these nodes of it have their turn; it is back at once."""
        names = tuple(nodes)
        failure = Failure(names[0], "lost", message)
        self.step(NodesLost(names, message))
        self.step(BatchLost(task.alias, task.iteration, task.attempt, names, failure))
        self.step(NodesJoined(tuple(info for info in self._infos if info.node_id in names)))

    def finish(self, status: Status, reason: str) -> None:
        """The run ends at once, as only its store would say."""
        self.driver.progress = replace(self.driver.progress, status=status, reason=reason)
        self.driver.finish = FinishRun(status, reason)
        self.history.observe(self.driver.finish)
        self.run._tidy()
        self.leg.done.set()

    def _written(
        self, task: RunTask, worker: str, nodes: list[str], results: Any, globals: Mapping[str, Any]
    ) -> Batch:
        batch = Batch(task.iteration, task.alias, task.attempt, worker, tuple(nodes))
        if not any(results.values()) and not globals:
            return batch
        tags, rows, at = list(results), [], 64
        draft = SharedSegment()
        sizes = dict.fromkeys(nodes, 0)
        places: dict[str, tuple[int, int]] = {}
        values = [(node, tag, value) for tag, of in results.items() for node, value in of.items()]
        for node, tag, value in [*values, *((None, tag, value) for tag, value in globals.items())]:
            encoded = encode(value)
            SharedOutlet.write_at(draft.fd, list(encoded.buffers), at)
            if node is None:
                places[tag] = (at, encoded.nbytes)
            else:
                rows.append((nodes.index(node), tags.index(tag), at, encoded.nbytes))
            sizes[node or nodes[-1]] += encoded.nbytes
            at += -(-encoded.nbytes // 64) * 64
        draft.seal(at, nodes, tags, np.array(rows, dtype=np.int64).reshape(-1, 4))
        segment = Segment(draft.key, worker, draft.nbytes)
        self.book.put(segment, draft.place(), self._host)
        draft.close()
        partial = {tag: tuple(of) for tag, of in results.items() if 0 < len(of) < len(nodes)}
        sums = {tag: sum(row[3] for row in rows if row[1] == i) for i, tag in enumerate(tags) if results[tag]}
        return replace(
            batch,
            segment=segment,
            result_bytes=sums,
            partial_tags=partial,
            globals={tag: (nodes[-1], ValueRef(segment, *place)) for tag, place in places.items()},
            bytes_out=sizes,
        )


def _plans(tasks: Sequence[str], retries: int) -> list[TaskPlan]:
    first = TaskPlan(tasks[0], method="all", retries=retries)
    return [
        first,
        *(TaskPlan(task, inputs=(before,)) for before, task in pairwise(tasks)),
    ]
