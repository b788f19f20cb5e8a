"""The connection of a caller to the process that its programs are forked from."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from manta_nb.compat.fedn.programs.calls import Emit
from manta_nb.compat.fedn.programs.warm.imports import Imports
from manta_nb.compat.fedn.programs.warm.inside.wire import Gone, owner, receive, send
from manta_nb.compat.fedn.programs.warm.meeting import Kind, meet
from manta_nb.compat.processes.pump import pump

__all__ = ["Line"]

#: seconds that imports may take before a program is started cold
LONGEST_IMPORT = 300.0
#: seconds that a killed program may take to be gone
GRACE = 5.0
#: how often imports are made anew without one that left something behind
TRIES = 100
#: how often a process may die while it imports
MOST_DEATHS = 3


class Line:
    """Talks to one process at a time, and to one program at a time.

    Args:
        meeting: where the process is found.
        folder: where it is started.
    """

    def __init__(self, meeting: Path, folder: Path) -> None:
        self._meeting = meeting
        self._folder = folder
        self._socket: socket.socket | None = None
        #: the name of the kind of programs that it is for
        self.kind = ""

    def prepare(self, kind: Kind, imports: Imports, arguments: tuple[str, ...]) -> dict[str, Any]:
        """Have imports ready; the answer has `clash`, names of modules, and `avoided`, module → why.

        Raises:
            Gone: the process cannot be started, or died.
        """
        request = {
            "op": "prepare",
            "wanted": [asdict(each) for each in imports.wanted],
            "own": imports.own,
            "arguments": list(arguments),
        }
        gone = 0
        for _ in range(TRIES):
            self._connect(kind)
            try:
                answer = self._ask(request)
            except Gone:
                # it may have been about to end
                gone += 1
                if gone == MOST_DEATHS:
                    raise
                continue
            if answer["op"] == "ready":
                return answer
            self.close()
        raise Gone("its imports leave too much behind")

    def start(self, order: dict[str, Any], output: tuple[int, int]) -> dict[str, Any]:
        """Have a program forked; the answer's `op` is "started", or "refused" with a `variable`.

        Raises:
            Gone: there is no such process any more, and no program.
        """
        answer = self._ask(order, output)
        if answer["op"] == "again":
            raise Gone("it has to be started again")
        return answer

    def follow(self, stdout: int, stderr: int, emit: Emit, tail: deque[str]) -> int:
        """Hand on what the program prints until it has ended; returns its exit code."""
        sock = self._open()
        ending = _Ending(sock)
        try:
            pump(stdout, stderr, emit, tail, ending, wake=sock.fileno())
        except BaseException:
            self._kill(ending)
            raise
        if ending.lost:
            self.close()
            raise Gone("what has the imports ready was killed")
        return ending.code

    def close(self, leave: bool = False) -> None:
        """Hang up; with `leave`, this process no longer keeps the other one alive."""
        if self._socket is not None:
            if leave:
                with suppress(Gone):
                    send(self._socket, {"op": "leave"})
            self._socket.close()
        self._socket, self.kind = None, ""

    def _connect(self, kind: Kind) -> None:
        if self._socket is None or self.kind != kind.name():
            self.close()
            self._socket, self.kind = meet(self._meeting, kind, self._folder), kind.name()
            self._socket.settimeout(LONGEST_IMPORT)

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise Gone("not connected")
        return self._socket

    def _ask(self, message: dict[str, Any], output: tuple[int, ...] = ()) -> dict[str, Any]:
        try:
            send(self._open(), message, output)
            return receive(self._open())[0]
        except Gone:
            self.close()
            raise

    def _kill(self, ending: _Ending) -> None:
        """Kill the program; it is gone when this returns."""
        sock = self._open()
        try:
            send(sock, {"op": "kill"})
            while not ending():
                if not select.select([sock], [], [], GRACE)[0]:
                    raise Gone("it does not answer")
        except Gone:
            ending.lost = True
        if ending.lost:
            # all of its programs end with it
            with suppress(OSError):
                os.kill(owner(sock)[0], signal.SIGKILL)
            self.close()


class _Ending:
    """Tells whether the program of a connection has ended."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._ended = False
        #: as programs have them; that of a killed one where nobody can tell any more
        self.code = -int(signal.SIGKILL)
        #: whether the process that it was forked from died
        self.lost = False

    def __call__(self) -> bool:
        if not self._ended and self._poll.poll(0):
            try:
                self.code = int(receive(self._socket)[0]["code"])
            except Gone:
                self.lost = True
            self._ended = True
        return self._ended
