"""The section `runs`: the latest runs of this kernel and of the store, and what can be done to each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from manta_nb.errors import StoreError
from manta_nb.session.pastlist import PastRun
from manta_nb.ui.panel.bests import Bests
from manta_nb.ui.panel.failures import Failures
from manta_nb.ui.panel.resuming import Resuming
from manta_nb.ui.panel.sections import Clock, Pace, Section
from manta_nb.ui.panel.texts import clean, finite, fitting, said

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.ui.panel.keeping import Keeper
    from manta_nb.ui.panel.protocol import RunRow
    from manta_nb.ui.panel.sources import Source

__all__ = ["RunsSection"]

#: runs that are told of, and bytes that they may take
MOST = 100
_ROOM = 80_000
#: characters of a name
_NAME = 100
#: runs that keep their tracebacks where room is short
_TRACED = 5
#: seconds between two looks into the store, where other kernels may write: at least, and whatever it costs
_STORE, _STORE_LONGEST = 3.0, 60.0


class RunsSection(Section):
    """The runs, latest first; those of this kernel as they are, those of others as they were some seconds ago.

    Args:
        source: whose runs these are.
        keeper: where those of the store come from.
        loaded: whether the magics are there.
        wake: called from a run's thread when something has changed.
    """

    def __init__(
        self,
        source: Source,
        keeper: Keeper,
        loaded: bool,
        wake: Callable[[], None],
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__()
        self._source = source
        self._keeper = keeper
        self._wake = wake
        self._pace = Pace(_STORE, clock, longest=_STORE_LONGEST)
        self._bests = Bests(clock)
        self._failures = Failures(source.traces)
        self._resuming = Resuming(source, keeper, loaded)
        self._stored: list[PastRun] = []
        self._metric = ""
        #: run → what ends our watching it
        self._watched: dict[str, tuple[Run, Callable[[], None]]] = {}
        #: the runs as they were looked at last, oldest first
        self.known: list[PastRun] = []

    def hurry(self) -> None:
        """The store may have something new."""
        self._pace.hurry()

    def update(self) -> None:
        """Look at the runs."""
        live = list(self._source.runs())
        self._watch(live)
        if due := self._pace.due():
            self._read()
        ids = {run.run_id for run in live}
        here = self._source.here
        found = [run for run in self._stored if run.run_id not in ids]
        found += [PastRun.of(run, None, here) for run in live]
        self.known = sorted(found, key=lambda run: (run.started, run.run_id))
        latest = self.known[: -MOST - 1 : -1]
        names = _latest_of_each_name(self.known, live)
        rows = [self._row(run, names.get(run.name) == run.run_id) for run in latest]
        if due:
            # what is read of a run that another kernel goes on with counts, too
            self._pace.done()
        made_of = (len(self.known), list(map(_timeless, rows)))
        if not self.is_of(made_of):
            self.put({"runs": _shortened(rows), "total": len(self.known)}, made_of)

    def close(self) -> None:
        """Nobody looks any more."""
        for _, unwatch in self._watched.values():
            unwatch()
        self._watched.clear()

    def _read(self) -> None:
        """The runs of earlier kernels, and of other ones that are there now."""
        try:
            past = self._keeper.past()
            self._stored = [run for run in past.entries() if run.live is None]
            self._metric = past.metric
        except StoreError:
            # a store that cannot be read now: what it had is still shown
            return

    def _watch(self, live: Sequence[Run]) -> None:
        """Be told of every change of the runs of this kernel."""
        for run in live[-MOST:]:
            known = self._watched.get(run.run_id)
            if known is None or known[0] is not run:
                if known is not None:
                    known[1]()
                self._watched[run.run_id] = (run, run.watch(lambda run: self._wake()))
        gone = self._watched.keys() - {run.run_id for run in live}
        for run_id in gone:
            self._watched.pop(run_id)[1]()

    def _row(self, run: PastRun, is_latest: bool) -> RunRow:
        cell = self._source.traces.start_of(run.run_id)
        can_resume, note = self._resuming.of(run)
        here = self._source.here
        return {
            "run_id": clean(run.run_id),
            "name": clean(run.name, _NAME),
            "status": clean(run.status),  # type: ignore[typeddict-item] # a store's may be any
            "reason": said(run.reason),
            "iteration": run.iterations,
            "iterations": run.limit,
            "elapsed": round(finite(run.elapsed), 2),
            "started": finite(run.started),
            "best": clean(self._bests.of(run, self._metric)),
            "live": run.live is not None,
            "here": run.live is not None or (bool(here) and run.source == here),
            "can_stop": run.active and (run.live is not None or bool(run.owner)),
            "can_resume": can_resume,
            "note": said(_owned(run) or note),
            "word": _word(run, is_latest),
            "cell": clean(cell.id) if cell is not None else "",
            "digest": cell.digest if cell is not None else "",
            "failure": self._failure(run),
        }

    def _failure(self, run: PastRun) -> Any:
        # those of this kernel need no store
        if run.status != "failed":
            return None
        try:
            return self._failures.of(run, self._keeper.store())
        except StoreError:
            return None


def _owned(run: PastRun) -> str:
    """Who executes a run that is none of this notebook; "" where nobody does."""
    if run.live is not None or not run.owner:
        return ""
    if run.owner.startswith(f"pid {os.getpid()} on "):
        return "on a Session made by hand: %manta use NAME shows its nodes"
    return f"in another kernel, {run.owner}"


def _word(run: PastRun, is_latest: bool) -> str:
    """What names it on a magic's line."""
    by_name = is_latest and run.name.isidentifier() and len(run.name) <= _NAME
    return run.name if by_name else clean(run.run_id[:8])


def _latest_of_each_name(known: Iterable[PastRun], live: Iterable[Run]) -> dict[str, str]:
    """Name → the run that it means on a magic's line: the latest one of this kernel, else the latest one."""
    return {run.name: run.run_id for run in known} | {run.name: run.run_id for run in live}


def _timeless(row: RunRow) -> dict[str, Any]:
    """A row less the clock, which a page has itself."""
    return {**row, "elapsed": None} if row["status"] in ("pending", "running", "stopping") else {**row}


def _shortened(rows: list[RunRow]) -> list[RunRow]:
    """As many rows as there is room for; where it is short, old runs do without their tracebacks first."""
    fit = fitting(rows, _ROOM)
    if len(fit) < len(rows):
        plain: list[RunRow] = []
        for number, row in enumerate(rows):
            failure = row["failure"]
            if failure is not None and number >= _TRACED:
                row = {**row, "failure": {**failure, "traceback": ""}}  # noqa: PLW2901 - the same row, shorter
            plain.append(row)
        fit = fitting(plain, _ROOM)
    return fit
