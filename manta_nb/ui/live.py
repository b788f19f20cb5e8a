"""The display of a run: live in the cell that shows it, static as soon as the run is over.

* `RunDisplay`: what a session shows its runs with, chosen once for the front end it runs in;
* `display_mode`: which kind of display there can be here.

A front end finds an output by its display id, whatever thread updates it. But nbclient (nbmake, papermill) drops
what does not belong to the running cell: hence `settle`, which whoever waits for a run calls in the main thread.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from IPython.core.getipython import get_ipython

from manta_nb.errors import UsageError
from manta_nb.ui.follow import PAUSE, Shows, WatchedRun
from manta_nb.ui.monitor.opening import open_monitor
from manta_nb.ui.outputs import LiveDisplay, Opened, Publish, publish
from manta_nb.ui.terminal import TerminalDisplay

__all__ = ["Mode", "OpenMonitor", "RunDisplay", "display_mode"]

#: runs whose outputs can still go on with them after their end
_ENDED = 8

#: `widget` and `static` as in `MANTA_NB_LIVE`; `terminal` where text is all there is
Mode = Literal["widget", "static", "terminal"]


class Owner(Protocol):
    """A session, as far as a monitor needs it."""

    closed: bool

    @property
    def runs(self) -> Sequence[Any]:
        """Its runs."""

    @property
    def nodes(self) -> Mapping[str, Any]:
        """Its nodes."""


#: A monitor of that run, or one line that says why there can be none ("" where nobody misses it). It is given what
#: tells its session, which may start later, and what is called before it lets the run go on.
OpenMonitor = Callable[[WatchedRun, Callable[[], Any], Callable[[Any], object]], Opened | str]


def display_mode(environ: Mapping[str, str] = os.environ, shell: object = None) -> Mode:
    """How runs are shown here: as `MANTA_NB_LIVE` says, and as text where `shell` is a terminal or None.

    Raises:
        UsageError: `MANTA_NB_LIVE` is something else than widget, static or auto.
    """
    asked = environ.get("MANTA_NB_LIVE", "") or "auto"
    if asked not in ("widget", "static", "auto"):
        raise UsageError(f"MANTA_NB_LIVE must be widget, static or auto, got {asked[:40]!r}")
    # By name: importing IPython's terminal costs 0.1 s, and its class is there only if it is in use.
    if shell is None or any(kind.__name__ == "TerminalInteractiveShell" for kind in type(shell).__mro__):
        return "terminal"
    return "static" if asked == "static" else "widget"


class RunDisplay:
    """Shows runs; a session has one as its `display`.

    ```
    display.show(run)            # a new output: the monitor where it is the first one, a summary later
    display.show(run, run.metrics)
    display.monitor(run)         # a new output with a monitor
    display.settle(run)          # run.wait() ends with this, in the main thread
    ```
    """

    def __init__(
        self,
        mode: Mode | None = None,
        publish: Publish = publish,
        pause: float = PAUSE,
        open_monitor: OpenMonitor = open_monitor,
    ) -> None:
        self._mode = mode or display_mode(shell=get_ipython())
        self._publish = publish
        self._pause = pause
        self._open_monitor = open_monitor
        self._open: dict[str, LiveDisplay | TerminalDisplay] = {}
        #: run → where a monitor was opened on it after its end
        self._staying: dict[str, LiveDisplay] = {}
        #: run → what showed it to its end; the latest few
        self._ended: dict[str, LiveDisplay] = {}
        self._sessions: weakref.WeakSet[Owner] = weakref.WeakSet()
        #: called before a run goes on from a screen; raises where it must not
        self.before_resume: Callable[[Any], object] = lambda run: None

    def know(self, session: Owner) -> None:
        """A session whose runs are shown: their monitors look at its nodes."""
        self._sessions.add(session)

    def show(self, run: WatchedRun, view: Shows | None = None) -> None:
        """Show the run, or one view of it, in the running cell; it is kept up to date until the run is over."""
        display = self._of(run)
        if view is None and isinstance(display, LiveDisplay) and not (display.monitored or run.finished):
            self._add_monitor(display)
        else:
            display.add(view)

    __call__ = show

    def monitor(self, run: WatchedRun) -> WatchedRun:
        """Show the run's monitor in the running cell, also of a run that is over; returns the run."""
        if run.finished:
            # one that waits to be resumed makes room for this one
            self.settle(run)
        display = self._of(run)
        if isinstance(display, LiveDisplay):
            self._add_monitor(display)
        else:
            display.add()
        return run

    def settle(self, run: WatchedRun) -> None:
        """Bring all outputs of the run up to date, from the calling thread; after the end: for good."""
        display = self._open.get(run.run_id)
        if display is None:
            return
        display.refresh()
        if display.over:
            self._open.pop(run.run_id, None)
            self._remember(display)

    def expect(self, run: WatchedRun) -> None:
        """The run may go on from a screen that is not in its cell: its latest outputs follow it then, too."""
        display = self._open.get(run.run_id) or self._ended.get(run.run_id)
        if isinstance(display, LiveDisplay):
            display.expect()
            self._open[run.run_id] = display

    def _remember(self, display: LiveDisplay | TerminalDisplay) -> None:
        if isinstance(display, LiveDisplay):
            self._ended.pop(display.run.run_id, None)
            self._ended[display.run.run_id] = display
            while len(self._ended) > _ENDED:
                del self._ended[next(iter(self._ended))]

    def settle_ended(self, result: object = None) -> None:
        """Settle every run that is over: for IPython's `post_run_cell`, so that also runs nobody waits for are kept."""
        for display in list(self._open.values()):
            if display.run.finished:
                self.settle(display.run)

    def _of(self, run: WatchedRun) -> LiveDisplay | TerminalDisplay:
        display = self._open.get(run.run_id)
        if display is None or display.over:
            display = self._new(run)
            if not run.finished:
                self._open[run.run_id] = display
        return display

    def _add_monitor(self, display: LiveDisplay) -> None:
        stays = display.run.finished
        if (before := self._staying.pop(display.run.run_id, None)) is not None and display.run.finished:
            before.retire()
        run = display.run
        shown: Opened | str = ""
        if self._mode == "widget":
            shown = self._open_monitor(run, lambda: self._owner(run), self.before_resume)
        if isinstance(shown, str):
            display.add(said=shown)
            display.monitored = True
        else:
            display.add(monitor=shown, stays=stays)
            if stays:
                self._staying[display.run.run_id] = display

    def _owner(self, run: WatchedRun) -> Owner | None:
        # one that goes on elsewhere is known to its former nodes, too
        owners = [each for each in list(self._sessions) if run in each.runs]
        owners = [each for each in list(self._sessions) if run in each.runs]
        return min(owners, key=lambda owner: owner.closed, default=None)

    def _new(self, run: WatchedRun) -> LiveDisplay | TerminalDisplay:
        if self._mode == "terminal":
            live = os.environ.get("MANTA_NB_LIVE") != "static"
            return TerminalDisplay(run, sys.stdout, live, self._pause)
        return LiveDisplay(run, self._publish, self._mode == "widget", self._pause)
