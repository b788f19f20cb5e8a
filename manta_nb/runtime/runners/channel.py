"""A message channel between a worker and the process that runs users' code.

A message is a JSON object, optionally followed by one raw payload and by file descriptors. What comes from
a child is hostile: lengths are checked before anything is allocated, and nothing is ever unpickled.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["Channel", "ChannelClosed", "Message", "PipeChannel", "SocketChannel"]

HEADER = struct.Struct("<IQB")
LONGEST_HEADER = 256 << 20
MOST_DESCRIPTORS = 8
CHUNK = 1 << 20


class ChannelClosed(Exception):
    """The other end is gone, or sent something that is no message."""


class Message(dict[str, Any]):
    """One received message: a dict, with the raw `payload` and the `descriptors` that came with it."""

    payload: memoryview = memoryview(b"")
    descriptors: tuple[int, ...] = ()


class Channel(Protocol):
    """Both kinds of channel: over a socket (which can pass descriptors) and over two pipes (which cannot)."""

    def send(
        self, message: dict[str, Any], payload: bytes | memoryview = b"", descriptors: Sequence[int] = ()
    ) -> None:
        """Send one message; `ChannelClosed` where the other end is gone."""

    def receive(self) -> Message:
        """Wait for one message; `ChannelClosed` at the end."""

    def poll(self, timeout: float) -> bool:
        """Whether a message (or the end) can be received within `timeout` seconds."""

    def fileno(self) -> int:
        """The descriptor to select on."""

    def close(self) -> None:
        """Close this end."""


def _dump(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def _load(header: bytes | bytearray) -> Message:
    try:
        value = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise ChannelClosed(f"a message that is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ChannelClosed("a message that is not an object")
    return Message(value)


def _lengths(head: bytes | bytearray) -> tuple[int, int]:
    header, payload, descriptors = HEADER.unpack(head)
    if header > LONGEST_HEADER or descriptors > MOST_DESCRIPTORS:
        raise ChannelClosed(f"a message of {header} bytes with {descriptors} descriptors is over the limit")
    return header, payload


class SocketChannel:
    """A channel over a stream socket.

    Args:
        sock: the socket.
        patience: seconds without a byte in the middle of a message after which the other end counts as gone.
    """

    def __init__(self, sock: socket.socket, patience: float | None = None) -> None:
        self._socket = sock
        self._patience = patience
        # a task may have threads that print and report
        self._sending = threading.Lock()

    def send(
        self, message: dict[str, Any], payload: bytes | memoryview = b"", descriptors: Sequence[int] = ()
    ) -> None:
        """See `Channel.send`."""
        header = _dump(message)
        head = HEADER.pack(len(header), len(payload), len(descriptors))
        try:
            with self._sending:
                if descriptors:
                    socket.send_fds(self._socket, [head], list(descriptors))
                    self._socket.sendall(header)
                else:
                    self._socket.sendall(head + header)
                if payload:
                    self._socket.sendall(payload)
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def receive(self) -> Message:
        """See `Channel.receive`."""
        descriptors: list[int] = []
        try:
            head, descriptors, _, _ = socket.recv_fds(self._socket, HEADER.size, MOST_DESCRIPTORS)
            if not head:
                raise ChannelClosed("closed")
            return self._rest(head, tuple(descriptors))
        except (OSError, ChannelClosed) as error:
            for descriptor in descriptors:
                os.close(descriptor)
            raise error if isinstance(error, ChannelClosed) else ChannelClosed(str(error)) from error

    def _rest(self, head: bytes, descriptors: tuple[int, ...]) -> Message:
        if len(head) < HEADER.size:
            head += bytes(self._exactly(HEADER.size - len(head)))
        header, payload = _lengths(head)
        message = _load(self._exactly(header))
        message.payload = memoryview(self._exactly(payload))
        message.descriptors = descriptors
        return message

    def _exactly(self, length: int) -> bytearray:
        # Grows as bytes arrive: a lying length costs no memory.
        data = bytearray()
        while len(data) < length:
            if self._patience is not None and not self.poll(self._patience):
                raise ChannelClosed(f"silent for {self._patience:g} s in the middle of a message")
            chunk = self._socket.recv(min(CHUNK, length - len(data)))
            if not chunk:
                raise ChannelClosed("closed in the middle of a message")
            data += chunk
        return data

    def poll(self, timeout: float) -> bool:
        """See `Channel.poll`."""
        return _readable(self._socket.fileno(), timeout)

    def fileno(self) -> int:
        """See `Channel.fileno`."""
        return self._socket.fileno()

    def close(self) -> None:
        """See `Channel.close`."""
        self._socket.close()


class PipeChannel:
    """A channel over two pipes: works on every platform, passes no descriptors. `patience`: see `SocketChannel`."""

    def __init__(self, reader: int, writer: int, patience: float | None = None) -> None:
        self._reader, self._writer = reader, writer
        self._patience = patience
        self._sending = threading.Lock()

    def send(
        self, message: dict[str, Any], payload: bytes | memoryview = b"", descriptors: Sequence[int] = ()
    ) -> None:
        """See `Channel.send`."""
        if descriptors:
            raise ValueError("a pipe cannot carry descriptors")
        header = _dump(message)
        try:
            with self._sending:
                self._write(HEADER.pack(len(header), len(payload), 0) + header)
                self._write(payload)
        except OSError as error:
            raise ChannelClosed(str(error)) from error

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._writer, view[:CHUNK]) :]

    def receive(self) -> Message:
        """See `Channel.receive`."""
        try:
            header, payload = _lengths(self._exactly(HEADER.size))
            message = _load(self._exactly(header))
            message.payload = memoryview(self._exactly(payload))
        except OSError as error:
            raise ChannelClosed(str(error)) from error
        return message

    def _exactly(self, length: int) -> bytearray:
        data = bytearray()
        while len(data) < length:
            if self._patience is not None and not self.poll(self._patience):
                raise ChannelClosed(f"silent for {self._patience:g} s in the middle of a message")
            chunk = os.read(self._reader, min(CHUNK, length - len(data)))
            if not chunk:
                raise ChannelClosed("closed")
            data += chunk
        return data

    def poll(self, timeout: float) -> bool:
        """See `Channel.poll`."""
        return _readable(self._reader, timeout)

    def fileno(self) -> int:
        """See `Channel.fileno`."""
        return self._reader

    def close(self) -> None:
        """See `Channel.close`."""
        descriptors, self._reader, self._writer = {self._reader, self._writer} - {-1}, -1, -1
        for descriptor in descriptors:
            os.close(descriptor)


def _readable(descriptor: int, timeout: float) -> bool:
    if descriptor < 0:
        raise ChannelClosed("closed at this end")
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(max(0.0, timeout) * 1000))
