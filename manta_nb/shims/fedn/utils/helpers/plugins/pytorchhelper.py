"""Models as the `state_dict` of torch, of FEDn 0.7 and before."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..npz import read_npz
from . import numpyhelper

__all__ = ["Helper"]


class Helper(numpyhelper.Helper):
    """What it reads is always an OrderedDict of arrays by name."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "pytorchhelper"

    def load(self, path: Any, file_type: str = "npz") -> Any:
        """The arrays of a file by name, in its order."""
        return OrderedDict(read_npz(path)) if file_type == "npz" else super().load(path, file_type)
