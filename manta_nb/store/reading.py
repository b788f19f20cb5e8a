"""Everything that is read of runs from a database."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Event
from manta_nb.errors import StoreError
from manta_nb.store.database import Database
from manta_nb.store.encoding import (
    unpack,
    unpack_columns,
    unpack_ending,
    unpack_events,
    unpack_head,
    unpack_lines,
)
from manta_nb.store.finding import found, shown_status
from manta_nb.store.names import Names
from manta_nb.store.records import (
    Columns,
    Ending,
    GlobalVersion,
    IterationInfo,
    LogLine,
    RunHead,
    RunInfo,
)
from manta_nb.store.rows import bind, read_checkpoint, read_versions, text_of
from manta_nb.store.segments import Segments, held_by
from manta_nb.store.wording import no_such_run, place

__all__ = ["Reading"]

_INFO = (
    "SELECT run_id, name, status, reason, iterations, most, seed, started, updated, elapsed, value_bytes + row_bytes, "
    "source, parent, parent_iteration, best FROM runs"
)


class Reading:
    """What one store reads. Any thread may call it; nothing here waits for what is written meanwhile.

    Args:
        owners: run → who has it.
    """

    def __init__(
        self, database: Database, segments: Segments, owners: Callable[[], Mapping[str, str]]
    ) -> None:
        self._database = database
        self._segments = segments
        self._owners = owners

    def runs(self) -> list[RunInfo]:
        """See `Store.runs`."""
        owners = self._owners()
        with self._database.reading() as db:
            rows = db.execute(f"{_INFO} ORDER BY run").fetchall()
        return [_info(row, owners) for row in rows]

    def info(self, run_id: str) -> RunInfo:
        """See `Store.info`."""
        # the owner first: who lets go of a run has written its end before
        owners = self._owners()
        with self._database.reading() as db:
            row = db.execute(f"{_INFO} WHERE run_id = ?", (bind(run_id),)).fetchone()
        if row is None:
            raise self._none(run_id)
        return _info(row, owners)

    def find(self, key: str) -> str:
        """See `Store.find`."""
        with self._database.reading() as db:
            rows = db.execute("SELECT run_id, name FROM runs ORDER BY run DESC").fetchall()
        return found(key, [(run_id, text_of(name)) for run_id, name in rows], place(self._database.path))

    def head(self, run_id: str) -> RunHead:
        """See `Store.head`."""
        return unpack_head(self._detail(run_id, "head"))

    def ending(self, run_id: str) -> Ending | None:
        """See `Store.ending`."""
        data = self._detail(run_id, "ending")
        return None if data is None else unpack_ending(data)

    def extras(self, run_id: str) -> Mapping[str, Any]:
        """See `Store.extras`."""
        data = self._detail(run_id, "extras")
        extras: dict[str, Any] = {} if data is None else unpack(data)
        return extras

    def checkpoint(self, run_id: str, iterations: int) -> Checkpoint:
        """The checkpoint after so many iterations, less the results that are not held any more."""
        with self._database.reading() as db:
            run = self._run(db, run_id)
            row = db.execute(
                "SELECT 1 FROM checkpoints WHERE run = ? AND iterations = ?", (run, iterations)
            ).fetchone()
            if row is None:
                raise StoreError(
                    f"run {run_id[:8]} has nothing committed after {iterations} iterations: "
                    "run.held() lists what there is"
                )
            checkpoint = read_checkpoint(db, run, iterations, Names(run))
            gone = checkpoint.keys - held_by(db, run).keys()
        if lost := checkpoint.lost(gone):
            raise StoreError(
                f"the Globals of run {run_id[:8]} after {iterations} iterations are no longer held "
                f"({len(lost)} of {len(checkpoint.globals)}): `held` in run.iterations tells which are"
            )
        return checkpoint.without(gone)

    def commits(self, run_id: str) -> list[int]:
        """After how many iterations there are checkpoints, oldest first."""
        with self._database.reading() as db:
            query = "SELECT iterations FROM checkpoints WHERE run = ? ORDER BY iterations"
            return [number for (number,) in db.execute(query, (self._run(db, run_id),))]

    def iterations(self, run_id: str) -> list[IterationInfo]:
        """See `Store.iterations`."""
        with self._database.reading() as db:
            run = self._run(db, run_id)
            query = "SELECT iterations FROM checkpoints WHERE run = ? ORDER BY iterations"
            past = [number for (number,) in db.execute(query, (run,))]
            versions, held = read_versions(db, run), held_by(db, run)
            query = "SELECT iteration, moved FROM iterations WHERE run = ? ORDER BY iteration"
            moved = db.execute(query, (run,)).fetchall()
        whole, current, at = set(), dict[str, str | None](), 0
        for number in past:
            while at < len(versions) and versions[at].iterations <= number:
                current[versions[at].tag] = versions[at].key
                at += 1
            if all(key is None or key in held for key in current.values()):
                whole.add(number)
        return [IterationInfo(number, bytes_, number + 1 in whole) for number, bytes_ in moved]

    def versions(self, run_id: str) -> list[GlobalVersion]:
        """See `Store.versions`."""
        with self._database.reading() as db:
            run = self._run(db, run_id)
            versions, held = read_versions(db, run), held_by(db, run)
        return [
            GlobalVersion(tag, iterations - 1, ref.nbytes, ref if ref.segment.key in held else None)
            for iterations, tag, changed, ref in versions
            if changed and ref is not None
        ]

    def metrics(self, run_id: str) -> list[Columns]:
        """See `Store.metrics`."""
        with self._database.reading() as db:
            run = self._run(db, run_id)
            names = Names(run)
            rows = db.execute("SELECT data FROM metrics WHERE run = ? ORDER BY id", (run,)).fetchall()
            tables = [unpack_columns(data) for (data,) in rows]
            return [replace(columns, nodes=names.get(db, number)) for columns, number in tables]

    def logs(self, run_id: str) -> Iterator[LogLine]:
        """See `Store.logs`."""
        return (line for data in self._lines(run_id, "log") for line in unpack_lines(data))

    def events(self, run_id: str) -> list[Event]:
        """See `Store.events`."""
        return [event for data in self._lines(run_id, "event") for event in unpack_events(data)]

    def _lines(self, run_id: str, kind: str) -> Iterator[bytes]:
        """Piece after piece, so that no more than one is in memory, and no reader keeps the database from shrinking."""
        with self._database.reading() as db:
            run = self._run(db, run_id)
        return self._pieces(run, kind)

    def _pieces(self, run: int, kind: str) -> Iterator[bytes]:
        query = "SELECT id, data FROM lines WHERE run = ? AND kind = ? AND id > ? ORDER BY id LIMIT 64"
        after = -1
        while True:
            with self._database.reading() as db:
                rows = db.execute(query, (run, kind, after)).fetchall()
            if not rows:
                return
            yield from (data for _, data in rows)
            after = rows[-1][0]

    def _detail(self, run_id: str, column: str) -> Any:
        with self._database.reading() as db:
            run = self._run(db, run_id)
            return db.execute(f"SELECT {column} FROM details WHERE run = ?", (run,)).fetchone()[0]  # noqa: S608 - our own names

    def _run(self, db: sqlite3.Connection, run_id: str) -> int:
        row = db.execute("SELECT run FROM runs WHERE run_id = ?", (bind(run_id),)).fetchone()
        if row is None:
            raise self._none(run_id)
        return int(row[0])

    def _none(self, run_id: str) -> StoreError:
        return no_such_run(run_id, place(self._database.path))


def _info(row: tuple[Any, ...], owners: Mapping[str, str]) -> RunInfo:
    run_id, name, status, reason, iterations, most, seed, started, updated, elapsed, nbytes = row[:11]
    source, parent, parent_iteration, best = row[11:]
    owner = owners.get(run_id, "")
    return RunInfo(
        run_id,
        text_of(name),
        shown_status(status, owner),
        text_of(reason),
        iterations,
        None if most is None else int(most),
        int(seed),
        _number(started),
        _number(updated),
        _number(elapsed),
        nbytes,
        text_of(source),
        None if parent is None else (parent, parent_iteration),
        {} if best is None else unpack(best),
        owner,
    )


def _number(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return math.nan if value is None else value
