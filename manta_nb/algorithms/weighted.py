"""The weighted mean of arrays, in blocks that stay in the cache: no temporary is as large as an array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from manta_nb.algorithms.flat import flatten, with_weight
from manta_nb.sdk.arrays import Array

__all__ = ["weighted_mean"]

#: numbers in a block; two blocks of doubles take 2 MB
_BLOCK = 1 << 17


def weighted_mean(arrays: Sequence[Array], weights: Sequence[float]) -> Array:
    """Σ wᵢxᵢ / Σ wᵢ of arrays of one shape and dtype, in that dtype.

    Taken in double precision; of doubles it stays inside the range of the arrays, so that equal ones are their own
    mean. Integers are exact, also 64-bit ones, before they are rounded to the nearest, halves to even; truth is
    what more than half of the weight has, a tie is False. Arrays of weight 0 do not count, whatever they hold.

    Args:
        arrays: at least one.
        weights: one finite number ≥ 0 an array, not all of them 0.

    Example:
        >>> weighted_mean([np.float32([1, 2]), np.float32([4, 8])], [2, 1])
        array([2., 4.], dtype=float32)
    """
    arrays, weights = with_weight(arrays, weights)
    if len(arrays) == 1:
        return np.array(arrays[0])
    flat = flatten(arrays)
    line = np.empty_like(flat.lines[0], order="C")
    _mix(flat.lines, *_scaled(weights), line)
    return flat.restored(line)


def _scaled(weights: Sequence[float]) -> tuple[list[float], float]:
    """The weights and their sum, over a power of two: as exact as they were, and no sum can overflow."""
    largest = math.frexp(max(weights))[1]
    small = [math.ldexp(weight, -largest - len(weights).bit_length()) for weight in weights]
    return small, math.fsum(small)


def _mix(lines: Sequence[Array], weights: Sequence[float], total: float, out: Array) -> None:
    dtype = out.dtype
    whole, wide = dtype.kind in "iu", _precision(dtype)
    # 64-bit integers would not fit times a weight: how far they are from the first of them does
    far = whole and dtype.itemsize == 8
    bounded = dtype.kind == "f" and dtype.itemsize >= 8
    room = [np.empty(min(_BLOCK, out.size), wide) for _ in range(3 if far else 2)]
    for start in range(0, out.size, _BLOCK):
        parts = [line[start : start + _BLOCK] for line in lines]
        acc, one, *bases = (each[: len(parts[0])] for each in room)
        with np.errstate(over="ignore", invalid="ignore"):
            for base in bases:
                base[:] = parts[0]
            _add_up(parts, weights, acc, one, bases)
            acc /= total
            for base in bases:
                acc += base
            if bounded:
                acc.clip(np.minimum.reduce(parts), np.maximum.reduce(parts), out=acc)
            if whole:
                np.rint(acc, out=acc)
            out[start : start + _BLOCK] = acc


def _precision(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind in "iu" and dtype.itemsize == 8:
        return np.dtype(np.longdouble)
    return np.result_type(np.float64, dtype.newbyteorder("="))


def _add_up(
    parts: Sequence[Array], weights: Sequence[float], acc: Array, one: Array, bases: Sequence[Array]
) -> None:
    """`acc` = Σ wᵢ(xᵢ - base); `one` is room for one part."""
    for number, (part, weight) in enumerate(zip(parts, weights, strict=True)):
        term = one if number else acc
        # a copy that converts, then sums of one type: twice as fast as sums that convert
        term[:] = part
        for base in bases:
            term -= base
        term *= weight
        if number:
            acc += term
