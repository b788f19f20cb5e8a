"""Models of packages: files into arrays and back, by the package's helper, and what is wrong with them.

A model is a dict of arrays by name, or a list of arrays. Files come from programs that nobody here wrote: nothing in
them is ever unpickled, and nothing is read before its size is known.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn, cast

import numpy as np

from manta_nb.compat.fedn.models.helpernames import find_helper
from manta_nb.compat.fedn.models.likeness import Model, as_model, check_like
from manta_nb.errors import CorruptBytes, PackageError
from manta_nb.sdk.arrays import Array, npy_view
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.shims.fedn.utils.helpers.npz import is_numbered, named, write_npz

__all__ = ["Model", "as_model", "check_like", "find_helper", "load_model", "load_seed", "save_model"]

#: bytes of arrays that one model may have
MOST_BYTES = 4 << 30
#: deflate never makes data smaller than this
_BEST_RATIO = 1032
#: helpers that write numbers and nothing else → the dtype of these
_RAW: Mapping[str, np.dtype[Any]] = {"androidhelper": np.dtype("<f4"), "binaryhelper": np.dtype("<f8")}
_TEXT = ("numpyarray", "numpyarrayhelper")
#: helpers whose models are dicts, whatever the names of the entries
_DICTS = ("pytorch", "pytorchhelper", "splitlearninghelper")


def load_model(path: str | os.PathLike[str], helper: str) -> Model:
    """The model in a file that `helper` wrote.

    Args:
        path: the file.
        helper: such as "numpyhelper"; of an unknown one, which a package may bring along, an `.npz` file can be read.

    Returns:
        New arrays: a list where the entries of the file are "0", "1", … in any order, else a dict in its order.

    Raises:
        PackageError: it is missing, empty, truncated, of another format, too large, or holds pickled objects.

    Example:
        >>> load_model("seed.npz", "numpyhelper")[0].shape
        (64, 784)
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            _refuse(path, f"it has {size / 1e9:.1f} GB, {MOST_BYTES >> 30} at most")
        if not size:
            _refuse(path, "it is empty")
        if helper in _RAW:
            return [_raw(path, size, _RAW[helper])]
        if helper in _TEXT:
            return [_text(path)]
        arrays = _npz(path, helper)
    except OSError as error:
        _refuse(path, error.strerror or str(error))
    if helper not in _DICTS and is_numbered(arrays):
        return [arrays[str(index)] for index in range(len(arrays))]
    return arrays


def load_seed(path: str | os.PathLike[str], helper: str) -> Model:
    """The model that a run starts from: `load_model`, with an error that says so.

    Raises:
        PackageError: there is no such file, or it cannot be loaded, and why.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise PackageError(
            one_line(f"the seed model {shorten(str(path), 100)} {what}: name the file, such as seed.npz")
        )
    try:
        model = load_model(path, helper)
    except PackageError as error:
        raise PackageError(one_line(f"the seed model cannot be loaded: {error}")) from error
    if not len(model):
        raise PackageError(f"the seed model cannot be loaded: {shorten(path.name, 60)} holds no arrays")
    check_like(model, model, "the seed model")
    return model


def save_model(model: Model, path: str | os.PathLike[str], helper: str) -> None:
    """Write `model` exactly to `path`, so that `helper` reads it; `.npz` files are not compressed, as that takes long.

    Raises:
        PackageError: the helper writes one array of at most two dimensions, and the model is another.
    """
    path = Path(path)
    arrays = named(model)
    if helper in _RAW:
        flat = [np.ascontiguousarray(array, _RAW[helper]) for array in arrays.values()]
        path.write_bytes(b"".join(array.tobytes() for array in flat))
    elif helper in _TEXT:
        single = list(arrays.values())
        if len(single) != 1 or not 1 <= single[0].ndim <= 2:
            raise PackageError(
                f"the {helper} holds one array of 1 or 2 dimensions, not a model of {len(single)} arrays"
            )
        np.savetxt(path, single[0])
    else:
        write_npz(path, arrays)


def _refuse(path: Path, why: str) -> NoReturn:
    raise PackageError(one_line(f"{shorten(path.name, 60)} cannot be read as a model: {why}"))


def _raw(path: Path, size: int, dtype: np.dtype[Any]) -> Array:
    if size % dtype.itemsize:
        _refuse(path, f"{size} bytes are no row of {dtype.itemsize}-byte numbers")
    return np.fromfile(path, dtype)


def _text(path: Path) -> Array:
    try:
        return np.loadtxt(path, ndmin=1, encoding="utf-8")
    except ValueError as error:
        _refuse(path, str(error))


def _npz(path: Path, helper: str) -> dict[str, Array]:
    """The entries of an `.npz` file, each checked against its size and check sum."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                _check_members(path, members)
                return {info.filename.removesuffix(".npy"): _entry(path, archive, info) for info in members}
        except zipfile.BadZipFile as error:
            _refuse(path, _no_zip(file, helper, error))
        except (zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, UnicodeError) as error:
            # what damaged archives make zipfile raise; RuntimeError: an encrypted one
            _refuse(path, f"the file is damaged ({error})")


def _check_members(path: Path, members: Iterable[zipfile.ZipInfo]) -> None:
    total = 0
    for info in members:
        if not info.filename.endswith(".npy"):
            torch = info.filename.endswith(("data.pkl", "/version"))
            _refuse(
                path,
                "torch.save wrote it: write it by helper.save" if torch else "it is a zip, but no .npz file",
            )
        total += info.file_size
        if total > MOST_BYTES:
            _refuse(path, f"its arrays take {total / 1e9:.1f} GB or more, {MOST_BYTES >> 30} at most")
        if info.file_size > _BEST_RATIO * (info.compress_size + 8):
            _refuse(path, f"the file is damaged (the size of {shorten(info.filename, 40)} cannot be)")


def _entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    data = bytearray(info.file_size)
    with archive.open(info) as member:
        # ZipFile.open gives a BufferedIOBase, and says less
        if io.BufferedIOBase.readinto(cast(io.BufferedIOBase, member), data) != len(data) or member.read(1):
            _refuse(path, "the file is truncated")
    try:
        return npy_view(memoryview(data))
    except CorruptBytes as error:
        pickled = b"'|O'" in data[:256]
        name = shorten(info.filename.removesuffix(".npy"), 40)
        why = (
            "holds pickled Python objects, which are not read: save arrays of numbers"
            if pickled
            else str(error)
        )
        _refuse(path, f"its entry {name} {why}" if pickled else f"entry {name}: {why}")


def _no_zip(file: IO[bytes], helper: str, error: Exception) -> str:
    """What a file is that is no zip, as far as one can see."""
    file.seek(0)
    begin = file.read(8)
    if begin.startswith(b"PK"):
        return f"the file is truncated or damaged ({error})"
    if begin.startswith(b"\x93NUMPY"):
        return "it is a single array, of numpy.save: write it by helper.save"
    return f"it is no .npz file, which the {shorten(helper, 40)} writes"
