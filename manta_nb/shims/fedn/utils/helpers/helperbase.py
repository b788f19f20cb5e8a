"""The class that helpers derive from, a package's own ones, too."""

from __future__ import annotations

import os
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

__all__ = ["HelperBase"]


class HelperBase:
    """How models are written, read, and averaged.

    A helper overrides `increment_average`, `save` and `load`. The other methods are their names of FEDn 0.4 and
    before.
    """

    def __init__(self) -> None:
        self.name = type(self).__name__

    def increment_average(self, m1: Any, m2: Any, a: Any, W: Any = None) -> Any:  # noqa: N803 - FEDn's names
        """The mean of models, where `m1` is the one so far, and `m2` has `a` of all `W` examples."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say how to average models: write increment_average"
        )

    def save(self, model: Any, path: Any = None) -> Any:
        """Write `model`, and return its path."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to write models: write save")

    def load(self, fh: Any) -> Any:
        """Read a model from a path or an open file."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read models: write load")

    def get_tmp_path(self, suffix: str = ".npz") -> str:
        """The path of a new, empty temporary file, which whoever asked for it removes."""
        descriptor, path = tempfile.mkstemp(suffix=suffix)
        os.close(descriptor)
        return path

    def save_model(self, model: Any, path: Any = None) -> Any:
        """`save`."""
        return self.save(model, path)

    def load_model(self, path: Any = "weights.npz") -> Any:
        """`load`."""
        return self.load(path)

    def get_weights(self, weights: Any) -> Any:
        """The weights themselves."""
        return weights

    def load_model_from_BytesIO(self, model_bytesio: bytes) -> Any:  # noqa: N802 - FEDn's name
        """The model in the bytes of a file."""
        path = self.get_tmp_path()
        try:
            Path(path).write_bytes(model_bytesio)
            return self.load(path)
        finally:
            Path(path).unlink()

    def serialize_model_to_BytesIO(self, model: Any) -> BytesIO:  # noqa: N802 - FEDn's name
        """The bytes of a file with the model; the position stands at their end, as in FEDn."""
        path = self.save(model)
        try:
            stream = BytesIO()
            stream.write(Path(path).read_bytes())
            return stream
        finally:
            Path(path).unlink()
