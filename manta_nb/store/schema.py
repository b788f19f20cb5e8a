"""The tables, and how a database of an earlier version becomes one of this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from manta_nb.errors import StoreError

__all__ = ["MIGRATIONS", "migrate"]

#: tells a database of manta_nb from those of other programs
_APPLICATION: Final = 0x4D414E54

_FIRST: Final = (
    # `iterations`: committed ones; `most`: those asked for. Texts of any kind and numbers of any size are as
    # `rows.text_of` and `str` make them; `commits` changes with every commit.
    """CREATE TABLE runs (
        run INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, name NOT NULL, status TEXT NOT NULL, reason NOT NULL,
        iterations INTEGER NOT NULL DEFAULT 0, most TEXT, seed TEXT NOT NULL, started REAL, updated REAL,
        elapsed REAL DEFAULT 0, value_bytes INTEGER NOT NULL DEFAULT 0, row_bytes INTEGER NOT NULL DEFAULT 0,
        commits INTEGER NOT NULL DEFAULT 0, source NOT NULL, parent TEXT, parent_iteration INTEGER, best BLOB)""",
    """CREATE TABLE details (
        run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, head BLOB NOT NULL, extras BLOB, ending BLOB)""",
    # one for each complete iteration
    """CREATE TABLE iterations (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, iteration INTEGER NOT NULL, moved INTEGER NOT NULL,
        PRIMARY KEY (run, iteration)) WITHOUT ROWID""",
    # one for each commit; `iterations`: how many were complete then
    """CREATE TABLE checkpoints (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, iterations INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (run, iterations)) WITHOUT ROWID""",
    # where the value of a Global lies from a checkpoint on; `key` NULL: there is none from there on.
    # `changed` 0: the same value, but lying elsewhere
    """CREATE TABLE versions (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, iterations INTEGER NOT NULL, tag NOT NULL,
        changed INTEGER NOT NULL, key TEXT, holder, size INTEGER, start INTEGER, nbytes INTEGER,
        PRIMARY KEY (run, iterations, tag)) WITHOUT ROWID""",
    # readable results: in the checkpoints from `since` on and before `until`
    """CREATE TABLE batches (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, batch INTEGER NOT NULL, since INTEGER NOT NULL,
        until INTEGER, key TEXT, data BLOB NOT NULL, PRIMARY KEY (run, batch)) WITHOUT ROWID""",
    # lists of nodes: most of them are needed again and again
    """CREATE TABLE names (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, digest BLOB NOT NULL,
        data BLOB NOT NULL, UNIQUE (run, digest))""",
    """CREATE TABLE metrics (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        iterations INTEGER NOT NULL, newest INTEGER NOT NULL, data BLOB NOT NULL)""",
    "CREATE INDEX metrics_of_run ON metrics (run)",
    """CREATE TABLE lines (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, kind TEXT NOT NULL,
        data BLOB NOT NULL)""",
    "CREATE INDEX lines_of_run ON lines (run, kind)",
    # values; `data` NULL: in the file of that hash
    """CREATE TABLE segments (
        segment INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, nbytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
        data BLOB)""",
    "CREATE INDEX files ON segments (sha256) WHERE data IS NULL",
    # which run keeps which values: a run that was forked from another shares some with it
    """CREATE TABLE held (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, segment INTEGER NOT NULL REFERENCES segments,
        PRIMARY KEY (run, segment)) WITHOUT ROWID""",
    "CREATE INDEX holders ON held (segment)",
)

#: the n-th makes a database of version n out of one of version n - 1; what was released is never changed
MIGRATIONS: Final[Sequence[Sequence[str]]] = (_FIRST,)


def migrate(
    connection: sqlite3.Connection, where: str, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring the database up to date, all at once or not at all.

    Raises:
        StoreError: it belongs to another program, or to a newer version of this one.
    """
    if _version(connection, where, len(migrations)) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in migrations[_version(connection, where, len(migrations)) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, where: str, newest: int) -> int:
    [version] = connection.execute("PRAGMA user_version").fetchone()
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != _APPLICATION:
        raise StoreError(f"{where} belongs to another program: set MANTA_HOME to another folder")
    if version > newest:
        raise StoreError(
            f"{where} was written by a newer manta_nb (version {version}, this one knows {newest}): "
            "upgrade manta_nb, or set MANTA_HOME to another folder"
        )
    return int(version)
