"""`Panel`: the kernel's half of the sidebar: its comms, the pages that look, and the thread that serves them.

Nothing heavy is imported before a page looks.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from manta_nb.ui.monitor.opening import busy, controls
from manta_nb.ui.panel.alarm import Alarm
from manta_nb.ui.panel.desk import Desk
from manta_nb.ui.panel.sources import Bare, Source
from manta_nb.ui.panel.views import DataComm, View

if TYPE_CHECKING:
    from manta_nb.ui.monitor.control import Switchboard
    from manta_nb.ui.notebook import Notebook

__all__ = ["BEACON", "DATA", "Panel"]

_log = logging.getLogger(__name__)

BEACON, DATA = "manta_nb.beacon", "manta_nb.data"
#: pages that may look at one kernel; the one that was silent for longest makes room
MOST_VIEWS = 8
#: seconds after which the tabs of pages that have gone have gone, too
GRACE = 60.0
#: characters of a token
_LONGEST = 100
#: seconds that the thread gets to end
_PATIENCE = 5.0


class _Shell(Protocol):
    user_ns: dict[str, Any]
    events: Any


class Panel:
    """What the pages of one kernel talk to; the target of their data comms, which the comm manager keeps.

    Args:
        shell: whose cells change what is shown.
        board: where control comms are received.
        light: opens the beacon, and returns it.
    """

    def __init__(self, shell: _Shell, board: Switchboard, light: Callable[[], DataComm]) -> None:
        self._shell = shell
        self._board = board
        self._light = light
        self._beacon: DataComm | None = None
        self._lock = threading.RLock()
        self._source: Source = Bare(shell.user_ns)
        self._desk = Desk(self._source, None)
        self._views: dict[str, View] = {}
        self._alarm = Alarm()
        self._thread: threading.Thread | None = None
        self._closed = False

    def announce(self) -> None:
        """Tell the pages that somebody is here, unless they were told."""
        if self._beacon is None:
            self._beacon = beacon = self._light()
            beacon.on_close(self._put_out)

    def take(self, notebook: Notebook) -> None:
        """From now on show that notebook."""
        self._desk.take_over(notebook)
        self._source = notebook
        self._alarm.call()

    def opened(self, comm: DataComm, message: Mapping[str, Any]) -> None:
        """A page opened a data comm; the target's callback."""
        data = message["content"].get("data")
        opening = data if isinstance(data, dict) else {}
        token = opening.get("token")
        if not isinstance(token, str) or not 0 < len(token) <= _LONGEST or self._closed:
            _log.warning("a page opened the sidebar without a token")
            comm.close()
            return
        view = View(token, comm)
        comm.on_close(lambda message: self._drop(view))
        with self._lock:
            gone = [found] if (found := self._views.pop(token, None)) is not None else []
            while len(self._views) >= MOST_VIEWS:
                gone.append(self._views.pop(max(self._views, key=lambda each: self._views[each].silence)))
            self._views[token] = view
        for each in gone:
            self._drop(each)
        self._board.connect(token, lambda data: self._heard(view, data))
        self._work()

    def close(self) -> None:
        """Take back everything."""
        with self._lock:
            self._closed = True
            views, thread = list(self._views.values()), self._thread
        for view in views:
            self._drop(view)
        self._alarm.call()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)
        self._desk.close()
        beacon, self._beacon = self._beacon, None
        if beacon is not None:
            beacon.close()

    def _put_out(self, message: object) -> None:
        """A page without the extension closes what it does not know."""
        self._beacon = None

    def _heard(self, view: View, data: object) -> None:
        """A page said something, in whatever thread."""
        op = data.get("op") if isinstance(data, dict) else None
        view.heard(op)
        if op == "hello":
            view.ask_full()
            self._alarm.call()
        elif op == "choose" and isinstance(data, dict):
            run = data.get("run", "")
            view.chosen = run if isinstance(run, str) and len(run) <= _LONGEST else ""
            self._alarm.call()
        elif isinstance(data, dict) and op != "here":
            self._desk.take(view, data, self._alarm.ring)

    def _drop(self, view: View) -> None:
        """A page has gone, or another one takes its place."""
        with self._lock:
            if self._views.get(view.token) is view:
                del self._views[view.token]
            if view.token not in self._views:
                self._board.disconnect(view.token)
        with contextlib.suppress(OSError):
            view.close()
        left = self._desk.forget(view.token)
        self._alarm.call()
        if left and not (self._views or self._closed):
            timer = threading.Timer(GRACE, self._left_alone)
            timer.daemon = True
            timer.start()

    def _left_alone(self) -> None:
        """Nobody has looked for a while: a page that only lost its line would be back by now."""
        if not self._views:
            self._desk.let_go()

    def _looking(self) -> list[View]:
        """The pages that look now; those that have gone without a word are let go."""
        with self._lock:
            views = list(self._views.values())
        if busy(self._shell):
            for view in views:
                # also where ipykernel has subshells and the page's JupyterLab does not use them
                if view.waits or controls() == "after-cell":
                    view.excuse()
        gone = [view for view in views if view.gone]
        for view in gone:
            self._drop(view)
        return [view for view in views if view not in gone]

    # -- the thread ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """See that there is a thread while there are pages."""
        with self._lock:
            self._alarm.call()
            if self._thread is None:
                context = contextvars.copy_context()
                self._thread = threading.Thread(
                    target=context.run, args=(self._serve,), name="manta-nb-panel", daemon=True
                )
                self._thread.start()

    def _serve(self) -> None:
        while True:
            source = self._source
            try:
                self._pump(source)
            except Exception:  # noqa: BLE001 - where something is not installed as it should be, a kernel goes on
                _log.exception("the sidebar cannot show this kernel")
                self._give_up()
            with self._lock:
                if self._closed or not self._views:
                    self._thread = None
                    return

    def _pump(self, source: Source) -> None:
        """Send what there is to see of a source, for as long as it is this one and somebody looks."""
        loaded = not isinstance(source, Bare)
        # by name: numpy and SQLite, which nothing needs before somebody looks
        pump = import_module("manta_nb.ui.panel.pump").Pump(source, loaded, self._looking, self._alarm)

        def ran(result: object = None) -> None:
            pump.hurry()

        unwatch = source.traces.watch(pump.hurry)
        self._shell.events.register("post_run_cell", ran)
        try:
            pump.run(lambda: self._closed or not self._views or self._source is not source)
        finally:
            self._shell.events.unregister("post_run_cell", ran)
            unwatch()

    def _give_up(self) -> None:
        with self._lock:
            views = list(self._views.values())
        for view in views:
            self._drop(view)
