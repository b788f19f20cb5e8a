"""Arrays of one shape and dtype as flat lines of numbers, and what was made of them in their form again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from manta_nb.sdk.arrays import Array

__all__ = ["Flat", "flatten", "with_weight"]


@dataclass(frozen=True)
class Flat:
    """Arrays that were flattened alike; truth as 0 and 1, a complex number as two."""

    lines: list[Array]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Literal["C", "F"]

    def restored(self, line: Array) -> Array:
        """A line of the same kind in the shape and with the dtype of the arrays."""
        array: Array = line.view(self.dtype).reshape(self.shape, order=self.order)
        return array


def flatten(arrays: Sequence[Array]) -> Flat:
    """Lines in the memory of the arrays, without a copy where all lie in memory in the same order."""
    first = arrays[0]
    fortran = all(each.flags.f_contiguous and not each.flags.c_contiguous for each in arrays)
    order: Literal["C", "F"] = "F" if fortran else "C"
    dtype = first.dtype
    numbers = np.dtype(np.uint8) if dtype.kind == "b" else np.empty(0, dtype).real.dtype
    lines = [np.asarray(each).ravel(order).view(numbers) for each in arrays]
    return Flat(lines, first.shape, dtype, order)


def with_weight(arrays: Sequence[Array], weights: Sequence[float]) -> tuple[list[Array], list[float]]:
    """Those whose weight is above 0. What weighs nothing is not looked at: it may hold NaN."""
    pairs = [(array, weight) for array, weight in zip(arrays, weights, strict=True) if weight > 0]
    return [array for array, _ in pairs], [weight for _, weight in pairs]
