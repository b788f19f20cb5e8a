"""`SqliteStore`: runs in a folder, with a database and files of big values; or all of it in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Event
from manta_nb.errors import StoreError
from manta_nb.store.choosing import latest_intact, without_damaged
from manta_nb.store.claims import Claims, FileClaims, MemoryClaims
from manta_nb.store.database import IN_MEMORY, Database
from manta_nb.store.failpoints import Failpoint
from manta_nb.store.files import PATIENCE, open_file
from manta_nb.store.folders import prepared
from manta_nb.store.ports import Read
from manta_nb.store.pruning import Places, counted, prune
from manta_nb.store.reading import Reading
from manta_nb.store.records import (
    Columns,
    Committed,
    Ending,
    GlobalVersion,
    IterationInfo,
    LogLine,
    Loose,
    Pruned,
    RunHead,
    RunInfo,
)
from manta_nb.store.retention import KEEP_GLOBALS_BYTES
from manta_nb.store.segments import Segments
from manta_nb.store.values import ValueFiles
from manta_nb.store.writing import Writing

__all__ = ["SqliteStore"]

#: how often a checkpoint is looked for while the run goes on, before what seems damaged is called so
_TRIES: Final = 50


class SqliteStore:
    """Implements `store.ports.Store` by SQLite.

    Args:
        folder: where `runs.db`, `values/` and `locks/` are, made where there is none; ":memory:" for none of that.
        keep_globals_bytes: bytes that all versions of a run's Globals may take (see `Keeping`).
        patience: seconds to wait for another program that writes.
        wal: whether to write ahead; None: wherever the file system can do it.

    Raises:
        StoreError: it cannot be opened; the message says why and what to do.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] = IN_MEMORY,
        *,
        keep_globals_bytes: int = KEEP_GLOBALS_BYTES,
        patience: float = PATIENCE,
        wal: bool | None = None,
    ) -> None:
        failpoint = Failpoint.from_environment(os.environ)
        self.notes: list[str] = []
        self._claims: Claims = MemoryClaims()
        self.states: Path | None = None
        files = None
        if folder == IN_MEMORY:
            self.where = "memory"
            self._database = Database(IN_MEMORY, patience, wal=False)
        else:
            path = prepared(Path(folder))
            self.where = str(path)
            self.states = path / "states"
            self._database = open_file(path, patience, wal, self.notes)
            self._claims = FileClaims(path / "locks")
            files = ValueFiles(path / "values")
        self._segments = Segments(self._database, files)
        self._reading = Reading(self._database, self._segments, lambda: self._claims.owners())
        self._writing = Writing(self._database, self._segments, keep_globals_bytes, failpoint)
        self._swept = False

    # --- one run being recorded -----------------------------------------------------------------------------

    def claim(self, run_id: str) -> Callable[[], None]:
        """See `Store`."""
        release = self._claims.claim(run_id)
        if not self._swept:
            # what a killed process has left goes when somebody wants to write anyway
            self._swept = True
            with suppress(StoreError):
                self._segments.sweep()
        return release

    def ask_to_stop(self, run_id: str, reason: str) -> None:
        """See `Store`."""
        self._claims.ask_to_stop(run_id, reason)

    def asked_to_stop(self, run_id: str) -> str | None:
        """See `Store`."""
        return self._claims.asked_to_stop(run_id)

    def begin(self, head: RunHead) -> None:
        """See `Store`."""
        self._writing.begin(head)

    def commit(self, run_id: str, committed: Committed, read: Read) -> None:
        """See `Store`."""
        self._writing.commit(run_id, committed, read)

    def append(self, run_id: str, loose: Loose) -> None:
        """See `Store`."""
        self._writing.append(run_id, loose)

    def finish(self, run_id: str, ending: Ending) -> None:
        """See `Store`."""
        self._writing.finish(run_id, ending)

    # --- reading ------------------------------------------------------------------------------------------------

    def runs(self) -> list[RunInfo]:
        """See `Store`."""
        return self._reading.runs()

    def info(self, run_id: str) -> RunInfo:
        """See `Store`."""
        return self._reading.info(run_id)

    def find(self, key: str) -> str:
        """See `Store`."""
        return self._reading.find(key)

    def head(self, run_id: str) -> RunHead:
        """See `Store`."""
        return self._reading.head(run_id)

    def ending(self, run_id: str) -> Ending | None:
        """See `Store`: less its log lines, events and extras, which `logs`, `events` and `extras` have."""
        return self._reading.ending(run_id)

    def extras(self, run_id: str) -> Mapping[str, Any]:
        """See `Store`."""
        return self._reading.extras(run_id)

    def checkpoint(self, run_id: str, iterations: int | None = None) -> Checkpoint:
        """See `Store`."""
        for _ in range(_TRIES):
            commits = self._reading.commits(run_id)
            try:
                checkpoint, note = self._choose(run_id, iterations, commits)
            except StoreError:
                if self._reading.commits(run_id) == commits:
                    raise
                continue
            # whoever records the run may have dropped values since; that is no damage
            if not note or self._reading.commits(run_id) == commits:
                self.notes += [note] if note and note not in self.notes else []
                return checkpoint
        return self._choose(run_id, iterations, self._reading.commits(run_id))[0]

    def _choose(self, run_id: str, iterations: int | None, commits: Sequence[int]) -> tuple[Checkpoint, str]:
        """A checkpoint, and what is to be said about it."""
        get, trouble = partial(self._reading.checkpoint, run_id), self._segments.trouble
        if iterations is None:
            return latest_intact(run_id, commits, get, trouble)
        return without_damaged(get(iterations), trouble)

    def iterations(self, run_id: str) -> list[IterationInfo]:
        """See `Store`."""
        return self._reading.iterations(run_id)

    def versions(self, run_id: str) -> list[GlobalVersion]:
        """See `Store`."""
        return self._reading.versions(run_id)

    def segment(self, key: str) -> memoryview:
        """See `Store`."""
        return self._segments.read(key)

    def metrics(self, run_id: str) -> list[Columns]:
        """See `Store`."""
        return self._reading.metrics(run_id)

    def logs(self, run_id: str) -> Iterable[LogLine]:
        """See `Store`."""
        return self._reading.logs(run_id)

    def events(self, run_id: str) -> list[Event]:
        """See `Store`."""
        return self._reading.events(run_id)

    # --- keeping house -----------------------------------------------------------------------------------------

    def prune(self, run_ids: Iterable[str], *, dry: bool = False) -> Pruned:
        """See `Store`."""
        wanted = tuple(dict.fromkeys(run_ids))
        for run_id in wanted:
            self.info(run_id)
        if dry:
            return counted(self._places(), wanted)
        pruned = prune(self._places(), wanted)
        for run_id in wanted:
            self._writing.forget(run_id)
        return pruned

    def nbytes(self) -> int:
        """See `Store`."""
        return self._places().nbytes()

    def close(self) -> None:
        """See `Store`."""
        self._claims.close()
        self._database.close()

    def _places(self) -> Places:
        return Places(self._database, self._segments, self._claims, self.states)
