"""Messages between a caller and the process it has programs forked from: JSON objects, with descriptors beside them."""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

__all__ = ["Gone", "owner", "receive", "send"]

_LENGTH = struct.Struct("<I")
_OWNER = struct.Struct("3i")
#: an environment may take 2 MB, escaped six times as much
_LONGEST = 32 << 20
_MOST_DESCRIPTORS = 2


class Gone(Exception):
    """The other end hung up, or sent something that is no message."""


def send(sock: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send one message.

    Raises:
        Gone: there is nobody to take it.
    """
    data = json.dumps(message).encode("ascii")
    try:
        socket.send_fds(sock, [_LENGTH.pack(len(data))], list(descriptors))
        sock.sendall(data)
    except OSError as error:
        raise Gone(str(error)) from error


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Wait for one message; returns it with the descriptors that came along.

    Raises:
        Gone: none comes any more, or none in the time that the socket has.
    """
    descriptors: list[int] = []
    try:
        head, descriptors, _, _ = socket.recv_fds(sock, _LENGTH.size, _MOST_DESCRIPTORS)
        head += _exactly(sock, _LENGTH.size - len(head)) if head else b""
        length = _LENGTH.unpack(head)[0] if head else 0
        if not 0 < length <= _LONGEST:
            raise Gone("closed")
        message = json.loads(_exactly(sock, length))
        if not isinstance(message, dict):
            raise Gone("no message")
    except (OSError, ValueError, Gone) as error:
        for descriptor in descriptors:
            os.close(descriptor)
        raise Gone(str(error)) from error
    return message, descriptors


def _exactly(sock: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        chunk = sock.recv(length - len(data))
        if not chunk:
            raise Gone("closed in the middle of a message")
        data += chunk
    return bytes(data)


def owner(sock: socket.socket) -> tuple[int, int]:
    """The process at the other end, and its user: (pid, uid)."""
    pid, uid, _ = _OWNER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _OWNER.size))
    return pid, uid
