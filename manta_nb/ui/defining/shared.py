"""What both widgets need of the notebook they are in."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from manta_nb.ui.notebook import Notebook

__all__ = ["notebook_of"]


def notebook_of(shell: InteractiveShell) -> Notebook | None:
    """What the magics of this shell remember; None where they are not loaded."""
    magic = shell.magics_manager.magics["cell"].get("swarm")
    notebook = getattr(getattr(magic, "__self__", None), "notebook", None)
    return notebook if isinstance(notebook, Notebook) else None
