"""Programs of other systems on the nodes of a notebook: what `%manta fedn` and `%manta swarm-learning` share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Protocol

from manta_nb.ui.commands.nodes import suits
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["bind_run", "check_nodes", "wait_for"]


class Prepared(Protocol):
    """A program that is ready to run."""

    def for_nodes(self, node_ids: list[str]) -> object:
        """Raises where it cannot run on these nodes."""


def check_nodes(notebook: Notebook, prepared: Prepared, asked: Mapping[str, Any]) -> None:
    """A mistake about the nodes in use is told before another run is stopped for this one."""
    if notebook.session is not None and suits(notebook.session, asked):
        prepared.for_nodes(list(notebook.session.nodes))


def bind_run(notebook: Notebook, run: Run, value: Any, kind: str, *, named: bool, shows: str) -> None:
    """Make a run a variable; a value of the person's own is replaced only by a name that was typed.

    Args:
        notebook: where.
        run: what goes on.
        value: what the variable is to hold: the run, or what stands for it.
        kind: put before a name that variables cannot have.
        named: whether its name was typed.
        shows: an attribute worth to be looked at.
    """
    variable = _variable(run.name, kind)
    held = notebook.namespace.get(variable)
    if held is not None and not named and not isinstance(held, type(run) | type(value)):
        notebook.say(f"{variable} is yours and stays so: --name NAME makes the run the variable NAME")
        return
    notebook.bind(variable, value, "run")
    notebook.say(f"the run is the variable {variable}: {variable}.wait(), {variable}.{shows}")


def wait_for(notebook: Notebook, run: Run, asked: bool) -> None:
    """Show a run and wait for its end, where that was asked for, or holds for all."""
    if asked or notebook.waits:
        notebook.display.show(run)
        run.wait()


def _variable(name: str, kind: str) -> str:
    """A name that variables may have: `mnist_pytorch` for `mnist-pytorch`."""
    found = re.sub(r"\W+", "_", name).strip("_") or kind
    return found if found.isidentifier() and not iskeyword(found) else f"{kind}_{found}"
