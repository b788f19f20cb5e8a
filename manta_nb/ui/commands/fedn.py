"""`%manta fedn`: a FEDn compute package on the nodes of the notebook."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from manta_nb.fedn.launching import launch
from manta_nb.fedn.preparing import prepare
from manta_nb.ui.commands.nodes import data_arguments, keep_or_provide
from manta_nb.ui.dispatching import make_room
from manta_nb.ui.notebook import Notebook
from manta_nb.ui.packageoptions import wishes_of
from manta_nb.ui.programs import bind_run, check_nodes, wait_for

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
    check_nodes(notebook, prepared, asked)
    name = options.name or prepared.settings.package
    notebook.say(*prepared.notes, *make_room(notebook, name, options.keep))
    run = launch(keep_or_provide(notebook, asked), prepared, wishes)
    notebook.remember(run)
    bind_run(notebook, run, run, "package", named=options.name is not None, shows="metrics")
    wait_for(notebook, run, options.wait)
    return run
