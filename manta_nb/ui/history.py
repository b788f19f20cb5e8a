"""`manta_nb.runs` where there is a notebook: the runs of its kernel belong to it."""

from __future__ import annotations

from IPython.core.getipython import get_ipython

from manta_nb.session.pastopening import open_past
from manta_nb.session.pastruns import PastRuns
from manta_nb.ui.magics import MantaMagics

__all__ = ["runs"]


def runs() -> PastRuns:
    """All runs that the notebook knows; without a notebook those of the store in the folder one works in."""
    shell = get_ipython()
    known = shell.configurables if shell is not None else []
    magics = next((each for each in known if isinstance(each, MantaMagics)), None)
    return magics.notebook.past() if magics is not None else open_past()
