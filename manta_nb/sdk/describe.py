"""A value in a few words, for tables and tooltips."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from manta_nb.errors import CorruptBytes
from manta_nb.sdk.arrays import NPY_MAGIC, is_tensor, npy_view
from manta_nb.sdk.codec import decode
from manta_nb.sdk.refusal import size_text
from manta_nb.sdk.wire import MAGIC

__all__ = ["describe"]

#: characters of one item
_WIDTH = 80
#: items of a dict or list that are shown
_ITEMS = 4


def describe(value: Any) -> str:
    """What `value` is, in at most 80 characters an item.

    Arrays show dtype and shape, also inside the bytes of `numpy_to_bytes`; containers their first items.

    >>> describe({"w": np.zeros((2, 3)), "n": 12})
    'dict of 2: w float64 (2, 3), n 12'
    """
    value = _opened(value)
    if isinstance(value, dict):
        return _container(value, (f"{_cut(str(key), 40)} {_brief(item)}" for key, item in value.items()))
    if isinstance(value, list | tuple):
        return _container(value, map(_brief, value))
    return _cut(_brief(value), _WIDTH)


def _container(value: Any, items: Iterable[str]) -> str:
    shown = [_cut(text, _WIDTH) for text, _ in zip(items, range(_ITEMS), strict=False)]
    if len(value) > _ITEMS:
        shown.append("…")
    return f"{type(value).__name__} of {len(value)}" + (f": {', '.join(shown)}" if shown else "")


def _brief(value: Any) -> str:
    """One item on one line; containers by their size only."""
    value = _opened(value)
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if is_tensor(value):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, np.generic):
        return f"{value.dtype} {value}"
    if isinstance(value, dict | list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"bytes, {size_text(len(value))}"
    if isinstance(value, str):
        return repr(value[:_WIDTH])
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an int of {value.bit_length()} bits"
    return repr(value) if value is None or isinstance(value, int | float) else type(value).__name__


def _opened(value: Any) -> Any:
    """The value inside bytes of `numpy_to_bytes` or `dict_to_bytes`; any other value as it is."""
    if not isinstance(value, bytes | bytearray | memoryview):
        return value
    start = bytes(value[: len(MAGIC)])
    try:
        if start.startswith(NPY_MAGIC):
            return npy_view(memoryview(value))
        return decode(memoryview(value)) if start == MAGIC else value
    except CorruptBytes:
        return value


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
