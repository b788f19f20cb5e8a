"""The template: a process with torch imported that runs nothing, and from which children are forked in milliseconds.

A worker forks it before it runs anything (`start_by_fork`), or starts it afresh where it may have run
something already (`start_by_exec`). It must never run a tensor operation: one with two threads before a
fork deadlocks every child (libgomp). It reaps its children and tells how they ended.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress

from manta_nb.runtime.runners.channel import SocketChannel
from manta_nb.runtime.runners.child import die_with_parent, serve
from manta_nb.runtime.runners.cleaning import Pools, find_pools

__all__ = ["Template", "start_by_exec", "start_by_fork"]

#: what a child finds ready
WARM = ("numpy", "torch", "torch._dynamo")
#: seconds a child has to end by itself once its channel is closed
GRACE = 0.5
#: seconds a template has to end once its socket is closed
PATIENCE = 0.5
#: seconds a template has to answer; it may have to import torch before its first answer. A task can stop it
ANSWER, FIRST_ANSWER = 15.0, 60.0


class Template:
    """The worker's handle on its template."""

    def __init__(self, sock: socket.socket, pid: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self._socket = sock
        self._process = process
        self.pid = pid
        # one question at a time: a run may end while another one starts
        self._asking = threading.Lock()
        self._socket.settimeout(FIRST_ANSWER)

    def fork(self, channel: socket.socket, output: int) -> int:
        """Fork a child that serves `channel` and prints to `output`; returns its pid.

        Raises:
            ConnectionError: the template is gone, and all its children with it.
        """
        with self._asking:
            socket.send_fds(self._socket, [b"fork"], [channel.fileno(), output])
            return int(self._answer())

    def reap(self, pid: int) -> int:
        """Wait for a child that is dead or dying; returns its exit code, or minus the signal that killed it."""
        try:
            with self._asking:
                self._socket.send(f"reap {pid}".encode())
                return int(self._answer())
        except OSError:
            # it is gone, or was closed in the meantime: its children are gone with it
            return -signal.SIGKILL

    def _answer(self) -> str:
        try:
            answer = self._socket.recv(64)
        except TimeoutError:
            # its children end with it; who asks next finds it gone
            os.kill(self.pid, signal.SIGKILL)
            raise ConnectionError("the template process does not answer") from None
        if not answer:
            raise ConnectionError("the template process is gone")
        self._socket.settimeout(ANSWER)
        return answer.decode()

    def close(self) -> None:
        """End the template and every child of it."""
        # not while it answers somebody, unless it never does
        asked = self._asking.acquire(timeout=2 * GRACE)
        self._socket.close()
        if asked:
            self._asking.release()
        deadline = time.monotonic() + PATIENCE
        while not self._ended():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.001)

    def _ended(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True


def start_by_fork() -> Template:
    """Fork the template from here; for a process that has run no tensor operation, in its main thread."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    # what the template shares with the worker stays shared: a collection writes into every object
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        try:
            _become(theirs, parent)
        except BaseException:  # noqa: BLE001 - this process must never return into the worker's code
            traceback.print_exc()
        finally:
            os._exit(0)
    theirs.close()
    return Template(ours, pid)


def start_by_exec() -> Template:
    """Start the template as a new Python; for a process that may have run tensor operations or threads."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "manta_nb.runtime.runners.template", str(theirs.fileno()), str(os.getpid())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    theirs.close()
    return Template(ours, process.pid, process)


def _become(sock: socket.socket, parent: int) -> None:
    """Turn this fresh fork into a template: alone, without the worker's descriptors and handlers."""
    die_with_parent(parent)
    _keep_only({0, 1, 2, sock.fileno()})
    with suppress(ValueError, OSError):
        signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve_forks(sock)


def _serve_forks(sock: socket.socket) -> None:
    for name in WARM:
        with suppress(ImportError):
            importlib.import_module(name)
    pools = find_pools()
    children: set[int] = set()
    while True:
        request, descriptors, _, _ = socket.recv_fds(sock, 64, 2)
        if not request:
            break
        if request == b"fork":
            pid = _fork_child(sock, pools, *descriptors)
            children.add(pid)
            sock.send(str(pid).encode())
        else:
            pid = int(request.split()[1])
            sock.send(str(_reap(pid) if pid in children else 0).encode())
            children.discard(pid)
    for pid in children:
        _kill_group(pid)


def _fork_child(sock: socket.socket, pools: Pools | None, channel: int, output: int) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(channel)
        os.close(output)
        return pid
    code = 1
    try:
        os.setsid()
        die_with_parent(parent)
        sock.close()
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        serve(SocketChannel(socket.socket(fileno=channel)), pools)
        code = 0
    finally:
        os._exit(code)


def _reap(pid: int) -> int:
    deadline = time.monotonic() + GRACE
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            _kill_group(pid)
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            _kill_group(pid)
            deadline = float("inf")
        time.sleep(0.001)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _keep_only(descriptors: set[int]) -> None:
    """Close every other descriptor: an inherited socket would hide the worker's death from the scheduler."""
    low = 0
    for descriptor in [*sorted(descriptors), _open_limit()]:
        # closerange(n, n) closes everything from n on (CPython 3.11, by close_range(2))
        if low < descriptor:
            os.closerange(low, descriptor)
        low = descriptor + 1


def _open_limit() -> int:
    """A number above every open descriptor."""
    if sys.platform == "linux":
        return max(int(name) for name in os.listdir("/proc/self/fd")) + 1
    return int(os.sysconf("SC_OPEN_MAX"))


if __name__ == "__main__":
    die_with_parent(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve_forks(socket.socket(fileno=int(sys.argv[1])))
    # at once: an interpreter that has torch takes a second to end
    os._exit(0)
