"""The section `chosen`: Globals and Results of one run, and the code that reads each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from manta_nb.errors import StoreError
from manta_nb.sdk.names import natural_key
from manta_nb.session.pastlist import PastRun
from manta_nb.ui.panel.sections import Clock, Pace, Section
from manta_nb.ui.panel.texts import clean, fitting, said
from manta_nb.ui.panel.values import LiveValues, ResultAt, StoredValues, Values

if TYPE_CHECKING:
    from manta_nb.engine.records import ValueRef
    from manta_nb.session.run import Run
    from manta_nb.ui.panel.keeping import Keeper
    from manta_nb.ui.panel.protocol import Chosen, GlobalRow, ResultRow
    from manta_nb.ui.panel.sources import Source

__all__ = ["ChosenSection", "by_default", "find_chosen"]

#: rows of each kind, nodes of a row, and bytes that the rows of each kind may take
_MOST, _NODES, _ROOM = 500, 200, 30_000
#: nodes that are put in order
_SORTED = 500
_PAUSE = 0.5
#: where the class of runs is defined, which needs Dask
_RUNS = "manta_nb.session.run"
_GONE = "this run is not there any more"


def by_default(known: Sequence[PastRun], here: str) -> str:
    """The id of the run that is shown where none was chosen: the latest of this notebook, else of all; ""."""
    latest = known[::-1]
    ours = (run for run in latest if run.live is not None)
    from_here = (run for run in latest if here and run.source == here)
    found = next(ours, None) or next(from_here, None) or next(iter(latest), None)
    return found.run_id if found is not None else ""


def find_chosen(known: Sequence[PastRun], run_id: str) -> PastRun | None:
    """The run with that id; None where it has gone."""
    return next((run for run in reversed(known) if run.run_id == run_id), None)


class ChosenSection(Section):
    """The values of one run as they are after its latest committed iteration.

    Args:
        source: where its name may be a variable.
        keeper: where it is read from, where it is no run of this kernel.
    """

    def __init__(self, source: Source, keeper: Keeper, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._source = source
        self._keeper = keeper
        self._pace = Pace(_PAUSE, clock)
        self._values: Values | None = None
        self._run: Run | None = None
        #: what the values were read of: nothing is read again while that is the same
        self._of: tuple[object, ...] = ()
        #: id of the run that could not be read the last time
        self._failed = ""
        #: tag → where its value lies, and what it is
        self._kinds: dict[str, tuple[object, str]] = {}

    def update(self, run_id: str, run: PastRun | None) -> None:
        """Look at its values, where they may have changed."""
        if run is None or not run_id:
            self._of = ()
            self.put(_empty(run_id, "", _GONE) if run_id else None)
            return
        code = _code(self._source, run)
        of = (_state_of(run), code)
        # the end is shown at once; what could not be read is tried again now and then
        held = run.active or self._failed == run.run_id
        if of == self._of or (held and not self._pace.due()):
            return
        # until it is read, also where an error of ours ends this
        self._of, self._failed = (), run.run_id
        self._pace.due()
        try:
            self.put(self._body(self._values_of(run), run, code))
            self._of, self._failed = of, ""
        except StoreError as error:
            self.put(_empty(run.run_id, run.name, str(error)))
        finally:
            self._pace.done()

    def _values_of(self, run: PastRun) -> Values:
        if run.live is None:
            self._values, self._run = StoredValues(self._keeper.store(), run.run_id), None
        elif self._values is None or self._run is not run.live:
            self._values, self._run = LiveValues(run.live), run.live
        return self._values

    def _body(self, values: Values, run: PastRun, code: str) -> Chosen:
        made = _empty(run.run_id, run.name, "")
        globals_, results = values.globals(), values.results()
        rows = (self._global(values, tag, *at, code) for tag, at in list(globals_.items())[:_MOST])
        made["globals"] = fitting(rows, _ROOM)
        found = (self._result(values, tag, at, code) for tag, at in list(results.items())[:_MOST])
        made["results"] = fitting(found, _ROOM)
        left = len(globals_) + len(results) - len(made["globals"]) - len(made["results"])
        if left:
            made["note"] = f"{left} more value{'s are' if left > 1 else ' is'} not listed here"
        return made

    def _global(self, values: Values, tag: str, ref: ValueRef, iteration: int | None, code: str) -> GlobalRow:
        where = (ref.segment.key, ref.offset)
        known = self._kinds.get(tag)
        if known is None or known[0] != where:
            known = self._kinds[tag] = (where, said(values.kind(tag, ref)))
        return {
            "tag": clean(tag, 1000),
            "type": known[1],
            "nbytes": ref.nbytes,
            "iteration": iteration,
            "code": f"{code}.globals[{_quoted(tag)}]",
        }

    def _result(self, values: Values, tag: str, at: ResultAt, code: str) -> ResultRow:
        batch, key = at.batch, f"result {tag}"
        where = batch.segment.key if batch.segment is not None else ""
        known = self._kinds.get(key)
        if known is None or known[0] != where:
            known = self._kinds[key] = (where, said(values.result_kind(tag, batch)))
        return {
            "tag": clean(tag, 1000),
            "type": known[1],
            "nbytes": at.nbytes,
            "iteration": at.iteration,
            "nodes": _first(at.nodes),
            "total": len(at.nodes),
            "code": f"{code}.results.select({_quoted(tag)})",
        }


def _empty(run_id: str, name: str, note: str) -> Chosen:
    return {
        "run_id": clean(run_id),
        "name": clean(name, 100),
        "globals": [],
        "results": [],
        "note": said(note),
    }


def _state_of(run: PastRun) -> tuple[object, ...]:
    """What changes when the values of a run do."""
    if run.live is None:
        return (run.run_id, run.updated, run.iterations)
    # by identity: each commit gives another one
    return (run.run_id, id(run.live._history.findings.current()), run.live.iteration, run.status)


def _code(source: Source, run: PastRun) -> str:
    """What stands for the run in a cell: its variable, else the way to it by its id."""
    found = [name for name, value in list(source.namespace.items()) if _is(value, run)]
    names = [name for name in found if name.isidentifier() and name[0] != "_"]
    if names:
        return run.name if run.name in names else names[0]
    imported = "" if "manta_nb" in source.namespace else "import manta_nb\n"
    return f'{imported}manta_nb.runs["{run.run_id[:8]}"]'


def _is(value: object, run: PastRun) -> bool:
    """Whether a variable holds that run; nothing is asked of what is none."""
    if run.live is not None and value is run.live:
        return True
    return type(value).__module__ == _RUNS and getattr(value, "run_id", "") == run.run_id


def _first(nodes: Sequence[str]) -> list[str]:
    """The first of them: as people count, where that takes no time."""
    ordered = sorted(nodes, key=natural_key) if len(nodes) <= _SORTED else nodes
    return [clean(node) for node in ordered[:_NODES]]


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text and "\\" not in text and text.isprintable() else repr(text)
