"""Where a child puts what a batch writes: values, rows, and lines that people watch.

Two ways with one face: `SharedOutlet` writes values into the worker's segment and rows into its ledger
(Linux); `MessageOutlet` sends both as messages (everywhere else).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

from manta_nb.errors import MantaError
from manta_nb.runtime.runners.channel import Channel, ChannelClosed
from manta_nb.runtime.runners.ledger import Kind, LedgerWriter
from manta_nb.runtime.runners.segments import HEADER_SIZE, read_at
from manta_nb.sdk.codec import Encoded

__all__ = ["MessageOutlet", "Outlet", "SharedOutlet", "Stream"]

#: the most buffers the system takes in one call
IOV_MAX = 1024
PAD = bytes(64)


class Outlet(Protocol):
    """What a batch writes to."""

    def write(self, value: Encoded, again: bool = False) -> int:
        """Store one encoded value, which is to be read `again`; returns its offset in the batch's segment."""

    def read(self, offset: int, nbytes: int) -> bytearray:
        """A value that was written to be read again."""

    def row(self, kind: Kind, node: int, tag: int = -1, offset: int = 0, nbytes: int = 0) -> None:
        """Report one fact about a node's turn."""

    def close(self) -> None:
        """The batch is over."""


class SharedOutlet:
    """Values into the worker's anonymous memory, rows into the shared ledger."""

    def __init__(self, segment: int, ledger: int, at: int = HEADER_SIZE) -> None:
        self._segment = segment
        self._ledger = LedgerWriter(ledger)
        self._end = at

    def close(self) -> None:
        """See `Outlet.close`."""
        os.close(self._segment)
        self._ledger.close()

    def write(self, value: Encoded, again: bool = False) -> int:
        """See `Outlet.write`. A machine without memory left is a `MantaError` in the task."""
        offset = self._end
        try:
            self.write_at(self._segment, value.buffers, offset)
        except OSError as error:
            raise MantaError(f"no memory for a value of {value.nbytes:,} bytes: {error.strerror}") from error
        self._end = offset + value.nbytes + (-value.nbytes) % 64
        return offset

    def read(self, offset: int, nbytes: int) -> bytearray:
        """See `Outlet.read`."""
        data = bytearray(nbytes)
        read_at(self._segment, data, offset)
        return data

    @staticmethod
    def write_at(descriptor: int, buffers: Sequence[memoryview | bytes], at: int) -> None:
        """Write buffers of bytes one behind the other; an `OSError` where there is no memory left."""
        while buffers:
            written = os.pwritev(descriptor, buffers[:IOV_MAX], at)
            at += written
            buffers = _rest(buffers, written)

    def row(self, kind: Kind, node: int, tag: int = -1, offset: int = 0, nbytes: int = 0) -> None:
        """See `Outlet.row`."""
        self._ledger.append(kind, node, tag, offset, nbytes, time.monotonic_ns())


def _rest(buffers: Sequence[memoryview | bytes], written: int) -> Sequence[memoryview | bytes]:
    """What is left of `buffers` once `written` bytes of them are stored."""
    for index, buffer in enumerate(buffers):
        if written < len(buffer):
            return [memoryview(buffer)[written:], *buffers[index + 1 :]]
        written -= len(buffer)
    return []


class MessageOutlet:
    """Values and rows as messages to the worker."""

    def __init__(self, channel: Channel, at: int = HEADER_SIZE) -> None:
        self._channel = channel
        self._end = at
        #: offset → a value that may be asked for
        self._again: dict[int, bytes] = {}

    def close(self) -> None:
        """See `Outlet.close`."""

    def write(self, value: Encoded, again: bool = False) -> int:
        """See `Outlet.write`."""
        offset = self._end
        padding = (-value.nbytes) % 64
        data = b"".join([*value.buffers, PAD[:padding]])
        self._channel.send({"op": "data", "at": offset}, data)
        self._end = offset + len(data)
        if again:
            self._again[offset] = data
        return offset

    def read(self, offset: int, nbytes: int) -> bytearray:
        """See `Outlet.read`."""
        return bytearray(self._again[offset][:nbytes])

    def row(self, kind: Kind, node: int, tag: int = -1, offset: int = 0, nbytes: int = 0) -> None:
        """See `Outlet.row`."""
        if kind is Kind.TURN:
            # a turn reads again what it wrote itself
            self._again.clear()
        rows = [int(kind), node, tag, offset, nbytes, time.monotonic_ns()]
        self._channel.send({"op": "rows", "rows": rows})


class Stream:
    """Metrics and log lines on their way to the worker: at once while they are few, in bundles when they flood."""

    BUNDLE = 64
    WINDOW = 0.02

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        # a task may print and report from several threads
        self._lock = threading.RLock()
        self._pending: list[Sequence[Any]] = []
        self._burst = 0
        self._window_ends = 0.0
        self._sent = 0.0
        self._timer: threading.Timer | None = None

    def put(self, line: Sequence[Any]) -> None:
        """Send `line`: `("m", node, name, value, step)` or `("l", node, level, text)`."""
        now = time.monotonic()
        with self._lock:
            if now > self._window_ends:
                self._window_ends, self._burst = now + self.WINDOW, 0
            self._burst += 1
            self._pending.append(line)
            if self._burst <= self.BUNDLE // 2 or len(self._pending) >= self.BUNDLE:
                self.flush()
            elif self._timer is None:
                self._wake()

    def flush(self, older_than: float = 0.0) -> None:
        """Send what is waiting; nothing yet where something was sent within the last `older_than` seconds."""
        with self._lock:
            if self._pending and time.monotonic() - self._sent >= older_than:
                lines, self._pending = self._pending, []
                self._channel.send({"op": "stream", "lines": lines})
                self._sent = time.monotonic()

    def _wake(self) -> None:
        """See to it that what waits now is sent soon, also where nothing comes after it."""
        self._timer = threading.Timer(self.WINDOW, self._late)
        self._timer.daemon = True
        self._timer.start()

    def _late(self) -> None:
        self._timer = None
        # the batch may be over, and its worker gone
        with contextlib.suppress(ChannelClosed):
            self.flush()
