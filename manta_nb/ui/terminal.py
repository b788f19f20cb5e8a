"""The display of a run where there is no notebook: a line of progress, then the summary."""

from __future__ import annotations

import os
import threading
from typing import TextIO

from IPython.core.getipython import get_ipython

from manta_nb.session.summary import progress_line, summarise, summary_text
from manta_nb.ui.follow import PAUSE, Follower, Shows, WatchedRun

__all__ = ["TerminalDisplay"]


class TerminalDisplay:
    """One line of progress that is written over (to a terminal), or one line an iteration (to a file).

    Nothing is written while IPython waits for input: it would land in what is being typed.
    """

    def __init__(self, run: WatchedRun, stream: TextIO, live: bool = True, pause: float = PAUSE) -> None:
        self.run = run
        self._stream = stream
        self._live = live
        self._lock = threading.Lock()
        #: whether the end was written; the run may have been resumed since
        self.over = False
        self._shown = -1
        self.follower = None if run.finished else Follower(run, self._tick, self._finish, pause)

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
            if self.over:
                return
            if self.run.finished:
                self._end()
            elif self._live:
                self._progress()

    def _finish(self) -> bool:
        self._tick()
        return self.run.finished

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
        self.over = True
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
