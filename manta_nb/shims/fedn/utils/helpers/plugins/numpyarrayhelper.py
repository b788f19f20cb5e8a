"""A model that is one array of at most two dimensions, as text; of FEDn 0.7 and before."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..helperbase import HelperBase
from ..npz import as_array

__all__ = ["Helper"]


class Helper(HelperBase):
    """Writes and reads with `numpy.savetxt` and `numpy.loadtxt`."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "numpyarrayhelper"

    def increment_average(self, m1: Any, m2: Any, n: Any, N: Any = None) -> Any:  # noqa: N803 - FEDn's names
        """The mean, where `m2` is the `n`-th model, or, with `N`, has `n` of all `N` examples."""
        part, whole = (1, n) if N is None else (n, N)
        return np.add(m1, part * (as_array(m2) - as_array(m1)) / whole)

    def save(self, model: Any, path: Any = None) -> Any:
        """Write the array, and return the path."""
        path = path or self.get_tmp_path()
        np.savetxt(path, np.atleast_1d(as_array(model)))
        return path

    def load(self, path: Any) -> Any:
        """The array in a file."""
        return np.loadtxt(path, ndmin=1)

    def get_tmp_path(self, suffix: str = "") -> str:
        """The path of a new, empty temporary file."""
        return super().get_tmp_path(suffix)
