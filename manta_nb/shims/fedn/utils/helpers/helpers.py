"""The four functions that entry points call: `get_helper`, `save_metadata`, `load_metadata`, `save_metrics`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module, util
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from . import plugins

__all__ = ["OLD_PLUGINS", "PLUGINS", "get_helper", "load_metadata", "plain", "save_metadata", "save_metrics"]

#: the helpers that are here
PLUGINS = (
    "androidhelper",
    "binaryhelper",
    "kerashelper",
    "numpyarrayhelper",
    "numpyhelper",
    "pytorchhelper",
    "splitlearninghelper",
)
#: what they were called until FEDn 0.4
OLD_PLUGINS = {"keras": "kerashelper", "numpyarray": "numpyarrayhelper", "pytorch": "pytorchhelper"}


def get_helper(helper_module_name: str) -> Any:
    """A helper by its name, such as "numpyhelper".

    A package may bring its own: a module with a class `Helper`, in its folder or among the plugins.

    Raises:
        ModuleNotFoundError: there is none of that name.
    """
    name = OLD_PLUGINS.get(helper_module_name, helper_module_name)
    module = import_module(f".plugins.{name}", __package__) if name in PLUGINS else _own(name)
    if not hasattr(module, "Helper"):
        raise AttributeError(f"the helper {name} ({module.__file__}) has no class Helper")
    return module.Helper()


def save_metadata(metadata: Mapping[str, Any], filename: str | os.PathLike[str]) -> None:
    """Write what is to be known of an update to `filename` + "-metadata"; `num_examples` has to be among it."""
    _write(metadata, f"{os.fspath(filename)}-metadata")


def load_metadata(filename: str | os.PathLike[str]) -> Any:
    """Read `filename` + "-metadata": for a model that comes in, the settings for clients."""
    return json.loads(Path(f"{os.fspath(filename)}-metadata").read_text(encoding="utf-8"))


def save_metrics(metrics: Mapping[str, Any], filename: str | os.PathLike[str]) -> None:
    """Write metrics as JSON to `filename`."""
    _write(metrics, os.fspath(filename))


def _own(name: str) -> ModuleType:
    """The helper that a package brings along."""
    if isinstance(name, str) and name.isidentifier():
        if PathFinder.find_spec(name, plugins.__path__) is not None:
            return import_module(f".plugins.{name}", __package__)
        # a program that changed its working directory, or was started as a module, may not have it on the path
        spec = PathFinder.find_spec(name, [str(Path.cwd()), *sys.path])
        if name not in sys.modules and spec is not None and spec.loader is not None:
            module = util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
        if name in sys.modules:
            return sys.modules[name]
    raise ModuleNotFoundError(
        f"there is no helper {name!r}: take one of {', '.join(PLUGINS)}, "
        f"or put a module {name}.py with a class Helper beside the entry point"
    )


def _write(value: Any, path: str) -> None:
    # as a whole, or not at all
    text = json.dumps(plain(value))
    Path(path).write_text(text, encoding="utf-8")


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: numbers of numpy, torch and tensorflow become numbers, arrays become lists."""
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str) or type(value) is float:
        return value
    if hasattr(value, "numpy") and not hasattr(value, "tolist"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        return value.tolist()
    return os.fspath(value) if isinstance(value, os.PathLike) else value
