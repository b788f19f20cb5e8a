"""The two ways to have workers: a cluster of our own, or one that somebody else started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from distributed import Client

from manta_nb.errors import NodeError, UsageError
from manta_nb.runtime.capabilities import Capabilities
from manta_nb.runtime.cluster import NodeCluster
from manta_nb.runtime.runners.request import NodeRecord, save_nodes
from manta_nb.runtime.worker import HostPlugin
from manta_nb.runtime.workplace import WorkerSetup

__all__ = ["ForeignHosting", "Hosting", "OwnHosting", "client_of", "spread", "write_setups"]


class Hosting(Protocol):
    """Workers that host nodes."""

    client: Client
    #: whether the workers are processes of this machine that it started and starts again
    ours: bool
    #: Dask's own cluster object, or None where there is only a client
    cluster: Any
    #: one line for each promise that does not hold here
    notes: list[str]

    def pids(self) -> Mapping[str, int | None]:
        """Worker id → process id, as far as known."""

    def close(self) -> None:
        """End what was started."""


class OwnHosting:
    """A `NodeCluster`, ended with the session."""

    ours = True

    def __init__(self, setups: Mapping[str, WorkerSetup], folder: Path) -> None:
        self._cluster = NodeCluster(setups, folder)
        self.client = self._cluster.client
        self.cluster: Any = self._cluster.dask
        self.notes: list[str] = []

    def pids(self) -> Mapping[str, int | None]:
        """See `Hosting.pids`."""
        return self._cluster.pids()

    def close(self) -> None:
        """See `Hosting.close`."""
        self._cluster.close()


def client_of(given: Any, parts: ExitStack) -> Client:
    """The client that was given, or one for the cluster that was given, which `parts` will close.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(given, Client):
        return given
    if not hasattr(given, "scheduler_address"):
        raise UsageError(f"client must be a Dask Client or cluster, got {type(given).__name__}")
    client = Client(given, set_as_default=False)
    parts.callback(client.close)
    return client


class ForeignHosting:
    """Workers of a cluster that somebody else started and will end."""

    ours = False

    def __init__(self, client: Client, setups: Mapping[str, WorkerSetup]) -> None:
        self.client = client
        self.cluster: Any = getattr(client, "cluster", None)
        self._workers = client.scheduler_info(n_workers=-1)["workers"]
        self.notes = self._limits()
        answers = client.register_plugin(HostPlugin(dict(setups)))
        failed = [answer for answer in (answers or {}).values() if answer.get("status") != "OK"]
        if failed:
            raise NodeError(
                f"a worker of this cluster cannot host nodes: {failed[0].get('exception', failed[0])}"[:200]
            )

    @staticmethod
    def worker_names(client: Client) -> list[str]:
        """Names of the cluster's workers, in the order in which nodes are numbered."""
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        return sorted((str(worker["name"]) for worker in workers), key=_natural)

    def _limits(self) -> list[str]:
        notes = [
            "an interrupt of the notebook ends the workers of this cluster: start it elsewhere, or use nodes=N"
        ]
        if any(not address.startswith("tls://") for address in self._workers):
            notes.append(
                "this cluster is not encrypted: whoever reaches its ports can run code as you (see SECURITY.md)"
            )
        notes.append(
            "the nodes' folders belong to whoever runs the workers: their privacy is a convention here"
        )
        notes.append(
            "tasks run in child processes that each worker starts on its own: the first one takes seconds"
        )
        return notes

    def pids(self) -> Mapping[str, int | None]:
        """See `Hosting.pids`."""
        return {}

    def close(self) -> None:
        """See `Hosting.close`."""
        self.client.unregister_worker_plugin(HostPlugin.name)


def spread(node_ids: Sequence[str], worker_ids: Sequence[str]) -> dict[str, list[str]]:
    """Nodes dealt to workers in equal runs: worker → its nodes."""
    if len(worker_ids) > len(node_ids):
        worker_ids = worker_ids[: len(node_ids)]
    size, more = divmod(len(node_ids), len(worker_ids))
    hosted, start = {}, 0
    for number, worker_id in enumerate(worker_ids):
        end = start + size + (number < more)
        hosted[worker_id] = list(node_ids[start:end])
        start = end
    return hosted


def write_setups(
    hosted: Mapping[str, Sequence[str]],
    records: Mapping[str, NodeRecord],
    folder: Path,
    capabilities: Capabilities,
    *,
    threads: int,
    memory: int | None,
    path: Sequence[str],
) -> dict[str, WorkerSetup]:
    """Write what each worker has to know as files in `folder`; returns worker → setup."""
    setups = {}
    for worker_id, node_ids in hosted.items():
        # somebody else's workers may be called like their addresses
        name = quote(worker_id, safe="")
        nodes = folder / f"{name}.nodes.json"
        save_nodes(nodes, {node_id: records[node_id] for node_id in node_ids})
        setup = WorkerSetup(
            worker_id=worker_id,
            nodes=str(nodes),
            threads=threads,
            memory=memory,
            path=tuple(path),
            start=capabilities.start,
            shared_values=capabilities.shared_values,
        )
        setup.save(folder / f"{name}.json")
        setups[worker_id] = setup
    return setups


def _natural(name: str) -> tuple[int, str]:
    return len(name), name
