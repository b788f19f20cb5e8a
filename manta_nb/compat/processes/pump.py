"""What a program prints, line by line and while it runs, from the ends of two pipes."""

from __future__ import annotations

import codecs
import os
import re
import selectors
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["LAST_LINES", "LONGEST_LINE", "Emit", "Lines", "Tail", "pump"]

#: takes ("stdout" or "stderr", line) while a program runs
Emit = Callable[[str, str], None]

#: how many lines an `Outcome` keeps
LAST_LINES = 20
#: the rest of a longer line is left out
LONGEST_LINE = 10_000
#: bytes taken at a time
CHUNK = 1 << 16
#: most bytes that can still lie in a pipe when its program has ended
LEFT = 1 << 20
#: seconds between two questions whether the program has ended, where nothing wakes
PATIENCE = 0.02
#: seconds between two states of a progress bar that are shown
BETWEEN_STATES = 1.0
#: what a terminal takes for colours and the place of the cursor
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x08")


class Tail(Protocol):
    """Takes the lines as they come: `deque(maxlen=LAST_LINES)`."""

    def append(self, line: str, /) -> None:
        """Take one more line."""


class Lines:
    """One stream, cut into lines; a bare carriage return (a progress bar) ends one, too. Empty ones are left out.

    Colours are taken out. What is taken back at once, as each state of Keras's progress bar is, is shown once a second
    and not kept.
    """

    def __init__(self, stream: str, emit: Emit, tail: Tail) -> None:
        self._stream = stream
        self._emit = emit
        self._tail = tail
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        #: when a state of a progress bar was shown last
        self._shown = float("-inf")

    def take(self, data: bytes, final: bool = False) -> None:
        """Take what came; `final`: nothing more comes."""
        text = self._rest + self._decoder.decode(data, final)
        lines = text.replace("\r", "\n").split("\n")
        self._rest = "" if final else lines.pop()[:LONGEST_LINE]
        for line in lines:
            shown = _CONTROL.sub("", line)[:LONGEST_LINE]
            if shown and line.endswith("\b"):
                self._pass(shown)
            elif shown:
                self._tail.append(shown)
                self._emit(self._stream, shown)

    def _pass(self, state: str) -> None:
        if time.monotonic() - self._shown >= BETWEEN_STATES:
            self._shown = time.monotonic()
            self._emit(self._stream, state)

    def read(self, descriptor: int) -> int | None:
        """Take what lies in a pipe: how many bytes; 0 when it is closed, None when there is nothing now."""
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return None
        self.take(data)
        return len(data)

    def drain(self, descriptor: int) -> None:
        """Take what the program wrote before it ended, and no more: what it started may go on for ever."""
        left = LEFT
        while left > 0:
            count = self.read(descriptor)
            if not count:
                return
            left -= count


def pump(
    stdout: int, stderr: int, emit: Emit, tail: Tail, done: Callable[[], bool], wake: int | None = None
) -> None:
    """Hand on what a program prints until it has ended.

    Lines go out as they come. It returns when `done()` is true, and what lay in the pipes by then was handed on: also
    where something that the program left running still holds them.

    Args:
        stdout: the descriptor to read its standard output from; becomes non-blocking, and stays open.
        stderr: the same of its standard error.
        emit: called with ("stdout" or "stderr", line).
        tail: gets every line, too, in the order in which they came.
        done: whether the program has ended; asked between reads, and every 20 ms.
        wake: a descriptor that can be read when `done` may have become true (a pidfd): nothing is waited for then.

    Raises:
        Exception: what `emit` or `done` raises.

    Example:
        >>> program = subprocess.Popen(["true"], stdout=PIPE, stderr=PIPE)
        >>> pump(program.stdout.fileno(), program.stderr.fileno(), print, tail, lambda: program.poll() is not None)
    """
    streams = {stdout: Lines("stdout", emit, tail), stderr: Lines("stderr", emit, tail)}
    with selectors.DefaultSelector() as selector:
        for descriptor in streams:
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ)
        if wake is not None:
            selector.register(wake, selectors.EVENT_READ)
        opened = set(streams)
        while not done():
            for key, _ in selector.select(None if wake is not None else PATIENCE):
                if key.fd in opened and streams[key.fd].read(key.fd) == 0:
                    selector.unregister(key.fd)
                    opened.discard(key.fd)
            if wake is None and not opened:
                time.sleep(PATIENCE)
    for descriptor in opened:
        streams[descriptor].drain(descriptor)
    for lines in streams.values():
        lines.take(b"", final=True)
