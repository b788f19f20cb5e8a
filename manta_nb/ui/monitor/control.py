"""The way from a screen, a monitor or the sidebar, to the kernel that is open while a cell runs, too.

ipykernel answers a comm on the shell that last sent on it, and a widget's comm is opened by the main shell: what the
screen sends on it waits for the cell (measured: 8 s). So the screen opens a comm of its own, `manta_nb.ctl`, on which
the kernel never sends: its messages come in a subshell's thread within milliseconds (JupyterLab ≥ 4.4, ipykernel ≥ 7).
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

__all__ = ["TARGET", "CommManager", "Switchboard", "switchboard"]

_log = logging.getLogger(__name__)

TARGET = "manta_nb.ctl"
#: views that may be awaited, and messages that are kept for each
_MOST_EARLY = 16
#: comms that are kept for one screen, which may be seen in several places
_MOST_COMMS = 16

Handle = Callable[[object], None]


class _Comm(Protocol):
    handle_msg: Callable[[Mapping[str, Any]], None]
    handle_close: Callable[[Mapping[str, Any]], None]

    def close(self) -> None:
        """Tell the browser that nobody listens."""


class CommManager(Protocol):
    """The kernel's comms, as far as they are used."""

    targets: dict[str, Callable[..., None]]

    def register_target(self, target_name: str, f: Callable[..., None]) -> None:
        """Call `f(comm, message)` for each comm that a browser opens to that target."""


class Switchboard:
    """Gives what comes on control comms to the screen that each comm was opened for; one in a kernel.

    A screen is a monitor or a view of the sidebar; the token that its comm is opened with names it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._screens: dict[str, Handle] = {}
        #: token of a view that is not there yet → what came for it
        self._early: dict[str, list[object]] = {}
        #: token → what ends its comms, which are never sent on
        self._comms: dict[str, list[tuple[_Comm, Callable[[], object]]]] = {}

    def connect(self, token: str, handle: Handle) -> None:
        """Give `handle` what comes for `token`, in whatever thread it comes."""
        with self._lock:
            self._screens[token] = handle
            early = self._early.pop(token, [])
        for data in early:
            handle(data)

    def disconnect(self, token: str) -> None:
        """Nobody is there for `token` any more; its comms are closed, as its page may have gone without a word."""
        with self._lock:
            self._screens.pop(token, None)
            ended = self._comms.pop(token, [])
        _end(ended)

    def opened(self, comm: _Comm, message: Mapping[str, Any]) -> None:
        """A browser opened a comm; the target's callback."""
        data = message["content"].get("data")
        opening = data if isinstance(data, dict) else {}
        token = str(opening.get("token"))
        # The kernel answers on the shell that the page's own message came on.
        closing = partial(contextvars.copy_context().run, comm.close)
        ended: list[tuple[_Comm, Callable[[], object]]] = []
        with self._lock:
            known = token in self._screens
            if not known and "protocol" in opening:
                # A view opens two comms, which travel on shells of their own: the other one may come later.
                self._early.setdefault(token, [])
                known = True
                while len(self._early) > _MOST_EARLY:
                    oldest = next(iter(self._early))
                    del self._early[oldest]
                    ended += self._comms.pop(oldest, [])
            if known:
                comms = self._comms.setdefault(token, [])
                comms.append((comm, closing))
                ended += comms[:-_MOST_COMMS]
                del comms[:-_MOST_COMMS]
        _end(ended)
        if not known:
            comm.close()
            return

        def handle(message: Mapping[str, Any]) -> None:
            data = message["content"].get("data")
            with self._lock:
                listener, early = self._screens.get(token), self._early.get(token)
                if listener is None and early is not None and len(early) < _MOST_EARLY:
                    early.append(data)
            if listener is not None:
                listener(data)

        # Not `on_msg`: around its callback IPython runs `post_execute`, in this thread, and matplotlib would show the
        # half-made figures of the cell that runs.
        comm.handle_msg = handle
        comm.handle_close = lambda message: self._left(token, comm)

    def _left(self, token: str, comm: _Comm) -> None:
        """The browser has closed a comm."""
        with self._lock:
            comms = [each for each in self._comms.pop(token, []) if each[0] is not comm]
            if comms:
                self._comms[token] = comms


def _end(comms: Sequence[tuple[_Comm, Callable[[], object]]]) -> None:
    for _, close in comms:
        # the front end may have gone, or the kernel be going
        with suppress(OSError, LookupError):
            close()


def switchboard(comms: CommManager) -> Switchboard:
    """The kernel's switchboard, made when it is first needed; the comm manager keeps it."""
    known = getattr(comms.targets.get(TARGET), "__self__", None)
    if isinstance(known, Switchboard):
        return known
    made = Switchboard()
    comms.register_target(TARGET, made.opened)
    return made
