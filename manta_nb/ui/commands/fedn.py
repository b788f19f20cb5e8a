"""`%manta fedn`: a FEDn compute package on the nodes of the notebook."""

from __future__ import annotations

import re
from argparse import Namespace
from keyword import iskeyword
from typing import TYPE_CHECKING

from manta_nb.fedn.launching import launch
from manta_nb.fedn.preparing import prepare
from manta_nb.ui.commands.nodes import data_arguments, keep_or_provide, suits
from manta_nb.ui.dispatching import make_room
from manta_nb.ui.notebook import Notebook
from manta_nb.ui.packageoptions import wishes_of

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["fedn"]


def fedn(notebook: Notebook, options: Namespace) -> Run:
    """Run a package; with `--wait`, or where all runs have to be waited for, until it is over.

    Raises:
        PackageError: the package, its archive or the model cannot be used.
        UsageError: an option cannot, or a run of that name is active and may not be replaced.
        RunFailed: it was waited for, and failed.
    """
    data = {} if options.data is None else data_arguments(options.data, notebook.namespace)
    wishes = wishes_of(options, **data)
    if notebook.session is None:
        wishes = wishes.with_named_nodes()
    prepared = prepare(options.package, wishes, notebook.say)
    asked = wishes.session_options()
    if notebook.session is not None and suits(notebook.session, asked):
        # a mistake about the nodes is told before another run is stopped for this one
        prepared.for_nodes(list(notebook.session.nodes))
    name = options.name or prepared.settings.package
    notebook.say(*prepared.notes, *make_room(notebook, name, options.keep))
    run = launch(keep_or_provide(notebook, asked), prepared, wishes)
    notebook.remember(run)
    _bind(notebook, run, asked_for=options.name is not None)
    if options.wait or notebook.waits:
        notebook.display.show(run)
        run.wait()
    return run


def _bind(notebook: Notebook, run: Run, asked_for: bool) -> None:
    """Make the run a variable; a value of the person's own is replaced only by a name that was typed."""
    variable = _variable(run.name)
    held = notebook.namespace.get(variable)
    if held is not None and not asked_for and not isinstance(held, type(run)):
        notebook.say(f"{variable} is yours and stays so: --name NAME makes the run the variable NAME")
        return
    notebook.bind(variable, run, "run")
    notebook.say(f"the run is the variable {variable}: {variable}.wait(), {variable}.metrics")


def _variable(name: str) -> str:
    """A name that variables may have: `mnist_pytorch` for `mnist-pytorch`."""
    found = re.sub(r"\W+", "_", name).strip("_") or "package"
    return found if found.isidentifier() and not iskeyword(found) else f"package_{found}"
