"""The display of a run: live in the cell that shows it, static as soon as the run is over.

* `RunDisplay`: what a session shows its runs with, chosen once for the front end it runs in;
* `LiveDisplay`: the outputs of one run in a notebook, updated in place by their display id;
* `TerminalDisplay`: a line of progress where there is no notebook.

A front end finds an output by its display id, whatever thread updates it. But nbclient (nbmake, papermill) drops
what does not belong to the running cell: hence `settle`, which whoever waits for a run calls in the main thread.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Literal, Protocol, TextIO
from uuid import uuid4

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data as send

from manta_nb.errors import UsageError
from manta_nb.session.summary import bundle, progress_line, summarise, summary_text
from manta_nb.ui.follow import PAUSE, Follower, WatchedRun

__all__ = ["LiveDisplay", "Mode", "RunDisplay", "TerminalDisplay", "display_mode"]

#: `widget` and `static` as in `MANTA_NB_LIVE`; `terminal` where text is all there is
Mode = Literal["widget", "static", "terminal"]
#: publish(data, display_id, update)
Publish = Callable[[dict[str, str], str, bool], None]


class Shows(Protocol):
    """A view of a run: a `View` or a `RunFigure`."""

    def mime(self) -> dict[str, str]:
        """The forms of this moment, by mime type."""


def publish(data: dict[str, str], display_id: str, update: bool) -> None:
    """Make an output in the running cell, or replace every output with that id."""
    send(data, transient={"display_id": display_id}, update=update)  # type: ignore[no-untyped-call]


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
    display.show(run)            # a new output: live while the run goes on
    display.show(run, run.metrics)
    display.settle(run)          # run.wait() ends with this, in the main thread
    ```
    """

    def __init__(self, mode: Mode | None = None, publish: Publish = publish, pause: float = PAUSE) -> None:
        self._mode = mode or display_mode(shell=get_ipython())
        self._publish = publish
        self._pause = pause
        self._open: dict[str, LiveDisplay | TerminalDisplay] = {}

    def show(self, run: WatchedRun, view: Shows | None = None) -> None:
        """Show the run, or one view of it, in the running cell; it is kept up to date until the run is over."""
        display = self._open.get(run.run_id)
        if display is None:
            display = self._new(run)
            if not run.finished:
                self._open[run.run_id] = display
        display.add(view)

    __call__ = show

    def settle(self, run: WatchedRun) -> None:
        """Bring all outputs of the run up to date, from the calling thread; after the end: for good."""
        display = self._open.get(run.run_id)
        if display is None:
            return
        display.refresh()
        if run.finished:
            self._open.pop(run.run_id, None)

    def settle_ended(self, result: object = None) -> None:
        """Settle every run that is over: for IPython's `post_run_cell`, so that also runs nobody waits for are kept."""
        for display in list(self._open.values()):
            if display.run.finished:
                self.settle(display.run)

    def _new(self, run: WatchedRun) -> LiveDisplay | TerminalDisplay:
        if self._mode == "terminal":
            live = os.environ.get("MANTA_NB_LIVE") != "static"
            return TerminalDisplay(run, sys.stdout, live, self._pause)
        return LiveDisplay(run, self._publish, self._mode == "widget", self._pause)


class LiveDisplay:
    """All outputs of one run in a notebook; each shows the run or one view of it.

    While the run goes on a thread updates them (not if `live` is False: then they change at the end only).
    """

    def __init__(
        self, run: WatchedRun, publish: Publish = publish, live: bool = True, pause: float = PAUSE
    ) -> None:
        self.run = run
        self._publish = publish
        self._live = live
        self._lock = threading.Lock()
        self._views: dict[str, Shows | None] = {}
        #: the bundles of the end, made once
        self._final: dict[str, dict[str, str]] = {}
        self.follower = None if run.finished else Follower(run, self._tick, self.refresh, pause)

    def add(self, view: Shows | None = None) -> str:
        """A new output in the running cell, of the run itself or of `view`; returns its display id."""
        display_id = uuid4().hex
        with self._lock:
            data = self._data(display_id, view)
            if not self._live and not self.run.finished:
                data = {"text/plain": data["text/plain"]}
            self._views[display_id] = view
            self._send(data, display_id, update=False)
        return display_id

    def refresh(self) -> None:
        """Update every output from the calling thread; after the end with what stays."""
        with self._lock:
            for display_id, view in self._views.items():
                if self._live or self.run.finished:
                    self._send(self._data(display_id, view), display_id, update=True)

    def _tick(self) -> None:
        if self._live:
            self.refresh()

    def _data(self, display_id: str, view: Shows | None) -> dict[str, str]:
        if display_id in self._final:
            return self._final[display_id]
        finished = self.run.finished
        data = bundle(self.run) if view is None else view.mime()
        if finished:
            self._final[display_id] = data
        return data

    def _send(self, data: dict[str, str], display_id: str, update: bool) -> None:
        try:
            self._publish(data, display_id, update)
        except OSError:
            # The front end has gone, or the kernel is going; the run does not care who looks at it.
            self._views = {}


class TerminalDisplay:
    """One line of progress that is written over (to a terminal), or one line an iteration (to a file).

    Nothing is written while IPython waits for input: it would land in what is being typed.
    """

    def __init__(self, run: WatchedRun, stream: TextIO, live: bool = True, pause: float = PAUSE) -> None:
        self.run = run
        self._stream = stream
        self._live = live
        self._lock = threading.Lock()
        self._ended = False
        self._shown = -1
        self.follower = None if run.finished else Follower(run, self._tick, self._tick, pause)

    def add(self, view: Shows | None = None) -> None:
        """Write the view as text, or of the run its summary."""
        with self._lock:
            if view is not None:
                self._stream.write(view.mime()["text/plain"] + "\n")
            elif self.run.finished:
                self._end()
            elif self._live:
                self._progress()

    def refresh(self) -> None:
        """Bring the line up to date; at the end write the summary, once."""
        with self._lock:
            if self._ended:
                return
            if self.run.finished:
                self._end()
            elif self._live:
                self._progress()

    def _tick(self) -> None:
        if not _prompting():
            self.refresh()

    def _progress(self) -> None:
        if self._stream.isatty():
            line = progress_line(summarise(self.run))
            # One column less than the terminal has: a full line would wrap and could not be written over.
            self._stream.write(f"\r{line[: _columns(self._stream) - 1]}\x1b[K")
            self._stream.flush()
        elif self.run.iteration != self._shown:
            self._shown = self.run.iteration
            self._stream.write(progress_line(summarise(self.run)) + "\n")

    def _end(self) -> None:
        self._ended = True
        start = "\r\x1b[K" if self._stream.isatty() else ""
        self._stream.write(f"{start}{summary_text(summarise(self.run))}\n")
        self._stream.flush()


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def _prompting() -> bool:
    """Whether IPython's terminal waits for input now."""
    application = getattr(getattr(get_ipython(), "pt_app", None), "app", None)
    return bool(getattr(application, "is_running", False))
