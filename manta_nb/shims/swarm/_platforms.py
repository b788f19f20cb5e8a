"""Which framework a script uses, found out without importing any that it does not."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from ._errors import SwarmError
from ._framework import Framework
from ._keras import KerasModel
from ._settings import Settings

__all__ = ["framework_of", "keras_kind", "platform_of"]

_NAMES = {"TF": "KERAS", "KERAS": "KERAS", "PYTORCH": "PYTORCH"}
_KERAS = ("keras", "tf_keras", "tensorflow")


def platform_of(named: Any, model: Any) -> str:
    """The framework, "KERAS" or "PYTORCH": as named, as the model says, or as the script has imported.

    Raises:
        SwarmError: another name.
    """
    if named is not None:
        found = _NAMES.get(str(named).upper())
        if found is None:
            raise SwarmError(f"ml_platform has to be 'TF', 'KERAS' or 'PYTORCH', got {str(named)[:40]!r}")
        return found
    if model is not None:
        return "KERAS" if _is_keras_model(model) else "PYTORCH"
    return "KERAS" if any(name in sys.modules for name in _KERAS) else "PYTORCH"


def _is_keras_model(model: Any) -> bool:
    """Whether the model's class, or one it derives from, is Keras's."""
    return any(kind.__module__.partition(".")[0] in _KERAS for kind in type(model).__mro__)


def keras_kind(kind: type) -> type:
    """The class, made a real callback of the Keras that the script uses."""
    callback = _keras_callback()
    if issubclass(kind, callback):
        return kind
    return type(kind.__name__, (kind, callback), {"__module__": kind.__module__, "__doc__": kind.__doc__})


def framework_of(callback: Any, model: Any, settings: Settings, complaint: str) -> Framework:
    """What the callback merges: the model that Keras gives it if it is Keras's, else this one of PyTorch.

    Raises:
        SwarmError: no model, with the `complaint`, or one of another kind.
    """
    if hasattr(callback, "set_model"):
        if model is not None:
            callback.set_model(model)
        callback.mlCtx = _KerasContext(callback)
        return KerasModel(lambda: callback.model, settings, callback.logger)
    if model is None:
        raise SwarmError(complaint)
    # Takes a second or two, and scripts of Keras need none of it.
    from ._torch import TorchModel, demand_torch_model  # noqa: PLC0415

    demand_torch_model(model)
    callback.model, callback.mlCtx = model, SimpleNamespace(model=model)
    return TorchModel(callback.mlCtx, settings, callback.logger)


class _KerasContext:
    """`mlCtx.model`, which is there when `fit` has begun."""

    def __init__(self, callback: Any) -> None:
        self._callback = callback

    @property
    def model(self) -> Any:
        """The model that Keras trains."""
        return self._callback.model


def _keras_callback() -> Any:
    # TensorFlow imports keras for itself, so that this says nothing of the script; nobody imports tf_keras for another.
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true") or "tf_keras" in sys.modules
    for name in ("tf_keras" if legacy else "keras", "keras", "tensorflow.keras"):
        try:
            return import_module(f"{name}.callbacks").Callback
        except ImportError:
            continue
    raise SwarmError(
        "Keras is not installed here: pip install 'manta-nb[keras]', or pip install tensorflow-cpu"
    )
