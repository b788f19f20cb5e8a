"""Values in a database: small ones in it, big ones in files beside it, and which run keeps which."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from manta_nb.errors import StoreError
from manta_nb.sdk.names import shorten
from manta_nb.store.database import Database
from manta_nb.store.ports import Read
from manta_nb.store.values import ValueFiles
from manta_nb.store.wording import place

__all__ = ["Prepared", "Segments", "drop", "held_by", "hold"]

#: bytes up to which a value is kept in the database itself
SMALL: Final = 64 * 1024


@dataclass(frozen=True)
class Prepared:
    """A segment that is about to be named by a transaction."""

    key: str
    nbytes: int
    sha256: str
    #: None: it is in a file already
    data: bytes | None


class Segments:
    """The values of a store.

    Args:
        database: where they are named.
        files: where big ones go; None: into the database, too.
    """

    def __init__(self, database: Database, files: ValueFiles | None) -> None:
        self._database = database
        self._files = files
        self._lock = threading.Lock()
        #: those whose bytes have been compared with their hash by this process
        self._checked: set[str] = set()
        #: key → what is wrong with it
        self._damaged: dict[str, str] = {}

    # --- writing ----------------------------------------------------------------------------------------------

    def prepare(self, keys: Iterable[str], read: Read) -> list[Prepared]:
        """Take in the bytes of those that are not there, or are there but damaged."""
        wanted = frozenset(keys)
        missing = set(wanted)
        with self._database.reading() as db:
            missing -= _known(db, missing)
        return [self._prepared(key, read(key)) for key in missing | self.damaged(wanted)]

    def _prepared(self, key: str, data: memoryview) -> Prepared:
        view = data.cast("B") if data.nbytes else memoryview(b"")
        if self._files is not None and view.nbytes > SMALL:
            return Prepared(key, view.nbytes, self._files.write(view), None)
        small = bytes(view)
        return Prepared(key, len(small), sha256(small).hexdigest(), small)

    def damaged(self, keys: Iterable[str]) -> set[str]:
        """Those of these segments that are known to be damaged."""
        with self._lock:
            return self._damaged.keys() & set(keys) if self._damaged else set()

    def insert(self, db: sqlite3.Connection, prepared: Iterable[Prepared], needed: Iterable[str]) -> bool:
        """Name what was prepared; False where somebody has removed some of `needed` since then."""
        fresh = [(item.key, item.nbytes, item.sha256, item.data) for item in prepared]
        db.executemany(
            "INSERT INTO segments (key, nbytes, sha256, data) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET nbytes = excluded.nbytes, sha256 = excluded.sha256, data = excluded.data",
            fresh,
        )
        in_files = [digest for _, _, digest, data in fresh if data is None]
        return (self._files is None or self._files.exist(in_files)) and set(needed) <= _known(db, needed)

    def discard(self, prepared: Iterable[Prepared]) -> None:
        """These will not be named after all."""
        with suppress(StoreError):
            self.remove(item.sha256 for item in prepared if item.data is None)

    def written(self, prepared: Iterable[Prepared]) -> None:
        """These are committed: whatever was wrong with them is not any more."""
        with self._lock:
            for item in prepared:
                self._damaged.pop(item.key, None)

    def remove(self, digests: Iterable[str]) -> None:
        """Remove the files with these hashes, as far as nothing names them."""
        doubtful = list(digests)
        if self._files is None or not doubtful:
            return
        # in a transaction: whoever has just written such a file has not named it yet, and looks for it when it does
        with self._database.writing() as db:
            self._files.remove(set(doubtful) - _named(db, doubtful))

    def sweep(self) -> None:
        """Remove the files that a killed process has left."""
        if self._files is None or not (strays := self._files.strays()):
            return
        with self._database.writing() as db:
            named = _named(db, [path.name for path in strays])
            for path in strays:
                if path.name not in named:
                    with suppress(OSError):
                        path.unlink(missing_ok=True)

    # --- reading -----------------------------------------------------------------------------------------------

    def read(self, key: str) -> memoryview:
        """All bytes of a segment, mapped from its file where it has one.

        They are compared with their hash when this process first asks for them.
        """
        with self._database.reading() as db:
            row = db.execute(
                "SELECT nbytes, sha256, data FROM segments WHERE key = ?", (_text(key),)
            ).fetchone()
        if row is None:
            raise StoreError(f"value {shorten(ascii(key), 40)} is no longer held in {self._where()}")
        nbytes, digest, data = row
        try:
            view = memoryview(data) if data is not None else self._map(digest, nbytes)
            self._check(key, view, digest)
        except StoreError as error:
            with self._lock:
                self._damaged[key] = str(error)
            raise
        return view

    def trouble(self, keys: Iterable[str]) -> dict[str, str]:
        """Those of these segments that cannot be read → what is wrong with them."""
        found = {}
        for key in keys:
            if key not in self._checked or key in self._damaged:
                try:
                    self.read(key)
                except StoreError as error:
                    found[key] = str(error)
        return found

    def forget(self, keys: Iterable[str]) -> None:
        """These are no longer held."""
        with self._lock:
            for key in keys:
                self._checked.discard(key)
                self._damaged.pop(key, None)

    def nbytes(self) -> int:
        """Bytes of the files."""
        return 0 if self._files is None else self._files.nbytes()

    def _check(self, key: str, view: memoryview, digest: str) -> None:
        if key in self._checked:
            return
        if sha256(view).hexdigest() != digest:
            where = self._files.path(digest) if len(view) > SMALL and self._files else self._database.path
            raise StoreError(f"{place(where)} is damaged: the bytes of a value in it have changed")
        with self._lock:
            self._checked.add(key)

    def _map(self, digest: str, nbytes: int) -> memoryview:
        if self._files is None:
            raise StoreError(
                f"a value is not in {self._where()}, but in a file that belongs to another store"
            )
        return self._files.read(digest, nbytes)

    def _where(self) -> str:
        return place(self._database.path)


def held_by(db: sqlite3.Connection, run: int) -> dict[str, int]:
    """Segments that a run keeps → bytes."""
    rows = db.execute("SELECT key, nbytes FROM held JOIN segments USING (segment) WHERE run = ?", (run,))
    return dict(rows.fetchall())


def hold(db: sqlite3.Connection, run: int, keys: Iterable[str]) -> None:
    """A run keeps these from now on."""
    db.executemany(
        "INSERT OR IGNORE INTO held SELECT ?, segment FROM segments WHERE key = ?",
        [(run, _text(key)) for key in keys],
    )


def drop(db: sqlite3.Connection, run: int, keys: Iterable[str]) -> list[str]:
    """A run no longer keeps these, and what no run keeps is gone; returns the hashes of files that may be left."""
    files = []
    for key in keys:
        row = db.execute(
            "SELECT segment, sha256, data IS NULL FROM segments WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            continue
        segment, digest, is_file = row
        db.execute("DELETE FROM held WHERE run = ? AND segment = ?", (run, segment))
        gone = db.execute(
            "DELETE FROM segments WHERE segment = ? AND NOT EXISTS (SELECT 1 FROM held WHERE held.segment = ?)",
            (segment, segment),
        )
        if gone.rowcount and is_file:
            files.append(digest)
    return files


def _known(db: sqlite3.Connection, keys: Iterable[str]) -> set[str]:
    query = "SELECT 1 FROM segments WHERE key = ?"
    return {key for key in keys if db.execute(query, (_text(key),)).fetchone() is not None}


def _named(db: sqlite3.Connection, digests: Iterable[str]) -> set[str]:
    query = "SELECT 1 FROM segments WHERE sha256 = ? AND data IS NULL"
    return {digest for digest in digests if db.execute(query, (digest,)).fetchone() is not None}


def _text(key: str) -> str:
    """`key`, which comes from outside, as SQLite can take it; no key that is held changes by it."""
    return key.encode("utf-8", "replace").decode()
