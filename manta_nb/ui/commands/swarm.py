"""`%%swarm`: runs the cell, and the swarm it ends in."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from manta_nb.render import Card
from manta_nb.sdk.bytes import numpy_to_bytes
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import shorten
from manta_nb.sdk.swarm import Swarm
from manta_nb.ui.body import check_body, swarm_of
from manta_nb.ui.cells import added_names, current_cell, parse_body, run_body
from manta_nb.ui.dispatching import start_run
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["run_swarm_cell"]


def run_swarm_cell(notebook: Notebook, options: Namespace, body: str) -> Run | Card:
    """Run the body as an ordinary cell, then the swarm that is its last value; bind the `Run`.

    Raises:
        DefinitionError: the body does not end in a swarm, or the swarm could not run as it is written.
        UsageError: the options do not allow it.
    """
    __tracebackhide__ = True
    cell = current_cell(notebook.shell, body)
    notebook.traces.ran(cell)
    tree = parse_body(notebook.shell, cell)
    check_body(tree, cell, notebook.namespace)
    # Checks each value where it is set, so that the error names the line.
    first = Swarm()
    added = {
        "set_global": first.set_global,
        "Swarm": Swarm,
        "Module": Module,
        "numpy_to_bytes": numpy_to_bytes,
    }
    with added_names(notebook.namespace, added) as taken:
        notebook.say(*[_yours(name, notebook.namespace[name]) for name in taken])
        value = run_body(notebook.shell, cell, tree)
        swarm = swarm_of(value, options.name, first.globals, tree, cell, notebook.namespace)

    def begun(run: Run) -> None:
        notebook.traces.began(run.run_id, cell)
        notebook.bind(options.name, run, "run")

    return start_run(notebook, swarm, options.name, options, begun)


def _yours(name: str, value: object) -> str:
    return f"{name} is yours, {shorten(repr(value), 60)}: it is used, not manta_nb's"
