"""When the process that programs are forked from ends: once nobody wants it any more."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
from contextlib import suppress
from types import FrameType

__all__ = ["Lookout", "alive", "close_shop"]

#: seconds between two looks whether anybody still waits, while modules are imported
LOOK = 0.2


class Lookout:
    """While modules are imported: end this process once nobody waits for them any more.

    Args:
        callers: who asked for something.
        members: the processes it serves, and their pidfds.
    """

    def __init__(self, callers: list[socket.socket], members: dict[int, int | None]) -> None:
        self._callers = callers
        self._members = members

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, LOOK, LOOK)

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _look(self, number: int, frame: FrameType | None) -> None:
        if not any(map(_hangs_on, self._callers)) and not any(
            _lives(*each) for each in self._members.items()
        ):
            os._exit(0)


def _hangs_on(sock: socket.socket) -> bool:
    try:
        return bool(sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _lives(pid: int, pidfd: int | None) -> bool:
    return alive(pid) if pidfd is None else not readable(pidfd)


def readable(descriptor: int) -> bool:
    """Whether something can be read at once."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def close_shop(listener: socket.socket, place: str, retired: bool) -> None:
    """End this process and take its place away, unless somebody is about to knock.

    Args:
        listener: where they knock.
        place: its path.
        retired: whether the place has been given up already, and may be another process's by now.
    """
    try:
        lock = os.open(f"{place}.lock", os.O_RDWR)
    except OSError:
        # somebody took the whole folder away
        os._exit(0)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        wanted = os.path.exists(place) if retired else readable(listener.fileno())
    except BlockingIOError:
        wanted = True
    if not wanted:
        for path in (*([] if retired else [place, f"{place}.avoid"]), f"{place}.lock"):
            with suppress(OSError):
                os.unlink(path)
        # not where something is known of modules, for who comes next
        with suppress(OSError):
            os.rmdir(os.path.dirname(place))
    if retired or not wanted:
        os._exit(0)
    os.close(lock)
