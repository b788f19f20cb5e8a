"""Reading `.npz` files: their arrays straight into memory, without the check sums that cost most of the time."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

__all__ = ["Npz"]

#: length of a local header of a zip archive, and where the lengths of name and extra field stand in it (APPNOTE 4.3.7)
_LOCAL = 30
_LENGTHS = struct.Struct("<26xHH")
#: what an `.npy` file of version 1.0 begins with, and the length of its header, which comes next
_MAGIC = npy_format.magic(1, 0)
_LENGTH = struct.Struct("<H")


class Npz(Mapping[str, np.ndarray]):
    """The arrays of an `.npz` file by key, read when they are asked for; like the object `numpy.load` gives.

    Each access is a new array. A file that is no archive raises `ValueError` or `OSError` at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self._members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path.name} is not an .npz file: {error}") from error

    @property
    def files(self) -> list[str]:
        """The keys."""
        return list(self._members)

    def __getitem__(self, key: str) -> np.ndarray:
        info = self._members.get(key.removesuffix(".npy"))
        if info is None:
            raise KeyError(f"{key!r} is not in {self._path.name}; there are: {', '.join(self._members)}")
        if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1:
            with self._path.open("rb") as file:
                array = _stored(file, info)
                if array is not None:
                    return array
        with np.load(self._path, allow_pickle=False) as archive:
            return np.asarray(archive[info.filename.removesuffix(".npy")])

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __enter__(self) -> Npz:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing to close; here for programs written for `numpy.load`."""


def _stored(file: IO[bytes], info: zipfile.ZipInfo) -> np.ndarray | None:
    """An array that lies in the archive as it is; None where numpy has to read it, or to say what is wrong."""
    file.seek(info.header_offset)
    local = file.read(_LOCAL)
    if len(local) < _LOCAL:
        return None
    start = info.header_offset + _LOCAL + sum(_LENGTHS.unpack(local))
    file.seek(start)
    magic, length = file.read(len(_MAGIC)), file.read(_LENGTH.size)
    if magic != _MAGIC or len(length) < _LENGTH.size:
        return None
    try:
        shape, fortran, dtype = _header(length + file.read(*_LENGTH.unpack(length)))
    except ValueError:
        return None
    count = int(np.prod(shape, dtype=np.int64))
    if dtype.hasobject or start + info.file_size != file.tell() + count * dtype.itemsize:
        return None
    flat: np.ndarray[Any, Any] = np.fromfile(file, dtype=dtype, count=count)
    if flat.size != count:
        return None
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


@lru_cache(maxsize=256)
def _header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and dtype: numpy parses a text, which takes as long as reading 200 kB, the same on every node."""
    return npy_format.read_array_header_1_0(io.BytesIO(data))
