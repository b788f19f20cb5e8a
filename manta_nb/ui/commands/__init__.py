"""What the magics do: one function each, `command(notebook, options) -> something to display`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

__all__ = ["COMMANDS", "command"]

#: the cell magics and the verbs of `%manta`, and what they call: a module of this package and a function in it
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "%%module": "module.define_module",
        "%%swarm": "swarm.run_swarm_cell",
        "%%swarm_learning": "swarm_learning.run_script_cell",
        "start": "nodes.start",
        "nodes": "nodes.nodes",
        "use": "nodes.use",
        "shutdown": "nodes.shutdown",
        "run": "runs.run",
        "runs": "runs.runs",
        "stop": "runs.stop",
        "resume": "resume.resume",
        "monitor": "runs.monitor",
        "modules": "modules.modules",
        "globals": "views.globals_",
        "results": "views.results",
        "metrics": "views.metrics",
        "logs": "views.logs",
        "graph": "views.graph",
        "export": "export.export",
        "fedn": "fedn.fedn",
        "swarm-learning": "swarm_learning.swarm_learning",
        "doctor": "views.doctor",
    }
)


def command(name: str) -> Callable[..., Any]:
    """What a verb or a cell magic calls; its module is imported when it is first used, which takes tens of ms."""
    module, _, function = COMMANDS[name].partition(".")
    found: Callable[..., Any] = getattr(import_module(f"{__name__}.{module}"), function)
    return found
