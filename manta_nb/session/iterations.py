"""The metrics of a run as one row an iteration."""

from __future__ import annotations

from typing import Protocol

from manta_nb.render import Table
from manta_nb.session.curves import Curve, Spread
from manta_nb.session.views import spread_text

__all__ = ["iteration_table"]


class _Metrics(Protocol):
    def names(self) -> list[str]: ...
    def by_iteration(self, name: str) -> Curve: ...


def iteration_table(metrics: _Metrics, limit: int = 20, columns: int = 5) -> Table:
    """One row an iteration, one column a metric: mean (lowest–highest node).

    Of a run with more than `limit` iterations the middle is left out, of more metrics than `columns` the rest.
    """
    names = metrics.names()
    shown = names[:columns]
    cells: dict[int, dict[str, str]] = {}
    never = []
    for name in shown:
        curve = metrics.by_iteration(name)
        never += [name] if not curve.n.any() else []
        for iteration, *spread in zip(*(column.tolist() for column in curve), strict=True):
            cells.setdefault(iteration, {})[name] = spread_text(Spread(*spread))
    rows: list[list[str | None]] = [[str(at), *map(cells[at].get, shown)] for at in sorted(cells)]
    if len(rows) > limit:
        first = limit // 4
        gap: list[str | None] = [f"… {len(rows) - limit} more", *[None] * len(shown)]
        rows = [*rows[:first], gap, *rows[first - limit :]]
    said = "mean (lowest–highest node)"
    said += f"; not shown: {', '.join(names[columns:])}" if len(names) > columns else ""
    said += f"; NaN on every node, always: {', '.join(never)}" if never else ""
    return Table(["iteration", *shown], rows, said, limit=limit + 1)
