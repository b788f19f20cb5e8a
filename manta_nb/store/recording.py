"""One run being written: each checkpoint as what it differs in from the one before."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Batch, ValueRef
from manta_nb.store.encoding import pack, pack_columns
from manta_nb.store.names import Names
from manta_nb.store.records import Columns, Committed
from manta_nb.store.retention import RECENT, Keeping
from manta_nb.store.rows import (
    bind,
    grouped,
    pack_batch,
    read_batches,
    read_globals,
    read_states,
    read_versions,
    readable,
)
from manta_nb.store.segments import held_by

__all__ = ["Recording", "truncate"]

#: states of nodes are written as what changed, and after so many of these whole again
_MOST_STEPS: Final = 32


class Recording:
    """What was written of a run so far, as far as the next checkpoint is compared with it.

    Made at the first commit of a run in this process, and made again where a transaction failed or somebody else wrote:
    `commits` tells.
    """

    def __init__(self, db: sqlite3.Connection, run: int, commits: int, start: int, budget: int) -> None:
        self.run = run
        self.commits = commits
        self._names = Names(run)
        rows = db.execute("SELECT iterations FROM checkpoints WHERE run = ? ORDER BY iterations", (run,))
        past = [iterations for (iterations,) in rows]
        #: complete iterations at the latest commit; None: there was none
        self.latest: int | None = past[-1] if past else None
        self._globals: Mapping[str, ValueRef] = {}
        #: id of a batch → its number, and the batch, which must live as long as the id stands here
        self._batches: dict[int, tuple[int, Batch]] = {}
        self._stored: dict[Batch_, tuple[int, Batch]] = {}
        self._states: Mapping[str, str] = {}
        self._states_at, self._steps = -1, _MOST_STEPS
        if self.latest is not None:
            self._globals = read_globals(db, run, self.latest)
            stored = read_batches(db, run, self.latest, self._names)
            self._stored = {_identity(batch): (number, batch) for number, batch in stored}
            self._states, self._steps = read_states(db, run, self.latest, self._names)
            self._states_at = self.latest
        row = db.execute("SELECT max(batch) FROM batches WHERE run = ?", (run,)).fetchone()
        self._next = 0 if row[0] is None else row[0] + 1
        self._numbers = {number for number, _ in self._stored.values()}
        self.keeping = _kept_so_far(db, run, past, budget)
        #: the number of its first iteration: one that was forked goes on counting
        self._start = start
        #: bytes of rows that were written, all together
        self.written = 0

    def write(self, db: sqlite3.Connection, committed: Committed) -> set[str]:
        """Write all of it but the values; returns the segments that are no longer kept."""
        checkpoint = committed.checkpoint
        self._write_globals(db, checkpoint, frozenset(committed.changed))
        self._write_batches(db, checkpoint)
        self._write_checkpoint(db, checkpoint)
        self._write_iterations(db, checkpoint.iterations, committed.moved)
        if committed.metrics is not None and len(committed.metrics):
            self._write_metrics(db, checkpoint.iterations, committed.metrics)
        self.latest = checkpoint.iterations
        self.written += self._names.written
        self._names.written = 0
        return self.keeping.add(checkpoint)

    def _write_globals(self, db: sqlite3.Connection, checkpoint: Checkpoint, changed: frozenset[str]) -> None:
        after, before = checkpoint.globals, self._globals
        first = self.latest is None
        rows: list[tuple[Any, ...]] = [
            (tag, first or tag in changed, ref.segment.key, bind(ref.segment.holder), ref.segment.nbytes,
             ref.offset, ref.nbytes)
            for tag, ref in after.items()
            if tag in changed or before.get(tag) != ref
        ]  # fmt: skip
        rows += [(tag, False, None, None, None, None, None) for tag in before if tag not in after]
        db.executemany(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(self.run, checkpoint.iterations, bind(tag), *row) for tag, *row in rows],
        )
        self.written += sum(100 + len(row[0]) for row in rows)
        self._globals = after

    def _write_batches(self, db: sqlite3.Connection, checkpoint: Checkpoint) -> None:
        """Batches stand in one order for ever, so each needs to be written once, and when it went."""
        current: dict[int, tuple[int, Batch]] = {}
        numbers: set[int] = set()
        last = -1
        for batch in checkpoint.results.batches:
            number = self._number(batch)
            if number is None or number <= last:
                number = self._next
                self._next += 1
                data = pack_batch(db, batch, self._names)
                key = batch.segment and batch.segment.key
                db.execute(
                    "INSERT INTO batches VALUES (?, ?, ?, NULL, ?, ?)",
                    (self.run, number, checkpoint.iterations, key, data),
                )
                self.written += len(data) + 50
            last = number
            numbers.add(number)
            current[id(batch)] = (number, batch)
        db.executemany(
            "UPDATE batches SET until = ? WHERE run = ? AND batch = ?",
            [(checkpoint.iterations, self.run, number) for number in self._numbers - numbers],
        )
        self._batches, self._numbers, self._stored = current, numbers, {}

    def _number(self, batch: Batch) -> int | None:
        """The number under which this batch was written; None: it was not."""
        known = self._batches.get(id(batch))
        # one of the iterations that were not complete at the commit before cannot have been written
        if known is None and batch.iteration < (self.latest or 0):
            known = self._equal(batch)
        return None if known is None else known[0]

    def _equal(self, batch: Batch) -> tuple[int, Batch] | None:
        """An equal one that was written: results can be struck off, which makes new indices of the same batches."""
        if self._batches and not self._stored:
            self._stored = {_identity(entry[1]): entry for entry in self._batches.values()}
        known = self._stored.get(_identity(batch))
        return known if known is not None and readable(known[1]) == readable(batch) else None

    def _write_checkpoint(self, db: sqlite3.Connection, checkpoint: Checkpoint) -> None:
        put, iterations = self._names.put, checkpoint.iterations
        base, groups = self._changed_states(checkpoint)
        numbers = {version: put(db, nodes) for version, nodes in groups.items()}
        schedule = {alias: put(db, nodes) for alias, nodes in checkpoint.schedule.items()}
        fixed = {alias: put(db, nodes) for alias, nodes in checkpoint.fixed.items()}
        own = (dict(checkpoint.results.dropped), schedule, fixed)
        data = pack((*own, self._states_at, base, numbers), "checkpoint")
        db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (self.run, iterations, data))
        self.written += len(data) + 20

    def _changed_states(self, checkpoint: Checkpoint) -> tuple[int | None, dict[str, tuple[str, ...]]]:
        """The checkpoint whose states these build on, and what changed since; None, and all of them."""
        after, before = checkpoint.states, self._states
        if self._states_at >= 0 and (after is before or after == before):
            return None, {}
        self._states = after
        changed = [item for item in after.items() if before.get(item[0]) != item[1]]
        base, self._states_at = self._states_at, checkpoint.iterations
        if self._steps >= _MOST_STEPS or 2 * len(changed) > len(after) or not after.keys() >= before.keys():
            self._steps = 1
            return None, grouped(after.items())
        self._steps += 1
        return base, grouped(changed)

    def _write_iterations(self, db: sqlite3.Connection, iterations: int, moved: Mapping[int, int]) -> None:
        done = self._start if self.latest is None else self.latest
        rows = [(self.run, number, moved.get(number, 0)) for number in range(done, iterations)]
        db.executemany("INSERT INTO iterations VALUES (?, ?, ?)", rows)
        self.written += 15 * len(rows)

    def _write_metrics(self, db: sqlite3.Connection, iterations: int, metrics: Columns) -> None:
        data = pack_columns(metrics, self._names.put(db, metrics.nodes))
        db.execute(
            "INSERT INTO metrics (run, iterations, newest, data) VALUES (?, ?, ?, ?)",
            (self.run, iterations, int(metrics.iteration.max()), data),
        )
        self.written += len(data) + 20


#: what a batch is found by: two that are equal in it are the same one, or one of them was struck by the other
Batch_ = tuple[int, str, int, str, str]


def _identity(batch: Batch) -> Batch_:
    key = batch.segment.key if batch.segment is not None else ""
    return batch.iteration, batch.task, batch.attempt, batch.worker_id, key


def _kept_so_far(db: sqlite3.Connection, run: int, past: list[int], budget: int) -> Keeping:
    keeping = Keeping(budget, held_by(db, run))
    current: dict[str, str | None] = {}
    versions: dict[int, dict[str, str | None]] = {}
    for version in read_versions(db, run):
        versions.setdefault(version.iterations, {})[version.tag] = version.key
    batches = db.execute(
        "SELECT key, since, coalesce(until, ?) FROM batches WHERE run = ? AND key IS NOT NULL "
        "AND coalesce(until, ?) > ?",
        (2**62, run, 2**62, past[-RECENT] if len(past) >= RECENT else -1),
    ).fetchall()
    first = past[-RECENT] if len(past) >= RECENT else -1
    for iterations in past:
        current.update(versions.get(iterations, {}))
        keys = frozenset(key for key in current.values() if key is not None)
        latest = None
        if iterations >= first:
            latest = keys.union(key for key, since, until in batches if since <= iterations < until)
        keeping.restore(iterations, keys, latest)
    return keeping


def truncate(db: sqlite3.Connection, run: int, iterations: int, start: int) -> None:
    """Forget the commits from this one on: the run went back, since values of a later one were damaged."""
    after = (run, iterations)
    db.execute("DELETE FROM checkpoints WHERE run = ? AND iterations >= ?", after)
    db.execute("DELETE FROM versions WHERE run = ? AND iterations >= ?", after)
    db.execute("DELETE FROM metrics WHERE run = ? AND iterations >= ?", after)
    db.execute("DELETE FROM batches WHERE run = ? AND since >= ?", after)
    db.execute("UPDATE batches SET until = NULL WHERE run = ? AND until >= ?", after)
    [latest] = db.execute("SELECT max(iterations) FROM checkpoints WHERE run = ?", (run,)).fetchone()
    db.execute(
        "DELETE FROM iterations WHERE run = ? AND iteration >= ?", (run, start if latest is None else latest)
    )
