"""The nodes and the runs of a session, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from manta_nb.errors import MissingTag, NodeError
from manta_nb.render import Table
from manta_nb.sdk.names import did_you_mean, listed
from manta_nb.session.run import Run
from manta_nb.session.views import View

__all__ = ["Node", "NodeTable", "RunList"]


@dataclass(frozen=True)
class Node:
    """One node as it is now."""

    node_id: str
    #: "idle", "busy", "lost" or "closed"
    state: str
    #: the worker process that hosts it
    worker: str
    pid: int
    datasets: tuple[str, ...]


class NodeTable(View, Mapping[str, Node]):
    """The nodes of a session by name: `s.nodes["node_3"]`."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def __getitem__(self, node_id: str) -> Node:
        if node_id not in self._nodes:
            near = did_you_mean(str(node_id), self._nodes)
            raise NodeError(
                f"no node {str(node_id)[:60]!r}{near}; there are: {listed(list(self._nodes))}"[:200]
            )
        return self._nodes[node_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._nodes)

    def __str__(self) -> str:
        return str(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()

    def _table(self) -> Table:
        rows = [
            [n.node_id, n.state, n.worker, str(n.pid), ", ".join(n.datasets)] for n in self._nodes.values()
        ]
        return Table(["node", "state", "worker", "pid", "datasets"], rows)


class RunList(View, Sequence[Run]):
    """The runs of a session, oldest first: `s.runs[-1]`, `s.runs["fl"]`, `s.runs["3f2a"]`."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = list(runs)

    @overload
    def __getitem__(self, key: int | str) -> Run: ...
    @overload
    def __getitem__(self, key: slice) -> RunList: ...
    def __getitem__(self, key: int | str | slice) -> Run | RunList:
        if isinstance(key, slice):
            return RunList(self._runs[key])
        if isinstance(key, int):
            return self._runs[key]
        for run in reversed(self._runs):
            if run.name == key or (len(key) >= 4 and run.run_id.startswith(key)):
                return run
        names = list(dict.fromkeys(run.name for run in self._runs))
        near = did_you_mean(key, names)
        raise MissingTag(f"no run {key[:60]!r}{near}; there are: {listed(names) or 'none'}"[:200])

    def __len__(self) -> int:
        return len(self._runs)

    def __str__(self) -> str:
        return str(self._table()) if self._runs else "no runs yet"

    def _repr_html_(self) -> str:
        return self._table()._repr_html_() if self._runs else "<i>no runs yet</i>"

    def _table(self) -> Table:
        rows = [
            [run.name, run.run_id[:8], run.status, run._counted(), f"{run.elapsed:.1f} s", run.reason]
            for run in self._runs
        ]
        return Table(["run", "id", "status", "iterations", "took", "reason"], rows)
