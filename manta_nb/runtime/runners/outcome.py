"""What came of a batch, put together from its ledger and messages: small, plain, checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from manta_nb.engine.records import Quorum
from manta_nb.runtime.runners.ledger import Kind
from manta_nb.runtime.runners.request import BatchRequest

__all__ = ["Outcome", "Story", "result_rows", "settle", "settle_batch"]

#: kind, node, tag, offset, nbytes, time
KIND, NODE, TAG, OFFSET, NBYTES, TIME = range(6)


@dataclass
class Story:
    """What the child said in messages while it ran the batch."""

    tags: list[str] = field(default_factory=list)
    failures: dict[int, dict[str, Any]] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    schedule: list[tuple[int, str, list[str]]] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)
    #: node → the last it said by `World.quorum`
    quorums: dict[int, Quorum] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    #: keys of segments of which the child still holds views
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """A batch's outcome as it travels to the kernel: a JSON text and two arrays, one number a node each."""

    head: str
    seconds: bytes
    bytes_out: bytes
    #: whether the segment holds no value that counts
    empty: bool

    def message(self) -> dict[str, Any]:
        """As a message of texts and bytes."""
        return {"head": self.head, "seconds": self.seconds, "bytes_out": self.bytes_out}


def settle_batch(
    request: BatchRequest, rows: np.ndarray, story: Story, segment: Sequence[Any] | None
) -> Outcome:
    """The outcome of this request; see `settle`."""
    names = {
        "run": request.run_id,
        "iteration": request.iteration,
        "task": request.task,
        "attempt": request.attempt,
    }
    return settle(names, len(request.node_ids), rows, story, segment)


def settle(
    names: dict[str, Any], nodes: int, rows: np.ndarray, story: Story, segment: Sequence[Any] | None
) -> Outcome:
    """The outcome of a batch of `nodes` nodes; `names` says whose it is."""
    rows = rows[(rows[:, NODE] >= 0) & (rows[:, NODE] < nodes)]
    done = np.zeros(nodes, dtype=bool)
    done[rows[rows[:, KIND] == Kind.DONE][:, NODE]] = True
    for position in (*story.failures, *story.lost):
        done[position] = False
    kept = rows[done[rows[:, NODE]]]
    values = kept[(kept[:, KIND] == Kind.RESULT) | (kept[:, KIND] == Kind.GLOBAL)]
    bytes_out = np.bincount(values[:, NODE], weights=values[:, NBYTES], minlength=nodes).astype(np.int64)
    stateful = np.unique(kept[kept[:, KIND] == Kind.STATE][:, NODE]).tolist()
    head = {
        **names,
        "done": None if done.all() else np.flatnonzero(done).tolist(),
        "failures": list(story.failures.values()),
        "lost": [[position, key] for position, key in story.lost.items()],
        "segment": segment if len(values) else None,
        **_results(kept[kept[:, KIND] == Kind.RESULT], story.tags, int(done.sum())),
        **_globals(kept[kept[:, KIND] == Kind.GLOBAL], story.tags),
        "schedule": {alias: ids for node, alias, ids in story.schedule if done[node]},
        "stop": next((node for node in story.stops if done[node]), None),
        "quorum": _quorum(quorum for node, quorum in story.quorums.items() if done[node]),
        "stateful": stateful,
        "notes": story.notes,
        "kept": story.kept,
    }
    return Outcome(json.dumps(head), _seconds(rows, nodes).tobytes(), bytes_out.tobytes(), not len(values))


def _quorum(said: Iterable[Quorum]) -> dict[str, Any] | None:
    quorum = Quorum.of(said)
    return None if quorum is None else asdict(quorum)


def _results(rows: np.ndarray, tags: Sequence[str], done: int) -> dict[str, Any]:
    sizes: dict[str, int] = {}
    partial: dict[str, list[int]] = {}
    for number, tag in enumerate(tags):
        mine = rows[rows[:, TAG] == number]
        if not len(mine):
            continue
        sizes[tag] = int(mine[:, NBYTES].sum())
        writers = np.unique(mine[:, NODE])
        if len(writers) < done:
            partial[tag] = writers.tolist()
    return {"result_bytes": sizes, "partial": partial}


def _globals(rows: np.ndarray, tags: Sequence[str]) -> dict[str, Any]:
    last: dict[str, list[int]] = {}
    contested: dict[str, None] = {}
    for row in rows.tolist():
        if 0 <= row[TAG] < len(tags):
            tag = tags[row[TAG]]
            if tag in last and last[tag][0] != row[NODE]:
                contested[tag] = None
            # rows are in the order of writing, so the last one of a tag wins
            last[tag] = [row[NODE], row[OFFSET], row[NBYTES]]
    return {"globals": last, "contested": list(contested)}


def _seconds(rows: np.ndarray, nodes: int) -> np.ndarray:
    """Seconds of each node's turn, float32; 0 where it had none."""
    begin, end = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    turns = rows[rows[:, KIND] == Kind.TURN]
    ends = rows[(rows[:, KIND] == Kind.DONE) | (rows[:, KIND] == Kind.FAILED)]
    begin[turns[:, NODE]] = turns[:, TIME]
    end[ends[:, NODE]] = ends[:, TIME]
    return np.where(end > begin, (end - begin) / 1e9, 0.0).astype(np.float32)


def result_rows(rows: np.ndarray, done: np.ndarray) -> np.ndarray:
    """The rows of the segment's table: node, tag, offset, nbytes of every result of a finished node."""
    rows = rows[(rows[:, KIND] == Kind.RESULT) & (rows[:, NODE] >= 0) & (rows[:, NODE] < len(done))]
    wanted = done[rows[:, NODE]] & (rows[:, TAG] >= 0)
    return np.ascontiguousarray(rows[wanted][:, (NODE, TAG, OFFSET, NBYTES)])
