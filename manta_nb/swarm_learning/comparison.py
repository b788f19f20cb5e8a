"""`Comparison`: each node alone, the swarm, and all data in one place, as a table and as a chart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

from manta_nb.errors import UsageError
from manta_nb.render import Shown, Table, esc
from manta_nb.sdk.names import listed
from manta_nb.session.compare import chosen_metric
from manta_nb.session.plotting import INK, dress

if TYPE_CHECKING:
    from manta_nb.session.figure import RunFigure

__all__ = ["Comparison"]

Scores = Mapping[str, Mapping[str, float]]

_ALONE, _SWARM = "#7c9cc9", "#2563c9"
#: nodes up to which there is room for a number above each bar
_LABELLED = 8


class Comparison(Shown):
    """What a swarm has brought, and what would have been without it; made by `ScriptRun.compare`.

    Args:
        name: of the run.
        swarm: node → metrics of the merged model, measured on that node.
        local: the same of what each node trained alone; empty where that was not asked for.
        central: metrics of what was trained on the data of all; empty likewise.
        notes: what was decided when the data were made one.

    Example:
        >>> compared = run.compare(local=True, central=True)
        >>> compared.means("accuracy")
        {'local': 0.86, 'swarm': 0.93, 'central': 0.95}
    """

    def __init__(
        self,
        name: str,
        swarm: Scores,
        local: Scores,
        central: Mapping[str, float],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.swarm, self.local, self.central = swarm, local, central
        self.notes = notes

    @property
    def metrics(self) -> list[str]:
        """What was measured."""
        return list(dict.fromkeys(name for each in self.swarm.values() for name in each))

    def means(self, metric: str | None = None) -> dict[str, float]:
        """The mean over the nodes: `{"local", "swarm", "central"}`, those that were asked for."""
        name = self._chosen(metric)
        found = {"local": self.local, "swarm": self.swarm, "central": {"": self.central}}
        values = {
            kind: [each[name] for each in scores.values() if name in each] for kind, scores in found.items()
        }
        return {kind: fmean(numbers) for kind, numbers in values.items() if numbers}

    def to_pandas(self) -> Any:
        """One row a node, one column for each kind of training and metric."""
        import pandas as pd  # noqa: PLC0415 - 0.3 s, for those who ask

        return pd.DataFrame(self._rows())

    def plot(self, metric: str | None = None) -> RunFigure:
        """Bars of each node alone and in the swarm, and a line for the data of all in one place."""
        name = self._chosen(metric)
        from manta_nb.session.figure import RunFigure  # noqa: PLC0415 - imports matplotlib

        figure = RunFigure(figsize=(5.6, 3.2), layout="constrained")
        figure.set_facecolor("white")
        axes = figure.add_subplot()
        nodes = list(dict.fromkeys([*self.swarm, *self.local]))
        for kind, scores, colour, aside in (
            ("local: each alone", self.local, _ALONE, -0.2),
            ("swarm", self.swarm, _SWARM, 0.2),
        ):
            if scores:
                heights = [scores.get(node, {}).get(name, math.nan) for node in nodes]
                at = [place + aside for place in range(len(nodes))]
                bars = axes.bar(at, heights, 0.38, color=colour, label=kind)
                if len(nodes) <= _LABELLED:
                    # on white, for the line of the central one may pass there
                    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
                    axes.bar_label(bars, fmt="{:.3g}", padding=2, fontsize=8, color=INK, bbox=ground)
        if name in self.central:
            said = f"central, all data in one place: {self.central[name]:.3g}"
            axes.axhline(self.central[name], linestyle="--", linewidth=1.2, color=INK, label=said)
        dress(axes, name, self.name)
        # room for the numbers, below the title
        axes.margins(y=0.12)
        axes.set_xlabel("")
        axes.set_xticks(range(len(nodes)), nodes)
        legend = figure.legend(loc="outside lower left", ncols=3, fontsize=8, frameon=False)
        for text in legend.get_texts():
            text.set_color(INK)
        return figure

    def _chosen(self, metric: str | None) -> str:
        if metric is None:
            return chosen_metric(self.metrics)
        if metric not in self.metrics:
            raise UsageError(f"no metric {metric!r}: there are {listed(self.metrics)}")
        return metric

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for node in dict.fromkeys([*self.swarm, *self.local]):
            row: dict[str, Any] = {"node": node}
            for name in self.metrics:
                row[f"local {name}"] = self.local.get(node, {}).get(name)
                row[f"swarm {name}"] = self.swarm.get(node, {}).get(name)
                row[f"central {name}"] = self.central.get(name)
            rows.append(row)
        return rows

    def _table(self) -> Table:
        rows = self._rows()
        columns = [name for name in rows[0] if any(row[name] is not None for row in rows)]
        cells = [[row[name] for name in columns] for row in rows]
        means = ["mean", *(_mean([row[name] for row in rows]) for name in columns[1:])]
        return Table(columns, [*cells, means], f"{self.name}: alone, in the swarm, all data in one place")

    def __str__(self) -> str:
        return "\n".join([str(self._table()), *self.notes])

    def _repr_html_(self) -> str:
        notes = "".join(f"<div>{esc(note)}</div>" for note in self.notes)
        return f"{self._table()._repr_html_()}{notes}"


def _mean(values: list[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return fmean(numbers) if numbers else None
