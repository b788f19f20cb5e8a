"""Arrays of several nodes, one under the other, from npy streams into one, a part at a time."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from manta_nb.data.pooling.sameness import Rows, chunks, digest
from manta_nb.errors import DataError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["Stored", "join", "of_file", "rows_of"]


@dataclass(frozen=True)
class Stored:
    """An array as it is stored: what its header says, and how to open its stream."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    #: opens the npy stream at its begin
    open: Callable[[], IO[bytes]]
    #: differs where contents differ; where it is the same they are looked at
    hint: object

    @property
    def nbytes(self) -> int:
        """Bytes after the header."""
        return math.prod(self.shape) * self.dtype.itemsize


def of_file(path: Path, shown: str) -> Stored:
    """The array of a `.npy` file.

    Raises:
        DataError: it is none, or holds Python objects, which are never read.
    """
    size = path.stat().st_size
    return stored(lambda: path.open("rb"), size, size, shown)


def stored(open_stream: Callable[[], IO[bytes]], size: int, hint: object, shown: str) -> Stored:
    """The array of a npy stream of `size` bytes; see `of_file`."""
    try:
        with open_stream() as stream:
            shape, fortran, dtype = _header(stream)
            start = stream.tell()
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise DataError(one_line(f"cannot read {shorten(shown, 100)}: it is no array of numpy")) from error
    if dtype.hasobject:
        raise DataError(
            one_line(f"{shorten(shown, 100)} holds Python objects, which are not read: save numbers or text")
        )
    found = Stored(shape, fortran, dtype, open_stream, hint)
    if start + found.nbytes != size:
        raise DataError(one_line(f"cannot read {shorten(shown, 100)}: it is not as long as its header says"))
    return found


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(stream)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    return shape, fortran, dtype


def rows_of(name: str, parts: Mapping[str, Stored]) -> Rows:
    """How many rows the nodes have of an array, and whether it is the same on all of them."""
    rows = {node: part.shape[0] if part.shape else None for node, part in parts.items()}
    headers = {(part.shape, part.fortran, part.dtype.str, part.hint) for part in parts.values()}
    same = len(headers) == 1 and len({digest(part.open()) for part in parts.values()}) == 1
    return Rows(name, rows, same)


def join(out: IO[bytes], parts: Mapping[str, Stored], shown: str) -> None:
    """Write the arrays of all nodes, in their order, as one npy stream; they are put together along the first axis.

    Raises:
        DataError: their other axes, or their kinds, differ.
    """
    dtype = _common(parts, shown)
    rows = sum(part.shape[0] for part in parts.values())
    shape = (rows, *next(iter(parts.values())).shape[1:])
    fields = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(out, fields)
    for part in parts.values():
        with part.open() as stream:
            _header(stream)
            if part.fortran or part.dtype != dtype:
                out.write(_read(stream, part).astype(dtype, order="C").tobytes())
            else:
                for chunk in chunks(stream):
                    out.write(chunk)


def _common(parts: Mapping[str, Stored], shown: str) -> np.dtype[Any]:
    """The dtype that holds all: numbers of one kind may differ in size, and texts in length."""
    first_node, first = next(iter(parts.items()))
    for node, part in parts.items():
        if part.shape[1:] != first.shape[1:] or part.dtype.kind != first.dtype.kind:
            told = f"{first.dtype} {first.shape} on {shorten(first_node, 24)}, {part.dtype} {part.shape} on "
            raise DataError(
                one_line(f"{shorten(shown, 60)} cannot be put together: {told}{shorten(node, 24)}")
            )
    dtypes = {part.dtype for part in parts.values()}
    return first.dtype if len(dtypes) == 1 else np.result_type(*dtypes)


def _read(stream: IO[bytes], part: Stored) -> np.ndarray[Any, np.dtype[Any]]:
    flat: np.ndarray[Any, np.dtype[Any]] = np.frombuffer(stream.read(part.nbytes), part.dtype)
    return flat.reshape(part.shape, order="F" if part.fortran else "C")
