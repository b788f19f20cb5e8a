"""How far the nodes disagree: the size of each one's update, and its direction against that of all together.

A value that is made of arrays (an array, or dicts and lists of arrays, also as bytes of `numpy_to_bytes`) is
taken as one long vector. Numbers and texts beside the arrays are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from manta_nb.errors import CorruptBytes
from manta_nb.sdk.arrays import NPY_MAGIC, Array, is_tensor, npy_view, tensor_to_array
from manta_nb.sdk.codec import decode
from manta_nb.sdk.wire import MAGIC

__all__ = ["Leaves", "Spread", "leaves", "spread"]

#: containers inside one another
_DEPTH = 20
_MOST_LEAVES = 10_000

#: where an array stands in a value, and its shape
Place = tuple[tuple[str, ...], tuple[int, ...]]


class Leaves(NamedTuple):
    """The arrays of a value, and its structure: equal structures can be subtracted."""

    structure: tuple[Place, ...]
    arrays: tuple[Array, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)


class Spread(NamedTuple):
    """Of each node the norm of its update and its cosine to the mean update; NaN where there is none."""

    norm: npt.NDArray[np.float64]
    cosine: npt.NDArray[np.float64]


def leaves(value: Any) -> Leaves | None:
    """The arrays in `value`; None where there are none, or too many to be a model."""
    found = []
    for path, array in _walk(value, ()):
        found.append((path, array))
        if len(found) > _MOST_LEAVES:
            return None
    if not found:
        return None
    shared = _shared([path for path, _ in found])
    structure = tuple((path[shared:], array.shape) for path, array in found)
    order = sorted(range(len(found)), key=lambda index: structure[index])
    return Leaves(tuple(structure[index] for index in order), tuple(found[index][1] for index in order))


def spread(values: Sequence[Leaves], base: Leaves | None) -> Spread:
    """How far the updates `value - base` lie apart; all have one structure.

    The mean is that of the nodes whose updates are finite. Everything is added up in float64, array by array,
    so that no more than a few copies of one array are needed.
    """
    finite = np.array([_is_finite(value) for value in values])
    squares, dots = np.zeros(len(values)), np.zeros(len(values))
    mean_square = 0.0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for index in range(len(values[0].arrays)):
            start = None if base is None else base.arrays[index].astype(np.float64).reshape(-1)
            mean = np.zeros(values[0].arrays[index].size)
            for value, counts in zip(values, finite, strict=True):
                if counts:
                    mean += _update(value.arrays[index], start)
            mean /= max(1, int(finite.sum()))
            mean_square += float(mean @ mean)
            for number, value in enumerate(values):
                update = _update(value.arrays[index], start)
                squares[number] += update @ update
                dots[number] += update @ mean
        norm = np.sqrt(squares)
        cosine = dots / (norm * math.sqrt(mean_square))
    cosine[~np.isfinite(cosine) | ~finite] = np.nan
    return Spread(norm, np.clip(cosine, -1.0, 1.0))


def _update(array: Array, start: Array | None) -> npt.NDArray[np.float64]:
    flat = array.astype(np.float64).reshape(-1)
    return flat if start is None else flat - start


def _is_finite(value: Leaves) -> bool:
    return all(bool(np.isfinite(array).all()) for array in value.arrays)


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Array]]:
    value = _opened(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf" and value.ndim:
            yield path, value
    elif len(path) < _DEPTH:
        items: Iterator[tuple[object, Any]] = iter(())
        if isinstance(value, Mapping):
            items = iter(value.items())
        elif isinstance(value, list | tuple):
            items = iter(enumerate(value))
        for key, item in items:
            yield from _walk(item, (*path, str(key)))


def _opened(value: Any) -> Any:
    """What stands in bytes of `numpy_to_bytes` or `dict_to_bytes`; tensors as arrays."""
    if is_tensor(value):
        return tensor_to_array(value)
    if not isinstance(value, bytes | bytearray | memoryview):
        return value
    start = bytes(value[: len(MAGIC)])
    try:
        if start.startswith(NPY_MAGIC):
            return npy_view(memoryview(value))
        return decode(memoryview(value)) if start == MAGIC else None
    except CorruptBytes:
        return None


def _shared(paths: Sequence[tuple[str, ...]]) -> int:
    """How many keys all paths begin with: `{"params": {…}, "n": 12}` has the structure of `params`."""
    first, last = min(paths), max(paths)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return same
