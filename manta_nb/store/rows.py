"""Rows of a run's tables as checkpoints and batches, and what of these goes into a row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Batch, Segment, ValueRef
from manta_nb.engine.results import ResultIndex
from manta_nb.errors import StoreError
from manta_nb.store.encoding import pack, unpack
from manta_nb.store.names import Names

__all__ = [
    "Version",
    "bind",
    "grouped",
    "pack_batch",
    "read_batches",
    "read_checkpoint",
    "read_globals",
    "read_states",
    "read_versions",
    "readable",
    "text_of",
    "ungrouped",
]


_REF: Final = "key, holder, size, start, nbytes"


class Version(NamedTuple):
    """Where the value of a Global lies from a checkpoint on."""

    iterations: int
    tag: str
    #: whether it was changed, and not only put elsewhere
    changed: bool
    #: None: there is no such Global from there on
    ref: ValueRef | None

    @property
    def key(self) -> str | None:
        """The segment it lies in."""
        return None if self.ref is None else self.ref.segment.key


def bind(text: str) -> str | bytes:
    """A text as SQLite takes it: one with a lone surrogate goes in as bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_of(value: str | bytes) -> str:
    """The text that `bind` made a value of a row of."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def readable(batch: Batch) -> Batch:
    """What is kept of a batch: what readers of results go by.

    Those are its nodes, its segment, `result_bytes` and `partial_tags`, and iteration, task, attempt and worker. What
    it wrote to Globals stands in the checkpoint, its failures among the events, seconds and bytes in the `extras`.
    """
    return Batch(
        batch.iteration,
        batch.task,
        batch.attempt,
        batch.worker_id,
        batch.nodes,
        segment=batch.segment,
        result_bytes=dict(batch.result_bytes),
        partial_tags=dict(batch.partial_tags),
    )


def pack_batch(db: sqlite3.Connection, batch: Batch, names: Names) -> bytes:
    """A batch, less what `readable` leaves out."""
    segment = batch.segment and (batch.segment.key, batch.segment.holder, batch.segment.nbytes)
    partial = {tag: names.put(db, nodes) for tag, nodes in batch.partial_tags.items()}
    nodes = names.put(db, batch.nodes)
    own = (batch.iteration, batch.task, batch.attempt, batch.worker_id, nodes)
    return pack((*own, segment, dict(batch.result_bytes), partial), "batch")


def _unpack_batch(db: sqlite3.Connection, data: bytes, names: Names) -> Batch:
    iteration, task, attempt, worker_id, nodes, segment, sizes, partial = unpack(data)
    return Batch(
        iteration,
        task,
        attempt,
        worker_id,
        names.get(db, nodes),
        segment=segment and Segment(*segment),
        result_bytes=sizes,
        partial_tags={tag: names.get(db, number) for tag, number in partial.items()},
    )


def read_batches(db: sqlite3.Connection, run: int, iterations: int, names: Names) -> list[tuple[int, Batch]]:
    """The batches that could be read after so many iterations, whether they are held or not, with their numbers."""
    rows = db.execute(
        "SELECT batch, data FROM batches WHERE run = ? AND since <= ? AND (until IS NULL OR until > ?) ORDER BY batch",
        (run, iterations, iterations),
    ).fetchall()
    return [(number, _unpack_batch(db, data, names)) for number, data in rows]


def read_globals(db: sqlite3.Connection, run: int, iterations: int) -> dict[str, ValueRef]:
    """The Globals as they were after so many iterations, whether they are held or not."""
    rows = db.execute(
        f"SELECT {_REF}, tag, max(iterations) FROM versions WHERE run = ? AND iterations <= ? GROUP BY tag",  # noqa: S608 - our own names
        (run, iterations),
    )
    refs = ((text_of(tag), _ref(*row)) for *row, tag, _ in rows)
    return {tag: ref for tag, ref in refs if ref is not None}


def read_versions(db: sqlite3.Connection, run: int) -> list[Version]:
    """All versions of all Globals, oldest first."""
    rows = db.execute(
        f"SELECT {_REF}, iterations, tag, changed FROM versions WHERE run = ? ORDER BY iterations",  # noqa: S608 - our own names
        (run,),
    )
    return [Version(at, text_of(tag), bool(changed), _ref(*row)) for *row, at, tag, changed in rows]


def _ref(key: str | None, holder: str | bytes, size: int, start: int, nbytes: int) -> ValueRef | None:
    return None if key is None else ValueRef(Segment(key, text_of(holder), size), start, nbytes)


def read_states(
    db: sqlite3.Connection, run: int, iterations: int, names: Names
) -> tuple[dict[str, str], int]:
    """Node → version of its state, after so many iterations; and how many rows that took."""
    steps: list[Mapping[str, int]] = []
    at: int | None = iterations
    while at is not None:
        _, _, _, at_states, base, groups = _read_row(db, run, at)
        if at_states != at:
            at = at_states
            continue
        steps.append(groups)
        at = base
    states: dict[str, str] = {}
    for groups in reversed(steps):
        states.update(ungrouped({version: names.get(db, number) for version, number in groups.items()}))
    return states, len(steps)


def read_checkpoint(db: sqlite3.Connection, run: int, iterations: int, names: Names) -> Checkpoint:
    """A checkpoint as it was committed, whether its values are held or not."""
    dropped, schedule, fixed, *_ = _read_row(db, run, iterations)
    batches = tuple(batch for _, batch in read_batches(db, run, iterations, names))
    return Checkpoint(
        iterations,
        read_globals(db, run, iterations),
        read_states(db, run, iterations, names)[0],
        ResultIndex(batches, dropped),
        {alias: names.get(db, number) for alias, number in schedule.items()},
        {alias: names.get(db, number) for alias, number in fixed.items()},
    )


def _read_row(db: sqlite3.Connection, run: int, iterations: int) -> Any:
    """`(dropped, schedule, fixed, checkpoint whose row has the states, the one these build on, version → nodes)`."""
    row = db.execute(
        "SELECT data FROM checkpoints WHERE run = ? AND iterations = ?", (run, iterations)
    ).fetchone()
    if row is None:
        raise StoreError(f"a record in the store is damaged: no checkpoint after {iterations} iterations")
    return unpack(row[0])


def grouped(states: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Version → nodes: most nodes have one of a few."""
    groups: dict[str, list[str]] = {}
    for node, version in states:
        groups.setdefault(version, []).append(node)
    return {version: tuple(nodes) for version, nodes in groups.items()}


def ungrouped(groups: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """What `grouped` was made of."""
    return {node: version for version, nodes in groups.items() for node in nodes}
