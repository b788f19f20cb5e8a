"""Runs as a session would record them, small: heads, checkpoints, values, metrics."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Batch, Event, RunPlan, Segment, TaskPlan, ValueRef
from manta_nb.engine.results import Retention
from manta_nb.store.ports import Store
from manta_nb.store.records import Columns, Committed, Ending, Loose, RunHead
from manta_nb.store.rows import readable

__all__ = ["BIG", "ENDING", "Story", "columns", "head", "intact", "run_id", "slim"]

#: bytes of a value that gets a file of its own
BIG = 100_000

ENDING = Ending("completed", "all iterations done", 1_700_000_100.0, 12.5, best={"acc": (0.1, 0, 0.9, 3)})


def slim(checkpoint: Checkpoint) -> Checkpoint:
    """As a store gives it back."""
    batches = tuple(map(readable, checkpoint.results.batches))
    return replace(checkpoint, results=replace(checkpoint.results, batches=batches))


def intact(folder: Path) -> bool:
    """What SQLite says of the database in a folder."""
    connection = sqlite3.connect(folder / "runs.db")
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        connection.close()


def run_id(number: int = 0) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:16]


def head(number: int = 0, *, name: str = "fl", iterations: int | None = 8, **changes: Any) -> RunHead:
    tasks = (TaskPlan("worker", method="all"), TaskPlan("aggregator", inputs=("worker",)))
    plan = RunPlan(run_id(number), name, tasks, iterations, seed=7)
    return replace(RunHead(plan, started=1_700_000_000.0), **changes)


def columns(iteration: int, nodes: Sequence[str] = ("node_0", "node_1"), value: float = 0.5) -> Columns:
    count = len(nodes)
    return Columns(
        iteration=np.full(count, iteration, np.int32),
        node=np.arange(count, dtype=np.int32),
        task=np.zeros(count, np.int32),
        name=np.zeros(count, np.int32),
        step=np.full(count, np.nan),
        value=np.full(count, value),
        nodes=tuple(nodes),
        tasks=("worker",),
        names=("acc",),
    )


class Story:
    """A run that is being recorded: `commit` makes an iteration of it and keeps that.

    Each iteration writes one Global, `w`, and a result of every node in one batch a worker.
    """

    def __init__(
        self,
        store: Store,
        number: int = 0,
        *,
        nodes: int = 4,
        workers: int = 2,
        global_bytes: int = 300,
        result_bytes: int = 200,
        keep_results: int | None = 2,
        begin: bool = True,
        **changes: Any,
    ) -> None:
        self.store, self.number, self.run_id = store, number, run_id(number)
        self.head = head(number, **changes)
        self.nodes = [f"node_{i}" for i in range(nodes)]
        self.workers = workers
        self.sizes = (global_bytes, result_bytes)
        self.retention = Retention(keep_results)
        self.values: dict[str, bytes] = {}
        self.checkpoints: dict[int, Checkpoint] = {}
        self.at = 0
        if begin:
            store.begin(self.head)
            self.keep(Checkpoint(0, {"w": self.ref("w-start", global_bytes)}), ("w",))

    def read(self, key: str) -> memoryview:
        return memoryview(self.values[key])

    def segment(self, what: str, nbytes: int) -> Segment:
        key = hashlib.sha256(f"{self.number} {what}".encode()).hexdigest()[:32]
        self.values[key] = random.Random(key).randbytes(nbytes)
        return Segment(key, "tcp://127.0.0.1:5000", nbytes)

    def ref(self, what: str, nbytes: int) -> ValueRef:
        return ValueRef(self.segment(what, nbytes), 0, nbytes)

    def next(self, salt: str = "") -> Checkpoint:
        """The checkpoint that the next iteration leaves."""
        at, (globals_, results) = self.at, self.sizes
        share = len(self.nodes) // self.workers
        batches = [
            Batch(
                at, "worker", 0, f"w{w}", tuple(self.nodes[w * share : (w + 1) * share]),
                segment=self.segment(f"r{at}-{w}{salt}", results), result_bytes={"model": results},
            )
            for w in range(self.workers)
        ]  # fmt: skip
        self.retention.commit(at, batches)
        states = dict.fromkeys(self.nodes, f"{at}-worker-0")
        self.at = at + 1
        return Checkpoint(
            at + 1,
            {"w": self.ref(f"w{at}{salt}", globals_)},
            states,
            self.retention.index(()),
            {"worker": tuple(self.nodes)},
        )

    def keep(self, checkpoint: Checkpoint, changed: Sequence[str] = ("w",), **more: Any) -> None:
        self.checkpoints[checkpoint.iterations] = checkpoint
        self.store.commit(self.run_id, Committed(checkpoint, tuple(changed), **more), self.read)

    def commit(self, times: int = 1, **more: Any) -> Checkpoint:
        """Iterations, each with metrics, a log line and an event."""
        for _ in range(times):
            at = self.at
            checkpoint = self.next()
            told: dict[str, Any] = {
                "metrics": columns(at, self.nodes),
                "loose": Loose(
                    ((at, "node_0", "worker", "INFO", f"line {at}"),), (Event(at, "retry", f"event {at}"),)
                ),
                "moved": {at: 1000 + at},
                "elapsed": at + 0.5,
            }
            self.keep(checkpoint, ("w",), **{**told, **more})
        return self.checkpoints[self.at]

    def same(self, checkpoint: Checkpoint, read: Callable[[str], memoryview]) -> bool:
        """Whether all values of a checkpoint are what was written."""
        return all(bytes(read(key)) == self.values[key] for key in checkpoint.keys)
