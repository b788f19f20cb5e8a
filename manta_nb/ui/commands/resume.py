"""The verb `resume`: a run that was stopped, or failed, goes on."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["resume"]


def resume(notebook: Notebook, options: Namespace) -> Run:
    """Go on with a run from its last complete iteration; where none is named, the latest that can go on.

    Raises:
        UsageError: there is no such run, it still goes on, or it is complete.
    """
    __tracebackhide__ = True
    ended = [each for each in notebook.runs() if each.status in ("stopped", "failed")]
    found = ended[-1] if options.run is None and ended else notebook.find_run(options.run)
    run = found.resume(options.iterations)
    if notebook.waits:
        notebook.display.show(run)
        run.wait()
    return run
