"""Arrays as they travel: one after another in a nameless file, and a table that says where each one stands."""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import mmap
import os
import stat
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing import TypeGuard

__all__ = ["Arrays", "WireError", "checksum", "plain", "read_arrays", "table_of", "write_arrays"]

_ALIGNMENT = 64
_KINDS = "biuf"
_MOST_AXES = 32
#: a memfd with these can neither shrink nor change under the one who maps it
_SEALS = getattr(fcntl, "F_SEAL_SHRINK", 2) | getattr(fcntl, "F_SEAL_WRITE", 8)
_GET_SEALS = getattr(fcntl, "F_GET_SEALS", 1034)
_ADD_SEALS = getattr(fcntl, "F_ADD_SEALS", 1033)

Arrays = Mapping[str, np.ndarray]


class WireError(ValueError):
    """A frame that does not keep the contract; the connection is of no use after it."""


def checksum(arrays: Arrays) -> str:
    """SHA-256 of the arrays' names, dtypes, shapes and bytes, in hex; the same whatever order they come in.

    Example:
        `checksum({"bias": np.zeros(3, "<f4")})`
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = plain(name, arrays[name])
        digest.update(f"{name}\0{array.dtype.str}\0{json.dumps(list(array.shape))}\0".encode())
        digest.update(_bytes(array))
    return digest.hexdigest()


def plain(name: str, array: np.ndarray) -> np.ndarray:
    """The array as it travels: C order, little-endian, and nothing but numbers."""
    # np.ascontiguousarray would give an array without axes one
    found = np.asarray(array, order="C")
    if found.dtype.kind not in _KINDS:
        raise WireError(f"{name[:80]!r} is of dtype {found.dtype}: bool, integers and floats can be merged")
    return found.astype(found.dtype.newbyteorder("<"), copy=False)


def _bytes(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def table_of(arrays: Arrays) -> tuple[list[dict[str, Any]], int]:
    """Where each array stands in the file, and how long the file is."""
    rows: list[dict[str, Any]] = []
    end = 0
    for name, array in arrays.items():
        offset = -(-end // _ALIGNMENT) * _ALIGNMENT
        end = offset + array.nbytes
        place = {"offset": offset, "nbytes": array.nbytes}
        rows.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape), **place})
    return rows, end


def write_arrays(arrays: Arrays, table: list[dict[str, Any]]) -> int:
    """The descriptor of a nameless file with the arrays, at its beginning, and never changed again."""
    descriptor = _nameless_file()
    try:
        for row, array in zip(table, arrays.values()):  # noqa: B905 - Python 3.9 has no strict=
            _write(descriptor, _bytes(array), row["offset"])
        if hasattr(os, "memfd_create"):
            fcntl.fcntl(descriptor, _ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("manta-swarm", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    descriptor, path = tempfile.mkstemp(prefix="manta-swarm-")
    os.unlink(path)
    return descriptor


def _write(descriptor: int, data: memoryview, offset: int) -> None:
    # one write takes at most 2 GiB
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written


def read_arrays(header: Mapping[str, Any], descriptors: list[int]) -> dict[str, np.ndarray]:
    table, nbytes = header.get("arrays", []), header.get("nbytes", 0)
    if not isinstance(table, list) or not _is_count(nbytes):
        raise WireError("arrays that are no list, or of no length")
    if bool(nbytes) != bool(descriptors):
        raise WireError("arrays and their file did not come together")
    content = _content(descriptors[0], nbytes) if nbytes else b""
    found: dict[str, np.ndarray] = {}
    for row in table:
        name, array = _array(row, content, nbytes)
        if name in found:
            raise WireError(f"two arrays of the name {name[:80]!r}")
        found[name] = array
    return found


def _content(descriptor: int, nbytes: int) -> mmap.mmap | bytes:
    """The file's bytes: mapped where nobody can change them any more, else copied."""
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode) or state.st_size != nbytes:
        raise WireError(f"the arrays' file has {state.st_size} bytes, {nbytes} were announced")
    try:
        sealed = fcntl.fcntl(descriptor, _GET_SEALS) & _SEALS == _SEALS
    except OSError:
        sealed = False
    if sealed:
        return mmap.mmap(descriptor, nbytes, access=mmap.ACCESS_READ)
    with open(os.dup(descriptor), "rb") as file:
        file.seek(0)
        content = file.read(nbytes)
    if len(content) != nbytes:
        raise WireError("the arrays' file became shorter")
    return content


def _array(row: Any, content: mmap.mmap | bytes, nbytes: int) -> tuple[str, np.ndarray]:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise WireError("an array without a name")
    name, shape = row["name"], row.get("shape")
    offset, size, dtype = row.get("offset"), row.get("nbytes"), _dtype(row.get("dtype"))
    if (
        not isinstance(shape, list)
        or len(shape) > _MOST_AXES
        or not all(_is_count(length) for length in shape)
    ):
        raise WireError(f"the array {name[:80]!r} has no shape")
    if not _is_count(offset) or offset % _ALIGNMENT or size != math.prod(shape) * dtype.itemsize:
        raise WireError(f"the array {name[:80]!r} does not stand where it should, or has another length")
    if offset + size > nbytes:
        raise WireError(f"the array {name[:80]!r} ends after its file")
    if not size:
        return name, _locked(np.empty(shape, dtype))
    return name, np.frombuffer(content, dtype, math.prod(shape), offset).reshape(shape)


def _dtype(text: Any) -> np.dtype[Any]:
    # Only the exact form: numpy would make structures and objects of other texts.
    if not isinstance(text, str) or len(text) > 4 or text[1:2] not in tuple(_KINDS) or not text[2:].isdigit():
        raise WireError("an array whose dtype is no number")
    try:
        return np.dtype(text)
    except TypeError as error:
        raise WireError(f"an array of the unknown dtype {text!r}") from error


def _locked(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and value >= 0
