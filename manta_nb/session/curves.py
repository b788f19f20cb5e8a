"""The arithmetic of metric curves: where a value stands on the x axis, and what many nodes amount to.

Everything here is a function from arrays to arrays. A *line* is what one task recorded on one node.
The x of a value is its iteration plus its rank among the values of that line in that iteration, divided by
their number: three values of iteration 4 stand at 4, 4⅓ and 4⅔, a single one at 4.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Columns", "Curve", "Spread", "by_iteration", "lines", "mean_curve"]

Array = npt.NDArray[Any]


class Columns(NamedTuple):
    """Rows of one metric as equally long arrays; `line` numbers who recorded it, NaN in `step` means none."""

    iteration: Array
    line: Array
    step: Array
    value: Array


class Spread(NamedTuple):
    """One number of many nodes: mean, smallest and largest, and how many nodes gave a number (not NaN)."""

    mean: float
    low: float
    high: float
    n: int


class Curve(NamedTuple):
    """What many lines amount to at each `x`; NaN where none of them has a number there."""

    x: Array
    mean: Array
    low: Array
    high: Array
    n: Array

    def last(self) -> Spread:
        """The last point of the curve."""
        return Spread(float(self.mean[-1]), float(self.low[-1]), float(self.high[-1]), int(self.n[-1]))


def lines(columns: Columns) -> dict[int, tuple[Array, Array]]:
    """`{line: (x, y)}`, each in the order of x."""
    columns, rank, size = _ranked(columns)
    order = np.argsort(columns.line, kind="stable")
    x = (columns.iteration + rank / size)[order]
    value, line = columns.value[order], columns.line[order]
    cuts = _starts(line)
    parts = zip(np.split(x, cuts[1:]), np.split(value, cuts[1:]), strict=True)
    return {int(line[cut]): part for cut, part in zip(cuts, parts, strict=True)}


def mean_curve(columns: Columns) -> Curve:
    """Mean, minimum and maximum over the lines.

    Lines may have different numbers of values in an iteration (nodes with more data take more steps). They are
    compared on the grid of the line with the fewest: each line is averaged within a cell, then over the lines.
    """
    columns, rank, size = _ranked(columns)
    if not len(rank):
        return _spread(columns.value, columns.value, np.arange(0))
    iterations = _starts(columns.iteration)
    cells = np.minimum.reduceat(size, iterations)
    cells = np.repeat(cells, np.diff(np.append(iterations, len(size))))
    cell = rank * cells // size
    own = _starts(columns.iteration, columns.line, cell)
    value = _spread(columns.value, columns.value, own).mean
    x = (columns.iteration + cell / cells)[own]
    order = np.argsort(x, kind="stable")
    return _spread(x[order], value[order], _starts(x[order]))


def by_iteration(columns: Columns) -> Curve:
    """The last value of each line in each iteration, over the lines; `x` are the iterations."""
    columns, rank, size = _ranked(columns)
    final = rank == size - 1
    iteration, value = columns.iteration[final], columns.value[final]
    return _spread(iteration, value, _starts(iteration))


def _ranked(columns: Columns) -> tuple[Columns, Array, Array]:
    """The rows sorted by iteration, line and step; each one's rank in its group and the group's size."""
    order = np.lexsort((columns.step, columns.line, columns.iteration))
    columns = Columns(*(column[order] for column in columns))
    starts = _starts(columns.iteration, columns.line)
    sizes = np.diff(np.append(starts, len(order)))
    size = np.repeat(sizes, sizes)
    rank = np.arange(len(order)) - np.repeat(starts, sizes)
    return columns, rank, size


def _starts(*keys: Array) -> Array:
    """Where a new group begins in sorted keys."""
    if not len(keys[0]):
        return np.arange(0)
    changed = np.zeros(len(keys[0]), dtype=bool)
    changed[0] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)


def _spread(x: Array, value: Array, starts: Array) -> Curve:
    """Mean, minimum and maximum of each group of values, NaN left out."""
    if not len(starts):
        empty = np.zeros(0)
        return Curve(empty, empty, empty, empty, np.zeros(0, dtype=int))
    known = ~np.isnan(value)
    n = np.add.reduceat(known.astype(np.int64), starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        # inf among the values makes inf - inf or an infinite mean, which is the truth
        mean = np.add.reduceat(np.where(known, value, 0.0), starts) / n
    low = np.fmin.reduceat(value, starts)
    high = np.fmax.reduceat(value, starts)
    return Curve(x[starts], mean, low, high, n)
