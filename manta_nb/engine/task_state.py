"""One task of the running iteration: whose turn is awaited, who is done, who has failed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

from manta_nb.engine.records import Batch, Failure, Quorum, TaskPlan

__all__ = ["MAX_LOSSES", "TaskState", "Watch", "restrict"]

#: how often one node's turn may be lost in one iteration before that counts as a failure
MAX_LOSSES = 5


Phase = Literal["", "short", "enough"]


@dataclass
class Watch:
    """What the timers of a task with a quorum are about; see `quorum`."""

    #: "short": too few nodes are done; "enough": the others have some time left; "": nothing is timed
    phase: Phase = ""
    #: counts phases: a timer of another one is stale
    serial: int = 0
    #: the shortest time that the others were given in this phase
    patience: float = math.inf


class TaskState:
    """A task that has started. Each of its nodes is either running, waiting, done, failed or left out."""

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
        #: nodes that the iteration does not wait for: no failure of theirs, and no second turn
        self.left_out: set[str] = set()
        #: what the nodes that are done said
        self.quorum: Quorum | None = None
        self.watch = Watch()
        #: what counts of the reports, in the order they came
        self.batches: list[Batch] = []
        self._failures: Counter[str] = Counter()
        self._losses: Counter[str] = Counter()

    @property
    def idle(self) -> bool:
        """Whether nothing is awaited of any node."""
        return not self.running and not self.waiting

    @property
    def phase(self) -> Phase:
        """What its timers are to be about now; see `quorum`."""
        if self.quorum is None or self.idle:
            return ""
        return "enough" if self.enough else "short"

    @property
    def awaited(self) -> list[str]:
        """The nodes of which something is awaited, in the order they were placed."""
        if self.idle:
            return []
        names = frozenset().union(*self.running.values(), *self.waiting.values())
        return [node for node in self.placed if node in names]

    @property
    def needed(self) -> int:
        """How many nodes must succeed."""
        if self.quorum is not None:
            return self.quorum.nodes
        if self.plan.min_nodes is not None:
            return self.plan.min_nodes
        return len(self.placed) - len(self.left_out)

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

    def leave_out(self, node_ids: Iterable[str]) -> list[str]:
        """Go on without these nodes; returns those that still had something to do."""
        withdrawn = self.withdraw(node_ids)
        self.left_out.update(withdrawn)
        return withdrawn

    def accept(self, batch: Batch) -> None:
        """These nodes are done."""
        self.batches.append(batch)
        self.done.update(batch.nodes)
        if batch.quorum is not None:
            self.quorum = Quorum.of(filter(None, (self.quorum, batch.quorum)))

    def undo(self, keys: AbstractSet[str]) -> list[Batch]:
        """Take back the batches that lay in lost segments; their nodes are no longer done."""
        kept: list[Batch] = []
        lost: list[Batch] = []
        for batch in self.batches:
            gone = batch.segment is not None and batch.segment.key in keys
            (lost if gone else kept).append(batch)
        self.batches = kept
        if lost and self.quorum is not None:
            # what is taken back was never said
            self.quorum = Quorum.of(batch.quorum for batch in kept if batch.quorum is not None)
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
