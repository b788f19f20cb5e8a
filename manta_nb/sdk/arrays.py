"""Numpy arrays as bytes: which dtypes may travel, their memory without a copy, and the npy format.

Everything here is checked before memory is touched: a header that lies about a size costs nothing.
"""

from __future__ import annotations

import ast
import cmath
import io
import math
import re
import sys
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from manta_nb.errors import CorruptBytes

__all__ = [
    "KINDS",
    "NPY_MAGIC",
    "Array",
    "dtype_of",
    "has_nonfinite",
    "is_tensor",
    "npy_has_nonfinite",
    "npy_header",
    "npy_view",
    "packed",
    "raw_bytes",
    "tensor_to_array",
    "view_array",
]

Array = np.ndarray[Any, np.dtype[Any]]

#: dtype kinds that may travel: bool, integers, floats, complex, times, fixed-length bytes and text
KINDS = "biufcmMSU"
NPY_MAGIC = b"\x93NUMPY"

_DTYPE = re.compile(r"[<>|=]?[biufcmMSU][1-9]\d{0,9}(\[\w{1,30}\])?")
_MAX_NPY_HEADER = 10_000
#: dtypes that BLAS multiplies
_BLAS = "fdFD"
#: up to so many numbers a look at each of them is as fast
_SMALL = 8000


@lru_cache(maxsize=512)
def dtype_of(text: str) -> np.dtype[Any]:
    """The dtype that `dtype.str` wrote as `text`, such as `"<f4"`; `CorruptBytes` for any other text."""
    if not _DTYPE.fullmatch(text):
        raise CorruptBytes(f"the bytes hold an array of dtype {text[:40]!r}, which is not allowed")
    try:
        dtype = np.dtype(text)
    except (TypeError, ValueError, OverflowError) as error:
        raise CorruptBytes(f"the bytes hold an array of dtype {text!r}, which is not known here") from error
    if dtype.kind not in KINDS:
        raise CorruptBytes(f"the bytes hold an array of dtype {text!r}, which is not allowed")
    return dtype


def view_array(view: memoryview, start: int, dtype: np.dtype[Any], shape: Any, fortran: bool) -> Array:
    """An array in the memory of `view` from byte `start` on, without a copy.

    `shape` may come from hostile bytes: anything but a list or tuple of whole numbers that fits into
    `view` is `CorruptBytes`.
    """
    if type(shape) not in (list, tuple) or any(type(n) is not int or n < 0 for n in shape):
        raise CorruptBytes("the bytes hold an array whose shape is not a list of whole numbers")
    if len(shape) > 64 or start + math.prod(shape) * dtype.itemsize > view.nbytes:
        raise CorruptBytes("the bytes are truncated: an array in them is larger than they are")
    try:
        return np.ndarray(shape, dtype, view, start, order="F" if fortran else "C")
    except (TypeError, ValueError, OverflowError) as error:
        raise CorruptBytes("the bytes hold an array of an impossible shape") from error


def raw_bytes(array: Array) -> memoryview:
    """The memory of `array` as flat bytes: no copy if it is C- or F-contiguous, else one, in C order."""
    if array.nbytes == 0:
        return memoryview(b"")
    flags = array.flags
    if not flags.c_contiguous:
        array = array.T if flags.f_contiguous else np.array(array, order="C", copy=True)
    return array.reshape(-1).view(np.uint8).data


def has_nonfinite(array: Array) -> bool:
    """Whether a float or complex `array` holds NaN or an infinity."""
    flags = array.flags
    if array.size > _SMALL and array.dtype.char in _BLAS and (flags.c_contiguous or flags.f_contiguous):
        flat = (array if flags.c_contiguous else array.T).reshape(-1)
        # one NaN or infinity makes the sum of squares so, too; BLAS takes a third of the time, and no memory
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.dot(flat, flat)
        if cmath.isfinite(squares):
            return False
    # the squares of large finite numbers overflow
    return int(np.count_nonzero(np.isfinite(array))) < array.size


def packed(values: list[Any]) -> Array | None:
    """A list of floats, or of ints of 64 bits, as an array; None for any other."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return np.array(values, "<f8")
    try:
        return np.array(values, "<i8") if kinds == {int} else None
    except OverflowError:
        return None


def is_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor; does not import torch."""
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    return tensor is not None and isinstance(value, tensor)


def tensor_to_array(tensor: Any) -> Array:
    """A torch tensor as an array: detached, on the CPU, bfloat16 as float32.

    Shares the memory of a tensor that is there already. `TypeError` for sparse, quantised and other tensors
    that numpy cannot hold.
    """
    try:
        tensor = tensor.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":
            tensor = tensor.float()
        array: Array = tensor.resolve_conj().resolve_neg().numpy()
    except RuntimeError as error:
        raise TypeError(str(error)) from error
    return array


@lru_cache(maxsize=512)
def npy_header(dtype: str, shape: tuple[int, ...], fortran: bool) -> bytes:
    """What stands before the data in an npy file of version 1.0; its length is a multiple of 64."""
    out = io.BytesIO()
    fields = {"descr": dtype, "fortran_order": fortran, "shape": shape}
    npy_format.write_array_header_1_0(out, fields)
    return out.getvalue()


def npy_view(data: bytes | memoryview) -> Array:
    """The array in the npy file `data`, without a copy; `CorruptBytes` if it is not a whole npy file."""
    view = memoryview(data)
    wide = len(view) > 6 and view[6] > 1
    start = 12 if wide else 10
    if len(view) < start or view[:6] != NPY_MAGIC:
        raise CorruptBytes(f"these {len(view)} bytes are not an array in npy format")
    length = int.from_bytes(view[8:start], "little")
    if length > _MAX_NPY_HEADER or start + length > len(view):
        raise CorruptBytes("the npy header is longer than it may be: the bytes are truncated or hostile")
    dtype, shape, fortran = _npy_layout(bytes(view[start : start + length]))
    array = view_array(view, start + length, dtype, shape, fortran)
    if start + length + array.nbytes != len(view):
        raise CorruptBytes(f"{len(view) - start - length - array.nbytes} bytes too many after the npy array")
    return array


def npy_has_nonfinite(data: bytes | memoryview) -> bool:
    """Whether `data` is an npy file of floats that holds NaN or an infinity."""
    try:
        array = npy_view(data)
    except CorruptBytes:
        return False
    return array.dtype.kind in "fc" and has_nonfinite(array)


@lru_cache(maxsize=512)
def _npy_layout(header: bytes) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """Dtype, shape and order that the text of an npy header states."""
    if b"\\" in header:
        raise CorruptBytes("the npy header has a backslash")
    try:
        fields = ast.literal_eval(header.decode("utf-8").strip())
        dtype, fortran, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise CorruptBytes("the npy header cannot be read") from error
    if type(dtype) is not str or type(fortran) is not bool or type(shape) is not tuple:
        raise CorruptBytes("the npy header is not that of a plain array of numbers")
    return dtype_of(dtype), shape, fortran
