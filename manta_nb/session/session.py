"""`Session`: nodes with data, and the runs on them. The one place where the parts are put together."""

from __future__ import annotations

import atexit
import contextlib
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from manta_nb.engine.records import NodeInfo
from manta_nb.errors import NodeError, UsageError
from manta_nb.render import Card
from manta_nb.runtime.runners.request import NodeRecord
from manta_nb.sdk.module import Module
from manta_nb.session.describing import kept_where
from manta_nb.session.folders import remove, session_folder
from manta_nb.session.launching import Launches
from manta_nb.session.node import NodeActions
from manta_nb.session.planning import blueprint
from manta_nb.session.run import Run
from manta_nb.session.showing import Display
from manta_nb.session.starting import Started, start, store_for
from manta_nb.session.table import NodeTable, RunList
from manta_nb.session.trial import Trial, try_on
from manta_nb.session.views import View
from manta_nb.store.ports import Store

if TYPE_CHECKING:
    from distributed import Client
    from distributed.deploy.cluster import Cluster

__all__ = ["Session"]

#: seconds that a run gets to stop, and to be written to the end, when its session is closed
CLOSING = 30
#: options that say how data are split; see `manta_nb.data.prepare`
SPLIT = ("partition", "alpha", "labels_per_node", "sizes", "min_size", "seed", "test", "resize", "label")


class Session(Launches, View):
    """Nodes with datasets, ready to run swarms; a context manager.

    Args:
        nodes: how many, or their names; None: what `data` says, else 4.
        workers: processes that host them; None: one a node, up to 50 nodes.
        data: see `manta_nb.data.prepare`, as are `partition`, `alpha`, `labels_per_node`, `sizes`,
        `min_size`, `test`,
            `resize`, `label` and `seed` (of the partition).
        data_name: what the dataset is called; for names and files `"NAME=…"` says the same.
        client: a Dask client (or cluster) of yours whose workers become the nodes.
        images: "auto" or "ignore": modules run in the nodes' own Python.
        runner: "process": tasks in child processes; "inline": in the worker itself, to debug.
        memory_limit: what one task may take, such as "2 GB"; None: the machine's memory divided by the
        workers.
        store: the folder that keeps the runs; None: `.manta` here, or `MANTA_HOME`; "memory": they end
        with the kernel; "off": nothing is kept.
        say: told in single lines what goes on while the session starts.

    Example:
        >>> with Session(nodes=8, data="digits") as s:
        ...     fl = s.run(FLSwarm(), iterations=20, wait=True)
    """

    def __init__(
        self,
        nodes: int | Sequence[str] | None = None,
        *,
        workers: int | None = None,
        data: object = None,
        partition: str = "iid",
        alpha: float | None = None,
        labels_per_node: int | None = None,
        sizes: Sequence[float] | None = None,
        min_size: int = 10,
        test: Literal["shared", "local"] = "shared",
        resize: int | None = None,
        label: str | None = None,
        data_name: str | None = None,
        seed: int = 0,
        client: Client | Cluster | None = None,
        images: Literal["auto", "ignore"] = "auto",
        runner: Literal["process", "inline"] = "process",
        memory_limit: str | float | None = None,
        store: str | os.PathLike[str] | Store | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        given = {key: value for key, value in locals().items() if key not in ("self", "say", "__class__")}
        if images not in ("auto", "ignore"):
            raise UsageError(f"images must be 'auto' or 'ignore', got {str(images)[:60]!r}")
        #: what it was started with
        self.options = given
        #: what shows its runs; a notebook sets it
        self.display: Display | None = None
        #: gives its runs other nodes once these are closed; a notebook sets it
        self.home: Callable[[Run], Session] | None = None
        self.closed = False
        self._runs: list[Run] = []
        self._images_told = images == "ignore"
        tell = say or (lambda line: None)
        self._started = self._start(tell)
        self._fleet, plan = self._started.fleet, self._started.plan
        self._actions = NodeActions(self._started, self._check_open, lambda: self.active)
        self.summary, self.histogram = plan.summary, plan.histogram
        #: one line each: what was decided, and what does not hold here
        self.notes = [*plan.notes, *self._started.hosting.notes, *self.store.notes]
        for line in [self.summary, *self.notes]:
            tell(line)

    def _start(self, tell: Callable[[str], None]) -> Started:
        """Start the nodes; `_tidy` ends them."""
        # last in, first out: also where the kernel ends, or the session is forgotten, without close()
        parts = contextlib.ExitStack()
        self._tidy = weakref.finalize(self, parts.close)
        folder, given = session_folder(), self.options
        parts.callback(remove, folder)
        #: keeps the runs
        self.store, opened = store_for(given["store"])
        if opened:
            parts.callback(self.store.close)
        whole = {key: given[key] for key in ("data", "nodes", "workers", "client", "runner", "memory_limit")}
        split = {key: given[key] for key in SPLIT} | {"name": given["data_name"]}
        try:
            started = start(folder, parts, tell, split=split, states=self.store.states, **whole)
        except BaseException:
            self._tidy()
            raise
        # before Dask's own exit handlers, which came first; the finalizer's are the last of all
        atexit.register(self._tidy)
        return started

    @property
    def client(self) -> Client:
        """The Dask client."""
        return self._started.hosting.client

    @property
    def cluster(self) -> Any:
        """The Dask cluster; None where a client of somebody else's cluster was given."""
        return self._started.hosting.cluster

    def run(
        self,
        swarm: object,
        iterations: int | Literal["forever"] | None = None,
        *,
        seed: int | None = None,
        wait: bool = False,
        name: str | None = None,
        nodes: Sequence[str] | None = None,
    ) -> Run:
        """Start a swarm and return its `Run` at once.

        Args:
            swarm: a `Swarm`, a subclass of it that takes no arguments, a flow, or a `Module`.
            iterations: complete iterations; "forever"; None where some module calls `stop_swarm()`.
            seed: makes the run repeatable; None: a new one, kept in `run.seed`.
            wait: return when it is over.
            name: what it is called; by default the swarm's name.
            nodes: the only nodes it may use.

        Raises:
            DefinitionError: the swarm could not run as it is. RunFailed: with `wait`, when it failed.
        """
        run = self._add(blueprint(swarm, name, iterations, seed), nodes)
        return run.wait() if wait else run

    def _infos(self, nodes: Sequence[str] | None) -> dict[str, NodeInfo]:
        """The nodes of a run, as they are now."""
        self._check_open()
        if nodes is None:
            nodes = self._started.plan.node_ids
        elif isinstance(nodes, str) or not list(nodes):
            raise NodeError(
                f"nodes= takes a list of names with at least one, such as ['node_0'], got {nodes!r}"
            )
        table = self.nodes
        return {node_id: self._started.info(table[node_id].node_id) for node_id in nodes}

    def try_on(self, module: Module, node_id: str, globals: Mapping[str, Any] | None = None) -> Trial:
        """Run one module once, on one node, now; see `manta_nb.session.trial.Trial`."""
        __tracebackhide__ = True
        return try_on(self, module, node_id, globals or {})

    def record(self, node_id: str) -> NodeRecord:
        """The folder and the datasets of a node, as the node knows them."""
        return self._started.record(node_id)

    @property
    def nodes(self) -> NodeTable:
        """The nodes as they are now."""
        busy = {node_id for run in self.active for node_id in run.nodes}
        names, see = self._started.plan.node_ids, self._actions.see
        return NodeTable({name: see(name, name in busy, self.closed) for name in names}, self.histogram)

    @property
    def runs(self) -> RunList:
        """All runs, oldest first."""
        return RunList(self._runs)

    @property
    def active(self) -> list[Run]:
        """The runs that are not over."""
        return [run for run in self._runs if not run.finished]

    def close(self) -> None:
        """Stop all runs, end the nodes, delete their folders. What finished runs show stays readable."""
        if self.closed:
            return
        self.closed = True
        # what stands still cannot be stopped
        self._actions.freezer.close()
        for run in self.active:
            run.stop("the session was closed", timeout=CLOSING)
        atexit.unregister(self._tidy)
        self._tidy()
        if self.home is not None:
            for run in self._runs:
                run._session, run._home = None, partial(self.home, run)

    def _check_open(self) -> None:
        if self.closed:
            raise NodeError("this session is closed: start another one (%manta start, or Session(...))")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{self.summary} · closed" if self.closed else self.summary

    def __str__(self) -> str:
        return str(self._card())

    def _repr_html_(self) -> str:
        return self._card()._repr_html_()

    def _card(self) -> Card:
        kept = kept_where(self.store, off=self.options["store"] == "off")
        return Card(repr(self), [*self.notes, *([self.histogram] if self.histogram else []), kept])
