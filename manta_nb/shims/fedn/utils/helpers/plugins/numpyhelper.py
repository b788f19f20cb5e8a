"""Models as arrays of numpy, in `.npz` files.

A list is written as entries "0", "1", … and comes back as a list. A dict is written under its keys and comes back as
an OrderedDict: FEDn's own tutorial needs that, FEDn's own helper cannot do it.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..helperbase import HelperBase
from ..npz import Array, Target, as_array, is_numbered, named, read_npz, write_npz

__all__ = ["Helper"]

_Model = Mapping[str, Any] | Sequence[Any]
_Result = OrderedDict[str, Any] | list[Any]


class Helper(HelperBase):
    """Writes, reads and computes with lists and dicts of arrays; tensors on the way in become arrays."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "numpyhelper"

    def increment_average(self, m1: Any, m2: Any, n: Any, N: Any = None) -> Any:  # noqa: N803 - FEDn's names
        """The weighted mean, where `m1` is the one so far and `m2` has `n` of all `N` examples.

        With three arguments, as until FEDn 0.4: `m2` is the `n`-th model, and all count alike.
        """
        part, whole = (1, n) if N is None else (n, N)
        return _pairs(lambda x, y: np.add(x, part * (y - x) / whole), m1, m2)

    def add(self, m1: _Model, m2: _Model, a: float = 1.0, b: float = 1.0) -> _Result:
        """a·m1 + b·m2."""
        return _pairs(lambda x, y: x * a + y * b, m1, m2)

    def subtract(self, m1: _Model, m2: _Model, a: float = 1.0, b: float = 1.0) -> _Result:
        """a·m1 - b·m2."""
        return self.add(m1, m2, a, -b)

    def divide(self, m1: _Model, m2: _Model) -> _Result:
        """m1 / m2, element by element."""
        return _pairs(np.divide, m1, m2)

    def multiply(self, m1: _Model, m2: _Model) -> _Result:
        """m1 · m2, element by element."""
        return _pairs(np.multiply, m1, m2)

    def sqrt(self, m1: _Model) -> _Result:
        """The square root, element by element."""
        return _each(np.sqrt, m1)

    def power(self, m1: _Model, a: float) -> _Result:
        """m1 to the power of `a`, element by element."""
        return _each(lambda x: np.power(x, a), m1)

    def sign(self, m: _Model) -> _Result:
        """-1, 0 or 1, element by element."""
        return _each(np.sign, m)

    def ones(self, m1: _Model, a: float) -> _Result:
        """Arrays of the same shapes, filled with `a`."""
        return _each(lambda x: np.full(np.shape(x), float(a)), m1)

    def norm(self, m: _Model) -> float:
        """The sum of the 1-norms of the arrays; that of a matrix is its largest sum of a column."""
        arrays = (as_array(x) for x in (m.values() if isinstance(m, Mapping) else m))
        return float(sum(np.linalg.norm(x if x.ndim in (1, 2) else x.ravel(), 1) for x in arrays))

    def save(self, weights: Any, path: Any = None, file_type: str = "npz") -> Any:
        """Write a list or dict of arrays, and return the path.

        Args:
            weights: arrays, tensors, numbers.
            path: where to; None: a temporary file. As with numpy, `.npz` is added where a path does not end so.
            file_type: "npz", or "raw_binary" for the numbers alone, one after the other as 8-byte floats.
        """
        self.check_supported_file_type(file_type)
        if file_type == "raw_binary":
            path = path or self.get_tmp_path(suffix=".bin")
            _write_bytes(path, _flat(named(weights).values(), np.float64))
            return path
        path = path or self.get_tmp_path()
        write_npz(_with_suffix(path), named(weights))
        return path

    def load(self, path: Any, file_type: str = "npz") -> Any:
        """The model in a file, by path or open: a list, or an OrderedDict where its entries have names."""
        self.check_supported_file_type(file_type)
        if file_type == "raw_binary":
            return [np.frombuffer(bytearray(_read_bytes(path)), dtype=np.float64)]
        arrays = read_npz(path)
        if is_numbered(arrays):
            return [arrays[str(index)] for index in range(len(arrays))]
        # numpy.savez(path, *arrays) calls them so
        if list(arrays) == [f"arr_{index}" for index in range(len(arrays))]:
            return list(arrays.values())
        return OrderedDict(arrays)

    def check_supported_file_type(self, file_type: str) -> bool:
        """True; ValueError for a type that is not known."""
        if file_type not in {"npz", "raw_binary"}:
            raise ValueError(
                f"File type not supported. Supported types are: npz, raw_binary (not {file_type!r})"
            )
        return True


def _each(function: Callable[[Array], Any], model: _Model) -> _Result:
    if isinstance(model, Mapping):
        return OrderedDict((key, function(as_array(value))) for key, value in model.items())
    return [function(as_array(value)) for value in model]


def _pairs(function: Callable[[Array, Array], Any], m1: _Model, m2: _Model) -> _Result:
    if isinstance(m1, Mapping):
        others = m2 if isinstance(m2, Mapping) else dict(zip(m1, m2, strict=True))
        return OrderedDict(
            (key, function(as_array(value), as_array(others[key]))) for key, value in m1.items()
        )
    return [function(as_array(x), as_array(y)) for x, y in zip(m1, m2, strict=True)]


def _flat(arrays: Iterable[Array], dtype: type) -> bytes:
    return b"".join(np.ascontiguousarray(array, dtype=dtype).tobytes() for array in arrays)


def _with_suffix(path: Target) -> Target:
    if not isinstance(path, str | os.PathLike):
        return path
    name = os.fspath(path)
    return name if name.endswith(".npz") else f"{name}.npz"


def _write_bytes(target: Target, data: bytes) -> None:
    if isinstance(target, str | os.PathLike):
        Path(target).write_bytes(data)
    else:
        target.write(data)


def _read_bytes(source: Target) -> bytes:
    return Path(source).read_bytes() if isinstance(source, str | os.PathLike) else source.read()
