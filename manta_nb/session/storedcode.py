"""Modules as plain values and back, and which of them have changed since a run was started."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from manta_nb.sdk.graph import GraphTask, TaskGraph
from manta_nb.sdk.module import Module
from manta_nb.sdk.options import Options
from manta_nb.sdk.source import ModuleSource

__all__ = ["graph_of", "module_of", "module_record", "versions"]

PACKAGES = ("manta-nb", "numpy", "torch", "dask", "distributed", "scikit-learn")


def module_record(module: Module) -> dict[str, Any]:
    """The text and the options of a module, as plain values."""
    default = Options()
    options = {
        each.name: getattr(module.options, each.name)
        for each in fields(Options)
        if getattr(module.options, each.name) != getattr(default, each.name)
    }
    return {"source": asdict(module.source), "options": options}


def module_of(record: Mapping[str, Any]) -> Module:
    """The module that `module_record` described."""
    return Module.of(ModuleSource(**record["source"]), **record["options"])


def graph_of(modules: Mapping[str, Any], inputs: Mapping[str, Sequence[str]]) -> TaskGraph:
    """The graph of a run; `inputs` are the aliases that each task waits for, in the order of the graph."""
    return TaskGraph(
        tuple(GraphTask(alias, module_of(modules[alias]), tuple(names)) for alias, names in inputs.items())
    )


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
