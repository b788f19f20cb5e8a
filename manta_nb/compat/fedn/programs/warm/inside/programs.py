"""The programs that were forked: who they are, that they end with their callers, and how they ended."""

from __future__ import annotations

import gc
import os
import selectors
import signal
import warnings
from contextlib import suppress
from dataclasses import dataclass

__all__ = ["Program", "Programs", "watch"]

#: it says nothing until its input ends; without a word before, its starter is no more, and its group goes
_GUARD = "read -r word || kill -9 0"
_SHELL = "/bin/sh"


@dataclass(frozen=True)
class Program:
    """A program that runs.

    It is in the process group of a guard, which goes with whoever holds the other end of the guard's input: a program
    that leads a group could not make one of its own, and the number of the group must stay theirs.
    """

    pid: int
    guard: int
    #: what the guard reads
    line: int
    #: None where the system has none
    pidfd: int | None


class Programs:
    """The programs of one process.

    Args:
        selector: is told of the ends of programs: the data of such an event is ("program", pid).
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._running: dict[int, Program] = {}

    def __bool__(self) -> bool:
        return bool(self._running)

    @property
    def pids(self) -> set[int]:
        """The processes that are meant to be there."""
        return {pid for program in self._running.values() for pid in (program.pid, program.guard)}

    @property
    def unwatched(self) -> bool:
        """Whether one has to ask how programs do, as the system does not tell."""
        return any(program.pidfd is None for program in self._running.values())

    def fork(self) -> tuple[int, int]:
        """Fork a program; returns (its pid, or 0 in the program, the group that it has to join)."""
        guard, line = _start_guard()
        # what a program shares with this process stays shared: a collection would write into every object
        gc.freeze()
        with warnings.catch_warnings():
            # threads: those of OpenBLAS, which are down while it forks
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(line)
            return 0, guard
        with suppress(OSError):
            # the program does so, too: whoever comes first
            os.setpgid(pid, guard)
        self._running[pid] = Program(pid, guard, line, watch(self._selector, pid, "program"))
        return pid, guard

    def forget(self) -> None:
        """In a program: close what belongs to the process that it comes from."""
        for program in self._running.values():
            os.close(program.line)
            if program.pidfd is not None:
                os.close(program.pidfd)

    def kill(self, pid: int) -> None:
        """Kill a program, its group, and its descendants that left the group."""
        program = self._running.get(pid)
        if program is None:
            return
        for descendant in _descendants(pid):
            with suppress(OSError):
                os.kill(descendant, signal.SIGKILL)
        with suppress(OSError):
            os.killpg(program.guard, signal.SIGKILL)
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)

    def ended(self) -> dict[int, int]:
        """The programs that ended since this was asked last: pid → exit code, minus a signal's number."""
        codes = {}
        for pid in list(self._running):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                codes[pid] = os.waitstatus_to_exitcode(status)
                self._dismiss(self._running.pop(pid))
        return codes

    def _dismiss(self, program: Program) -> None:
        """What a program left in the background goes on without its guard."""
        if program.pidfd is not None:
            self._selector.unregister(program.pidfd)
            os.close(program.pidfd)
        with suppress(OSError):
            os.write(program.line, b"well\n")
        os.close(program.line)
        os.waitpid(program.guard, 0)


def watch(selector: selectors.BaseSelector, pid: int, kind: str) -> int | None:
    """Have `selector` tell of the end of a process, as (kind, pid); returns the pidfd, if the system has such."""
    try:
        pidfd = os.pidfd_open(pid)
    except (OSError, AttributeError):
        return None
    selector.register(pidfd, selectors.EVENT_READ, (kind, pid))
    return pidfd


def _start_guard() -> tuple[int, int]:
    """Start a guard, in a process group of its own; returns (its pid, what it reads)."""
    reader, line = os.pipe()
    nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, 1, 2)
    try:
        guard = os.posix_spawn(
            _SHELL,
            ["sh", "-c", _GUARD],
            {},
            file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0), *nothing],
            setpgroup=0,
        )
    finally:
        os.close(reader)
    return guard, line


def _descendants(pid: int) -> list[int]:
    """The processes that come from one, where the system tells."""
    found, left = [], [pid]
    while left:
        with suppress(OSError):
            parent = left.pop()
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as stream:
                    children = [int(child) for child in stream.read().split()]
                found += children
                left += children
    return found
