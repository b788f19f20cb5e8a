"""Lists of nodes as one number each: the same ones are named by every batch of every iteration."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from manta_nb.store.encoding import expand_names, squeeze_names

__all__ = ["Names"]

#: lists that are remembered; one of 10,000 nodes takes 80 kB
_MOST: Final = 64


class Names:
    """The lists of one run, in the table `names`."""

    def __init__(self, run: int) -> None:
        self._run = run
        self._ids: OrderedDict[tuple[str, ...], int] = OrderedDict()
        self._lists: dict[int, tuple[str, ...]] = {}
        #: bytes written so far
        self.written = 0

    def put(self, db: sqlite3.Connection, names: tuple[str, ...]) -> int:
        """The number of this list; it is written where it is new."""
        known = self._ids.get(names)
        if known is not None:
            self._ids.move_to_end(names)
            return known
        plain, squeezed = squeeze_names(names)
        digest = blake2b(plain, digest_size=16).digest()
        row = db.execute("SELECT id FROM names WHERE run = ? AND digest = ?", (self._run, digest)).fetchone()
        if row is None:
            self.written += len(squeezed)
            row = db.execute(
                "INSERT INTO names (run, digest, data) VALUES (?, ?, ?) RETURNING id",
                (self._run, digest, squeezed),
            ).fetchone()
        self._remember(names, row[0])
        return int(row[0])

    def get(self, db: sqlite3.Connection, number: int) -> tuple[str, ...]:
        """The list of this number."""
        if number not in self._lists:
            row = db.execute(
                "SELECT data FROM names WHERE run = ? AND id = ?", (self._run, number)
            ).fetchone()
            self._remember(expand_names(row[0] if row else b""), number)
        return self._lists[number]

    def _remember(self, names: tuple[str, ...], number: int) -> None:
        self._ids[names] = number
        self._lists[number] = names
        if len(self._ids) > _MOST:
            _, oldest = self._ids.popitem(last=False)
            del self._lists[oldest]
