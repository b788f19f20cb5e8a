"""Models as nothing but their numbers, 8-byte floats one after the other: for clients in C++."""

from __future__ import annotations

from typing import Any

from . import numpyhelper

__all__ = ["Helper"]


class Helper(numpyhelper.Helper):
    """Comes back as a list of one array: shapes are not written."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "binaryhelper"

    def save(self, weights: Any, path: Any = None, file_type: str = "raw_binary") -> Any:
        """Write the numbers of all arrays, and return the path."""
        return super().save(weights, path, file_type)

    def load(self, path: Any, file_type: str = "raw_binary") -> Any:
        """A list with one array: all numbers of the file."""
        return super().load(path, file_type)
