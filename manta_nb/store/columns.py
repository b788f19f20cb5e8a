"""Tables of metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from manta_nb.store.records import Columns

__all__ = ["only"]


def only(columns: Columns, kept: Any) -> Columns:
    """The rows of a table of metrics where `kept` is true."""
    arrays = ("iteration", "node", "task", "name", "step", "value")
    rows = {name: np.asarray(getattr(columns, name))[kept] for name in arrays}
    return Columns(**rows, nodes=columns.nodes, tasks=columns.tasks, names=columns.names)
