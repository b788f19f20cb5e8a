"""`Monitor`: one monitor of one run, from the moment it is shown until its output is replaced."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import uuid4

from manta_nb.ui.follow import WatchedRun
from manta_nb.ui.monitor.commands import Actions, Commands
from manta_nb.ui.monitor.control import Switchboard
from manta_nb.ui.monitor.pump import PAUSE, Feed, Message, Pump

__all__ = ["Model", "Monitor"]

#: seconds in which a screen that is there would have asked, while no cell keeps the kernel from hearing it
PATIENCE = 8.0
#: seconds between two texts for a screen without a kernel
_NOTES = 5.0

_ABSENT = (
    "the live monitor needs anywidget where Jupyter itself is installed: pip install anywidget, then reload"
)


class Model(Protocol):
    """What the browser draws; `widget.RunMonitor` is one."""

    note: str

    @property
    def model_id(self) -> str | None:
        """Names it in the browser."""

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a custom message."""

    def on_msg(self, callback: Callable[..., None]) -> None:
        """Call back with `(model, content, buffers)` for each custom message."""

    def close(self) -> None:
        """Take it out of the browser."""


class Monitor:
    """Shows one run in the browser, live; closed when its output is replaced by what stays.

    Args:
        run: what is shown.
        feed: says what there is to show.
        actions: does what a person asks for.
        model: makes what the browser draws, of the token that names this monitor on control comms.
        board: where control comms are received.
        busy: whether a cell keeps the kernel from hearing a screen.
    """

    def __init__(
        self,
        run: WatchedRun,
        feed: Feed,
        actions: Actions,
        model: Callable[[str], Model],
        board: Switchboard,
        busy: Callable[[], bool],
        pause: float = PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._busy = busy
        self._clock = clock
        self._board = board
        self._token = uuid4().hex
        self._model = model(self._token)
        self._sending = threading.Lock()
        self._waited, self._looked, self._noted = 0.0, clock(), clock() - _NOTES
        self._pump = Pump(feed, self._send, lambda: not run.finished, pause)
        self._commands = commands = Commands(
            actions, lambda command: _parts(feed.answer(command)), self._show, self._pump.ask
        )
        board.connect(self._token, commands.handle)
        self._model.on_msg(lambda model, content, buffers: commands.handle(content))
        self._unwatch = run.watch(lambda run: self._pump.wake())
        self._pump.wake()

    @property
    def view(self) -> Mapping[str, Any]:
        """What an output holds that shows it."""
        return {"version_major": 2, "version_minor": 0, "model_id": self._model.model_id}

    def trouble(self) -> str:
        """Why nobody can see it, in one line; "" while that is not known. Called now and then."""
        now = self._clock()
        if not self._busy():
            # A long pause between two calls says nothing about what was heard in between.
            self._waited += min(now - self._looked, 1.0)
        self._looked = now
        if self._pump.broken:
            return f"the live monitor stopped ({self._pump.broken})"
        return "" if self._pump.asked or self._waited < PATIENCE else _ABSENT

    def tell(self, note: str) -> None:
        """What a screen says that finds no kernel, as in a notebook that was saved in mid-run."""
        if self._clock() - self._noted >= _NOTES and note != self._model.note:
            self._noted = self._clock()
            self._model.note = note

    def holds(self) -> bool:
        """Whether the run was stopped from this screen, which then may resume it, too."""
        return self._commands.stopped

    def close(self, stays: Mapping[str, Any] | None = None) -> None:
        """Take it out of the browser; its output is replaced by now.

        After a reload a page does not know display ids any more: the screen then puts `stays` in the output's place.
        """
        self._unwatch()
        self._pump.close()
        self._board.disconnect(self._token)
        # The front end may have gone, or the kernel be going.
        with contextlib.suppress(OSError), self._sending:
            self._model.send({"op": "end", "model": self._model.model_id, "output": dict(stays or {})})
            self._model.close()

    def join(self, timeout: float) -> bool:
        """Wait until nothing is sent any more; False where that took longer than `timeout` seconds."""
        return self._pump.join(timeout)

    def _send(self, message: Message) -> None:
        with self._sending:
            self._model.send(message.content, message.buffers)

    def _show(self, content: Mapping[str, Any], buffers: Sequence[Any] = ()) -> None:
        with self._sending:
            self._model.send(dict(content), list(buffers))


def _parts(message: Message) -> tuple[Mapping[str, Any], Sequence[Any]]:
    return message.content, message.buffers
