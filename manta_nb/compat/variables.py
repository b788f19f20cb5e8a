"""Variables of the programs of nodes: those that all have, and those of one."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EVERY_NODE", "variables_of"]

#: in a table of variables by node: the one that all of them have
EVERY_NODE = "*"


def variables_of(node_id: str, table: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The variables of one node; its own win.

    >>> variables_of("node_1", {"*": {"A": "1"}, "node_1": {"B": "2"}})
    {'A': '1', 'B': '2'}
    """
    return {**table.get(EVERY_NODE, {}), **table.get(node_id, {})}
