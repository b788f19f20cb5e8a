"""`Session`: nodes with data, and the runs on them. The one place where the parts are put together."""

from __future__ import annotations

import atexit
import contextlib
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import psutil

from manta_nb.data import DataPlan, prepare
from manta_nb.engine.driver import Driver
from manta_nb.engine.records import NodeInfo
from manta_nb.engine.run_state import RunState
from manta_nb.errors import NodeError, UsageError
from manta_nb.render import Card
from manta_nb.runtime.capabilities import Capabilities, probe
from manta_nb.runtime.dispatcher import DaskDispatcher
from manta_nb.runtime.fleet import Fleet
from manta_nb.runtime.hosting import ForeignHosting, Hosting, OwnHosting, spread, write_setups
from manta_nb.runtime.runners.request import NodeRecord
from manta_nb.sdk.module import Module
from manta_nb.session.folders import remove, session_folder
from manta_nb.session.history import History
from manta_nb.session.planning import Blueprint, blueprint
from manta_nb.session.run import Display, Run
from manta_nb.session.sizes import parse_bytes
from manta_nb.session.table import Node, NodeTable, RunList
from manta_nb.session.trial import Trial, try_on
from manta_nb.session.views import View
from manta_nb.shims import shim_folder
from manta_nb.store.memory import MemoryStore

if TYPE_CHECKING:
    from distributed import Client

    from manta_nb.data import LabelHistogram

__all__ = ["Session"]

#: with more nodes than this, and no word about workers, nodes share one worker process a core
MOST_WORKERS = 50


class Session(View):
    """Nodes with datasets, ready to run swarms; a context manager.

    Args:
        nodes: how many, or their names; None: what `data` says, else 4.
        workers: processes that host them; None: one a node, up to 50 nodes.
        data: see `manta_nb.data.prepare`, as are `partition`, `alpha`, `labels_per_node`, `sizes`, `min_size`, `test`,
            `resize`, `label` and `seed` (of the partition).
        data_name: what the dataset is called; for names and files `"NAME=…"` says the same.
        client: a Dask client (or cluster) of yours whose workers become the nodes.
        images: "auto" or "ignore": modules run in the nodes' own Python.
        runner: "process": tasks in child processes; "inline": in the worker itself, to debug.
        memory_limit: what one task may take, such as "2 GB"; None: the machine's memory divided by the workers.
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
        client: Client | None = None,
        images: Literal["auto", "ignore"] = "auto",
        runner: Literal["process", "inline"] = "process",
        memory_limit: str | float | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.options = {
            key: value for key, value in locals().items() if key not in ("self", "say", "__class__")
        }
        self.display: Display | None = None
        self.closed = False
        self._runs: list[Run] = []
        self._say = say or (lambda line: None)
        self._folder = session_folder()
        # last in, first out: also where the kernel ends, or the session is forgotten, without close()
        self._parts = contextlib.ExitStack()
        self._parts.callback(remove, self._folder)
        self._tidy = weakref.finalize(self, self._parts.close)
        try:
            names = _names(client, workers) if client is not None else None
            plan = prepare(
                data,
                len(names) if nodes is None and names is not None and data is None else nodes,
                self._folder,
                partition=partition,
                alpha=alpha,
                labels_per_node=labels_per_node,
                sizes=sizes,
                min_size=min_size,
                seed=seed,
                test=test,
                resize=resize,
                label=label,
                name=data_name,
            )
            self._start(plan, names, workers, client, probe(runner), parse_bytes(memory_limit))
        except BaseException:
            self._tidy()
            raise

    def _start(
        self,
        plan: DataPlan,
        names: list[str] | None,
        workers: int | None,
        client: Client | None,
        capabilities: Capabilities,
        memory: int | None,
    ) -> None:
        self._plan = plan
        self.summary = plan.summary
        self.histogram: LabelHistogram | None = plan.histogram
        worker_ids = names or [
            f"worker-{number}" for number in range(_worker_count(workers, len(plan.node_ids)))
        ]
        hosted = spread(plan.node_ids, worker_ids)
        processes = "" if len(hosted) == len(plan.node_ids) else f" in {len(hosted)} processes"
        self._say(f"starting {len(plan.node_ids)} nodes{processes} …")
        cores = os.cpu_count() or 1
        if client is not None and capabilities.start == "fork":
            # its workers may have run anything, so nothing can be forked from them
            capabilities = Capabilities("exec", capabilities.shared_values)
        setups = write_setups(
            hosted,
            {node_id: self.record(node_id) for node_id in plan.node_ids},
            self._folder,
            capabilities,
            threads=max(1, cores // len(hosted)),
            memory=memory or max(1 << 30, psutil.virtual_memory().total // len(hosted)),
            path=[str(shim_folder())],
        )
        self._hosting: Hosting = (
            OwnHosting(setups, self._folder) if client is None else ForeignHosting(client, setups)
        )
        self._parts.callback(self._hosting.close)
        self.client, self.cluster = self._hosting.client, self._hosting.cluster
        self._fleet = Fleet(self.client, hosted, capabilities.shared_values)
        self._parts.callback(self._fleet.close)
        # before Dask's own exit handlers, which came first; the finalizer's are the last of all
        atexit.register(self._tidy)
        self.notes = [*plan.notes, *self._hosting.notes]
        for line in [self.summary, *self.notes]:
            self._say(line)

    # -- running -------------------------------------------------------------------------------------------------

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
        run = self._launch(blueprint(swarm, name, iterations, seed), nodes)
        self._runs.append(run)
        return run.wait() if wait else run

    def _launch(self, made: Blueprint, nodes: Sequence[str] | None) -> Run:
        self._check_open()
        infos = self._infos(nodes)
        initial = self._fleet.book.create(made.globals)
        state = RunState(made.plan, list(infos.values()), initial)
        history = History(state, self._fleet.book, initial)
        dispatcher = DaskDispatcher(self._fleet, made.programs, infos, lambda *lines: run._lines(*lines))
        driver = Driver(state, dispatcher, MemoryStore(), [lambda what: run._observe(what)])
        run = Run(
            made.plan, made.graph, driver, history, list(infos), self._over, made.counts(infos.values())
        )
        run.display = self.display
        run._start()
        return run

    def _infos(self, nodes: Sequence[str] | None) -> dict[str, NodeInfo]:
        for node_id in nodes or ():
            self.nodes[node_id]
        return {
            node_id: NodeInfo(
                node_id,
                self._fleet.host_of(node_id).worker_id,
                frozenset(self._plan.datasets.get(node_id, ())),
            )
            for node_id in (nodes or self._plan.node_ids)
        }

    def _over(self, run: Run) -> None:
        """A run has ended: hold what it still shows, so that its nodes may go away."""
        self._fleet.book.adopt(run._history.finished(run.iteration))

    def try_on(self, module: Module, node_id: str, globals: Mapping[str, Any] | None = None) -> Trial:
        """Run one module once, on one node, now; see `manta_nb.session.trial.Trial`."""
        return try_on(self, module, node_id, globals or {})

    def record(self, node_id: str) -> NodeRecord:
        """The folder and the datasets of a node, as the node knows them."""
        return NodeRecord(self._folder / node_id, self._plan.datasets.get(node_id, {}))

    # -- what there is -------------------------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeTable:
        """The nodes as they are now."""
        busy = {node_id for run in self.active for node_id in run.nodes}
        table = {}
        for node_id in self._plan.node_ids:
            host = self._fleet.host_of(node_id)
            state = "lost" if not host.alive else "busy" if node_id in busy else "idle"
            datasets = tuple(self._plan.datasets.get(node_id, ()))
            table[node_id] = Node(
                node_id, state, host.worker_id, self._pid(host.worker_id, host.pid), datasets
            )
        return NodeTable(table)

    def _pid(self, worker_id: str, known: int) -> int:
        return self._hosting.pids().get(worker_id) or known

    @property
    def runs(self) -> RunList:
        """All runs, oldest first."""
        return RunList(self._runs)

    @property
    def active(self) -> list[Run]:
        """The runs that are not over."""
        return [run for run in self._runs if not run.finished]

    # -- the end -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop all runs, end the nodes, delete their folders. What finished runs show stays readable."""
        if self.closed:
            return
        self.closed = True
        for run in self.active:
            run.stop("the session was closed", timeout=5)
        atexit.unregister(self._tidy)
        self._tidy()

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
        return Card(repr(self), [*self.notes, *([self.histogram] if self.histogram else [])])


def _worker_count(workers: int | None, nodes: int) -> int:
    if workers is None:
        return nodes if nodes <= MOST_WORKERS else (os.cpu_count() or 1)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise UsageError(f"workers must be a whole number ≥ 1, got {workers!r}")
    return min(workers, nodes)


def _names(client: Client, workers: int | None) -> list[str]:
    names = ForeignHosting.worker_names(client)
    if not names:
        raise NodeError("this Dask cluster has no workers: scale it up first")
    return names[:workers] if workers else names
