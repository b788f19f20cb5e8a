"""The runs of a store and those of this kernel as one list: to look at, to reopen, to compare, to delete."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, overload
from weakref import WeakValueDictionary

from manta_nb.engine.wording import one_line
from manta_nb.errors import MissingTag
from manta_nb.render import Card, Shown, Table, plain
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.refusal import size_text
from manta_nb.session.compare import Comparison, compare, origin_text
from manta_nb.session.describing import near
from manta_nb.session.digest import seconds_text
from manta_nb.session.pastlist import PastRun, when_text
from manta_nb.session.plotting import MOST_RUNS
from manta_nb.session.pruning import PruneReport, prune
from manta_nb.session.views import View

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session
    from manta_nb.session.showing import Display
    from manta_nb.store.ports import Store

__all__ = ["SHOWN", "PastRuns"]

SHOWN = 20  #: rows of the table


class PastRuns(View, Sequence["Run"]):
    """All runs, oldest first; a run of a store is reopened when it is asked for, without any node.

    Args:
        store: that has them.
        live: the runs of this kernel.
        open_: reopens one of the store by its id.
        here: the notebook or file whose runs are shown first; "" where that is not known.
        metric: what runs are judged by; "": the first accuracy-like metric, else the first.

    Example:
        >>> manta_nb.runs                    # a table
        >>> manta_nb.runs["fl"].globals      # the latest run of that name
        >>> manta_nb.runs[-2:].compare("val_acc")
        >>> manta_nb.runs.prune(older=30)    # says what would go; dry=False deletes it
    """

    def __init__(
        self,
        store: Store,
        live: Callable[[], Sequence[Run]],
        open_: Callable[[str], Run],
        here: str = "",
        metric: str = "",
    ) -> None:
        self._store = store
        self._live = live
        self._open = open_
        self.here = here
        self.metric = metric
        #: ids of the runs of a slice; None: all there are
        self._chosen: list[str] | None = None
        #: runs that were opened, by id; lists may share them, so that a run is one object
        self.opened: WeakValueDictionary[str, Run] = WeakValueDictionary()
        #: shows the runs that are opened, and gives them nodes where they go on; a notebook sets both
        self.display: Display | None = None
        self.home: Callable[[Run], Session] | None = None

    def entries(self) -> list[PastRun]:
        """What is known of each run without reading it, oldest first."""
        live = {run.run_id: run for run in self._live()}
        infos = {info.run_id: info for info in self._store.runs()}
        chosen = None if self._chosen is None else set(self._chosen)
        found = [PastRun.of(run, infos.get(run_id), self.here) for run_id, run in live.items()]
        found += [
            PastRun.stored(info, self._store)
            for run_id, info in infos.items()
            if run_id not in live and (chosen is None or run_id in chosen)
        ]
        wanted = [run for run in found if chosen is None or run.run_id in chosen]
        return sorted(wanted, key=lambda run: (run.started, run.run_id))

    def find(self, key: str) -> PastRun:
        """The latest run of that name, or whose id begins so (at least 4 characters).

        Raises:
            MissingTag: there is none.
        """
        runs = self.entries()
        for run in reversed(runs):
            if run.name == key or (len(key) >= 4 and run.run_id.startswith(key)):
                return run
        names = list(dict.fromkeys(run.name for run in runs))
        near = did_you_mean(key, names)
        known = listed([shorten(plain(name), 40) for name in names], 6) or "none yet"
        raise MissingTag(one_line(f"no run {shorten(plain(key), 60)}{near}; there are: {known}"))

    @overload
    def __getitem__(self, key: int | str) -> Run: ...
    @overload
    def __getitem__(self, key: slice) -> PastRuns: ...
    def __getitem__(self, key: int | str | slice) -> Run | PastRuns:
        if isinstance(key, slice):
            return self._part(self.entries()[key])
        return self.open(self.find(key) if isinstance(key, str) else self.entries()[key])

    def only(self, keys: Sequence[str]) -> PastRuns:
        """The runs of these names or ids: of a name the latest."""
        return self._part([self.find(key) for key in keys])

    def latest(self) -> Run:
        """The latest run of this notebook, if it has one, else of all.

        Raises:
            MissingTag: there is none.
        """
        runs = self.entries()
        if not runs:
            raise MissingTag("there is no run yet")
        return self.open(([run for run in runs if self._is_here(run)] or runs)[-1])

    def open(self, found: PastRun) -> Run:
        """The run behind a row; the same object as long as anybody has it."""
        if found.live is not None:
            return found.live
        run = self.opened.get(found.run_id)
        # one that was resumed here knows more than the store; one that is over may have gone on elsewhere
        stale = (
            run is not None
            and run.finished
            and (run.status, run.iteration) != (found.status, found.iterations)
        )
        if run is None or stale:
            run = self.opened[found.run_id] = self._open(found.run_id)
            if self.home is not None:
                run.display, run._home = self.display, partial(self.home, run)
        return run

    def __len__(self) -> int:
        return len(self.entries())

    def __iter__(self) -> Iterator[Run]:
        return map(self.open, self.entries())

    def _ipython_key_completions_(self) -> list[str]:
        return list(dict.fromkeys(run.name for run in self.entries()))

    def compare(self, metric: str | None = None) -> Comparison:
        """These runs in one chart and one table; of all runs the latest twelve, of this notebook if it has any."""
        runs = self.entries()
        if self._chosen is None:
            runs = ([run for run in runs if self._is_here(run)] or runs)[-MOST_RUNS:]
        return compare([self.open(run) for run in runs], metric or self._judging(runs))

    def prune(
        self, *runs: str, older: float | None = None, keep: int | None = None, dry: bool = True
    ) -> PruneReport:
        """Delete runs from the store; first ask what would go. Those that go on are never deleted.

        Args:
            runs: names or ids; none: all that the other two choose.
            older: only those that have not changed for so many days.
            keep: all but the latest so many; 0: all.
            dry: only say which, and how many bytes that gives.

        Raises:
            MissingTag: there is no such run. UsageError: it goes on, or nothing says which ones to delete.
        """
        everything = self.entries()
        named = [self.find(name) for name in runs]
        return prune(self._store, everything, named, older, keep, dry)

    def table(self, limit: int | None = SHOWN, resume: str = "%manta resume") -> Shown:
        """The latest runs first, those of this notebook before all others; `limit` None: all of them.

        Interrupted runs say how to go on, by the command `resume`.
        """
        runs = self.entries()
        if not runs:
            return Card("no runs yet", [])
        rows = runs[::-1]
        rows.sort(key=lambda run: not self._is_here(run))
        columns = _columns(rows, runs, self.here, self.metric, resume)
        used = [index for index, (_, optional, cells) in enumerate(columns) if not optional or any(cells)]
        cells = [[columns[index][2][row] for index in used] for row in range(len(rows))]
        said = f"{len(runs)} run{'s' * (len(runs) > 1)}"
        if any(run.nbytes is not None for run in runs) and self._chosen is None:
            said += f" · {size_text(self._store.nbytes())} in {plain(near(self._store.where))}"
        return Table([columns[index][0] for index in used], cells, said, limit or len(rows))

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def _part(self, runs: Sequence[PastRun]) -> PastRuns:
        part = PastRuns(self._store, self._live, self._open, self.here, self.metric)
        part._chosen = [run.run_id for run in runs]
        part.opened, part.display, part.home = self.opened, self.display, self.home
        return part

    def _is_here(self, run: PastRun) -> bool:
        return run.live is not None or (bool(self.here) and run.source == self.here)

    def _judging(self, runs: Sequence[PastRun]) -> str | None:
        """The metric that was set, where one of the runs has it."""
        return self.metric if any(self.metric in run.metrics for run in runs) else None


Column = tuple[str, bool, list[object]]


def _columns(
    rows: Sequence[PastRun], runs: Sequence[PastRun], here: str, metric: str, resume: str
) -> list[Column]:
    """Heading, whether it is left out where nothing is in it, and cells."""
    now = time.time()
    names = {run.run_id: run.name for run in runs}
    latest = {run.name: run.run_id for run in runs}
    several = len({run.source for run in rows} | {here}) > 1

    def go_on(run: PastRun) -> str:
        if run.status != "interrupted":
            return ""
        plainly = run.name.isidentifier() and latest[run.name] == run.run_id and resume.startswith("%")
        return f"{resume} {run.name if plainly else run.run_id[:8]}"

    return [
        ("run", False, [shorten(plain(run.name), 40) for run in rows]),
        ("id", False, [run.run_id[:8] for run in rows]),
        ("status", False, [f"{run.status}, {plain(run.owner)}" if run.owner else run.status for run in rows]),
        ("iterations", False, [run.counted for run in rows]),
        ("best metric", False, [run.best_text(metric) for run in rows]),
        ("when", False, [when_text(run.started, now) for run in rows]),
        ("took", False, [seconds_text(run.elapsed) for run in rows]),
        ("size", False, ["in memory" if run.nbytes is None else size_text(run.nbytes) for run in rows]),
        ("of", True, [origin_text(run, names) for run in rows]),
        ("from", True, [_source(run, here) if several else "" for run in rows]),
        ("to go on", True, [go_on(run) for run in rows]),
    ]


def _source(run: PastRun, here: str) -> str:
    return "here" if here and run.source == here else shorten(plain(PurePath(run.source).name), 40)
