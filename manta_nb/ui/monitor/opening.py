"""Whether there can be a monitor here, and making one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from IPython.core.getipython import get_ipython

from manta_nb.ui.monitor import BUNDLE

if TYPE_CHECKING:
    from manta_nb.ui.follow import WatchedRun
    from manta_nb.ui.monitor.monitor import Monitor

__all__ = ["busy", "controls", "open_monitor", "somebody_looks"]


def open_monitor(
    run: WatchedRun,
    session: Callable[[], Any] = lambda: None,
    before_resume: Callable[[Any], object] = lambda run: None,
    hindrance: Callable[[], str] = str,
) -> Monitor | str:
    """A monitor of a run; or one line: why there is none, "" where nobody could look at it.

    Args:
        run: what is shown.
        session: the run's own, None where it has none (yet).
        before_resume: called before the run goes on from the monitor; raises where it must not.
        hindrance: why no run can go on in this kernel now; "" where it can.
    """
    if not somebody_looks(get_ipython()):
        return ""
    if not BUNDLE.is_file():
        return f"the live monitor is not there: {BUNDLE.name} was not built (npm run build in extension/)"
    try:
        from manta_nb.ui.monitor.making import make_monitor  # noqa: PLC0415 - anywidget takes a while, and may be missing
    except ImportError as error:
        return f"the live monitor needs anywidget here: {error}"
    return make_monitor(run, session, before_resume, controls(), lambda: busy(get_ipython()), hindrance)


def somebody_looks(shell: Any) -> bool:
    """Whether a person may sit in front of the cell that runs: nbclient, nbmake and papermill say that none does.

    What they save of a widget is a view without a model and a model without a view.
    """
    if getattr(shell, "kernel", None) is None:
        return False
    try:
        return bool(shell.get_parent()["content"].get("allow_stdin", True))
    except (AttributeError, KeyError, TypeError):
        return True


def busy(shell: Any) -> bool:
    """Whether a cell runs."""
    return getattr(getattr(shell, "displayhook", None), "exec_result", None) is not None


def controls(kernel: Any = None) -> Literal["live", "after-cell"]:
    """Whether buttons act while a cell runs: from ipykernel 7 on, which has subshells."""
    kernel = kernel or sys.modules.get("ipykernel")
    return "live" if getattr(kernel, "version_info", (0,))[0] >= 7 else "after-cell"
