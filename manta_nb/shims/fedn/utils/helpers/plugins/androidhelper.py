"""A model that is one row of numbers, as 4-byte floats one after the other: for clients on Android."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..helperbase import HelperBase
from ..npz import as_array

__all__ = ["Helper"]


class Helper(HelperBase):
    """Writes and reads one array of one dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "androidhelper"

    def increment_average(self, m1: Any, m2: Any, n: Any, N: Any = None) -> Any:  # noqa: N803 - FEDn's names
        """The weighted mean, where `m1` is the one so far and `m2` has `n` of all `N` examples."""
        share = 1 / n if N is None else n / N
        return (1 - share) * as_array(m1) + share * as_array(m2)

    def increment_average_add(self, m1: Any, m2: Any, n: Any, N: Any) -> Any:  # noqa: N803 - FEDn's names
        """The same, computed in one step."""
        return np.add(m1, n * (as_array(m2) - as_array(m1)) / N)

    def save(self, weights: Any, path: Any = None) -> Any:
        """Write the numbers, and return the path."""
        path = path or self.get_tmp_path(suffix="")
        Path(path).write_bytes(np.ascontiguousarray(as_array(weights), dtype=np.float32).tobytes())
        return path

    def load(self, fh: Any) -> Any:
        """The numbers in a file, by path or open, as 8-byte floats."""
        data = fh.read() if hasattr(fh, "read") else Path(fh).read_bytes()
        return np.frombuffer(data, dtype=np.float32).astype(np.float64)

    def get_tmp_path(self, suffix: str = "") -> str:
        """The path of a new, empty temporary file."""
        return super().get_tmp_path(suffix)
