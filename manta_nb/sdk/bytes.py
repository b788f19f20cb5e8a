"""The byte helpers that a task imports: arrays, dicts and torch models as bytes, and back.

Arrays are in the npy format, so that anything that reads npy files reads them too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from manta_nb.errors import ValueRefused
from manta_nb.sdk.arrays import KINDS, Array, is_tensor, npy_header, npy_view, raw_bytes, tensor_to_array
from manta_nb.sdk.codec import decode, encode
from manta_nb.sdk.refusal import path_text, refuse_depth, refuse_type
from manta_nb.sdk.wire import MAX_DEPTH

__all__ = ["bytes_to_dict", "bytes_to_numpy", "dict_to_bytes", "numpy_to_bytes"]

_ARRAYS = "numpy arrays, torch tensors, lists of numbers, and dicts and lists of these"
_BYTES = "bytes of numpy_to_bytes, and dicts and lists of these"


def numpy_to_bytes(data: Any) -> Any:
    """Arrays as bytes: an array, numpy scalar, torch tensor or list of numbers becomes `bytes`.

    A dict becomes a dict of the same shape whose leaves are bytes; a list that holds arrays or dicts becomes
    a list. Anything else raises `ValueRefused`, which is a `TypeError`, naming the type and the path.
    Contiguous data is copied once.

    >>> numpy_to_bytes({"w": np.zeros(3)})["w"][:6]
    b'\\x93NUMPY'
    """
    return _to_bytes(data, ())


def bytes_to_numpy(data: Any, copy: bool = True) -> Any:
    """The inverse of `numpy_to_bytes`; arrays in `data` stay arrays, so it takes what `results.select` gives.

    With `copy` the arrays can be written to; without it they are read-only views into the bytes.
    Malformed bytes raise `CorruptBytes`, which is a `ValueError`; other types `ValueRefused`.

    >>> bytes_to_numpy({"w": numpy_to_bytes([1.0, 2.0])})
    {'w': array([1., 2.])}
    """
    return _to_arrays(data, copy, ())


def dict_to_bytes(data: Any) -> bytes:
    """A dict, or any other value that may travel, as bytes; `ValueRefused` where it may not."""
    return b"".join(encode(data, "data").buffers)


def bytes_to_dict(data: bytes | memoryview) -> Any:
    """The inverse of `dict_to_bytes`, with arrays that can be written to; `CorruptBytes` for other bytes.

    >>> bytes_to_dict(dict_to_bytes({"lr": 0.1, "layers": (64, 10)}))
    {'lr': 0.1, 'layers': (64, 10)}
    """
    return decode(memoryview(bytearray(data)), writable=True)


def _to_bytes(data: Any, keys: tuple[Any, ...]) -> Any:
    _check_depth(keys)
    if isinstance(data, dict):
        return {key: _to_bytes(item, (*keys, key)) for key, item in data.items()}
    if isinstance(data, list) and _holds_arrays(data, keys):
        return [_to_bytes(item, (*keys, index)) for index, item in enumerate(data)]
    array = _as_array(data, keys)
    flags = array.flags
    header = npy_header(array.dtype.str, array.shape, flags.f_contiguous and not flags.c_contiguous)
    return b"".join((header, raw_bytes(array)))


def _holds_arrays(data: list[Any] | tuple[Any, ...], keys: tuple[Any, ...]) -> bool:
    """Whether there is more in `data`, at any depth, than plain numbers."""
    _check_depth(keys)
    return any(
        isinstance(item, np.ndarray | dict)
        or is_tensor(item)
        or (isinstance(item, list | tuple) and _holds_arrays(item, (*keys, index)))
        for index, item in enumerate(data)
    )


def _as_array(data: Any, keys: tuple[Any, ...]) -> Array:
    """One leaf as an array whose dtype may travel."""
    where = path_text("data", keys)
    known = isinstance(data, np.ndarray | np.generic | list) and not isinstance(data, np.ma.MaskedArray)
    if not known and not is_tensor(data):
        refuse_type(data, where, _ARRAYS)
    try:
        array = tensor_to_array(data) if is_tensor(data) else np.asarray(data)
    except (TypeError, ValueError) as error:
        reason = "its rows differ in length" if isinstance(data, list) else str(error)
        raise ValueRefused(f"cannot turn {where} into an array: {reason}".splitlines()[0][:200]) from error
    if array.dtype.kind not in KINDS or array.dtype.itemsize == 0:
        refuse_type(array, where, _ARRAYS)
    return array


def _to_arrays(data: Any, copy: bool, keys: tuple[Any, ...]) -> Any:
    _check_depth(keys)
    if isinstance(data, dict):
        return {key: _to_arrays(item, copy, (*keys, key)) for key, item in data.items()}
    if isinstance(data, list):
        return [_to_arrays(item, copy, (*keys, index)) for index, item in enumerate(data)]
    if isinstance(data, np.ndarray):
        return data.copy(order="K") if copy and not data.flags.writeable else data
    if not isinstance(data, bytes | bytearray | memoryview):
        refuse_type(data, path_text("data", keys), _BYTES)
    array = npy_view(memoryview(data).toreadonly())
    return array.copy(order="K") if copy else array


def _check_depth(keys: tuple[Any, ...]) -> None:
    if len(keys) > MAX_DEPTH:
        refuse_depth(path_text("data", keys[:3]), MAX_DEPTH)
