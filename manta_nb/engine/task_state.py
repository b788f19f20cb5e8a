"""One task of the running iteration: whose turn is awaited, who is done, who has failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from manta_nb.engine.records import Batch, Failure, TaskPlan

__all__ = ["MAX_LOSSES", "TaskState", "restrict"]

#: how often one node's turn may be lost in one iteration before that counts as a failure
MAX_LOSSES = 5


class TaskState:
    """A task that has started. Each of its nodes is either running, waiting, done or failed."""

    def __init__(self, plan: TaskPlan, placed: tuple[str, ...], visible: frozenset[str]) -> None:
        self.plan = plan
        self.placed = placed
        #: tasks of this iteration whose writes it reads: those that had finished when it started. A turn that
        #: is done again reads the same ones.
        self.visible = visible
        #: attempt → nodes whose report is awaited
        self.running: dict[int, set[str]] = {}
        #: attempt → nodes that wait until something they read has been made again
        self.waiting: dict[int, list[str]] = {}
        self.done: set[str] = set()
        self.failed: dict[str, Failure] = {}
        #: what counts of the reports, in the order they came
        self.batches: list[Batch] = []
        self._failures: Counter[str] = Counter()
        self._losses: Counter[str] = Counter()

    @property
    def idle(self) -> bool:
        """Whether nothing is awaited of any node."""
        return not self.running and not self.waiting

    @property
    def needed(self) -> int:
        """How many nodes must succeed."""
        return len(self.placed) if self.plan.min_nodes is None else self.plan.min_nodes

    @property
    def enough(self) -> bool:
        """Whether the iteration can go on with the nodes that are done."""
        return len(self.done) >= self.needed

    def expect(self, attempt: int, node_ids: Iterable[str]) -> None:
        """A report is awaited of these nodes."""
        self.running.setdefault(attempt, set()).update(node_ids)

    def hold(self, attempt: int, node_ids: Iterable[str]) -> None:
        """These nodes shall run, but not yet."""
        self.waiting.setdefault(attempt, []).extend(node_ids)

    def release(self) -> list[tuple[int, tuple[str, ...]]]:
        """Take out the nodes that wait, with their attempts."""
        held, self.waiting = self.waiting, {}
        return [(attempt, tuple(node_ids)) for attempt, node_ids in held.items()]

    def take(self, attempt: int, node_ids: AbstractSet[str]) -> AbstractSet[str]:
        """Stop awaiting these nodes; returns those whose report of this attempt was awaited."""
        awaited = self.running.get(attempt)
        if awaited is None:
            return frozenset()
        taken = awaited & node_ids
        awaited -= taken
        if not awaited:
            del self.running[attempt]
        return taken

    def withdraw(self, node_ids: Iterable[str]) -> list[str]:
        """Stop awaiting and holding these nodes; returns those that still had something to do."""
        names = dict.fromkeys(node_ids)
        gone: set[str] = set()
        for attempt in list(self.running):
            gone |= self.take(attempt, names.keys())
        for held in self.waiting.values():
            gone.update(node for node in held if node in names)
        waiting = {a: [node for node in held if node not in names] for a, held in self.waiting.items()}
        self.waiting = {attempt: held for attempt, held in waiting.items() if held}
        return [node for node in names if node in gone]

    def accept(self, batch: Batch) -> None:
        """These nodes are done."""
        self.batches.append(batch)
        self.done.update(batch.nodes)

    def undo(self, keys: AbstractSet[str]) -> list[Batch]:
        """Take back the batches that lay in lost segments; their nodes are no longer done."""
        kept: list[Batch] = []
        lost: list[Batch] = []
        for batch in self.batches:
            gone = batch.segment is not None and batch.segment.key in keys
            (lost if gone else kept).append(batch)
        self.batches = kept
        self.done.difference_update(node for batch in lost for node in batch.nodes)
        return lost

    def charge(self, failure: Failure) -> bool:
        """Count a failed turn; returns whether the node gets another one, else the node has failed."""
        if failure.kind in ("error", "died", "timeout"):
            self._failures[failure.node_id] += 1
            again = self._failures[failure.node_id] <= self.plan.retries
        elif failure.kind in ("lost", "refused"):
            self._losses[failure.node_id] += 1
            again = self._losses[failure.node_id] <= MAX_LOSSES
        else:
            again = False
        if not again:
            self.failed[failure.node_id] = failure
        return again

    def give_up(self, node_ids: Sequence[str], reason: str) -> list[Failure]:
        """These nodes are gone for good: they have failed."""
        failures = [Failure(node, "lost", reason) for node in node_ids]
        self.failed.update((failure.node_id, failure) for failure in failures)
        return failures


def restrict(batch: Batch, node_ids: AbstractSet[str]) -> Batch:
    """`batch` as if only these nodes had been in it."""
    nodes = tuple(node for node in batch.nodes if node in node_ids)
    kept = frozenset(nodes)
    partial = {
        tag: tuple(n for n in batch.partial_tags.get(tag, nodes) if n in kept) for tag in batch.result_bytes
    }
    return replace(
        batch,
        nodes=nodes,
        result_bytes={tag: size for tag, size in batch.result_bytes.items() if partial[tag]},
        partial_tags={tag: names for tag, names in partial.items() if 0 < len(names) < len(nodes)},
        globals={tag: write for tag, write in batch.globals.items() if write[0] in kept},
        stop=batch.stop if batch.stop in kept else None,
        stateful=tuple(node for node in batch.stateful if node in kept),
        bytes_out={node: size for node, size in batch.bytes_out.items() if node in kept},
        seconds={node: seconds for node, seconds in batch.seconds.items() if node in kept},
    )
