"""`%manta swarm-learning` and `%%swarm_learning`: a training script on the nodes of the notebook."""

from __future__ import annotations

from argparse import Namespace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from manta_nb.swarm_learning.launching import launch
from manta_nb.swarm_learning.preparing import prepare
from manta_nb.ui.cells import current_cell
from manta_nb.ui.commands.nodes import data_arguments, keep_or_provide
from manta_nb.ui.dispatching import make_room
from manta_nb.ui.notebook import Notebook
from manta_nb.ui.programs import bind_run, check_nodes, wait_for
from manta_nb.ui.scriptcell import check_script, program_of
from manta_nb.ui.scriptoptions import wishes_of

if TYPE_CHECKING:
    from manta_nb.swarm_learning.preparing import Prepared, Wishes
    from manta_nb.swarm_learning.scriptrun import ScriptRun

__all__ = ["run_script_cell", "swarm_learning"]


def swarm_learning(notebook: Notebook, options: Namespace) -> ScriptRun:
    """Run a script; with `--wait`, or where all runs have to be waited for, until it is over.

    Raises:
        PackageError: the script or its folder cannot be used.
        UsageError: an option cannot, or a run of that name is active and may not be replaced.
        RunFailed: it was waited for, and failed.
    """
    wishes = _wishes(notebook, options, name=options.name)
    made = _start(notebook, prepare(options.script, wishes), wishes, keep=options.keep)
    bind_run(notebook, made.run, made, "script", named=options.name is not None, shows="merges")
    wait_for(notebook, made.run, options.wait)
    return made


def run_script_cell(notebook: Notebook, options: Namespace, body: str) -> ScriptRun:
    """Run the text of a cell as a script on the nodes, and bind its run; for the rest see `swarm_learning`.

    Raises:
        DefinitionError: the text is no Python, or uses a name that only the notebook has.
    """
    __tracebackhide__ = True
    cell = current_cell(notebook.shell, body)
    check_script(cell, notebook.namespace)
    wishes = _wishes(notebook, options, name=options.name)
    made = _start(
        notebook, prepare(program_of(cell, options.name, wishes), wishes), wishes, keep=options.keep
    )
    notebook.bind(options.name, made, "run")
    wait_for(notebook, made.run, options.wait)
    return made


def _wishes(notebook: Notebook, options: Namespace, **more: Any) -> Wishes:
    data = {} if options.data is None else data_arguments(options.data, notebook.namespace)
    wishes = wishes_of(options, **data, **more)
    return wishes.with_named_nodes() if notebook.session is None else wishes


def _start(notebook: Notebook, prepared: Prepared, wishes: Wishes, *, keep: bool) -> ScriptRun:
    asked = wishes.session_options()
    check_nodes(notebook, prepared, asked)
    name = wishes.name or PurePath(prepared.settings.script).stem
    notebook.say(*make_room(notebook, name, keep))
    made = launch(keep_or_provide(notebook, asked), prepared, wishes)
    notebook.remember(made.run)
    notebook.say(*made.notes)
    return made
