"""`Store`: what a session asks of a place that keeps runs. `MemoryStore` and `SqliteStore` do it, equally."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Event
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

__all__ = ["Read", "Store"]

#: all bytes of the segment with this key, as they lie in memory now
Read = Callable[[str], memoryview]


class Store(Protocol):
    """Keeps runs. Any thread may call it; one call writes at a time.

    What is written by `commit` is there after any kill of the process, all of it or nothing of it. Whatever cannot
    be written or read raises `StoreError`, which says what to do; a store is as it was before the call then.
    """

    #: for people: where it is, and what does not hold there
    where: str
    notes: list[str]
    #: folder for what nodes keep of their own, a folder a run in it; None where nothing outlives the process
    states: Path | None

    # --- one run being recorded -----------------------------------------------------------------------------

    def claim(self, run_id: str) -> Callable[[], None]:
        """Own a run: nobody else can, in this process or another one; returns what ends that.

        The death of the process ends it, too. Raises `StoreError` naming who has it.
        """

    def ask_to_stop(self, run_id: str, reason: str) -> None:
        """Let its owner, in whatever process, know that somebody wants it to stop; `StoreError` where it has none."""

    def asked_to_stop(self, run_id: str) -> str | None:
        """For the owner: the reason that somebody gave since the last time; None: nobody wants that."""

    def begin(self, head: RunHead) -> None:
        """A run begins, or goes on, perhaps with another limit; its status is `running`.

        Of a run that goes on, metrics of iterations that were not committed are forgotten.
        """

    def commit(self, run_id: str, committed: Committed, read: Read) -> None:
        """Keep an iteration in one transaction, with the segments of its checkpoint that are not there yet.

        Afterwards older values are dropped as retention says.
        """

    def append(self, run_id: str, loose: Loose) -> None:
        """Keep log lines and events between commits."""

    def finish(self, run_id: str, ending: Ending) -> None:
        """The run is over."""

    # --- reading ------------------------------------------------------------------------------------------------

    def runs(self) -> list[RunInfo]:
        """All runs, oldest first."""

    def info(self, run_id: str) -> RunInfo:
        """One run; `StoreError` where there is none."""

    def find(self, key: str) -> str:
        """The id of the latest run of that name, or whose id begins so (at least 4 characters)."""

    def head(self, run_id: str) -> RunHead:
        """What was asked for."""

    def ending(self, run_id: str) -> Ending | None:
        """How it ended; None where it has not."""

    def extras(self, run_id: str) -> Mapping[str, Any]:
        """See `Committed.extras`."""

    def checkpoint(self, run_id: str, iterations: int | None = None) -> Checkpoint:
        """The run after so many complete iterations (None: as many as there are), less the results not held any more.

        Where values of the latest one are damaged, the one before it is given, and `notes` says so.

        Raises:
            StoreError: there is no such iteration, or its Globals are no longer held.
        """

    def iterations(self, run_id: str) -> list[IterationInfo]:
        """The committed iterations."""

    def versions(self, run_id: str) -> list[GlobalVersion]:
        """Every change of every Global, oldest first."""

    def segment(self, key: str) -> memoryview:
        """All bytes of a segment; `StoreError` where it is not held or is damaged."""

    def metrics(self, run_id: str) -> list[Columns]:
        """The metrics, in the order they were committed."""

    def logs(self, run_id: str) -> Iterable[LogLine]:
        """The log lines, oldest first."""

    def events(self, run_id: str) -> list[Event]:
        """The events, oldest first."""

    # --- keeping house -----------------------------------------------------------------------------------------

    def prune(self, run_ids: Iterable[str], *, dry: bool = False) -> Pruned:
        """Delete these runs; those that are running are refused. `dry` only counts."""

    def nbytes(self) -> int:
        """Bytes on disk, all together."""

    def close(self) -> None:
        """Nothing is asked any more."""
