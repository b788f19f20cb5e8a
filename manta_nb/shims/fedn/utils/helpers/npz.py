"""Arrays in `.npz` files: no pickle, no compression (packages of FEDn read both), any name for an entry."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

__all__ = ["Array", "Target", "as_array", "is_numbered", "named", "read_npz", "write_npz"]

Array = np.ndarray[Any, np.dtype[Any]]
#: a path, or a file that is open for bytes
Target = str | os.PathLike[str] | IO[bytes]


def as_array(value: Any) -> Array:
    """An array, number, list of numbers or tensor as an array; a tensor of torch may need a gradient or a device."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        # numpy has no bfloat16
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    return np.asarray(value)


def named(model: Mapping[Any, Any] | Iterable[Any]) -> dict[str, Array]:
    """The arrays of a model by the names they have in a file: its keys, or "0", "1" and so on."""
    pairs = model.items() if isinstance(model, Mapping) else enumerate(model)
    arrays = {str(key): as_array(value) for key, value in pairs}
    for key, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(
                f"entry {key!r} of the model holds Python objects: a model is made of arrays of numbers"
            )
    return arrays


def is_numbered(names: Iterable[str]) -> bool:
    """Whether the names are "0", "1", … in any order: those of a list."""
    found = list(names)
    return set(found) == {str(index) for index in range(len(found))}


def write_npz(target: Target, arrays: Mapping[str, Array]) -> None:
    """Write arrays as `numpy.savez` does, but exactly to the path that is given."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy_format.write_array(member, array, allow_pickle=False)


def read_npz(source: Target) -> dict[str, Array]:
    """The arrays of an `.npz` file in its order; ValueError for a file of another kind."""
    found = np.load(source, allow_pickle=False)
    if isinstance(found, np.ndarray):
        raise ValueError(f"{source} is a single array, not an .npz file of named ones")
    with found:
        return {name: found[name] for name in found.files}
