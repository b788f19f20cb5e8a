"""What each node of a run does, did, and last failed at: filled by the run's threads, read by anybody."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Literal

from manta_nb.engine.events import BatchLost
from manta_nb.engine.instructions import ReleaseNodes, RunTask
from manta_nb.engine.records import Batch, Failure

__all__ = ["NodeState", "NodeWork", "TaskWork"]

NodeState = Literal["idle", "running", "waiting", "done", "failed", "lost", "gone"]
#: changes that are remembered for readers, and names of nodes in them; who is further behind looks at all nodes
MOST_CHANGES, MOST_NAMES = 4096, 65_536


class TaskWork:
    """The latest dispatch of one task: its iteration, its nodes, and the seconds its slowest turn took."""

    def __init__(self, iteration: int, nodes: tuple[str, ...]) -> None:
        self.iteration = iteration
        self.nodes = nodes
        #: None until a node is done
        self.seconds: float | None = None


class NodeWork:
    """The nodes of one run.

    A worker runs the turns of its nodes one after another, and tells when all are over. Which turn is under way is
    derived: the first one of the batch, then that of the node whose metric or line came last; the nodes before
    it in the batch are done. Nodes that write no line between are seen as `waiting` until their batch ends.

    Args:
        worker_of: the worker that hosts a node.
    """

    def __init__(self, worker_of: Callable[[str], str]) -> None:
        self._worker_of = worker_of
        self._lock = threading.Lock()
        #: node → seconds in tasks, and bytes that left it, all iterations together
        self.seconds: dict[str, float] = {}
        self.bytes_out: dict[str, int] = {}
        #: node → bytes that left it in the latest committed iteration
        self.bytes_last: dict[str, int] = {}
        #: node → why its turn failed the last time: `worker: ValueError: no`
        self.errors: dict[str, str] = {}
        self.tasks: dict[str, TaskWork] = {}
        #: node → (task, state) in the running iteration; a node that is not in it is idle
        self.doing: dict[str, tuple[str, NodeState]] = {}
        #: nodes that are away: "lost", or "gone" for good
        self.away: dict[str, NodeState] = {}
        #: the iteration that `doing` is of
        self.iteration = -1
        #: counts changes
        self.revision = 0
        self._bytes_now: dict[str, int] = {}
        self._log: deque[tuple[str, ...]] = deque()
        #: names in it
        self._named = 0
        #: first node of a batch → how many of its nodes have had their turn
        self._turns: dict[tuple[str, str], int] = {}

    def changed(self, since: int) -> dict[str, None] | None:
        """The nodes that changed after revision `since`; None where that was too long ago to say."""
        with self._lock:
            missed = self.revision - since
            if missed > len(self._log):
                return None
            return dict.fromkeys(chain.from_iterable(islice(reversed(self._log), missed)))

    def dispatched(self, task: RunTask) -> None:
        """A task was sent to its nodes."""
        alias, nodes = task.alias, task.node_ids
        workers = dict(zip(map(self._worker_of, reversed(nodes)), reversed(nodes), strict=True))
        with self._lock:
            self._turn_to(task.iteration)
            known = self.tasks.get(alias)
            if known is None or known.iteration != task.iteration:
                self.tasks[alias] = TaskWork(task.iteration, nodes)
            self.doing.update(dict.fromkeys(nodes, (alias, "waiting")))
            self.doing.update(dict.fromkeys(workers.values(), (alias, "running")))
            self._touch(nodes)

    def spoke(self, task: str, node_ids: Sequence[str], index: int) -> None:
        """Node number `index` of a batch wrote a metric or a line: its turn is under way."""
        with self._lock:
            key = (task, node_ids[0])
            begun = self._turns.get(key, 0)
            if index <= begun:
                return
            self._turns[key] = index
            now: dict[str, NodeState] = dict.fromkeys(node_ids[begun:index], "done")
            now[node_ids[index]] = "running"
            for node_id, state in now.items():
                if self.doing.get(node_id) in ((task, "waiting"), (task, "running")):
                    self.doing[node_id] = (task, state)
            self._touch(tuple(now))

    def finished(self, batch: Batch) -> None:
        """A dispatch ended. Happens once a worker and task: it has to be quick."""
        task, nodes = batch.task, batch.nodes
        with self._lock:
            self._count(batch)
            state: tuple[str, NodeState] = (task, "done")
            for node_id in nodes:
                self.doing[node_id] = state
            for failure in batch.failures:
                self.doing[failure.node_id] = (task, "failed")
                self.errors[failure.node_id] = f"{task}: {failure.message}"
            if batch.failures:
                nodes = (*nodes, *(failure.node_id for failure in batch.failures))
            if self._turns:
                for node_id in nodes:
                    self._turns.pop((task, node_id), None)
            work = self.tasks.get(task)
            if work is not None and work.iteration == batch.iteration and batch.seconds:
                longest = max(batch.seconds.values())
                if work.seconds is None or longest > work.seconds:
                    work.seconds = longest
            self._touch(nodes)

    def lost(self, event: BatchLost) -> None:
        """A dispatch ended without an outcome; its turns are done again or have failed."""
        with self._lock:
            self.doing.update(dict.fromkeys(event.node_ids, (event.task, "lost")))
            text = f"{event.task}: {event.failure.message}"
            self.errors.update(dict.fromkeys(event.node_ids, text))
            for node_id in event.node_ids:
                self._turns.pop((event.task, node_id), None)
            self._touch(event.node_ids)

    def released(self, release: ReleaseNodes) -> None:
        """The run goes on without the turns of these nodes: they are free for it."""
        with self._lock:
            for node_id in release.node_ids:
                self._turns.pop((release.alias, node_id), None)
                if self.doing.get(node_id, ("", ""))[0] == release.alias:
                    del self.doing[node_id]
            self._touch(release.node_ids)

    def left(self, node_ids: tuple[str, ...], state: NodeState) -> None:
        """These nodes went away."""
        with self._lock:
            self.away.update(dict.fromkeys(node_ids, state))
            self._touch(node_ids)

    def joined(self, node_ids: Iterable[str]) -> None:
        """These nodes came (back)."""
        names = tuple(node_ids)
        with self._lock:
            for node_id in names:
                self.away.pop(node_id, None)
            self._touch(names)

    def committed(self, iteration: int) -> None:
        """The iteration is complete; its bytes are the latest ones, those of the next one count from 0."""
        with self._lock:
            changed = {**self.bytes_last, **self._bytes_now}
            self.bytes_last, self._bytes_now = self._bytes_now, {}
            self._touch(tuple(changed))
            # nothing to do where the tasks of the next one are under way already
            self._turn_to(iteration + 1)

    def ended(self, failure: Failure | None) -> None:
        """The run is over: nothing runs any more."""
        with self._lock:
            given_up = [node for node, (_, state) in self.doing.items() if state in ("running", "waiting")]
            for node_id in given_up:
                del self.doing[node_id]
            if failure is not None and failure.node_id:
                self.errors.setdefault(failure.node_id, failure.message)
                given_up.append(failure.node_id)
            self._touch(tuple(given_up))

    def reopened(self) -> None:
        """The run goes on: all nodes are free, and those that are away are heard of again."""
        with self._lock:
            free, self.doing, self.away, self._turns = {**self.doing, **self.away}, {}, {}, {}
            self._bytes_now = {}
            for work in self.tasks.values():
                # the iteration that was given up begins again under its number
                work.iteration = -1
            self._touch(tuple(free))

    def _count(self, batch: Batch) -> None:
        out, now, total = self.bytes_out, self._bytes_now, self.seconds
        for node_id, nbytes in batch.bytes_out.items():
            out[node_id] = out.get(node_id, 0) + nbytes
            now[node_id] = now.get(node_id, 0) + nbytes
        for node_id, seconds in batch.seconds.items():
            total[node_id] = total.get(node_id, 0.0) + seconds

    def _turn_to(self, iteration: int) -> None:
        """All nodes are free when an iteration begins."""
        if iteration != self.iteration:
            free, self.doing, self._turns = self.doing, {}, {}
            self.iteration = iteration
            self._touch(tuple(free))

    def _touch(self, node_ids: tuple[str, ...]) -> None:
        """Tell readers; after the change, so that none sees the number without it."""
        self._log.append(node_ids)
        self._named += len(node_ids)
        while len(self._log) > MOST_CHANGES or (self._named > MOST_NAMES and len(self._log) > 1):
            self._named -= len(self._log.popleft())
        self.revision += 1
