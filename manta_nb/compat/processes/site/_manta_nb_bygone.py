"""What numpy and Keras no longer have, for training scripts of a swarm that were written when they had it.

`np.float`, `SGD(lr=…)`, `model.save("folder")`, `fit_generator`, `ImageDataGenerator`: published scripts use them, and
such a script shall run as it is. Only what would fail is different here, and each is told once, on stderr.
It has to work in any Python, also one without manta_nb.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, MutableMapping
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["begin"]

#: numpy before 1.24 and before 2: name → what it was
_NUMPY = {
    "float": float, "int": int, "bool": bool, "object": object, "str": str, "complex": complex,
    "float_": "float64", "complex_": "complex128", "Inf": "inf", "NaN": "nan",
}  # fmt: skip
#: methods of Keras models: the ones of today take generators, too
_METHODS = {"fit_generator": "fit", "evaluate_generator": "evaluate", "predict_generator": "predict"}
#: modules of Keras 2 → where their names are now
_MODULES = {
    "keras.layers.merge": "keras.layers",
    "keras.optimizers.adam_v2": "keras.optimizers",
    "keras.optimizers.gradient_descent_v2": "keras.optimizers",
    "keras.optimizers.rmsprop_v2": "keras.optimizers",
    "keras.utils.np_utils": "keras.utils",
}
_FILES = (".keras", ".h5", ".hdf5")


def begin(after: MutableMapping[str, Callable[[ModuleType], None]]) -> None:
    """Mend numpy and Keras right after they are imported.

    Args:
        after: module → what is called with it then.
    """
    after["numpy"] = _mend_numpy
    after["keras"] = _mend_keras


def _mend_numpy(numpy: Any) -> None:
    ask = getattr(numpy, "__getattr__", None)

    def find(name: str) -> Any:
        try:
            if ask is not None:
                return ask(name)
        except AttributeError:
            # libraries ask in order to learn numpy's version
            if name not in _NUMPY or _is_library(sys._getframe(1).f_code.co_filename):
                raise
        if name not in _NUMPY:
            raise AttributeError(f"module 'numpy' has no attribute {name!r}")
        was = _NUMPY[name]
        _tell(f"numpy has no np.{name} any more: it is taken for {getattr(was, '__name__', was)}")
        return getattr(numpy, was) if isinstance(was, str) else was

    numpy.__getattr__ = find


def _mend_keras(keras: Any) -> None:
    if not str(getattr(keras, "__version__", "")).startswith("3."):
        return
    for old, new in _METHODS.items():
        _put(keras.Model, old, getattr(keras.Model, new))
    for old, new in _MODULES.items():
        parent, _, name = old.rpartition(".")
        if old not in sys.modules:
            sys.modules[old] = import_module(new)
            _put(import_module(parent), name, sys.modules[old])
    try:
        images = import_module("keras.src.legacy.preprocessing.image")
        _put(import_module("keras.preprocessing.image"), "ImageDataGenerator", images.ImageDataGenerator)
    except (ImportError, AttributeError):
        # it was private already: some day it is gone
        pass
    _take_lr(keras.optimizers.Optimizer)
    _save_folders(keras.Model)


def _take_lr(optimizer: Any) -> None:
    """`lr=` of optimizers is `learning_rate=` since Keras 3."""
    owner = next(kind for kind in optimizer.__mro__ if "__init__" in vars(kind))
    construct = owner.__init__

    @functools.wraps(construct)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if "lr" in kwargs:
            kwargs["learning_rate"] = kwargs.pop("lr")
            _tell("Keras 3 has no lr= any more: it is taken for learning_rate=")
        construct(self, *args, **kwargs)

    owner.__init__ = init


def _save_folders(kind: Any) -> None:
    """`model.save("folder")` writes a SavedModel, as Keras 2 did, and `model.keras`, which Keras 3 can load."""
    save = kind.save

    @functools.wraps(save)
    def saved(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        path = str(filepath)
        named = kwargs.get("save_format") or kwargs.get("zipped")
        if path.endswith(_FILES) or named not in (None, "tf"):
            return save(self, filepath, *args, **kwargs)
        os.makedirs(path, exist_ok=True)
        whole = os.path.join(path, "model.keras")
        save(self, whole)
        try:
            self.export(path, verbose=False)
            _tell(f"Keras 3 saves no folders: {path} is a SavedModel, and Keras can load {whole}")
        except Exception as error:  # noqa: BLE001 - the model's own code, and other backends than TensorFlow
            _tell(f"Keras 3 saves no folders: Keras can load {whole}; no SavedModel: {str(error)[:200]}")
        return None

    kind.save = saved


def _put(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        setattr(owner, name, value)


def _is_library(filename: str) -> bool:
    return "site-packages" in filename or "dist-packages" in filename


@functools.cache
def _tell(line: str) -> None:
    sys.stderr.write(f"manta-nb: {line}\n")
