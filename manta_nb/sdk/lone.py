"""A value that is one array, as most results are: its header is made and read once for all nodes of that shape."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from manta_nb.errors import CorruptBytes
from manta_nb.sdk.arrays import Array, dtype_of
from manta_nb.sdk.wire import ALIGN, MAGIC
from manta_nb.sdk.writer import array_text

__all__ = ["lone_array", "lone_head"]

_PREFIX: Final = len(MAGIC) + 8
#: headers up to this length are remembered
_SHORT: Final = 256
_MAX_DIMENSIONS: Final = 64
_JSON: Final = json.JSONDecoder()


def lone_head(array: Array) -> bytes | None:
    """What stands before the memory of `array` in a value that is just this array; None where it cannot travel."""
    flags = array.flags
    return _head(array.dtype, array.shape, flags.f_contiguous and not flags.c_contiguous)


@lru_cache(maxsize=512)
def _head(dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> bytes | None:
    text = array_text(dtype, shape, fortran)
    if text is None:
        return None
    head = MAGIC + len(text).to_bytes(8, "little") + text.encode()
    return head + bytes(-len(head) % ALIGN)


class _Layout(NamedTuple):
    """Where the array of a value lies, and what it is."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    start: int
    end: int


def lone_array(view: memoryview) -> Array | None:
    """The encoded value in `view` (see `codec`) where it is one array and nothing else, as a view of it.

    None for every other value, and for bytes that are malformed: `codec.decode` says what is wrong with them.
    """
    length = int.from_bytes(view[len(MAGIC) : _PREFIX], "little")
    layout = _layout(bytes(view[: _PREFIX + length])) if length <= _SHORT else None
    if layout is None or layout.end != len(view):
        return None
    return np.ndarray(layout.shape, layout.dtype, view, layout.start, order=layout.order)


@lru_cache(maxsize=512)
def _layout(head: bytes) -> _Layout | None:
    """The layout of a value that begins with `head`, which is its header and all before; None for no lone array."""
    if head[: len(MAGIC)] != MAGIC:
        return None
    try:
        text = head[_PREFIX:].decode()
        tree, end = _JSON.raw_decode(text)
        [(tag, [name, shape, *order])] = tree.items()
        dtype = dtype_of(name)
    except (ValueError, TypeError, AttributeError, RecursionError, CorruptBytes):
        return None
    if tag != "a" or end != len(text) or order not in ([], ["F"]) or not _is_shape(shape):
        return None
    start = -(-len(head) // ALIGN) * ALIGN
    stop = start + math.prod(shape) * dtype.itemsize
    return _Layout(dtype, tuple(shape), "F" if order else "C", start, stop)


def _is_shape(shape: object) -> bool:
    if type(shape) is not list or len(shape) > _MAX_DIMENSIONS:
        return False
    return all(type(length) is int and length >= 0 for length in shape)
