"""`Freezer`: stops processes for a while, as if their machine had stood still, and never longer."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import psutil

from manta_nb.errors import NodeError

__all__ = ["Freezer"]

#: wakes the processes named on its command line after so many seconds, or as soon as its standard input is closed:
#: also where the kernel is killed, for a process that stands still does not notice that
KEEPER = """
import os, select, signal, sys
select.select([0], [], [], float(sys.argv[1]))
for pid in sys.argv[2:]:
    try:
        os.kill(int(pid), signal.SIGCONT)
    except OSError:
        pass
"""
#: seconds that the keeper gets beyond its time
GRACE = 5.0


@dataclass
class _Frozen:
    """A process that stands still, and all it started."""

    processes: list[psutil.Process]
    keeper: subprocess.Popen[bytes]
    over: threading.Event = field(default_factory=threading.Event)

    def wake(self) -> None:
        """End it early."""
        if self.keeper.stdin is not None:
            with contextlib.suppress(OSError):
                self.keeper.stdin.close()


class Freezer:
    """Processes of this machine that stand still; made by a session, closed with it. Any thread may call it."""

    def __init__(self) -> None:
        self._frozen: dict[int, _Frozen] = {}
        self._lock = threading.Lock()

    def freeze(self, pid: int, seconds: float) -> None:
        """Stop a process and all it started for so many seconds; if it stands still already, from now on.

        Raises:
            NodeError: there is no such process (any more), or this system cannot stop one.
        """
        if not hasattr(signal, "SIGSTOP"):
            raise NodeError("this system cannot freeze a process: use slow(factor)")
        self.thaw(pid)
        with self._lock:
            try:
                processes = _suspend(psutil.Process(pid))
            except psutil.NoSuchProcess:
                raise NodeError(f"the process {pid} is gone: look again in a moment") from None
            frozen = _Frozen(processes, _keeper(processes, seconds))
            self._frozen[pid] = frozen
        name = f"manta-frozen-{pid}"
        threading.Thread(target=self._watch, args=(pid, frozen, seconds), name=name, daemon=True).start()

    def frozen(self, pid: int) -> bool:
        """Whether it stands still."""
        return pid in self._frozen

    def thaw(self, pid: int) -> None:
        """Let it go on now; one that does not stand still is no matter."""
        with self._lock:
            frozen = self._frozen.get(pid)
        if frozen is not None:
            frozen.wake()
            frozen.over.wait(GRACE)

    def close(self) -> None:
        """Let all go on."""
        for pid in list(self._frozen):
            self.thaw(pid)

    def _watch(self, pid: int, frozen: _Frozen, seconds: float) -> None:
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                frozen.keeper.wait(seconds + GRACE)
        finally:
            # somebody may have killed the keeper
            _resume(frozen.processes)
            frozen.keeper.kill()
            frozen.wake()
            frozen.keeper.wait()
            with self._lock:
                self._frozen.pop(pid, None)
            frozen.over.set()


def _suspend(process: psutil.Process) -> list[psutil.Process]:
    """Stop a process, then what it started; what stands still starts no more."""
    stopped: list[psutil.Process] = []
    found = [process]
    while found:
        for each in found:
            # a child may end in this very moment; the process itself must be there
            with contextlib.suppress(*([psutil.NoSuchProcess] if stopped else [])):
                each.suspend()
                stopped.append(each)
        found = [child for child in process.children(recursive=True) if child not in stopped]
    return stopped


def _resume(processes: list[psutil.Process]) -> None:
    for process in reversed(processes):
        # psutil never takes another process of the same number for it
        with contextlib.suppress(psutil.Error):
            process.resume()


def _keeper(processes: list[psutil.Process], seconds: float) -> subprocess.Popen[bytes]:
    """Children first, so that none is found stopped by its parent."""
    pids = [str(process.pid) for process in reversed(processes)]
    try:
        # a session of its own: Jupyter's interrupt goes to the kernel's whole process group
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", KEEPER, f"{seconds:g}", *pids],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except BaseException:
        _resume(processes)
        raise
