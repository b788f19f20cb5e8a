"""The nodes and the runs of a session, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, overload

from manta_nb.errors import MissingTag, NodeError
from manta_nb.render import Card, Shown, Table, bar
from manta_nb.sdk.names import did_you_mean, listed
from manta_nb.session.compare import Comparison, compare
from manta_nb.session.node import Node
from manta_nb.session.run import Run
from manta_nb.session.views import View

if TYPE_CHECKING:
    from manta_nb.data.histogram import LabelHistogram

__all__ = ["Node", "NodeTable", "RunList"]

#: more nodes than this are shown together
FEW = 32
_FIRST = 20


class NodeTable(View, Mapping[str, Node]):
    """The nodes of a session by name, `s.nodes["node_3"]`; shown with the labels of their data.

    More than 32 are shown together: how many there are in each state, and what they hold of each label.
    """

    def __init__(self, nodes: Mapping[str, Node], histogram: LabelHistogram | None = None) -> None:
        self._nodes = nodes
        self._histogram = histogram

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
        return str(self._shown())

    def _repr_html_(self) -> str:
        return self._shown()._repr_html_()

    def _shown(self) -> Shown:
        return self._table() if len(self) <= FEW else self._crowd()

    def _table(self) -> Table:
        """One row a node, with the shape of its labels."""
        columns, rows = _rows(self._nodes.values())
        held = list(dict.fromkeys(", ".join(node.datasets) for node in self._nodes.values()))
        said = ""
        if len(held) == 1:
            columns, rows = columns[:-1], [row[:-1] for row in rows]
            said = f"every node has {held[0] or 'no data'}"
        if self._histogram is not None:
            shapes, sizes = self._histogram.shapes(), self._histogram.sizes()
            columns[2:2] = [self._histogram.heading(), "samples"]
            rows = [
                [*row[:2], shapes.get(node), sizes.get(node), *row[2:]]
                for node, row in zip(self._nodes, rows, strict=True)
            ]
            said = f"{said} · {self._histogram.summary()}".removeprefix(" · ")
        return Table(columns, rows, said, limit=FEW)

    def _crowd(self) -> Card:
        """All nodes together."""
        states = Counter(node.state for node in self._nodes.values())
        total = len(self)
        counts = [bar(count / total, f"{count:,} {state}") for state, count in states.most_common()]
        workers = len({node.worker for node in self._nodes.values()})
        away = [node.node_id for node in self._nodes.values() if node.state == "lost"]
        lines = [*counts, *([f"lost: {listed(away, 10)}"] if away else [])]
        lines += [self._histogram] if self._histogram is not None else []
        first = Table(*_rows(list(self._nodes.values())), limit=_FIRST)
        return Card(f"{total:,} nodes in {workers:,} processes", lines, [("the first nodes", first)])


def _rows(nodes: Iterable[Node]) -> tuple[list[str], list[list[object]]]:
    """The columns of a table of nodes, and its rows."""
    rows: list[list[object]] = [
        [node.node_id, _state(node), node.worker, str(node.pid), ", ".join(node.datasets)] for node in nodes
    ]
    return ["node", "state", "worker", "pid", "datasets"], rows


def _state(node: Node) -> str:
    return node.state if node.factor == 1 else f"{node.state}, {node.factor:g} times slower"


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

    def compare(self, metric: str | None = None) -> Comparison:
        """These runs in one chart and one table: `s.runs.compare("val_acc")`, `s.runs[-2:].compare()`."""
        return compare(self._runs, metric)

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
