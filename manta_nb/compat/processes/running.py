"""A program in a process group of its own, which ends with whoever started it.

Aborted by an exception, it takes along all that descends from it; killed together with its caller, it leaves what
made a session of its own (`setsid`).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import psutil

__all__ = ["NotStartedError", "Running"]

PR_SET_PDEATHSIG: Final = 1
#: looked up before any fork: between fork and exec nothing may be
_LIBC: Final = ctypes.CDLL(None) if os.name == "posix" else None
#: it says nothing until its input ends; without a word before, the caller is no more, and everything goes
_GUARD: Final = "read -r word || kill -9 0"


class NotStartedError(Exception):
    """The system could not start a program; the cause says why."""


class Running:
    """A program in a process group of its own, with a guard that ends the group when this process is gone.

    The guard leads the group, so that the group's number stays theirs until both have ended. Left by an exception, the
    group and everything else that descends from the program is killed; left in peace, what the program put into
    the background goes on, as it does in FEDn.

    Args:
        argv: the program and its arguments.
        folder: where it begins.
        variables: its whole environment.
        descriptors: open files that it inherits under their numbers.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        descriptors: Sequence[int] = (),
    ) -> None:
        self._guard = _start_guard()
        try:
            self._program = subprocess.Popen(
                list(argv),
                cwd=folder,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=tuple(descriptors),
                process_group=self._guard.pid,
                preexec_fn=_between_fork_and_exec(os.getpid()),  # noqa: PLW1509 - it touches no lock
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._let_guard_go()
            raise NotStartedError(getattr(error, "strerror", None) or str(error)) from error
        except BaseException:
            self._end_guard()
            raise
        self.pipes = (_descriptor(self._program.stdout), _descriptor(self._program.stderr))
        #: can be read when the program has ended; None: one has to ask
        self.wake = os.pidfd_open(self._program.pid) if hasattr(os, "pidfd_open") else None

    @property
    def pid(self) -> int:
        """Number of the process, which is that of the program or of what isolates it."""
        return self._program.pid

    @property
    def exit_code(self) -> int:
        """How it ended; to be asked when it has."""
        return self._program.returncode

    def has_ended(self) -> bool:
        """Whether the program itself has."""
        return self._program.poll() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.leave()
        else:
            self.kill()

    def leave(self) -> None:
        """It has ended: what it put into the background goes on."""
        self._let_guard_go()
        self._close()

    def kill(self) -> None:
        """End the program, its group, and those of its descendants that left the group."""
        descendants = []
        with suppress(psutil.Error):
            descendants = psutil.Process(self._program.pid).children(recursive=True)
        self._end_guard()
        for process in descendants:
            with suppress(psutil.Error):
                process.kill()
        self._program.kill()
        self._program.wait()
        self._close()

    def _close(self) -> None:
        for stream in (self._program.stdout, self._program.stderr):
            if stream is not None:
                stream.close()
        if self.wake is not None:
            os.close(self.wake)

    def _let_guard_go(self) -> None:
        with suppress(OSError):
            # `communicate` would mind that it has gone already: a script's `trap 'kill 0' EXIT` takes it along
            os.write(_descriptor(self._guard.stdin), b"well\n")
        self._wait_for_guard()

    def _end_guard(self) -> None:
        with suppress(OSError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        self._wait_for_guard()

    def _wait_for_guard(self) -> None:
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()


def _start_guard() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [shutil.which("sh") or "/bin/sh", "-c", _GUARD],
        cwd="/",
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        process_group=0,
    )


def _between_fork_and_exec(parent: int) -> Callable[[], None]:
    """What the new process does first: interrupts mean again what they mean, and it ends when `parent` does."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if _LIBC is not None and sys.platform == "linux":
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                # it ended before the line above
                os._exit(1)

    return prepare


def _descriptor(stream: IO[bytes] | None) -> int:
    if stream is None:
        raise ValueError("the program was started without a pipe")
    return stream.fileno()
