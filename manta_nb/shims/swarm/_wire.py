"""How a training script and its node talk: frames of JSON over a Unix socket, arrays in a file that rides along.

A frame is four bytes (big-endian) with the length of what follows, and so many bytes of UTF-8 JSON: one object. If it
has arrays with bytes, one file descriptor comes with the frame's first bytes: the arrays' file, which the receiver
maps instead of copying. Nothing here is ever unpickled, and whatever comes in is checked before it is used.

`"arrays": [{"name", "dtype", "shape", "offset", "nbytes"}], "nbytes"`: where each array lies in that file, 64-byte
aligned, in C order, and the size of the file. bool, int, uint and float only; torch's bfloat16 goes as float32.

From the script to the node:

* `{"op": "hello", "family", "platform", "sync_interval", "min_peers", "adaptive", "mode", "weight", "merge_method",
  "total_epochs", "validates"}` when the callback is made; no reply.
* `{"op": "check_in", "kind": "begin" | "batch" | "end", "step", "epochs", "mode", "weight", arrays}`: the model as it
  is after `step` batches; the script then waits for a reply.
* `{"op": "loaded", "round", "checksum", "loss", "metrics"}` after each `merged`: the SHA-256 of what the model is now,
  and how it does on the validation data.
* `{"op": "epochs", "done", "total"}` at the end of an epoch; no reply.

From the node to the script:

* `{"op": "merged", "round", "over", "interval", "adopted", arrays}`: load it and say `loaded`. `interval`: batches
  until the next check-in (0: as before). `adopted`: the node was behind; at `end` it checks in once more. `over`: the
  swarm has ended; the script trains on alone. Without arrays there is nothing to load.
* `{"op": "refused", "message"}`: a `SwarmError` with that text.

Where either side has gone, the other reads the end of the stream: the script raises, the node looks at the exit code.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._arrays import Arrays, WireError, checksum, plain, read_arrays, table_of, write_arrays

__all__ = ["MAX_HEADER", "WireError", "checksum", "receive", "send"]

#: the bytes of JSON that a frame may have
MAX_HEADER = 16 << 20


def send(sock: socket.socket, header: Mapping[str, Any], arrays: Arrays | None = None) -> None:
    """Send one frame.

    Args:
        sock: a connected Unix stream socket that blocks.
        header: the message, with its "op"; "arrays" and "nbytes" are filled in here.
        arrays: what rides along, by name: bool, int, uint and float of any shape. None: no "arrays" in the message.

    Raises:
        EOFError: the other side has gone.
        WireError: an array of another dtype, or a message of more than `MAX_HEADER` bytes.

    Example:
        `send(sock, {"op": "merged", "round": 3, "over": False}, {"layer.weight": weight})`
    """
    if arrays is None:
        _send_frame(sock, _frame(header), None)
        return
    ready = {name: plain(name, array) for name, array in arrays.items()}
    table, nbytes = table_of(ready)
    frame = _frame({**header, "arrays": table, "nbytes": nbytes})
    descriptor = write_arrays(ready, table) if nbytes else None
    try:
        _send_frame(sock, frame, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def receive(sock: socket.socket) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Wait for one frame.

    Returns:
        The message, and its arrays by name, read-only and as long-lived as anybody holds them. No array: {}.

    Raises:
        EOFError: the other side has gone.
        WireError: what came does not keep the contract.
    """
    descriptors: list[int] = []
    try:
        length = int.from_bytes(_exactly(sock, 4, descriptors), "big")
        if length > MAX_HEADER:
            raise WireError(f"a message of {length} bytes, {MAX_HEADER} at most")
        header = _message(_exactly(sock, length, descriptors))
        return header, read_arrays(header, descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _frame(header: Mapping[str, Any]) -> bytes:
    body = json.dumps(header).encode()
    if len(body) > MAX_HEADER:
        raise WireError(f"a message of {len(body)} bytes, {MAX_HEADER} at most")
    return len(body).to_bytes(4, "big") + body


def _send_frame(sock: socket.socket, frame: bytes, descriptor: int | None) -> None:
    try:
        sent = 0 if descriptor is None else socket.send_fds(sock, [frame], [descriptor])
        sock.sendall(frame[sent:])
    except (BrokenPipeError, ConnectionResetError) as error:
        raise EOFError("the other side has gone") from error


def _exactly(sock: socket.socket, count: int, descriptors: list[int]) -> bytes:
    """So many bytes; descriptors that come with them are appended to the list."""
    parts = bytearray()
    while len(parts) < count:
        try:
            data, came, flags, _ = socket.recv_fds(
                sock, min(count - len(parts), 1 << 20), 1, getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            )
        except ConnectionResetError as error:
            raise EOFError("the other side has gone") from error
        descriptors.extend(came)
        if flags & socket.MSG_CTRUNC or len(descriptors) > 1:
            raise WireError("more than one file came with a message")
        if not data:
            raise EOFError("the other side has gone")
        parts += data
    return bytes(parts)


def _message(body: bytes) -> dict[str, Any]:
    try:
        header = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError("a message that is not JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("op"), str):
        raise WireError('a message without "op"')
    return header
