"""Frames between a training script and its node: what arrives, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from manta_nb.shims.swarm._wire import MAX_HEADER, WireError, checksum, receive, send

Pair = tuple[socket.socket, socket.socket]
ROW = {"name": "w", "dtype": "<f4", "shape": [2], "offset": 0, "nbytes": 8}


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def descriptors() -> int:
    """How many files in memory are open: nothing else of this process makes one meanwhile."""
    links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    # the descriptor that listed the folder is closed by now
    return sum(os.path.islink(link) and os.readlink(link).startswith("/memfd:") for link in links)


def put(sock: socket.socket, header: Any, content: bytes | None = None, *, files: int = 1) -> None:
    """Send a frame as somebody who keeps no contract does."""
    body = header if isinstance(header, bytes) else json.dumps(header).encode()
    frame = len(body).to_bytes(4, "big") + body
    if content is None:
        sock.sendall(frame)
        return
    descriptor = os.memfd_create("test")
    os.write(descriptor, content)
    socket.send_fds(sock, [frame], [descriptor] * files)
    os.close(descriptor)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "i2", "i4", "i8", "u8", "f2", "f4", "f8", ">f4", ">i8"])
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (2, 3)])
def test_arrays_arrive_as_they_were(pair: Pair, dtype: str, shape: tuple[int, ...]):
    """Each dtype and shape comes out with its values, read-only; the file is let go with the last array."""
    array = np.arange(int(np.prod(shape)), dtype="f8").reshape(shape).astype(dtype)
    before = descriptors()

    send(pair[0], {"op": "merged"}, {"a": array, "b": array.T})
    header, found = receive(pair[1])

    assert ["merged", ["a", "b"]] == [header["op"], [*found]]
    assert np.array_equal(array, found["a"]) and np.array_equal(array.T, found["b"])
    assert array.dtype.newbyteorder("=") == found["a"].dtype and shape == found["a"].shape
    assert not found["a"].flags.writeable
    del found
    assert descriptors() <= before


def test_messages_stay_apart(pair: Pair):
    """Messages with and without arrays that were sent together are received one after another."""
    send(pair[0], {"op": "one"})
    send(pair[0], {"op": "two"}, {"x": np.ones(100_000)})
    send(pair[0], {"op": "three"}, {})
    send(pair[0], {"op": "four"})

    found = [receive(pair[1]) for _ in range(4)]

    assert ["one", "two", "three", "four"] == [header["op"] for header, _ in found]
    assert [0, 100_000, 0, 0] == [sum(array.size for array in arrays.values()) for _, arrays in found]


def test_the_other_side_may_go(pair: Pair):
    """Nobody there, before a frame, in the middle of one, or when something is sent, is an EOFError."""
    pair[0].sendall((100).to_bytes(4, "big") + b"{")
    pair[0].close()

    with pytest.raises(EOFError):
        receive(pair[1])
    with pytest.raises(EOFError):
        receive(pair[1])
    with pytest.raises(EOFError):
        send(pair[1], {"op": "loaded"})


@pytest.mark.parametrize(
    ("header", "content"),
    [
        (b"no JSON", None),
        (b"[" * 100_000, None),
        (["op"], None),
        ({"round": 1}, None),
        ({"op": 1}, None),
        ({"op": "x", "arrays": {}}, None),
        ({"op": "x", "arrays": [ROW], "nbytes": 8}, None),
        ({"op": "x"}, bytes(8)),
        ({"op": "x", "arrays": [ROW], "nbytes": -8}, bytes(8)),
        ({"op": "x", "arrays": [ROW], "nbytes": True}, bytes(1)),
        ({"op": "x", "arrays": [ROW], "nbytes": 9}, bytes(8)),
        ({"op": "x", "arrays": [ROW], "nbytes": 8}, bytes(9)),
        ({"op": "x", "arrays": [ROW, ROW], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": ["w"], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "name": 1}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "dtype": "|O"}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "dtype": "<c8"}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "dtype": "<f3"}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "dtype": "f4,f4"}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "shape": [3]}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "shape": [-2]}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "shape": 2}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "shape": [2] + [1] * 40}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "offset": 64}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "offset": -64}], "nbytes": 8}, bytes(8)),
        ({"op": "x", "arrays": [{**ROW, "offset": 4}], "nbytes": 12}, bytes(12)),
        ({"op": "x", "arrays": [{**ROW, "shape": [2**62], "nbytes": 2**64}], "nbytes": 8}, bytes(8)),
    ],
)
def test_what_keeps_no_contract_is_refused(pair: Pair, header: Any, content: bytes | None):
    """Whatever is wrong with a message is a WireError, and its file is closed."""
    before = descriptors()
    put(pair[0], header, content)

    with pytest.raises(WireError):
        receive(pair[1])

    assert descriptors() <= before


def test_more_files_than_one_are_refused(pair: Pair):
    """Two files with one message are a WireError, and neither stays open."""
    before = descriptors()
    put(pair[0], {"op": "x", "arrays": [ROW], "nbytes": 8}, bytes(8), files=2)

    with pytest.raises(WireError, match="more than one file"):
        receive(pair[1])

    assert descriptors() <= before


def test_a_message_has_an_end(pair: Pair):
    """A message that is announced too long is refused before any of it is read, and one is not sent."""
    pair[0].sendall((MAX_HEADER + 1).to_bytes(4, "big"))

    with pytest.raises(WireError, match="bytes"):
        receive(pair[1])
    with pytest.raises(WireError, match="bytes"):
        send(pair[0], {"op": "x" * MAX_HEADER})


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.array([1j]), np.zeros(2, "i4,i4")])
def test_only_numbers_travel(pair: Pair, array: np.ndarray):
    """Texts, objects, complex numbers and structures are refused by name where they are sent."""
    with pytest.raises(WireError, match="'w' is of dtype"):
        send(pair[0], {"op": "x"}, {"w": array})


def test_a_file_that_shrinks_kills_nobody(pair: Pair):
    """Arrays from a file that can still change are a copy; what `send` sends cannot change any more."""
    descriptor = os.memfd_create("test")
    os.write(descriptor, np.array([1, 2], "<f4").tobytes())
    body = json.dumps({"op": "x", "arrays": [ROW], "nbytes": 8}).encode()
    socket.send_fds(pair[0], [len(body).to_bytes(4, "big") + body], [descriptor])

    _, found = receive(pair[1])
    os.ftruncate(descriptor, 0)
    os.close(descriptor)

    assert [1, 2] == found["w"].tolist()

    send(pair[0], {"op": "x"}, {"w": np.ones(2)})
    _, (mine, *_), _, _ = socket.recv_fds(pair[1], 4096, 1)
    with pytest.raises(PermissionError):
        os.ftruncate(mine, 0)
    os.close(mine)


def test_the_checksum_is_the_contracts():
    """A checksum counts names, dtypes, shapes and bytes, sorted by name, whatever layout the memory has."""
    weight, bias = np.arange(6, dtype="<f4").reshape(2, 3), np.array(2, "<i8")
    expected = hashlib.sha256(
        b"bias\0<i8\0[]\0" + bias.tobytes() + b"weight\0<f4\0[2, 3]\0" + weight.tobytes()
    ).hexdigest()

    assert expected == checksum({"weight": weight, "bias": bias})
    assert expected == checksum({"bias": bias, "weight": np.asfortranarray(weight).astype(">f4")})
    assert expected != checksum({"weight": weight.reshape(3, 2), "bias": bias})
