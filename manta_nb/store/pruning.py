"""Deleting runs: only those that nobody has, each while it is owned by whoever deletes it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from manta_nb.errors import StoreError
from manta_nb.store.claims import Claims
from manta_nb.store.database import Database
from manta_nb.store.folders import tree_bytes
from manta_nb.store.records import Pruned
from manta_nb.store.segments import Segments, drop, held_by
from manta_nb.store.wording import check_run_id

__all__ = ["Places", "counted", "prune"]


class Places(NamedTuple):
    """All that a store keeps runs in."""

    database: Database
    segments: Segments
    claims: Claims
    states: Path | None

    def nbytes(self) -> int:
        """Bytes of all of it."""
        states = 0 if self.states is None else tree_bytes(self.states)
        return self.database.nbytes() + self.segments.nbytes() + states

    def states_of(self, run_id: str) -> Path | None:
        """The folder of what nodes keep of their own in this run."""
        return None if self.states is None else self.states / check_run_id(run_id)


def counted(places: Places, run_ids: Sequence[str]) -> Pruned:
    """About what deleting these runs would give back."""
    owners = places.claims.owners()
    for run_id in run_ids:
        if run_id in owners:
            raise _running(run_id, owners[run_id])
    with places.database.reading() as db:
        back = _own_bytes(db, run_ids)
    folders = (places.states_of(run_id) for run_id in run_ids)
    back += sum(tree_bytes(folder) for folder in folders if folder is not None)
    return Pruned(tuple(run_ids), back, max(places.nbytes() - back, 0))


def prune(places: Places, run_ids: Sequence[str]) -> Pruned:
    """Delete these runs."""
    before = places.nbytes()
    with ExitStack() as claimed:
        for run_id in run_ids:
            claimed.callback(places.claims.claim(run_id))
        with places.database.writing() as db:
            files = [digest for run_id in run_ids for digest in _delete(db, run_id, places.segments)]
        places.segments.remove(files)
        for run_id in run_ids:
            places.claims.forget(run_id)
            if (folder := places.states_of(run_id)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
    places.segments.sweep()
    places.database.shrink()
    left = places.nbytes()
    return Pruned(tuple(run_ids), max(before - left, 0), left)


def _running(run_id: str, owner: str) -> StoreError:
    return StoreError(f"run {run_id[:8]} cannot be deleted while it is in use by {owner}: stop it first")


def _delete(db: sqlite3.Connection, run_id: str, segments: Segments) -> list[str]:
    [run] = db.execute("SELECT run FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    held = held_by(db, run)
    files = drop(db, run, held)
    segments.forget(held)
    db.execute("DELETE FROM runs WHERE run = ?", (run,))
    return files


def _own_bytes(db: sqlite3.Connection, run_ids: Sequence[str]) -> int:
    """About what these runs take, less the values that others keep, too."""
    total = 0
    holders: dict[str, set[int]] = {}
    sizes: dict[str, int] = {}
    for run_id in run_ids:
        run, rows = db.execute("SELECT run, row_bytes FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        total += rows
        for key, nbytes in held_by(db, run).items():
            holders.setdefault(key, set()).add(run)
            sizes[key] = nbytes
    query = "SELECT count(*) FROM held JOIN segments USING (segment) WHERE key = ?"
    for key, runs in holders.items():
        if db.execute(query, (key,)).fetchone()[0] == len(runs):
            total += sizes[key]
    return total
