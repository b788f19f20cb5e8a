"""How the labels lie on the nodes: the picture that shows whether the data are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from manta_nb.data.split import Array
from manta_nb.render import Shown, Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LabelHistogram"]

_ROWS, _COLUMNS, _BINS = 20, 12, 8


@dataclass(frozen=True, eq=False, repr=False)
class LabelHistogram(Shown):
    """The number of training samples of each label on each node, `counts[node, label]`.

    Displays one row a node: counts with a block of their height as text, a heat map in HTML. Of many nodes
    the first 20 are shown, of many labels the most frequent.
    ```
    plan.histogram.plot()
    plan.histogram.to_pandas().loc["node_0"]
    ```
    """

    node_ids: Sequence[str]
    labels: Sequence[str]
    counts: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        y: Array,
        parts: Sequence[NDArray[np.int64]],
        node_ids: Sequence[str],
        classes: Sequence[str] = (),
    ) -> LabelHistogram | None:
        """The histogram of the labels `y` over `parts`, or None where a sample has several.

        Measured values are counted in eight ranges; `classes` are the names of the labels 0, 1, ….
        """
        if y.ndim != 1:
            return None
        labels, codes = _ranges(y) if y.dtype.kind == "f" else _classes(y, classes)
        counts = [np.bincount(codes[part], minlength=len(labels)) for part in parts]
        return cls(tuple(node_ids), labels, np.array(counts, dtype=np.int64))

    def __str__(self) -> str:
        return str(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()

    def to_pandas(self) -> pd.DataFrame:
        """The counts as a data frame, one row a node, one column a label."""
        import pandas as pd  # noqa: PLC0415 - half a second that most sessions do not need

        return pd.DataFrame(
            self.counts, index=pd.Index(self.node_ids, name="node"), columns=list(self.labels)
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw one bar a node, its labels stacked, on `ax` or on a new figure; returns the axes."""
        import matplotlib.pyplot as plt  # noqa: PLC0415 - half a second that most sessions do not need

        axes = plt.subplots(figsize=(7, 3.2), layout="constrained")[1] if ax is None else ax
        labels, counts = self._folded()
        colours = plt.get_cmap("tab20" if len(labels) > 10 else "tab10").colors  # type: ignore[attr-defined]
        bottom, where = np.zeros(len(counts)), np.arange(len(counts))
        width = 0.85 if len(counts) <= 50 else 1.0
        for label, column, colour in zip(labels, counts.T, colours, strict=False):
            axes.bar(where, column, width, bottom=bottom, label=label, color=colour)
            bottom += column
        if len(counts) <= _ROWS:
            axes.set_xticks(where, self.node_ids, rotation=45, ha="right")
        axes.set_xlabel("node")
        axes.set_ylabel("training samples")
        axes.legend(title="label", fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
        return axes

    def _table(self) -> Table:
        labels, counts = self._folded()
        most = max(1, int(counts.max(initial=0)))
        rows = [
            [node, *(_Heat(int(count), count / most) for count in row), int(row.sum())]
            for node, row in zip(self.node_ids[:_ROWS], counts, strict=False)
        ]
        # Only the first rows are drawn; the table counts the others.
        rest: list[list[object]] = [[]] * (len(self.node_ids) - len(rows))
        return Table(["node", *labels, "sum"], [*rows, *rest], limit=_ROWS)

    def _folded(self) -> tuple[list[str], NDArray[np.int64]]:
        """Labels and counts, where there are too many with the rarest added up as "other"."""
        if len(self.labels) <= _COLUMNS:
            return list(self.labels), self.counts
        kept = np.sort(np.argsort(-self.counts.sum(axis=0), kind="stable")[: _COLUMNS - 1])
        other = self.counts.sum(axis=1) - self.counts[:, kept].sum(axis=1)
        names = [*(self.labels[index] for index in kept), f"{len(self.labels) - len(kept)} others"]
        return names, np.column_stack([self.counts[:, kept], other])


@dataclass(frozen=True, repr=False)
class _Heat(Shown):
    """A count in a cell, the stronger the nearer it comes to the highest."""

    right: ClassVar[bool] = True

    count: int
    share: float

    def __str__(self) -> str:
        return f"{self.count} {'▁▂▃▄▅▆▇█'[round(7 * self.share)]}" if self.count else "· "

    def _repr_html_(self) -> str:
        if not self.count:
            return '<span style="opacity:.4">·</span>'
        # Blue that lets either background through, so that the page's own text colour stays readable on it.
        style = f"display:block;padding:0 3px;background:rgba(66,133,244,{0.08 + 0.52 * self.share:.2f})"
        return f'<span style="{style}">{self.count}</span>'


def _classes(y: Array, names: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    found, codes = np.unique(y, return_inverse=True)
    named = dict(enumerate(names))
    return [named.get(label, str(label)) for label in found.tolist()], codes


def _ranges(y: Array) -> tuple[list[str], NDArray[np.intp]]:
    edges = np.linspace(y.min(), y.max(), _BINS + 1)
    codes = np.clip(np.searchsorted(edges, y, side="right") - 1, 0, _BINS - 1)
    return [f"{low:.3g}–{high:.3g}" for low, high in pairwise(edges)], codes
