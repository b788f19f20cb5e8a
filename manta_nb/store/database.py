"""One SQLite database: a connection that writes, used by one thread at a time, and others that read meanwhile."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from manta_nb.errors import StoreError
from manta_nb.store.schema import migrate
from manta_nb.store.wording import DAMAGED, explained, place

__all__ = ["IN_MEMORY", "Database", "is_damage"]

IN_MEMORY: Final = ":memory:"
#: bytes up to which the whole database is checked when it is opened: some tens of milliseconds
_CHECK_BELOW: Final = 16 * 2**20
#: bytes that the log of changes may keep for itself
_JOURNAL_BYTES: Final = 16 * 2**20


class Database:
    """A database that is open, made where there is none.

    Args:
        path: the file, or `IN_MEMORY`.
        patience: seconds to wait for another program that writes.
        wal: whether readers and the writer shall not wait for one another, which takes memory shared by processes.
    """

    def __init__(self, path: Path | str, patience: float, *, wal: bool) -> None:
        self.path = path
        self._patience = patience
        #: held by whoever uses the connection that writes
        self._lock = threading.RLock()
        self._readers: list[sqlite3.Connection] = []
        #: held for a moment only, so that nobody who reads waits for one who writes
        self._pool = threading.Lock()
        self._closed = False
        with explained(path):
            self._writer = self._connect()
            try:
                #: whether it writes ahead, as was asked for
                self.wal = self._prepare(wal)
            except BaseException:
                self._writer.close()
                raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is done in it is on disk after it, or nothing is, where anything is raised."""
        with self._lock, explained(self.path):
            self._check_open()
            # IMMEDIATE: a transaction that reads first and writes then would fail at once if another one came between
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    with suppress(sqlite3.Error):
                        self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the database as it was at the first look, whatever is written meanwhile."""
        if self.path == IN_MEMORY:
            with self._lock, explained(self.path):
                self._check_open()
                yield self._writer
            return
        with explained(self.path):
            reader = self._take_reader()
            try:
                reader.execute("BEGIN")
                yield reader
            finally:
                self._give_back(reader)

    def shrink(self) -> None:
        """Give the room of deleted rows back to the disk."""
        with self._lock, explained(self.path):
            self._check_open()
            self._writer.execute("PRAGMA incremental_vacuum").fetchall()
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def nbytes(self) -> int:
        """Bytes of the database and its log."""
        if self.path == IN_MEMORY:
            with self.reading() as db:
                [pages] = db.execute("PRAGMA page_count").fetchone()
                [free] = db.execute("PRAGMA freelist_count").fetchone()
                return int(pages - free) * int(db.execute("PRAGMA page_size").fetchone()[0])
        total = 0
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                total += Path(f"{self.path}{suffix}").stat().st_size
        return total

    def close(self) -> None:
        """Close all connections; those that are reading right now close when they are done."""
        with self._lock:
            with self._pool:
                self._closed = True
                while self._readers:
                    self._readers.pop().close()
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        if self.path != IN_MEMORY:
            # nobody else's to read, whatever the folder is; SQLite gives its log the same mode. Only where there is
            # none yet: closing a file lets go of all locks that this process has on it
            with suppress(OSError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _prepare(self, wal: bool) -> bool:
        # counts only before there are tables
        self._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
        got = write_ahead(self._writer) if wal else False
        if not got and self.path != IN_MEMORY:
            self._writer.execute("PRAGMA journal_mode = DELETE").fetchone()
        self._writer.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}").fetchone()
        self._check()
        migrate(self._writer, place(self.path))
        return got

    def _check(self) -> None:
        if self.path != IN_MEMORY and Path(self.path).stat().st_size < _CHECK_BELOW:
            [said] = self._writer.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                damage = sqlite3.DatabaseError("quick_check")
                damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise damage

    def _take_reader(self) -> sqlite3.Connection:
        with self._pool:
            self._check_open()
            if self._readers:
                return self._readers.pop()
        return self._connect()

    def _give_back(self, reader: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            if reader.in_transaction:
                reader.execute("ROLLBACK")
        with self._pool:
            if not self._closed:
                self._readers.append(reader)
                return
        reader.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store at {place(self.path)} is closed: open it again")


def write_ahead(connection: sqlite3.Connection) -> bool:
    """Turn writing ahead on; False where this file system cannot do it."""
    try:
        [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        return bool(mode == "wal")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL}:
            return False
        raise


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file is no database, or a broken one."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
