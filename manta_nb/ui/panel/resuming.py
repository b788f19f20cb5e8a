"""Whether a run can go on from a button, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from manta_nb.errors import StoreError
from manta_nb.ui.goingon import OVER, resumable

if TYPE_CHECKING:
    from manta_nb.session.pastlist import PastRun
    from manta_nb.ui.panel.keeping import Keeper
    from manta_nb.ui.panel.sources import Source

__all__ = ["Resuming"]


class Resuming:
    """Knows which runs can go on; what a store says of their nodes is read once."""

    def __init__(self, source: Source, keeper: Keeper, loaded: bool) -> None:
        self._source = source
        self._keeper = keeper
        self._loaded = loaded
        #: run of a store → when it changed last, and what its nodes were started with
        self._stored: dict[str, tuple[float, Mapping[str, Any] | None]] = {}

    def of(self, run: PastRun) -> tuple[bool, str]:
        """Whether it can, and a note; "" where nothing needs to be said."""
        if run.status not in OVER:
            return False, ""
        if not self._loaded:
            return False, "%load_ext manta_nb first: then it can go on"
        live = run.live
        if live is not None and any(live in session.runs for session in self._source.sessions):
            return True, ""
        stored = self._nodes(run)
        if stored is None:
            return False, "its nodes have ended"
        return resumable(stored, self._source.session, run.name)

    def _nodes(self, run: PastRun) -> Mapping[str, Any] | None:
        live = run.live
        if live is not None:
            return live.stored_session or (live.head.session if live.head is not None else None)
        known = self._stored.get(run.run_id)
        if known is None or known[0] != run.updated:
            known = self._stored[run.run_id] = (run.updated, self._read(run.run_id))
        return known[1]

    def _read(self, run_id: str) -> Mapping[str, Any] | None:
        try:
            return {"options": {}, "missing": [], **self._keeper.store().head(run_id).session}
        except StoreError:
            return None
