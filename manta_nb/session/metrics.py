"""The numbers of a run: a long table `iteration node task name step value`, kept in 32 bytes a row."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from manta_nb.errors import MissingTag
from manta_nb.session.curves import Columns, Curve, Spread, by_iteration, lines, mean_curve
from manta_nb.session.iterations import iteration_table
from manta_nb.session.metricrows import Found, Key, MetricRows
from manta_nb.session.plotting import plot
from manta_nb.session.views import View, misspelt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MetricRow", "MetricTable"]

Array = npt.NDArray[Any]


class MetricRow(NamedTuple):
    """One number that a task recorded on a node; `step` is None where it is the one of its iteration."""

    iteration: int
    node: str
    task: str
    name: str
    step: float | None
    value: float


class MetricTable(View):
    """Every metric of a run, while it runs and after; any thread may add and read.

    A metric that several tasks record is known as `task/name`, too, and listed so.
    ```
    run.metrics.last("val_acc")        # Spread(mean=0.93, low=0.91, high=0.95, n=8)
    run.metrics.to_pandas().groupby("iteration").value.mean()
    ```
    `notice` is called when values are taken out, to say that the run still goes on.
    """

    def __init__(self, rows: Iterable[MetricRow] = (), notice: Callable[[], None] | None = None) -> None:
        self._notice = notice
        #: the rows as columns; the live monitor reads on in them
        self.stored = MetricRows()
        self.extend(rows)

    def extend(self, rows: Iterable[MetricRow | tuple[int, str, str, str, float | None, float]]) -> None:
        """Add rows `(iteration, node, task, name, step or None, value)`."""
        self.stored.extend(rows)

    def discard(
        self, iteration: int, task: str | None = None, node: str | Collection[str] | None = None
    ) -> None:
        """Forget the rows of an iteration, or of one task or some nodes in it, that will not be committed."""
        self.stored.discard(iteration, task, [node] if isinstance(node, str) else node)

    def rows(self, name: str | None = None, since: int = 0) -> list[MetricRow]:
        """The rows in the order they came: of one metric or of all, from iteration `since` on."""
        found = self._read(name)
        chosen = found.columns["iteration"] >= since
        columns = (column[chosen].tolist() for column in found.columns.values())
        return [
            MetricRow(i, found.nodes[n], found.tasks[t], found.names[m], _step(step), value)
            for i, n, t, m, step, value in zip(*columns, strict=True)
        ]

    def names(self) -> list[str]:
        """The metrics there are, in the order they were first recorded; what things took (`…_seconds`) comes last."""
        tasks: dict[str, list[str]] = {}
        for name, task in sorted(self.stored.recorded(), key=lambda pair: pair[0].endswith("_seconds")):
            tasks.setdefault(name, []).append(task)
        return [name if len(of) == 1 else f"{task}/{name}" for name, of in tasks.items() for task in of]

    def last(self, name: str) -> Spread:
        """`(mean, low, high, n)` over the nodes in the latest iteration that has the metric."""
        return by_iteration(self._lines(name, latest=True)[0]).last()

    def by_iteration(self, name: str) -> Curve:
        """The last value of each node in each iteration: mean, low, high and n, with `x` the iterations."""
        return by_iteration(self._lines(name)[0])

    def series(self, name: str) -> dict[str, tuple[Array, Array]]:
        """`{node: (x, y)}` with `x = iteration + step/steps`; NaN is kept as a gap."""
        columns, labels = self._lines(name)
        return {labels[line]: xy for line, xy in lines(columns).items()}

    def mean_series(self, name: str) -> Curve:
        """Mean, low, high and n over the nodes at each `x`, on the grid of the node with the fewest steps."""
        return mean_curve(self._lines(name)[0])

    def to_pandas(self) -> pd.DataFrame:
        """All rows as a DataFrame `iteration node task name step value`; no step is NaN."""
        import pandas as pd  # noqa: PLC0415 - half a second that most sessions do not need

        if self._notice is not None:
            self._notice()
        found = self._read(None)
        decoded = dict(found.columns)
        for column, texts in (("node", found.nodes), ("task", found.tasks), ("name", found.names)):
            decoded[column] = np.array(texts, dtype=object)[decoded[column]]
        return pd.DataFrame(decoded)

    def to_csv(self, path: str | Path) -> None:
        """Write all rows to a CSV file with a header; no step is an empty cell."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(MetricRow._fields)
            writer.writerows(self.rows())

    def plot(self, name: str | None = None, ax: Axes | None = None) -> Figure:
        """Curves of one metric, or of each in axes of its own: nodes thin, their mean thick."""
        return plot(self, name, ax)

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[MetricRow]:
        return iter(self.rows())

    def __str__(self) -> str:
        return str(iteration_table(self)) if len(self) else "no metrics yet"

    def _repr_html_(self) -> str:
        return iteration_table(self)._repr_html_() if len(self) else "<i>no metrics yet</i>"

    def _lines(self, name: str, latest: bool = False) -> tuple[Columns, dict[int, str]]:
        """One metric as columns, and the label of each line: its node, with the task where there are two."""
        rows = self._read(name, latest)
        node, task = rows.columns["node"], rows.columns["task"]
        line = node.astype(np.int64) * len(rows.tasks) + task
        several = len(np.unique(task)) > 1
        labels = {}
        for code in np.unique(line).tolist():
            of_node, of_task = divmod(code, len(rows.tasks))
            labels[code] = rows.nodes[of_node] + (f" ({rows.tasks[of_task]})" if several else "")
        return Columns(rows.columns["iteration"], line, rows.columns["step"], rows.columns["value"]), labels

    def _read(self, name: str | None, latest: bool = False) -> Found:
        """A copy of the rows of `name` (of all where None), of the latest iteration that has it if asked."""
        return self.stored.find(None if name is None else self._resolve(name), latest)

    def _resolve(self, name: str) -> list[Key]:
        """The `(name, task)` pairs that `name` stands for."""
        known = self.stored.recorded()
        found = [key for key in known if name == key[0]]
        found = found or [key for key in known if name == f"{key[1]}/{key[0]}"]
        if not found:
            raise MissingTag(misspelt("metric", name, dict.fromkeys(key[0] for key in known)))
        return found


def _step(step: float) -> float | None:
    return None if math.isnan(step) else int(step) if step.is_integer() else step
