"""What clients of split learning exchange: arrays by client, in `.npz` files."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from ..helperbase import HelperBase
from ..npz import named, read_npz, write_npz

__all__ = ["Helper"]


class Helper(HelperBase):
    """Writes and reads dicts of arrays."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "splitlearninghelper"

    def increment_average(self, m1: Any, m2: Any, a: Any = None, W: Any = None) -> Any:  # noqa: N803 - FEDn's names
        """The arrays of all clients in one dict."""
        del a, W
        return {**m1, **m2}

    def save(self, data_dict: Any, path: Any = None, file_type: str = "npz") -> Any:
        """Write a dict of arrays, exactly to `path`, and return the path."""
        self.check_supported_file_type(file_type)
        path = path or self.get_tmp_path()
        write_npz(path, named(data_dict))
        return path

    def load(self, path: Any) -> Any:
        """The arrays of a file by client."""
        return read_npz(path)

    def load_targets(self) -> Any:
        """The labels in the file that the variable FEDN_LABELS_PATH names, as a column."""
        labels = import_module("torch").load(os.environ["FEDN_LABELS_PATH"], weights_only=True)
        return labels["y_train"].reshape(-1, 1)

    def check_supported_file_type(self, file_type: str) -> bool:
        """True; ValueError for a type that is not known."""
        if file_type not in {"npz", "raw_binary"}:
            raise ValueError(
                f"File type not supported. Supported types are: npz, raw_binary (not {file_type!r})"
            )
        return True
