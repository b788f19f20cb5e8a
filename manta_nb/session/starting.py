"""Starting the nodes of a session: data laid out, workers up, everybody heard."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from manta_nb.data import DataPlan, prepare
from manta_nb.data.plan import count
from manta_nb.engine.records import NodeInfo
from manta_nb.engine.wording import one_line
from manta_nb.errors import NodeError, StoreError, UsageError
from manta_nb.runtime.capabilities import Capabilities, probe
from manta_nb.runtime.fleet import Fleet
from manta_nb.runtime.freezing import Freezer
from manta_nb.runtime.hosting import ForeignHosting, Hosting, OwnHosting, client_of, spread, write_setups
from manta_nb.runtime.runners.request import NodeRecord
from manta_nb.runtime.workplace import WorkerSetup
from manta_nb.session.script import check_script
from manta_nb.session.sizes import parse_bytes
from manta_nb.shims import shim_folder
from manta_nb.store.opening import open_store
from manta_nb.store.ports import Store

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Started", "start", "store_for"]

#: with more nodes than this, and no word about workers, nodes share one worker process a core
MOST_WORKERS = 50
#: the least memory a task gets where nobody says how much
LEAST_MEMORY = 1 << 30

Say = Callable[[str], None]


@dataclass(frozen=True)
class Started:
    """Nodes that are up."""

    plan: DataPlan
    hosting: Hosting
    fleet: Fleet
    folder: Path
    freezer: Freezer
    states: Path | None

    def record(self, node_id: str) -> NodeRecord:
        """The folder and the datasets of a node, as the node knows them."""
        return NodeRecord(self.folder / node_id, self.plan.datasets.get(node_id, {}), self.states)

    def info(self, node_id: str) -> NodeInfo:
        """A node as the engine knows it."""
        host = self.fleet.host_of(node_id)
        return NodeInfo(node_id, host.worker_id, frozenset(self.plan.datasets.get(node_id, ())))


def start(
    folder: Path,
    parts: ExitStack,
    say: Say,
    *,
    data: object,
    nodes: int | Sequence[str] | None,
    workers: int | None,
    client: object,
    runner: str,
    memory_limit: str | float | None,
    split: Mapping[str, Any],
    states: Path | None,
) -> Started:
    """Start the nodes; what has to be ended with the session is left in `parts`.

    Args:
        folder: the session's private folder.
        say: told in single lines what goes on.
        split: how the data are split; see `manta_nb.data.prepare`.
        states: where nodes keep what outlives the session; None: nowhere.
    """
    if client is None:
        check_script()
    capabilities, memory = probe(runner), parse_bytes(memory_limit)
    given = None if client is None else client_of(client, parts)
    names = _names(given, workers) if given is not None else None
    if nodes is None and names is not None and data is None:
        nodes = len(names)
    plan = prepare(data, nodes, folder, **split)
    hosted = spread(plan.node_ids, names or _worker_ids(workers, len(plan.node_ids)))
    processes = "" if len(hosted) == len(plan.node_ids) else f" in {len(hosted)} processes"
    say(f"starting {count(len(plan.node_ids), 'node')}{processes} …")
    if given is not None and capabilities.start == "fork":
        # its workers may have run anything, so nothing can be forked from them
        capabilities = Capabilities("exec", capabilities.shared_values)
    records = {
        node_id: NodeRecord(folder / node_id, plan.datasets.get(node_id, {}), states)
        for node_id in plan.node_ids
    }
    setups = _setups(records, hosted, folder, capabilities, memory)
    hosting: Hosting = OwnHosting(setups, folder) if given is None else ForeignHosting(given, setups)
    parts.callback(hosting.close)
    fleet = Fleet(hosting.client, hosted, capabilities.shared_values)
    parts.callback(fleet.close)
    freezer = Freezer()
    # before anything else: what stands still cannot be closed
    parts.callback(freezer.close)
    return Started(plan, hosting, fleet, folder, freezer, states)


def store_for(where: str | os.PathLike[str] | Store | None) -> tuple[Store, bool]:
    """The store that keeps the runs of a session, and whether it was opened here.

    Where nobody said where, and the working directory takes none, there is one in memory, with a note that says so.
    """
    if where is not None and not isinstance(where, str | os.PathLike):
        return where, False
    if where == "off":
        return open_store("memory"), True
    try:
        return open_store(where), True
    except StoreError as error:
        if where is not None:
            raise
        store = open_store("memory")
        store.notes.append(one_line(f"runs end with this kernel: {error}"))
        return store, True


def _setups(
    records: Mapping[str, NodeRecord],
    hosted: Mapping[str, Sequence[str]],
    folder: Path,
    capabilities: Capabilities,
    memory: int | None,
) -> dict[str, WorkerSetup]:
    return write_setups(
        hosted,
        records,
        folder,
        capabilities,
        threads=max(1, (os.cpu_count() or 1) // len(hosted)),
        memory=memory or max(LEAST_MEMORY, psutil.virtual_memory().total // len(hosted)),
        path=[str(shim_folder())],
    )


def _worker_ids(workers: int | None, nodes: int) -> list[str]:
    if workers is None:
        workers = nodes if nodes <= MOST_WORKERS else (os.cpu_count() or 1)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise UsageError(f"workers must be a whole number ≥ 1, got {workers!r}")
    return [f"worker-{number}" for number in range(min(workers, nodes))]


def _names(client: Client, workers: int | None) -> list[str]:
    names = ForeignHosting.worker_names(client)
    if not names:
        raise NodeError("this Dask cluster has no workers: scale it up first")
    return names[:workers] if workers else names
