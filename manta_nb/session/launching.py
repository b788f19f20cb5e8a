"""How a session starts runs: new ones, branches of others, and those that go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Event, NodeInfo
from manta_nb.engine.wording import one_line
from manta_nb.errors import UsageError
from manta_nb.runtime.fleet import Fleet
from manta_nb.session.describing import plain_options
from manta_nb.session.ground import Ground
from manta_nb.session.legs import Legs
from manta_nb.session.planning import Blueprint
from manta_nb.session.run import Run
from manta_nb.session.showing import Display
from manta_nb.session.starting import Started
from manta_nb.store.ports import Store

if TYPE_CHECKING:
    from manta_nb.session.session import Session

__all__ = ["Launches"]


class Launches:
    """The part of a `Session` that runs are made by."""

    #: what it was started with
    options: Mapping[str, Any]
    #: what shows its runs; a notebook sets it
    display: Display | None = None
    #: keeps the runs
    store: Store
    summary: str
    #: the notebook or file that its runs are started from, and with which arguments their swarm was made
    source: str = ""
    params: Mapping[str, Any] = MappingProxyType({})
    _fleet: Fleet
    _started: Started
    _runs: list[Run]
    _images_told: bool

    def _infos(self, nodes: Sequence[str] | None) -> dict[str, NodeInfo]:
        raise NotImplementedError

    def _add(self, made: Blueprint, nodes: Sequence[str] | None, start: Checkpoint | None = None) -> Run:
        """A run of the session; a trial is none."""
        run = self._launch(made, nodes, start)
        self._runs.append(run)
        return run

    def _launch(
        self,
        made: Blueprint,
        nodes: Sequence[str] | None,
        start: Checkpoint | None = None,
        kept: bool = True,
    ) -> Run:
        run = Run(Legs.begin(made, self._ground(nodes, kept), start))
        self._show(run)
        self._tell_images(made, run)
        run._start()
        return run

    def _take_in(self, run: Run) -> None:
        """A run of another session, or of an earlier kernel, goes on here.

        Raises:
            UsageError: it is kept in another store, or had nodes that there are not here.
        """
        kept = run._session.store if run._session is not None else run._store
        if kept is not None and kept.where != self.store.where:
            raise UsageError(
                one_line(f"{run.name} is kept in {kept.where}: give a Session(store={kept.where!r})")
            )
        run._legs.settle(self._ground(list(run.nodes)))
        self._show(run)
        if run not in self._runs:
            self._runs.append(run)

    def _show(self, run: Run) -> None:
        run.display, run._session = self.display, cast("Session", self)

    def _ground(self, nodes: Sequence[str] | None, kept: bool = True) -> Ground:
        described = {**plain_options(self.options), "summary": self.summary, "params": dict(self.params)}
        store = self.store if kept and self.options["store"] != "off" else None
        known = tuple(self._started.plan.node_ids)
        return Ground(self._fleet, lambda: self._infos(nodes), known, store, described, self.source)

    def _tell_images(self, made: Blueprint, run: Run) -> None:
        """Modules that name an image run in the nodes' own Python: said once a session."""
        named = {task.module.image for task in made.graph.tasks if task.module.image}
        if named and not self._images_told:
            self._images_told = True
            text = f"images are not used: tasks run in the nodes' own Python instead of {', '.join(sorted(named))}"
            run.events.extend([Event(0, "image", text[:200])])
