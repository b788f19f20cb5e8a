"""Everything that is written of runs into a database, each in one transaction."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping
from typing import Any

from manta_nb.engine.records import RunPlan
from manta_nb.errors import StoreError
from manta_nb.store.columns import only
from manta_nb.store.database import Database
from manta_nb.store.encoding import (
    pack,
    pack_columns,
    pack_ending,
    pack_events,
    pack_head,
    pack_lines,
    unpack_columns,
)
from manta_nb.store.failpoints import Failpoint
from manta_nb.store.ports import Read
from manta_nb.store.recording import Recording, truncate
from manta_nb.store.records import Committed, Ending, Loose, RunHead
from manta_nb.store.rows import bind
from manta_nb.store.segments import Prepared, Segments, drop, hold
from manta_nb.store.wording import check_run_id, no_such_run, place

__all__ = ["Writing"]

#: how often values are written again that somebody removed before they were named; once is rare
_TRIES = 3


class Writing:
    """What one store writes. Any thread may call it.

    Args:
        keep_globals_bytes: see `Keeping`.
        failpoint: where this process shall die.
    """

    def __init__(
        self, database: Database, segments: Segments, keep_globals_bytes: int, failpoint: Failpoint
    ) -> None:
        self._database = database
        self._segments = segments
        self._budget = keep_globals_bytes
        self._failpoint = failpoint
        #: run → what its next checkpoint is compared with
        self._recordings: dict[str, Recording] = {}
        self._lock = threading.Lock()

    def begin(self, head: RunHead) -> None:
        """See `Store.begin`."""
        run_id = check_run_id(head.plan.run_id)
        data = pack_head(head)
        with self._database.writing() as db:
            row = db.execute("SELECT run, iterations FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                values = {"run_id": run_id, **_columns(head), "elapsed": 0.0, "row_bytes": len(data) + 200}
                marks = ", ".join("?" * len(values))
                db.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", [*values.values()])  # noqa: S608 - our own names
                db.execute(
                    "INSERT INTO details (run, head) SELECT run, ? FROM runs WHERE run_id = ?", (data, run_id)
                )
                return
            run, iterations = row
            values = _columns(head)
            names = ", ".join(f"{name} = ?" for name in values)
            db.execute(f"UPDATE runs SET {names} WHERE run = ?", [*values.values(), run])  # noqa: S608 - our own names
            db.execute("UPDATE details SET head = ?, ending = NULL WHERE run = ?", (data, run))
            _forget_metrics(db, run, iterations)

    def commit(self, run_id: str, committed: Committed, read: Read) -> None:
        """See `Store.commit`."""
        iterations = committed.checkpoint.iterations
        self._failpoint.reach("before_commit", iterations)
        for _ in range(_TRIES):
            prepared = self._segments.prepare(self._new_keys(run_id, committed), read)
            removed = self._try(run_id, committed, prepared)
            if removed is not None:
                break
        else:
            raise StoreError(
                f"values of run {run_id[:8]} vanish from {place(self._database.path)}: who removes them?"
            )
        self._failpoint.reach("after_commit", iterations)
        self._segments.written(prepared)
        self._segments.remove(removed)

    def _try(self, run_id: str, committed: Committed, prepared: list[Prepared]) -> list[str] | None:
        """Returns the hashes of the files that are not needed any more; None: values were removed meanwhile."""
        try:
            with self._database.writing() as db:
                recording = self._recording(db, run_id, committed.checkpoint.iterations)
                needed = recording.keeping.missing(committed.checkpoint.keys)
                if not self._segments.insert(db, prepared, needed):
                    raise _Vanished
                hold(db, recording.run, needed)
                dropped = recording.write(db, committed)
                files = drop(db, recording.run, dropped)
                self._close_commit(db, recording, committed)
                self._failpoint.reach("during_commit", committed.checkpoint.iterations)
        except BaseException as error:
            with self._lock:
                self._recordings.pop(run_id, None)
            if isinstance(error, _Vanished):
                return None
            self._segments.discard(prepared)
            raise
        with self._lock:
            self._recordings[run_id] = recording
        self._segments.forget(dropped)
        return files

    def append(self, run_id: str, loose: Loose) -> None:
        """See `Store.append`."""
        with self._database.writing() as db:
            run = _run(db, run_id, self._database)
            written = _append(db, run, loose)
            db.execute(
                "UPDATE runs SET updated = ?, row_bytes = row_bytes + ? WHERE run = ?",
                (time.time(), written, run),
            )

    def finish(self, run_id: str, ending: Ending) -> None:
        """See `Store.finish`."""
        data, best = pack_ending(ending), pack(dict(ending.best), "best")
        with self._database.writing() as db:
            run = _run(db, run_id, self._database)
            written = _append(db, run, ending.loose)
            db.execute(
                "UPDATE runs SET status = ?, reason = ?, elapsed = ?, best = ?, updated = ?, row_bytes = row_bytes + ? "
                "WHERE run = ?",
                (ending.status, bind(ending.reason), ending.elapsed, best, time.time(), written, run),
            )
            db.execute("UPDATE details SET ending = ? WHERE run = ?", (data, run))
            _replace_extras(db, run, ending.extras)
        with self._lock:
            self._recordings.pop(run_id, None)

    def forget(self, run_id: str) -> None:
        """The run is no more."""
        with self._lock:
            self._recordings.pop(run_id, None)

    def _new_keys(self, run_id: str, committed: Committed) -> set[str]:
        with self._lock:
            recording = self._recordings.get(run_id)
        keys = committed.checkpoint.keys
        new = set(keys) if recording is None else recording.keeping.missing(keys)
        return new | self._segments.damaged(keys)

    def _recording(self, db: sqlite3.Connection, run_id: str, iterations: int) -> Recording:
        """What the checkpoint after so many iterations is compared with; those from it on are forgotten."""
        row = db.execute(
            "SELECT run, commits, coalesce(parent_iteration + 1, 0) FROM runs WHERE run_id = ?", (run_id,)
        ).fetchone()
        if row is None:
            raise no_such_run(run_id, place(self._database.path))
        run, commits, start = row
        with self._lock:
            recording = self._recordings.pop(run_id, None)
        if recording is None or recording.commits != commits:
            recording = Recording(db, run, commits, start, self._budget)
        if recording.latest is not None and iterations <= recording.latest:
            truncate(db, run, iterations, start)
            recording = Recording(db, run, commits, start, self._budget)
        return recording

    def _close_commit(self, db: sqlite3.Connection, recording: Recording, committed: Committed) -> None:
        recording.commits += 1
        written = recording.written + _append(db, recording.run, committed.loose)
        recording.written = 0
        db.execute(
            "UPDATE runs SET iterations = ?, updated = ?, elapsed = ?, value_bytes = ?, commits = ?, "
            "row_bytes = row_bytes + ? WHERE run = ?",
            (committed.checkpoint.iterations, time.time(), committed.elapsed, recording.keeping.nbytes,
             recording.commits, written, recording.run),
        )  # fmt: skip
        _replace_extras(db, recording.run, committed.extras)


class _Vanished(Exception):
    """Values were removed before they were named."""


def _columns(head: RunHead) -> dict[str, Any]:
    plan: RunPlan = head.plan
    parent, iteration = head.parent or (None, None)
    return {
        "name": bind(plan.name),
        "status": "running",
        "reason": "",
        "most": None if plan.iterations is None else str(plan.iterations),
        "seed": str(plan.seed),
        "started": head.started,
        "updated": time.time(),
        "source": bind(head.source),
        "parent": parent,
        "parent_iteration": iteration,
    }


def _run(db: sqlite3.Connection, run_id: str, database: Database) -> int:
    row = db.execute("SELECT run FROM runs WHERE run_id = ?", (bind(run_id),)).fetchone()
    if row is None:
        raise no_such_run(run_id, place(database.path))
    return int(row[0])


def _append(db: sqlite3.Connection, run: int, loose: Loose) -> int:
    rows = [(run, "log", data) for data in pack_lines(loose.logs)]
    rows += [(run, "event", data) for data in pack_events(loose.events)]
    db.executemany("INSERT INTO lines (run, kind, data) VALUES (?, ?, ?)", rows)
    return sum(len(data) + 20 for _, _, data in rows)


def _replace_extras(db: sqlite3.Connection, run: int, extras: Mapping[str, Any] | None) -> None:
    if extras is not None:
        db.execute("UPDATE details SET extras = ? WHERE run = ?", (pack(dict(extras), "extras"), run))


def _forget_metrics(db: sqlite3.Connection, run: int, iterations: int) -> None:
    """Metrics that were streamed while an iteration ran that was never committed."""
    rows = db.execute(
        "SELECT id, data FROM metrics WHERE run = ? AND newest >= ?", (run, iterations)
    ).fetchall()
    for number, data in rows:
        columns, nodes = unpack_columns(data)
        kept = columns.iteration < iterations
        if not kept.any():
            db.execute("DELETE FROM metrics WHERE id = ?", (number,))
            continue
        left = only(columns, kept)
        db.execute(
            "UPDATE metrics SET newest = ?, data = ? WHERE id = ?",
            (int(left.iteration.max()), pack_columns(left, nodes), number),
        )
