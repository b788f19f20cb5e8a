"""Starting and ending the processes that run users' code, in the way this machine allows.

* `TemplateLauncher`: forked from a template (Linux, macOS), 5–7 ms a child;
* `SpawnLauncher`: a new Python each time (everywhere), about a second;
* `InlineLauncher`: a thread of the worker itself, to debug.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from manta_nb.runtime.runners.channel import Channel, ChannelClosed, PipeChannel, SocketChannel
from manta_nb.runtime.runners.child import work
from manta_nb.runtime.runners.programs import Programs
from manta_nb.runtime.runners.template import Template, start_by_exec

__all__ = ["ChildProcess", "InlineLauncher", "Launcher", "Settings", "SpawnLauncher", "TemplateLauncher"]

#: seconds without a byte in the middle of a message after which a child counts as dead
STALLED = 30


@dataclass(frozen=True)
class Settings:
    """What every child of a worker is told when it starts."""

    nodes: str
    threads: int
    memory: int | None
    #: folders that go first on the child's import path
    path: list[str]

    def hello(self) -> dict[str, Any]:
        """The first message to a child."""
        return {
            "op": "hello",
            "nodes": self.nodes,
            "threads": self.threads,
            "memory": self.memory,
            "path": self.path,
        }


@dataclass
class ChildProcess:
    """One running child: a channel to it, what it prints, and how to end it."""

    pid: int
    channel: Channel
    #: descriptor from which the raw output of the process is read, not blocking
    output: int
    _owner: Launcher = field(repr=False)
    #: keys of the segments whose bytes it holds
    holds: set[str] = field(default_factory=set)
    #: whether it was given a batch before
    used: bool = False
    #: whether it was collected: its pid may be another process's by now
    gone: bool = False

    def kill(self) -> None:
        """Kill it and all it started; may be called from any thread."""
        if self.gone:
            return
        with suppress(ProcessLookupError, PermissionError):
            if not hasattr(os, "killpg"):
                os.kill(self.pid, signal.SIGTERM)
                return
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                # so young that it has no group of its own yet
                os.kill(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """Wait until it is gone; returns its exit code, or minus the signal that killed it."""
        self.channel.close()
        code = self._owner.reap(self)
        self.gone = True
        os.close(self.output)
        return code


class Launcher(Protocol):
    """One way to start children."""

    #: whether a child of this launcher can share memory with the worker
    shares_memory: bool

    def start(self, settings: Settings) -> ChildProcess:
        """A new child, ready for batches."""

    def reap(self, child: ChildProcess) -> int:
        """Collect a child whose channel is closed."""

    def close(self) -> None:
        """End whatever this launcher keeps running."""


class TemplateLauncher:
    """Children forked from a template."""

    def __init__(self, template: Template, shares_memory: bool) -> None:
        self._template = template
        self.shares_memory = shares_memory

    def start(self, settings: Settings) -> ChildProcess:
        """See `Launcher.start`."""
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        os.set_blocking(read, False)
        try:
            pid = self._fork(theirs, write)
        finally:
            theirs.close()
            os.close(write)
        child = ChildProcess(pid, SocketChannel(ours, STALLED), read, self)
        child.channel.send(settings.hello())
        return child

    def _fork(self, channel: socket.socket, output: int) -> int:
        try:
            return self._template.fork(channel, output)
        except ConnectionError:
            # it was killed. Not forked again: this process may have run tensor operations since
            self._template.close()
            self._template = start_by_exec()
            return self._template.fork(channel, output)

    def reap(self, child: ChildProcess) -> int:
        """See `Launcher.reap`."""
        return self._template.reap(child.pid)

    def close(self) -> None:
        """See `Launcher.close`."""
        self._template.close()


class SpawnLauncher:
    """Each child a new Python; values travel through its pipes."""

    shares_memory = False

    def __init__(self) -> None:
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, settings: Settings) -> ChildProcess:
        """See `Launcher.start`."""
        process = subprocess.Popen(
            [sys.executable, "-m", "manta_nb.runtime.runners.child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._processes[process.pid] = process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("a child was started without its pipes")
        output = os.dup(process.stderr.fileno())
        process.stderr.close()
        os.set_blocking(output, False)
        channel = PipeChannel(os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno()), STALLED)
        process.stdin.close()
        process.stdout.close()
        child = ChildProcess(process.pid, channel, output, self)
        channel.send(settings.hello())
        return child

    def reap(self, child: ChildProcess) -> int:
        """See `Launcher.reap`."""
        process = self._processes.pop(child.pid)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        # also what it started
        child.kill()
        return process.wait()

    def close(self) -> None:
        """See `Launcher.close`."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes = {}


class InlineLauncher:
    """The "child" is a thread of this very process: for debugging. It cannot be killed, nor limited."""

    shares_memory = True

    def __init__(self) -> None:
        # of all its children: they have one `sys.modules`
        self._programs = Programs()

    def start(self, settings: Settings) -> ChildProcess:
        """See `Launcher.start`."""
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        os.close(write)
        os.set_blocking(read, False)
        thread = threading.Thread(
            target=_work, args=(SocketChannel(theirs), settings.hello(), self._programs), daemon=True
        )
        thread.start()
        return InlineChild(-1, SocketChannel(ours, STALLED), read, self)

    def reap(self, child: ChildProcess) -> int:
        """See `Launcher.reap`."""
        return 0

    def close(self) -> None:
        """See `Launcher.close`."""
        self._programs.forget()


class InlineChild(ChildProcess):
    """A child that is a thread."""

    def kill(self) -> None:
        """A thread cannot be killed: the batch ends when the user's code does."""


def _work(channel: Channel, hello: dict[str, Any], programs: Programs) -> None:
    try:
        with suppress(ChannelClosed):
            work(channel, hello, programs)
    finally:
        channel.close()
