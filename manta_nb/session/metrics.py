"""The numbers of a run: a long table `iteration node task name step value`, kept in 32 bytes a row."""

from __future__ import annotations

import csv
import math
import threading
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from manta_nb.errors import MissingTag
from manta_nb.session.curves import Columns, Curve, Spread, by_iteration, lines, mean_curve
from manta_nb.session.iterations import iteration_table
from manta_nb.session.plotting import plot
from manta_nb.session.views import View, misspelt

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MetricRow", "MetricTable"]

Array = npt.NDArray[Any]
_NAN = float("nan")


class MetricRow(NamedTuple):
    """One number that a task recorded on a node; `step` is None where it is the one of its iteration."""

    iteration: int
    node: str
    task: str
    name: str
    step: float | None
    value: float


class _Rows(NamedTuple):
    """A copy of rows as columns, and what the numbers in the columns `node`, `task` and `name` mean."""

    columns: dict[str, Array]
    nodes: list[str]
    tasks: list[str]
    names: list[str]


class _Codes(dict[str, int]):
    """A number for each text that is asked for, in the order of the first asking."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


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
        self._lock = threading.Lock()
        self._notice = notice
        self._ints = {column: array("i") for column in ("iteration", "node", "task", "name")}
        self._floats = {column: array("d") for column in ("step", "value")}
        self._codes = {column: _Codes() for column in ("node", "task", "name")}
        #: (name, task) → the latest iteration that has it and a row before which it has none
        self._latest: dict[tuple[str, str], tuple[int, int]] = {}
        self.extend(rows)

    def extend(self, rows: Iterable[MetricRow | tuple[int, str, str, str, float | None, float]]) -> None:
        """Add rows `(iteration, node, task, name, step or None, value)`."""
        columns = list(zip(*rows, strict=True))
        if not columns:
            return
        iterations, nodes, tasks, names, steps, values = columns
        with self._lock:
            start = len(self)
            for iteration, name, task in dict.fromkeys(zip(iterations, names, tasks, strict=True)):
                if iteration > self._latest.get((name, task), (-1, 0))[0]:
                    self._latest[name, task] = (iteration, start)
            self._ints["iteration"].extend(iterations)
            for column, texts in (("node", nodes), ("task", tasks), ("name", names)):
                self._ints[column].extend(map(self._codes[column].__getitem__, texts))
            self._floats["step"].extend(_NAN if step is None else step for step in steps)
            self._floats["value"].extend(values)

    def discard(
        self, iteration: int, task: str | None = None, node: str | Collection[str] | None = None
    ) -> None:
        """Forget the rows of an iteration, or of one task or some nodes in it, that will not be committed."""
        nodes = [node] if isinstance(node, str) else node
        with self._lock:
            columns = {name: np.array(values) for name, values in (self._ints | self._floats).items()}
            gone = columns["iteration"] == iteration
            for column, texts in (("task", [task] if task is not None else None), ("node", nodes)):
                if texts is not None:
                    gone &= np.isin(columns[column], [self._codes[column].get(text, -1) for text in texts])
            if not gone.any():
                return
            for stored in (self._ints, self._floats):
                for name, values in stored.items():
                    stored[name] = array(values.typecode, columns[name][~gone].tobytes())
            self._latest = {key: latest for key in self._latest if (latest := self._newest(key))}

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
        """The metrics there are, in the order they were first recorded."""
        with self._lock:
            recorded = list(self._latest)
        tasks: dict[str, list[str]] = {}
        for name, task in recorded:
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
        return len(self._floats["value"])

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

    def _read(self, name: str | None, latest: bool = False) -> _Rows:
        """A copy of the rows of `name` (of all where None), of the latest iteration that has it if asked."""
        with self._lock:
            wanted = self._resolve(name)
            newest = max((self._latest[key][0] for key in wanted), default=0)
            starts = [
                start for iteration, start in map(self._latest.__getitem__, wanted) if iteration == newest
            ]
            start = min(starts, default=0) if latest else 0
            stored = self._ints | self._floats
            columns = {column: np.asarray(values[start:]) for column, values in stored.items()}
            pairs = [(self._codes["name"][key[0]], self._codes["task"][key[1]]) for key in wanted]
            texts = [list(codes) for codes in self._codes.values()]
        chosen = np.full(len(columns["value"]), name is None)
        for of_name, of_task in pairs if name is not None else []:
            chosen |= (columns["name"] == of_name) & (columns["task"] == of_task)
        if latest:
            chosen &= columns["iteration"] == newest
        return _Rows({column: values[chosen] for column, values in columns.items()}, *texts)

    def _resolve(self, name: str | None) -> list[tuple[str, str]]:
        """The `(name, task)` pairs that `name` stands for."""
        found = [key for key in self._latest if name in (None, key[0])]
        found = found or [key for key in self._latest if name == f"{key[1]}/{key[0]}"]
        if name is not None and not found:
            raise MissingTag(misspelt("metric", name, dict.fromkeys(key[0] for key in self._latest)))
        return found

    def _newest(self, key: tuple[str, str]) -> tuple[int, int] | None:
        """The latest iteration of `(name, task)` and the first row of it, None where no row is left."""
        name, task = self._codes["name"][key[0]], self._codes["task"][key[1]]
        rows = (np.array(self._ints["name"]) == name) & (np.array(self._ints["task"]) == task)
        iterations = np.array(self._ints["iteration"])[rows]
        if not len(iterations):
            return None
        newest = int(iterations.max())
        return newest, int(np.flatnonzero(rows)[np.argmax(iterations == newest)])


def _step(step: float) -> float | None:
    return None if math.isnan(step) else int(step) if step.is_integer() else step
