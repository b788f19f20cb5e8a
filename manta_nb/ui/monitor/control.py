"""The way from a monitor's screen to the kernel that is open while a cell runs, too.

ipykernel answers a comm on the shell that last sent on it, and a widget's comm is opened by the main shell: what the
screen sends on it waits for the cell (measured: 8 s). So the screen opens a comm of its own, `manta_nb.ctl`, on which
the kernel never sends: its messages come in a subshell's thread within milliseconds (JupyterLab ≥ 4.4, ipykernel ≥ 7).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

__all__ = ["TARGET", "Switchboard", "switchboard"]

_log = logging.getLogger(__name__)

TARGET = "manta_nb.ctl"

Handle = Callable[[object], None]


class _Comm(Protocol):
    handle_msg: Callable[[Mapping[str, Any]], None]

    def close(self) -> None:
        """Tell the browser that nobody listens."""


class _CommManager(Protocol):
    targets: dict[str, Callable[..., None]]

    def register_target(self, target_name: str, f: Callable[..., None]) -> None:
        """Call `f(comm, message)` for each comm that a browser opens to that target."""


class Switchboard:
    """Gives what comes on control comms to the monitor that each comm was opened for; one in a kernel."""

    def __init__(self) -> None:
        self._monitors: dict[str, Handle] = {}

    def connect(self, token: str, handle: Handle) -> None:
        """Give `handle` what comes for `token`, in whatever thread it comes."""
        self._monitors[token] = handle

    def disconnect(self, token: str) -> None:
        """Nobody is there for `token` any more."""
        self._monitors.pop(token, None)

    def opened(self, comm: _Comm, message: Mapping[str, Any]) -> None:
        """A browser opened a comm; the target's callback."""
        data = message["content"].get("data") or {}
        token = str(data.get("monitor"))
        if token not in self._monitors:
            comm.close()
            return

        def handle(message: Mapping[str, Any]) -> None:
            if (listener := self._monitors.get(token)) is not None:
                listener(message["content"].get("data"))

        # Not `on_msg`: around its callback IPython runs `post_execute`, in this thread, and matplotlib would show the
        # half-made figures of the cell that runs.
        comm.handle_msg = handle


def switchboard(comms: _CommManager) -> Switchboard:
    """The kernel's switchboard, made when it is first needed; the comm manager keeps it."""
    known = getattr(comms.targets.get(TARGET), "__self__", None)
    if isinstance(known, Switchboard):
        return known
    made = Switchboard()
    comms.register_target(TARGET, made.opened)
    return made
