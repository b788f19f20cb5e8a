"""`Monitors`: the monitors that pages have opened in tabs of their own."""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from manta_nb.errors import UsageError
from manta_nb.ui.monitor.opening import open_monitor

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session
    from manta_nb.ui.monitor.monitor import Monitor
    from manta_nb.ui.notebook import Notebook

__all__ = ["Monitors"]

#: monitors that one kernel keeps for its pages
_MOST = 12


class Monitors:
    """Keeps each monitor until its tab is closed, or nobody looks at this kernel any more; also after the run's end.

    Args:
        notebook: whose nodes the monitors look at; None: there are none.
    """

    def __init__(self, notebook: Notebook | None) -> None:
        #: see `Desk.take_over`
        self.notebook = notebook
        self._lock = threading.Lock()
        #: id of its model → the view that asked for it ("": it has gone since), and the monitor; oldest first
        self._open: dict[str, tuple[str, Monitor]] = {}
        self._over = False

    def __len__(self) -> int:
        return len(self._open)

    def open(self, view: str, run: Run) -> str:
        """A new monitor; returns the id of its model.

        Raises:
            UsageError: there can be none here, or there are too many.
        """
        if len(self) >= _MOST:
            left = next((model for model, (of, _) in list(self._open.items()) if not of), None)
            if left is None:
                raise UsageError(f"{_MOST} monitors are open: close one of their tabs")
            self.close(left)
        made = open_monitor(run, lambda: self._owner(run), self.before_resume, self._hindrance)
        if isinstance(made, str):
            raise UsageError(made or "no front end is there to show a monitor")
        model = str(made.view["model_id"])
        with self._lock:
            over = self._over
            if not over:
                self._open[model] = (view, made)
        if over:
            _close(made)
            raise UsageError("nobody looks at this kernel any more")
        return model

    def close(self, model: str) -> None:
        """The tab with that model was closed."""
        with self._lock:
            found = self._open.pop(model, None)
        if found is not None:
            _close(found[1])

    def leave(self, view: str) -> None:
        """A view has gone. Its page may be back in a moment, and its tabs with it: what it opened stays for now."""
        with self._lock:
            for model, (of, monitor) in self._open.items():
                if of == view:
                    self._open[model] = ("", monitor)

    def close_all(self) -> None:
        """Nobody looks any more; one that is being opened meanwhile is closed, too."""
        with self._lock:
            self._over = True
        for model in list(self._open):
            self.close(model)

    def _owner(self, run: Run) -> Session | None:
        """The nodes that the run is on."""
        sessions = self.notebook.sessions if self.notebook is not None else []
        return next((session for session in sessions if run in session.runs), None)

    def _hindrance(self) -> str:
        """Why no run can go on."""
        return (
            "" if self.notebook is not None else "to go on: %load_ext manta_nb, then open this monitor again"
        )

    def before_resume(self, run: Any) -> object:
        """See that a run goes on with the notebook's choice of code, on its nodes, and as its own.

        Raises:
            UsageError: there is no notebook, or its cells have changed since.
        """
        notebook = self.notebook
        if notebook is None:
            raise UsageError("%load_ext manta_nb first: then it can go on")
        # by name: numpy, as whoever has a run has
        chosen = import_module("manta_nb.ui.goingon").choose(notebook, run)
        if run._session is None:
            # one that was opened before the magics were there does not know their nodes
            run.display, run._home = notebook.display, partial(notebook._home, run)
        notebook.remember(run)
        notebook.display.expect(run)
        return chosen


def _close(monitor: Monitor) -> None:
    # the front end may have gone, or the kernel be going
    with contextlib.suppress(OSError):
        monitor.close()
