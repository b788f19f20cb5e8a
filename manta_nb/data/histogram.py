"""How the labels lie on the nodes: the picture that shows whether the data are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from manta_nb.data.split import Array
from manta_nb.render import Shown, Table, bar

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LabelHistogram"]

#: more nodes than this are shown together, one row a label
FEW = 32
_COLUMNS, _BLOCKS, _BINS, _PEAKS = 12, 24, 8, 12


@dataclass(frozen=True, eq=False, repr=False)
class LabelHistogram(Shown):
    """The number of training samples of each label on each node, `counts[node, label]`.

    Displays one row a node: counts with a block of their height as text, a heat map in HTML. Of more than 32 nodes
    it shows one row a label instead, with what the nodes hold of it; of many labels the most frequent.
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
        if len(counts) <= FEW:
            axes.set_xticks(where, self.node_ids, rotation=45, ha="right")
        axes.set_xlabel("node")
        axes.set_ylabel("training samples")
        axes.legend(title="label", fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
        return axes

    def unlikeness(self) -> float:
        """How far the nodes' labels are from those of all nodes together: 0 the same, 1 nothing in common.

        The mean over the nodes of half the sum of the differences of the labels' shares (total variation).
        """
        sums = self.counts.sum(axis=1, keepdims=True)
        if not sums.any():
            return 0.0
        shares = self.counts[sums[:, 0] > 0] / sums[sums > 0][:, None]
        whole = self.counts.sum(axis=0) / sums.sum()
        return float(np.abs(shares - whole).sum(axis=1).mean() / 2)

    def shapes(self) -> dict[str, Shown]:
        """For each node its labels as blocks, the highest block being the highest count of all nodes."""
        _, counts = self._folded(_BLOCKS)
        most = int(counts.max(initial=0))
        return {node: _Blocks(row.tolist(), most) for node, row in zip(self.node_ids, counts, strict=True)}

    def heading(self) -> str:
        """What stands above `shapes`: `labels 0 … 9`."""
        labels, _ = self._folded(_BLOCKS)
        return f"labels {labels[0]} … {labels[-1]}" if len(labels) > 1 else "labels"

    def sizes(self) -> dict[str, int]:
        """Node → its training samples."""
        return dict(zip(self.node_ids, self.counts.sum(axis=1).tolist(), strict=True))

    def summary(self) -> str:
        """`1437 training samples, 359–360 a node · labels differ from node to node by 0.03 (0 alike, 1 …)`."""
        sizes = self.counts.sum(axis=1)
        a_node = _between(sizes)
        alike = f"labels differ by {self.unlikeness():.2f} (0: alike on all nodes, 1: nothing in common)"
        return f"{int(sizes.sum()):,} training samples, {a_node} a node · {alike}"

    def _table(self) -> Table:
        if len(self.node_ids) > FEW:
            return self._together()
        labels, counts = self._folded()
        most = max(1, int(counts.max(initial=0)))
        rows = [
            [node, *(_Heat(int(count), count / most) for count in row), int(row.sum())]
            for node, row in zip(self.node_ids, counts, strict=True)
        ]
        return Table(["node", *labels, "sum"], rows, self.summary(), limit=FEW)

    def _together(self) -> Table:
        """One row a label: how many samples and nodes have it, and how many samples of it a node has."""
        labels, counts = self._folded()
        nodes, total = len(counts), max(1, int(counts.sum()))
        edges = np.linspace(1, max(2, counts.max(initial=0)), _PEAKS + 1)
        rows: list[list[object]] = [
            [
                label,
                bar(column.sum() / total, f"{int(column.sum()):,}"),
                bar((column > 0).sum() / nodes, f"{int((column > 0).sum()):,}"),
                _between(column),
                _Blocks(np.histogram(column[column > 0], edges)[0].tolist()),
            ]
            for label, column in zip(labels, counts.T, strict=True)
        ]
        shape = f"nodes with 1 … {int(edges[-1]):,}"
        said = f"{nodes:,} nodes together · {self.summary()}"
        return Table(["label", "samples", "nodes with it", "a node has", shape], rows, said)

    def _folded(self, columns: int = _COLUMNS) -> tuple[list[str], NDArray[np.int64]]:
        """Labels and counts, where there are too many with the rarest added up as "other"."""
        if len(self.labels) <= columns:
            return list(self.labels), self.counts
        kept = np.sort(np.argsort(-self.counts.sum(axis=0), kind="stable")[: columns - 1])
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


@dataclass(frozen=True, repr=False)
class _Blocks(Shown):
    """Counts as a row of blocks, the highest for `most` (None: the highest of them); a dot for none."""

    counts: Sequence[int]
    most: int | None = None

    def __str__(self) -> str:
        most = max([1, *self.counts]) if self.most is None else max(1, self.most)
        return "".join("▁▂▃▄▅▆▇█"[round(7 * count / most)] if count else "·" for count in self.counts)

    def _repr_html_(self) -> str:
        # one width for all of them, whatever the page's own font has
        return f'<span style="font-family:monospace;white-space:nowrap">{self}</span>'


def _between(values: NDArray[np.int64]) -> str:
    """`150–210`, or the one number."""
    if not len(values):
        return "0"
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _classes(y: Array, names: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    found, codes = np.unique(y, return_inverse=True)
    named = dict(enumerate(names))
    return [named.get(label, str(label)) for label in found.tolist()], codes


def _ranges(y: Array) -> tuple[list[str], NDArray[np.intp]]:
    edges = np.linspace(y.min(), y.max(), _BINS + 1)
    codes = np.clip(np.searchsorted(edges, y, side="right") - 1, 0, _BINS - 1)
    return [f"{low:.3g}–{high:.3g}" for low, high in pairwise(edges)], codes
