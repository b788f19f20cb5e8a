"""Globals as arrays in one file: `.npz`, which numpy reads, and `.safetensors`, which everybody reads.

A dict or list makes a name of each of its entries, `model/layers/0`; nothing is ever pickled.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from manta_nb.errors import MantaError
from manta_nb.render import plain
from manta_nb.sdk.arrays import KINDS, NPY_MAGIC, Array, is_tensor, npy_view, tensor_to_array
from manta_nb.sdk.codec import decode
from manta_nb.sdk.describe import describe
from manta_nb.sdk.names import shorten
from manta_nb.sdk.wire import MAGIC
from manta_nb.session.digest import RunLike

__all__ = ["Leaf", "flat_globals", "write_npz", "write_safetensors"]

#: what a `Leaf` is called, and its value: an array, or what cannot be one
Leaf = tuple[str, Any]
#: dtypes that safetensors knows
_TENSORS = "?bhilqBHILQefdF"
_DEEPEST = 60


def flat_globals(run: RunLike) -> Iterator[Leaf]:
    """Every entry of every Global, one Global in memory at a time; names are unique.

    What cannot be read is a `MantaError` in place of the value.
    """
    taken = set[str]()
    for tag in run.globals:
        try:
            value = run.globals[tag]
        except MantaError as error:
            value = error
        for name, leaf in _entries(tag, value, 0):
            if name in taken:
                yield name, MantaError(f"{shorten(name, 60)} is the name of two values")
                continue
            taken.add(name)
            yield name, leaf


def write_npz(run: RunLike, file: BinaryIO) -> list[str]:
    """All Globals that are arrays, numbers or texts; returns what had to be left out, a line each."""
    left = []
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in flat_globals(run):
            array = as_array(value)
            if array is None:
                left.append(_why(name, value))
                continue
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                npy.write_array(entry, array, allow_pickle=False)
    return left


def write_safetensors(run: RunLike, file: BinaryIO) -> list[str]:
    """All Globals that are arrays or numbers; texts and the like stand in the metadata, as JSON.

    Returns what had to be left out, a line each.
    """
    from safetensors.numpy import save  # noqa: PLC0415 - a tenth of a second that most sessions do not need

    tensors: dict[str, Array] = {}
    notes = {
        "manta_nb.run_id": run.run_id,
        "manta_nb.name": run.name,
        "manta_nb.iterations": str(run.iteration),
        "manta_nb.seed": str(run.seed),
    }
    left = []
    for name, value in flat_globals(run):
        array = as_array(value)
        if array is not None and array.dtype.char in _TENSORS:
            # `ascontiguousarray` would make a vector of a number
            tensors[name] = np.asarray(array, array.dtype.newbyteorder("="), order="C")
        elif (text := _as_json(value)) is not None:
            notes[name] = text
        else:
            left.append(_why(name, value))
    file.write(save(tensors, {key: _valid(text) for key, text in notes.items()}))
    return left


def as_array(value: Any) -> Array | None:
    """A value as an array that needs no pickle; None where it is none."""
    if is_tensor(value):
        try:
            value = tensor_to_array(value)
        except TypeError:
            return None
    if not isinstance(value, np.ndarray | np.generic | bool | int | float | complex | str):
        return None
    array = np.asarray(value)
    # a numpy text forgets the zeros at its end
    lost = isinstance(value, str) and array.item() != value
    return array if array.dtype.kind in KINDS and not lost else None


def _entries(name: str, value: Any, depth: int) -> Iterator[Leaf]:
    """The arrays inside a value, by name; what is none is given as it is."""
    value = _opened(value)
    if isinstance(value, list | tuple) and (numbers := _numbers(value)) is not None:
        value = numbers
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        for key, item in value.items():
            yield from _entries(f"{name}/{key}", item, depth + 1)
    elif isinstance(value, list | tuple) and value and depth < _DEEPEST:
        for index, item in enumerate(value):
            yield from _entries(f"{name}/{index}", item, depth + 1)
    else:
        # a name with half a character could not be written
        yield _valid(name).replace("\0", " "), value


def _opened(value: Any) -> Any:
    """What is inside bytes of `numpy_to_bytes` or `dict_to_bytes`; any other value as it is."""
    if not isinstance(value, bytes | bytearray | memoryview):
        return value
    view = memoryview(value)
    start = bytes(view[: len(MAGIC)])
    try:
        if start.startswith(NPY_MAGIC):
            return npy_view(view.toreadonly())
        return decode(view) if start == MAGIC else value
    except MantaError:
        return value


def _numbers(value: list[Any] | tuple[Any, ...]) -> Array | None:
    """A list of numbers, or of such lists of one length, as an array; None for any other."""
    if not value or not all(isinstance(item, bool | int | float | list | tuple) for item in value):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        return None
    # of mixed kinds numpy would make one: True and 2 are told apart here
    same = len({type(item) for item in value}) == 1
    return array if same and array.dtype.kind in "biuf" else None


def _as_json(value: Any) -> str | None:
    """Texts, whole numbers of any size, None, empty lists and dicts as JSON; None for anything else."""
    if isinstance(value, MantaError | bytes | bytearray | memoryview | np.ndarray):
        return None
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return None


def _why(name: str, value: Any) -> str:
    """`model/optimizer: bytes, 1.2 kB`: what was left out."""
    what = str(value) if isinstance(value, MantaError) else describe(value)
    return f"{shorten(plain(name), 60)}: {shorten(plain(what), 100)}"


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
