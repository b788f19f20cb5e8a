"""The way in: what a page evaluates in a kernel, and what `%load_ext manta_nb` does for the sidebar.

Where there is no kernel, as in plain IPython, nothing happens.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import comm
from IPython.core.getipython import get_ipython

import manta_nb
from manta_nb.ui.monitor.control import switchboard
from manta_nb.ui.panel.panel import BEACON, DATA, Panel

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from manta_nb.ui.notebook import Notebook

__all__ = ["announce", "enter", "leave"]

_log = logging.getLogger(__name__)


def announce() -> str:
    """Let the pages of this kernel know that manta_nb is here; returns its version.

    Prints nothing, defines nothing, and may be called again. Without the magics the pages see the runs that the store
    in the working folder has; `%load_ext manta_nb` takes over from there.
    """
    panel = _panel_in(get_ipython())
    if panel is not None:
        panel.announce()
    return manta_nb.__version__


def enter(shell: InteractiveShell, notebook: Notebook) -> None:
    """The magics are loaded: from now on the pages see this notebook."""
    try:
        panel = _panel_in(shell)
        if panel is not None:
            panel.take(notebook)
            panel.announce()
    except Exception:  # noqa: BLE001 - a front end that can do less must not keep anybody from the magics
        _log.debug("there is no sidebar here", exc_info=True)


def leave(shell: InteractiveShell) -> None:
    """The magics are taken back, and the pages see nothing any more."""
    if getattr(shell, "kernel", None) is None:
        return
    targets = comm.get_comm_manager().targets
    panel = getattr(targets.get(DATA), "__self__", None)
    if isinstance(panel, Panel):
        del targets[DATA]
        panel.close()


def _panel_in(shell: Any) -> Panel | None:
    """The panel of a kernel, made when it is first needed; the comm manager keeps it."""
    if getattr(shell, "kernel", None) is None:
        return None
    comms = comm.get_comm_manager()
    known = getattr(comms.targets.get(DATA), "__self__", None)
    if isinstance(known, Panel):
        return known
    panel = Panel(shell, switchboard(comms), lambda: comm.create_comm(target_name=BEACON))
    comms.register_target(DATA, panel.opened)
    return panel
