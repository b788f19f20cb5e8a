"""The nodes a run knows: who is there, who is away for a moment, who is gone for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from manta_nb.engine.records import NodeInfo

__all__ = ["Roster"]


class Roster:
    """Nodes in the order they joined. A node that is away stays in it; one that is gone does not."""

    def __init__(self, nodes: Sequence[NodeInfo]) -> None:
        self.nodes: dict[str, NodeInfo] = {node.node_id: node for node in nodes}
        #: expected back; a subset of `nodes`
        self.away: set[str] = set()
        #: node → why it is gone; disjoint from `nodes`
        self.gone: dict[str, str] = {}
        #: datasets → nodes that hold them all: asked for every task and iteration, and rarely different
        self._holders: dict[tuple[str, ...], tuple[str, ...]] = {}

    def holding(self, datasets: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The nodes, there or away, that hold every one of `datasets`, in the order they joined."""
        if datasets not in self._holders:
            needed = frozenset(datasets)
            holders = tuple(name for name, node in self.nodes.items() if needed <= node.datasets)
            self._holders[datasets] = holders
        return self._holders[datasets]

    def knows(self, node_id: str) -> bool:
        """Whether this node ever was part of the run."""
        return node_id in self.nodes or node_id in self.gone

    def join(self, nodes: Iterable[NodeInfo]) -> tuple[list[str], list[str]]:
        """Take nodes in; returns the new ones and those that were away."""
        new, back = [], []
        for node in nodes:
            if node.node_id not in self.nodes:
                new.append(node.node_id)
            elif node.node_id in self.away:
                back.append(node.node_id)
            self.nodes[node.node_id] = node
            self.gone.pop(node.node_id, None)
        self.away.difference_update(back)
        self._holders.clear()
        return new, back

    def lose(self, node_ids: Iterable[str]) -> list[str]:
        """Mark nodes as away; returns those that were there."""
        lost = [node for node in node_ids if node in self.nodes and node not in self.away]
        self.away.update(lost)
        return lost

    def remove(self, node_ids: Iterable[str], reason: str) -> list[str]:
        """Strike nodes off for good; returns those that were in the roster."""
        removed = [node for node in node_ids if self.nodes.pop(node, None) is not None]
        self.away.difference_update(removed)
        self.gone.update(dict.fromkeys(removed, reason))
        self._holders.clear()
        return removed
