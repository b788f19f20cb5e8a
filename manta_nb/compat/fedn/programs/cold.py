"""An entry point as a process of its own, which ends with whoever called it, and takes along what is in its group.

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
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import psutil

from manta_nb.compat.fedn.programs.calls import Call, Emit, Outcome
from manta_nb.compat.fedn.programs.commands import Expanded, expand, shell_argv
from manta_nb.compat.fedn.programs.environment import environment
from manta_nb.compat.fedn.programs.pump import LAST_LINES, pump

__all__ = ["NOT_FOUND", "NOT_STARTED", "environment", "run_cold", "run_program"]

PR_SET_PDEATHSIG: Final = 1
#: looked up before any fork: between fork and exec nothing may be
_LIBC: Final = ctypes.CDLL(None) if os.name == "posix" else None
#: it says nothing until its input ends; without a word before, the caller is no more, and everything goes
_GUARD: Final = "read -r word || kill -9 0"
#: as a shell says it: there is no such program; it cannot be started
NOT_FOUND, NOT_STARTED = 127, 126


def run_cold(call: Call, emit: Emit, expanded: Expanded | None = None) -> Outcome:
    """Run an entry point in a process of its own; through a shell only where its command needs one.

    Args:
        call: what to run.
        emit: gets ("stdout" or "stderr", line) while it runs.
        expanded: what `expand(call)` said, where that is known already.

    Returns:
        Its exit code (minus the number of the signal that killed it), seconds, and its last lines.

    Raises:
        BaseException: what `emit` raises, and `KeyboardInterrupt`: the program and all that it started are gone then.
    """
    found = expanded or expand(call)
    argv = shell_argv(call) if found.argv is None else found.argv
    # a shell tells its programs where they are, whatever the variable said before
    where = {**call.environment, "PWD": os.path.realpath(call.folder)}
    return run_program(argv, call.folder, where, emit)


def run_program(argv: Sequence[str], folder: Path, variables: Mapping[str, str], emit: Emit) -> Outcome:
    """Run a program to its end; see `run_cold`."""
    tail: deque[str] = deque(maxlen=LAST_LINES)
    began = time.perf_counter()
    try:
        with _Running(argv, folder, variables) as running:
            pump(*running.pipes, emit, tail, running.has_ended, running.wake)
        code = running.exit_code
    except _NotStartedError as error:
        line = f"{argv[0]} cannot be started in {folder}: {error}"
        emit("stderr", line)
        tail.append(line)
        code = NOT_FOUND if isinstance(error.__cause__, FileNotFoundError) else NOT_STARTED
    return Outcome(code, time.perf_counter() - began, tuple(tail), "cold")


class _NotStartedError(Exception):
    """The system could not start a program; the cause says why."""


class _Running:
    """A program in a process group of its own, with a guard that ends the group when this process is gone.

    The guard leads the group, so that the group's number stays theirs until both have ended. Left by an exception, the
    group and everything else that descends from the program is killed; left in peace, what the program put into
    the background goes on, as it does in FEDn.
    """

    def __init__(self, argv: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
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
                process_group=self._guard.pid,
                preexec_fn=_between_fork_and_exec(os.getpid()),  # noqa: PLW1509 - it touches no lock
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._let_guard_go()
            raise _NotStartedError(getattr(error, "strerror", None) or str(error)) from error
        except BaseException:
            self._end_guard()
            raise
        self.pipes = (_descriptor(self._program.stdout), _descriptor(self._program.stderr))
        #: can be read when the program has ended; None: one has to ask
        self.wake = os.pidfd_open(self._program.pid) if hasattr(os, "pidfd_open") else None

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
            self._let_guard_go()
        else:
            self._kill()
        for stream in (self._program.stdout, self._program.stderr):
            if stream is not None:
                stream.close()
        if self.wake is not None:
            os.close(self.wake)

    def _kill(self) -> None:
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
