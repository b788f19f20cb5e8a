"""What a run of Swarm Learning scripts has brought, for a shell: tables, or a JSON object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from manta_nb.render import Table
from manta_nb.swarm_learning.outcome import as_json, merges, nodes

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["finite", "finite_json", "tables"]

#: characters of a checksum that tell two models apart
_SHORT = 12


def tables(run: Run) -> list[str]:
    """How each script ended, with the last of its metrics, and every merge."""
    return [str(_nodes_table(run)), str(merges(run))]


def finite_json(run: Run) -> dict[str, Any]:
    """What `swarm_learning.as_json` says of a run, as JSON has it."""
    found: dict[str, Any] = finite(as_json(run))
    return found


def finite(value: Any) -> Any:
    """The same where numbers that JSON has not are None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(each) for key, each in value.items()}
    return [finite(each) for each in value] if isinstance(value, list | tuple) else value


def _nodes_table(run: Run) -> Table:
    last: dict[str, dict[str, float]] = {}
    for row in run.metrics:
        last.setdefault(row.node, {})[row.name] = row.value
    found = list(dict.fromkeys(name for values in last.values() for name in values if name != "epochs"))
    rows = [
        [
            row["node"],
            row["exit_code"],
            row["epochs"],
            *(last.get(row["node"], {}).get(name) for name in found),
            (row["checksum"] or "")[:_SHORT],
        ]
        for row in nodes(run)
    ]
    columns = ["node", "exit code", "epochs", *found, "checksum"]
    return Table(columns, rows, f"{len(rows)} nodes", limit=len(rows))
