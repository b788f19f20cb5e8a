"""What the magics do: one function each, `command(notebook, options) -> something to display`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from manta_nb.ui.commands import nodes, runs, views
from manta_nb.ui.commands.export import export
from manta_nb.ui.commands.module import define_module
from manta_nb.ui.commands.modules import modules
from manta_nb.ui.commands.resume import resume
from manta_nb.ui.commands.swarm import run_swarm_cell

__all__ = ["COMMANDS", "define_module", "run_swarm_cell"]

#: the verbs of `%manta` and what they call
COMMANDS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "start": nodes.start,
        "nodes": nodes.nodes,
        "use": nodes.use,
        "shutdown": nodes.shutdown,
        "run": runs.run,
        "runs": runs.runs,
        "stop": runs.stop,
        "resume": resume,
        "monitor": runs.monitor,
        "modules": modules,
        "globals": views.globals_,
        "results": views.results,
        "metrics": views.metrics,
        "logs": views.logs,
        "graph": views.graph,
        "export": export,
        "doctor": views.doctor,
    }
)
