"""`MemoryStore`: runs as long as this process lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Event
from manta_nb.errors import StoreError
from manta_nb.sdk.names import shorten
from manta_nb.store.claims import MemoryClaims
from manta_nb.store.encoding import unpack, unpack_ending, unpack_head
from manta_nb.store.finding import found
from manta_nb.store.memory_run import MemoryRun
from manta_nb.store.ports import Read
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
from manta_nb.store.wording import check_run_id, no_such_run

__all__ = ["MemoryStore"]


class MemoryStore:
    """Implements `store.ports.Store` by plain objects.

    Args:
        keep_globals_bytes: bytes that all versions of a run's Globals may take (see `Keeping`).
    """

    def __init__(self, *, keep_globals_bytes: int = KEEP_GLOBALS_BYTES) -> None:
        self.where = "memory"
        self.notes: list[str] = []
        self.states: Path | None = None
        self._budget = keep_globals_bytes
        self._runs: dict[str, MemoryRun] = {}
        self._values: dict[str, bytes] = {}
        self._claims = MemoryClaims()
        self._lock = threading.RLock()

    # --- one run being recorded -----------------------------------------------------------------------------

    def claim(self, run_id: str) -> Callable[[], None]:
        """See `Store`."""
        return self._claims.claim(run_id)

    def ask_to_stop(self, run_id: str, reason: str) -> None:
        """See `Store`."""
        self._claims.ask_to_stop(run_id, reason)

    def asked_to_stop(self, run_id: str) -> str | None:
        """See `Store`."""
        return self._claims.asked_to_stop(run_id)

    def begin(self, head: RunHead) -> None:
        """See `Store`."""
        run_id = check_run_id(head.plan.run_id)
        with self._lock:
            if run_id in self._runs:
                self._runs[run_id].begin(head)
            else:
                self._runs[run_id] = MemoryRun(head, self._budget)

    def commit(self, run_id: str, committed: Committed, read: Read) -> None:
        """See `Store`."""
        with self._lock:
            run = self._run(run_id)
            missing = committed.checkpoint.keys - self._values.keys()
        values = {key: bytes(read(key)) for key in missing}
        with self._lock:
            dropped = run.commit(committed)
            self._values |= values
            self._drop(dropped)

    def append(self, run_id: str, loose: Loose) -> None:
        """See `Store`."""
        with self._lock:
            self._run(run_id).append(loose)

    def finish(self, run_id: str, ending: Ending) -> None:
        """See `Store`."""
        with self._lock:
            self._run(run_id).finish(ending)

    # --- reading ------------------------------------------------------------------------------------------------

    def runs(self) -> list[RunInfo]:
        """See `Store`."""
        owners = self._claims.owners()
        with self._lock:
            return [run.info(owners.get(run_id, "")) for run_id, run in self._runs.items()]

    def info(self, run_id: str) -> RunInfo:
        """See `Store`."""
        owners = self._claims.owners()
        with self._lock:
            return self._run(run_id).info(owners.get(run_id, ""))

    def find(self, key: str) -> str:
        """See `Store`."""
        with self._lock:
            names = [(run_id, unpack_head(run.head).plan.name) for run_id, run in self._runs.items()]
        return found(key, names[::-1], self.where)

    def head(self, run_id: str) -> RunHead:
        """See `Store`."""
        with self._lock:
            return unpack_head(self._run(run_id).head)

    def ending(self, run_id: str) -> Ending | None:
        """See `Store`: less its log lines, events and extras, which `logs`, `events` and `extras` have."""
        with self._lock:
            data = self._run(run_id).ending
        return None if data is None else unpack_ending(data)

    def extras(self, run_id: str) -> Mapping[str, Any]:
        """See `Store`."""
        with self._lock:
            extras: dict[str, Any] = unpack(self._run(run_id).extras)
        return extras

    def checkpoint(self, run_id: str, iterations: int | None = None) -> Checkpoint:
        """See `Store`."""
        with self._lock:
            return self._run(run_id).checkpoint(iterations)

    def iterations(self, run_id: str) -> list[IterationInfo]:
        """See `Store`."""
        with self._lock:
            return self._run(run_id).iterations()

    def versions(self, run_id: str) -> list[GlobalVersion]:
        """See `Store`."""
        with self._lock:
            return self._run(run_id).versions()

    def segment(self, key: str) -> memoryview:
        """See `Store`."""
        with self._lock:
            data = self._values.get(key)
        if data is None:
            raise StoreError(f"value {shorten(ascii(key), 40)} is no longer held in {self.where}")
        return memoryview(data)

    def metrics(self, run_id: str) -> list[Columns]:
        """See `Store`."""
        with self._lock:
            return self._run(run_id).metrics()

    def logs(self, run_id: str) -> Iterable[LogLine]:
        """See `Store`."""
        with self._lock:
            return iter(list(self._run(run_id).logs))

    def events(self, run_id: str) -> list[Event]:
        """See `Store`."""
        with self._lock:
            return list(self._run(run_id).events)

    # --- keeping house -----------------------------------------------------------------------------------------

    def prune(self, run_ids: Iterable[str], *, dry: bool = False) -> Pruned:
        """See `Store`."""
        wanted = tuple(dict.fromkeys(run_ids))
        owners = self._claims.owners()
        with self._lock:
            for run_id in wanted:
                self._run(run_id)
                if run_id in owners:
                    raise StoreError(f"run {run_id[:8]} is in use by {owners[run_id]}: stop it first")
            kept, before = dict(self._runs), self.nbytes()
            values = dict(self._values)
            for run_id in wanted:
                keys = self._runs.pop(run_id).keeping.keys()
                self._drop(keys)
            left = self.nbytes()
            if dry:
                self._runs, self._values = kept, values
        return Pruned(wanted, before - left, left)

    def nbytes(self) -> int:
        """See `Store`."""
        with self._lock:
            runs = sum(run.nbytes - run.keeping.nbytes for run in self._runs.values())
            return runs + sum(map(len, self._values.values()))

    def close(self) -> None:
        """See `Store`."""
        self._claims.close()

    def _drop(self, keys: Iterable[str]) -> None:
        """Forget these values, as far as no run keeps them."""
        for key in keys:
            if all(run.keeping.missing([key]) for run in self._runs.values()):
                self._values.pop(key, None)

    def _run(self, run_id: str) -> MemoryRun:
        if run_id not in self._runs:
            raise no_such_run(run_id, self.where)
        return self._runs[run_id]
