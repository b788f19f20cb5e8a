"""What of manta_nb is another thing where there is a notebook: its runs, and the nodes in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from manta_nb.session.pastopening import open_past
from manta_nb.session.pastruns import PastRuns
from manta_nb.ui.commands.nodes import keep_or_provide
from manta_nb.ui.magics import MantaMagics

if TYPE_CHECKING:
    from manta_nb.session.session import Session
    from manta_nb.ui.notebook import Notebook

__all__ = ["nodes_for", "runs"]


def runs() -> PastRuns:
    """All runs that the notebook knows; without a notebook those of the store in the folder one works in."""
    notebook = _notebook()
    return notebook.past() if notebook is not None else open_past()


def nodes_for(asked: Mapping[str, Any]) -> Session | None:
    """Nodes of the notebook for these arguments of `Session`: those in use where they are so.

    None: there is no notebook with the magics.
    """
    notebook = _notebook()
    return None if notebook is None else keep_or_provide(notebook, asked)


def _notebook() -> Notebook | None:
    shell = get_ipython()
    known = shell.configurables if shell is not None else []
    magics = next((each for each in known if isinstance(each, MantaMagics)), None)
    return magics.notebook if magics is not None else None
