"""Nodes that come and go: what it does to the roster, and the lines that tell of it."""

from __future__ import annotations

from collections.abc import Sequence

from manta_nb.engine.events import NodesGone, NodesJoined, NodesLost
from manta_nb.engine.instructions import Record
from manta_nb.engine.roster import Roster
from manta_nb.engine.wording import about_nodes

__all__ = ["come_or_go"]


def come_or_go(
    roster: Roster, event: NodesJoined | NodesLost | NodesGone, iteration: int
) -> tuple[list[Record], list[str]]:
    """Note who came or went during `iteration`; returns what is told of it, and the nodes gone for good."""

    def told(kind: str, nodes: Sequence[str], text: str) -> list[Record]:
        return [Record(about_nodes(iteration, kind, nodes, text))] if nodes else []

    match event:
        case NodesJoined(nodes):
            new, back = roster.join(nodes)
            joined = told("joined", new, "joined; eligible from the next iteration on")
            return [*told("back", back, "back"), *joined], []
        case NodesLost(node_ids, reason):
            return told("away", roster.lose(node_ids), f"away, expected back: {reason}"), []
        case NodesGone(node_ids, reason):
            gone = roster.remove(node_ids, reason)
            return told("gone", gone, f"gone: {reason}"), gone
