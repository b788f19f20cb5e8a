"""What the sidebar shows things of: a notebook with the magics, or a kernel that has not loaded them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import WeakValueDictionary

from manta_nb.ui.panel.traces import Traces

if TYPE_CHECKING:
    from manta_nb.session.pastruns import PastRuns
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session
    from manta_nb.store.ports import Store
    from manta_nb.ui.notebook import CellModule

__all__ = ["Bare", "Source"]


class Source(Protocol):
    """What is known of nodes, modules and runs; a `Notebook` is one. Any thread may ask."""

    @property
    def session(self) -> Session | None:
        """The nodes in use."""

    @property
    def sessions(self) -> Sequence[Session]:
        """All nodes that are there."""

    @property
    def modules(self) -> Mapping[str, CellModule]:
        """The modules of the cells."""

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The variables of the notebook."""

    @property
    def traces(self) -> Traces:
        """Which cells did what."""

    @property
    def here(self) -> str:
        """The file of the notebook; "" where that is not known."""

    def runs(self) -> Sequence[Run]:
        """The runs of this kernel, oldest first."""

    def past(self, store: Store | None = None) -> PastRuns:
        """All runs: those of this kernel, and of earlier ones."""


@dataclass(frozen=True)
class Bare:
    """A kernel without the magics: it has no nodes, and of runs those that the store of the working folder has."""

    namespace: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[str, CellModule] = field(default_factory=dict)
    traces: Traces = field(default_factory=Traces)
    session: Session | None = None
    sessions: Sequence[Session] = ()
    #: runs that were opened: one run is one object
    _opened: WeakValueDictionary[str, Run] = field(default_factory=WeakValueDictionary)

    @property
    def here(self) -> str:
        """See `Source.here`."""
        told = self.namespace.get("__session__")
        return told if isinstance(told, str) else ""

    def runs(self) -> Sequence[Run]:
        """See `Source.runs`."""
        return ()

    def past(self, store: Store | None = None) -> PastRuns:
        """See `Source.past`."""
        # by name: numpy and SQLite, which a kernel needs only where somebody looks
        opening = import_module("manta_nb.session.pastopening")
        past = cast("PastRuns", opening.open_past(store, here=self.here))
        past.opened = self._opened
        return past
