"""The numbers of a run as columns, 32 bytes a row: what `MetricTable` shows and the live monitor reads on."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from manta_nb.session.marks import Mark, Removals, Tail
from manta_nb.store.records import Columns

__all__ = ["Found", "Fresh", "Key", "MetricRows"]

Array = npt.NDArray[Any]
#: name and task of a metric
Key = tuple[str, str]
_NAN = float("nan")


class Found(NamedTuple):
    """A copy of rows as columns, and what the numbers in the columns `node`, `task` and `name` mean."""

    columns: dict[str, Array]
    nodes: list[str]
    tasks: list[str]
    names: list[str]


class Fresh(NamedTuple):
    """New rows as they are stored; see `MetricRows.fresh`."""

    iteration: array[int]
    node: array[int]
    task: array[int]
    name: array[int]
    step: array[float]
    value: array[float]
    mark: Mark


class _Codes(dict[str, int]):
    """A number for each text that is asked for, in the order of the first asking."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


class MetricRows:
    """Rows `(iteration, node, task, name, step or None, value)`; any thread may add and read.

    Texts are kept once and numbered; `texts` says which number means what.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ints = {column: array("i") for column in ("iteration", "node", "task", "name")}
        self._floats = {column: array("d") for column in ("step", "value")}
        self._codes = {column: _Codes() for column in ("node", "task", "name")}
        #: (name, task) → the latest iteration that has it and a row before which it has none
        self._latest: dict[Key, tuple[int, int]] = {}
        #: iteration → a row before which it has none
        self._first: dict[int, int] = {}
        self._removals = Removals()

    def __len__(self) -> int:
        return len(self._floats["value"])

    def extend(self, rows: Iterable[tuple[int, str, str, str, float | None, float]]) -> None:
        """Add rows at the end."""
        columns = list(zip(*rows, strict=True))
        if not columns:
            return
        iterations, nodes, tasks, names, steps, values = columns
        with self._lock:
            start = len(self)
            for iteration, name, task in dict.fromkeys(zip(iterations, names, tasks, strict=True)):
                self._first.setdefault(iteration, start)
                if iteration > self._latest.get((name, task), (-1, 0))[0]:
                    self._latest[name, task] = (iteration, start)
            self._ints["iteration"].extend(iterations)
            for column, texts in (("node", nodes), ("task", tasks), ("name", names)):
                self._ints[column].extend(map(self._codes[column].__getitem__, texts))
            self._floats["step"].extend(_NAN if step is None else step for step in steps)
            self._floats["value"].extend(values)

    def extend_columns(self, columns: Columns) -> None:
        """Add rows that are columns already."""
        with self._lock:
            start = len(self)
            codes = {
                column: np.array([self._codes[column][text] for text in texts] or [0], dtype=np.int32)
                for column, texts in (
                    ("node", columns.nodes),
                    ("task", columns.tasks),
                    ("name", columns.names),
                )
            }
            keys = np.stack([columns.iteration, columns.name, columns.task], axis=1)
            found, rows = np.unique(keys, axis=0, return_index=True)
            for (iteration, name, task), row in zip(found.tolist(), rows.tolist(), strict=True):
                self._first[iteration] = min(self._first.get(iteration, start + row), start + row)
                key = (columns.names[name], columns.tasks[task])
                if iteration > self._latest.get(key, (-1, 0))[0]:
                    self._latest[key] = (iteration, start + row)
            self._ints["iteration"].extend(columns.iteration.tolist())
            for column, code in codes.items():
                self._ints[column].extend(code[getattr(columns, column)].tolist())
            for column in ("step", "value"):
                self._floats[column].extend(getattr(columns, column).tolist())

    def discard(self, iteration: int, task: str | None, nodes: Collection[str] | None) -> None:
        """Forget the rows of an iteration, or of one task or some nodes in it."""
        with self._lock:
            if iteration not in self._first:
                return
            columns = {name: np.array(values) for name, values in (self._ints | self._floats).items()}
            gone = columns["iteration"] == iteration
            for column, texts in (("task", [task] if task is not None else None), ("node", nodes)):
                if texts is not None:
                    gone &= np.isin(columns[column], [self._codes[column].get(text, -1) for text in texts])
            if not gone.any():
                return
            self._removals.note(iteration, np.flatnonzero(gone))
            for stored in (self._ints, self._floats):
                for name, values in stored.items():
                    stored[name] = array(values.typecode, columns[name][~gone].tobytes())
            self._latest = {key: latest for key in self._latest if (latest := self._newest(key))}
            found, first = np.unique(columns["iteration"][~gone], return_index=True)
            self._first = dict(zip(found.tolist(), first.tolist(), strict=True))

    def recorded(self) -> list[Key]:
        """`(name, task)` of the metrics there are, in the order they were first recorded."""
        with self._lock:
            return list(self._latest)

    def texts(self, column: str, start: int = 0) -> list[str]:
        """What the numbers of `node`, `task` or `name` mean, from number `start` on."""
        codes = self._codes[column]
        if len(codes) <= start:
            return []
        with self._lock:
            return list(islice(codes, start, None))

    def find(self, keys: Sequence[Key] | None, latest: bool) -> Found:
        """A copy of the rows of these metrics (of all: None), of the latest iteration that has one if asked."""
        with self._lock:
            wanted = [self._latest[key] for key in keys or self._latest if key in self._latest]
            newest = max((iteration for iteration, _ in wanted), default=0)
            start = min((row for iteration, row in wanted if iteration == newest), default=0) if latest else 0
            stored = self._ints | self._floats
            columns = {column: np.asarray(values[start:]) for column, values in stored.items()}
            pairs = [(self._codes["name"][name], self._codes["task"][task]) for name, task in keys or ()]
            texts = [list(codes) for codes in self._codes.values()]
        chosen = np.full(len(columns["value"]), keys is None)
        for of_name, of_task in pairs:
            chosen |= (columns["name"] == of_name) & (columns["task"] == of_task)
        if latest:
            chosen &= columns["iteration"] == newest
        return Found({column: values[chosen] for column, values in columns.items()}, *texts)

    def since(self, mark: Mark, limit: int) -> Tail:
        """Up to `limit` (≥ 1) rows after `mark`, as columns of numbers."""
        with self._lock:
            mark, taken_back = self._removals.moved(mark)
            if mark.row >= mark.until:
                stop = min(len(self), mark.row + limit)
                # this way it takes microseconds
                columns = {
                    column: np.frombuffer(values[mark.row : stop], dtype)
                    for stored, dtype in ((self._ints, "i"), (self._floats, "d"))
                    for column, values in stored.items()
                }
                return Tail(columns, Mark(stop, mark.revision), taken_back)
            stored = self._ints | self._floats
            again = np.asarray(self._ints["iteration"][mark.row : mark.until]) >= mark.again
            rows = np.flatnonzero(again)[:limit] + mark.row
            stop = min(len(self), mark.until + limit - len(rows))
            rows = np.append(rows, np.arange(mark.until, stop))
            columns = {column: np.asarray(values)[rows] for column, values in stored.items()}
            reached = int(rows[-1]) + 1 if len(rows) == limit else stop
        return Tail(columns, mark._replace(row=reached), taken_back)

    def fresh(self, mark: Mark, limit: int) -> Fresh | None:
        """What `since` gives, where that is up to `limit` rows and none was taken back; else None.

        Without numpy, whose machinery takes far longer than a few rows where it has fallen out of the caches.
        """
        with self._lock:
            row, stop = mark.row, len(self)
            if stop - row > limit or row < mark.until or mark.revision != self._removals.revision:
                return None
            ints, floats = self._ints, self._floats
            return Fresh(
                ints["iteration"][row:],
                ints["node"][row:],
                ints["task"][row:],
                ints["name"][row:],
                floats["step"][row:],
                floats["value"][row:],
                Mark(stop, mark.revision),
            )

    def end(self) -> tuple[Mark, list[int]]:
        """The mark of whoever has read everything, and all iterations there are."""
        with self._lock:
            return Mark(len(self), self._removals.revision), sorted(self._first)

    def of_iterations(self, low: int, high: int) -> dict[str, Array]:
        """A copy of the rows of the iterations from `low` to `high`, as columns of numbers."""
        with self._lock:
            firsts = [row for iteration, row in self._first.items() if low <= iteration <= high]
            start = min(firsts, default=len(self))
            iterations = np.asarray(self._ints["iteration"][start:])
            rows = np.flatnonzero((iterations >= low) & (iterations <= high)) + start
            stored = self._ints | self._floats
            return {column: np.asarray(values)[rows] for column, values in stored.items()}

    def _newest(self, key: Key) -> tuple[int, int] | None:
        """The latest iteration of `(name, task)` and the first row of it, None where no row is left."""
        name, task = self._codes["name"][key[0]], self._codes["task"][key[1]]
        rows = (np.array(self._ints["name"]) == name) & (np.array(self._ints["task"]) == task)
        iterations = np.array(self._ints["iteration"])[rows]
        if not len(iterations):
            return None
        newest = int(iterations.max())
        return newest, int(np.flatnonzero(rows)[np.argmax(iterations == newest)])
