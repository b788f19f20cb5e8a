"""The weighted median of models, number by number.

The median of numbers xᵢ with weights wᵢ is the middle of the numbers m at which Σ wᵢ|xᵢ - m| is least. These are the
numbers from the lower to the upper weighted median: the first in order at which the weights up to it make up at least
half of all, and the first at which they make up more. With equal weights it is the usual median: the middle number,
or the mean of the middle two. As a quantile it is definition 2 of R. J. Hyndman and Y. Fan, "Sample Quantiles in
Statistical Packages", The American Statistician 50(4), 1996, at one half. As a rule for models: D. Yin, Y. Chen,
K. Ramchandran and P. Bartlett, "Byzantine-Robust Distributed Learning", ICML 2018.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from manta_nb.algorithms.flat import flatten, with_weight
from manta_nb.algorithms.sorting import comparisons, sort_lines, sort_with_numbers
from manta_nb.algorithms.structure import take_apart
from manta_nb.sdk.arrays import Array

__all__ = ["coordinate_median", "weighted_median"]

#: dtype kinds: truth, integers, floats, complex
_KINDS = "biufc"
#: bytes of the numbers of all models that are sorted at a time: they fit into the cache
_ROOM = 1 << 20
#: for more models than this a sort of each place is faster than a network
_MOST = 32
#: a part of the weights this near to half of them is half of them: 0.1 + 0.2 is not exactly 0.3
_NEAR = 1e-12


def coordinate_median(
    models: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, float] | Sequence[float] | None = None,
    like: Any = None,
) -> Any:
    """The median of `models`, number by number, in the structure of a model.

    Of integers the mean of the middle two is rounded to the nearest, halves to even; of truth a tie is False; of
    complex numbers real and imaginary parts are taken apart. NaN counts as larger than any number, so the NaN of
    a minority does no harm. A model of weight 0 does not count.

    Args:
        models: `{node_id: model}` or a list of models; a model is what it is for `mean`.
        weights: one number ≥ 0 a model; None: all alike.
        like: a model whose keys, shapes and dtypes the others must have; None: the first of `models`.

    Returns:
        New arrays with the dtypes of the models.

    Raises:
        ValueRefused: two models differ in keys, shape or dtype, or there are no weights above 0.

    Example:
        >>> coordinate_median([np.array([1.0, 5.0]), np.array([2.0, 6.0]), np.array([9.0, 0.0])])
        array([2., 5.])
    """
    return take_apart(models, weights, like, "median", _KINDS).each(weighted_median)


def weighted_median(arrays: Sequence[Array], weights: Sequence[float]) -> Array:
    """The median of arrays of one shape and dtype at each place, in that dtype; see `coordinate_median`.

    Args:
        arrays: at least one.
        weights: one finite number ≥ 0 an array, not all of them 0.
    """
    arrays, weights = with_weight(arrays, weights)
    if len(arrays) == 1:
        return np.array(arrays[0])
    flat = flatten(arrays)
    line = np.empty_like(flat.lines[0], order="C")
    block = max(256, _ROOM // (line.itemsize * len(arrays)))
    rule = _rule(weights)
    for start in range(0, line.size, block):
        with np.errstate(over="ignore", invalid="ignore"):
            rule.take([each[start : start + block] for each in flat.lines], line[start : start + block])
    return flat.restored(line)


class _Equal:
    """The median of blocks whose weights are equal."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._shares = np.array(weights) / math.fsum(weights)
        self._count = len(weights)
        self._pairs = comparisons(self._count, self._middle) if self._count <= _MOST else None

    @property
    def _middle(self) -> tuple[int, int]:
        return (self._count - 1) // 2, self._count // 2

    def take(self, parts: Sequence[Array], out: Array) -> None:
        """Put the median of `parts` into `out`."""
        if self._pairs is None:
            self._by_place(np.array(parts), out)
            return
        lines = list(np.array(parts))
        self._by_network(lines, self._pairs, out)
        if out.dtype.kind == "f" and (lost := np.isnan(out)).any():
            found = np.empty(np.count_nonzero(lost), out.dtype)
            self._by_place(np.array([part[lost] for part in parts]), found)
            out[lost] = found

    def _by_network(self, lines: list[Array], pairs: Sequence[tuple[int, int]], out: Array) -> None:
        sort_lines(lines, np.empty_like(lines[0]), pairs)
        lower, upper = self._middle
        _middle(lines[lower], lines[upper], out)

    def _by_place(self, block: Array, out: Array) -> None:
        """Place by place; NaN comes last."""
        order = np.argsort(block, axis=0, kind="stable")
        up_to = np.cumsum(self._shares[order], axis=0)
        picks = [(up_to >= bound).argmax(axis=0)[None] for bound in (0.5 - _NEAR, 0.5 + _NEAR)]
        ordered = np.take_along_axis(block, order, axis=0)
        lower, upper = (np.take_along_axis(ordered, pick, axis=0)[0] for pick in picks)
        _middle(lower, upper, out)


class _Weighted(_Equal):
    """The median of blocks whose weights differ."""

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__(weights)
        self._pairs = comparisons(self._count) if self._count <= _MOST else None

    def _by_network(self, lines: list[Array], pairs: Sequence[tuple[int, int]], out: Array) -> None:
        """By a network that carries along which model each number is of."""
        numbers = np.repeat(np.arange(self._count, dtype=np.uint8)[:, None], out.size, axis=1)
        sort_with_numbers(lines, np.empty_like(lines[0]), numbers, pairs)
        up_to, part = np.zeros(out.size), np.empty(out.size)
        # how many numbers are below the lower and the upper median
        below = np.zeros((2, out.size), np.uint8)
        for number in numbers[:-1]:
            up_to += np.take(self._shares, number, out=part, mode="clip")
            below[0] += up_to < 0.5 - _NEAR
            below[1] += up_to <= 0.5 + _NEAR
        block, places = np.array(lines), np.arange(out.size)
        lower, upper = (block[row, places] for row in below)
        _middle(lower, upper, out)


def _rule(weights: Sequence[float]) -> _Equal:
    return _Equal(weights) if min(weights) == max(weights) else _Weighted(weights)


def _middle(lower: Array, upper: Array, out: Array) -> None:
    """The mean of two lines, in their dtype; also where their sum is too large for it."""
    if lower is upper:
        out[:] = lower
    elif out.dtype.kind == "f":
        np.add(lower, upper, out=out)
        out *= 0.5
        if (over := np.isinf(out)).any():
            out[over] = lower[over] * out.dtype.type(0.5) + upper[over] * out.dtype.type(0.5)
    else:
        differ = lower ^ upper
        floor = (lower & upper) + (differ >> 1)
        # where it lies between two integers, the even one
        np.add(floor, differ & floor & 1, out=out)
