"""Why runs failed, and in which cell of the notebook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from manta_nb.errors import StoreError
from manta_nb.ui.panel.texts import clean, said

if TYPE_CHECKING:
    from manta_nb.engine.records import Failure
    from manta_nb.session.pastlist import PastRun
    from manta_nb.store.ports import Store
    from manta_nb.ui.panel.protocol import FailureInfo
    from manta_nb.ui.panel.traces import Traces

__all__ = ["Failures"]

_WHERE = re.compile(r"Cell In\[([0-9]{1,9})\], line ([0-9]{1,9})")
#: characters of a traceback, from its end
_TRACE = 4_000


class Failures:
    """Finds why runs failed; what a store says of one is read once."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces
        #: run → when it changed last, and why it failed
        self._stored: dict[str, tuple[float, FailureInfo | None]] = {}

    def of(self, run: PastRun, store: Store) -> FailureInfo | None:
        """Why a run failed; None where it did not."""
        if run.status != "failed":
            return None
        if run.live is not None:
            finish = run.live._driver.finish
            # in the moment of its end it is failed before it knows why
            return self._info(run, finish.failure, finish.task) if finish is not None else None
        known = self._stored.get(run.run_id)
        if known is None or known[0] != run.updated:
            known = self._stored[run.run_id] = (run.updated, self._read(run, store))
        return known[1]

    def _read(self, run: PastRun, store: Store) -> FailureInfo | None:
        try:
            ending = store.ending(run.run_id)
        except StoreError:
            return None
        return None if ending is None else self._info(run, ending.failure, ending.task)

    def _info(self, run: PastRun, failure: Failure | None, task: str) -> FailureInfo:
        found = None if failure is None else _WHERE.search(failure.where)
        trace = "" if failure is None else failure.traceback
        if len(trace) > _TRACE:
            rest = trace[-_TRACE:]
            trace = f"…\n{rest.partition(chr(10))[2] or rest}"
        return {
            "message": said(run.reason if failure is None else failure.message),
            "node": "" if failure is None else clean(failure.node_id),
            "task": clean(task),
            "where": "" if failure is None else said(failure.where),
            "cell": "" if found is None else clean(self._traces.id_of(int(found[1]), run.run_id)),
            "line": None if found is None else int(found[2]),
            "traceback": clean(trace, _TRACE + 10),
        }
