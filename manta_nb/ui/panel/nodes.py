"""The section `session`: the nodes in use, their states, and what data they hold."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from manta_nb.errors import MantaError
from manta_nb.ui.panel.sections import Clock, Pace, Section
from manta_nb.ui.panel.texts import clean, fitting, said

if TYPE_CHECKING:
    from manta_nb.sdk.context import Dataset
    from manta_nb.session.node import Node
    from manta_nb.session.session import Session
    from manta_nb.ui.panel.protocol import DataRow, NodeRow
    from manta_nb.ui.panel.sources import Source

__all__ = ["NodesSection"]

#: nodes, and datasets of each, that are told of one by one, and bytes that they may take
_MOST, _MOST_DATA, _ROOM = 200, 5, 50_000
#: seconds between two looks at the nodes, at least
_PAUSE = 1.0


class NodesSection(Section):
    """The nodes of the session in use; looked at once a second at most."""

    def __init__(self, source: Source, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._source = source
        self._pace = Pace(_PAUSE, clock)
        self._seen: Session | None = None
        #: node → its datasets, which never change
        self._data: dict[str, list[DataRow]] = {}

    def update(self) -> None:
        """Look at the nodes, where that is due or they are others than before."""
        session = self._source.session
        if session is not self._seen:
            self._seen = session
            self._data = {}
            self._pace.hurry()
        if session is None:
            self.put(None)
        elif self._pace.due():
            self.put(self._body(session))
            self._pace.done()

    def hurry(self) -> None:
        """Something has happened to the nodes."""
        self._pace.hurry()

    def _body(self, session: Session) -> dict[str, Any]:
        nodes = session.nodes
        doing = _doing(session)
        first = list(nodes.values())[:_MOST]
        rows = fitting((self._row(session, node, doing) for node in first), _ROOM)
        states = Counter(node.state for node in nodes.values())
        return {"text": said(repr(session)), "total": len(nodes), "states": dict(states), "nodes": rows}

    def _row(self, session: Session, node: Node, doing: Mapping[str, str]) -> NodeRow:
        if node.node_id not in self._data:
            self._data[node.node_id] = _data(session, node.node_id)
        return {
            "node": clean(node.node_id),
            "state": node.state,  # type: ignore[typeddict-item] # what a `Node` says
            "task": clean(doing.get(node.node_id, "")),
            "worker": clean(node.worker),
            "factor": node.factor,
            "data": self._data[node.node_id],
        }


def _doing(session: Session) -> dict[str, str]:
    """Node → alias of the task it is at."""
    found: dict[str, str] = {}
    for run in session.active:
        # a copy, made in one go: the run's threads write to it
        doing = run._history.work.doing.copy()
        found |= {node: task for node, (task, state) in doing.items() if state in ("running", "waiting")}
    return found


def _data(session: Session, node_id: str) -> list[DataRow]:
    try:
        datasets = session.record(node_id).datasets
    except (MantaError, OSError):
        return []
    return [_dataset(name, dataset) for name, dataset in list(datasets.items())[:_MOST_DATA]]


def _dataset(name: str, dataset: Dataset) -> DataRow:
    """One dataset; only the heads of its files are read."""
    if dataset.arrays is None:
        where = dataset.path.name if dataset.path is not None else ""
        return {"name": clean(name), "samples": None, "text": said(f"{name}: {where}")}
    counts: dict[str, int] = {}
    for key, path in dataset.arrays.items():
        part = next((part for part in ("train", "test") if key.endswith(part)), "")
        try:
            rows = len(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, TypeError, EOFError):
            continue
        counts.setdefault(part, rows)
    told = [f"{counts[part]} {part}" for part in ("train", "test") if part in counts]
    if not told and "" in counts:
        told = [f"{counts['']} rows"]
    samples = counts.get("train", counts.get(""))
    return {
        "name": clean(name),
        "samples": samples,
        "text": said(f"{name}: {', '.join(told) or 'no arrays'}"),
    }
