"""Messages between a worker and its child: what goes in comes out, and hostile bytes cost nothing."""

from __future__ import annotations

import os
import socket
import struct
import threading
import tracemalloc
from collections.abc import Iterator

import pytest

from manta_nb.runtime.runners.channel import HEADER, Channel, ChannelClosed, PipeChannel, SocketChannel

Ends = tuple[Channel, Channel]


def sockets() -> Ends:
    """Two ends of a socket."""
    left, right = socket.socketpair()
    return SocketChannel(left), SocketChannel(right)


def pipes() -> Ends:
    """Two ends over two pipes."""
    there, here = os.pipe(), os.pipe()
    return PipeChannel(here[0], there[1]), PipeChannel(there[0], here[1])


@pytest.fixture(params=[sockets, pipes], ids=["socket", "pipe"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """Both ends of a channel of each kind."""
    left, right = request.param()
    yield left, right
    left.close()
    right.close()


def write_raw(channel: Channel, data: bytes) -> None:
    """Write bytes past the channel's own words."""
    descriptor = channel._writer if isinstance(channel, PipeChannel) else channel.fileno()
    os.write(descriptor, data)


def test_a_message_arrives_as_it_was_sent(ends: Ends) -> None:
    """A JSON object and its payload come out at the other end as they went in."""
    left, right = ends
    left.send({"op": "data", "at": 64, "names": ["é", "\ud800"]}, b"\x00\xffpayload")

    message = right.receive()

    assert (dict(message), bytes(message.payload)) == (
        {"op": "data", "at": 64, "names": ["é", "\ud800"]},
        b"\x00\xffpayload",
    )


def test_messages_keep_their_order(ends: Ends) -> None:
    """Messages with and without payload arrive one by one, in order."""
    left, right = ends
    for number in range(50):
        left.send({"n": number}, bytes(number % 3))

    assert [right.receive()["n"] for _ in range(50)] == list(range(50))


def test_a_large_payload_arrives(ends: Ends) -> None:
    """A payload larger than any buffer of the system arrives while the other side reads."""
    left, right = ends
    sender = threading.Thread(target=left.send, args=({"op": "data"}, bytes(5_000_000)))
    sender.start()

    message = right.receive()
    sender.join()

    assert len(message.payload) == 5_000_000


def test_threads_share_an_end(ends: Ends) -> None:
    """Messages that several threads send at the same time are never mixed."""
    left, right = ends

    def send(number: int) -> None:
        for _ in range(20):
            left.send({"n": number}, bytes([number]) * 70_000)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    received = [right.receive() for _ in range(80)]
    for thread in threads:
        thread.join()

    assert all(set(bytes(message.payload)) == {message["n"]} for message in received)


def test_descriptors_travel_over_a_socket() -> None:
    """A descriptor sent with a message is open at the other end."""
    left, right = sockets()
    read, write = os.pipe()
    left.send({"op": "batch"}, b"x", [read])

    message = right.receive()
    os.write(write, b"here")

    assert os.read(message.descriptors[0], 4) == b"here"
    for descriptor in (read, write, *message.descriptors):
        os.close(descriptor)
    left.close()
    right.close()


def test_a_pipe_takes_no_descriptors() -> None:
    """Sending a descriptor through a pipe is an error at the sender."""
    left, right = pipes()

    with pytest.raises(ValueError, match="descriptors"):
        left.send({}, b"", [0])
    left.close()
    right.close()


def test_the_end_is_told() -> None:
    """Receiving from a closed end raises `ChannelClosed`, and so does sending to it."""
    left, right = sockets()
    left.close()

    assert right.poll(1)
    with pytest.raises(ChannelClosed):
        right.receive()
    with pytest.raises(ChannelClosed):
        right.send({"op": "x"}, bytes(10_000_000))
    right.close()


def test_polling_waits_for_something_to_receive(ends: Ends) -> None:
    """`poll` is false while nothing came, true once it did."""
    left, right = ends
    before = right.poll(0)
    left.send({"op": "x"})

    assert (before, right.poll(5)) == (False, True)


@pytest.mark.parametrize(
    "head",
    [
        HEADER.pack(2**32 - 1, 0, 0),
        HEADER.pack(400 << 20, 0, 0),
        HEADER.pack(2, 0, 200),
        HEADER.pack(4, 0, 0) + b"[[[[",
        HEADER.pack(4, 0, 0) + b"null",
        HEADER.pack(2, 0, 0) + b"[]",
        HEADER.pack(3, 0, 0) + b"\xff\xfe\x00",
        HEADER.pack(9000, 0, 0) + b"[" * 9000,
    ],
    ids=["4 GB", "400 MB", "descriptors", "unclosed", "null", "list", "no text", "nested"],
)
def test_hostile_heads_are_refused(ends: Ends, head: bytes) -> None:
    """A lying length, or a header that is no JSON object, ends the channel without costing memory."""
    left, right = ends
    write_raw(left, head)
    tracemalloc.start()

    with pytest.raises(ChannelClosed):
        right.receive()

    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("cut", [1, HEADER.size - 1, HEADER.size, HEADER.size + 3])
def test_a_truncated_message_is_refused(cut: int) -> None:
    """A message that ends in its middle raises `ChannelClosed`."""
    left, right = sockets()
    whole = HEADER.pack(8, 1000, 0) + b'{"a": 1}' + bytes(1000)
    write_raw(left, whole[:cut])
    left.close()

    with pytest.raises(ChannelClosed):
        right.receive()
    right.close()


def test_a_promised_payload_is_not_allocated() -> None:
    """A length of a terabyte of which three bytes come takes no memory."""
    left, right = sockets()
    write_raw(left, HEADER.pack(2, 2**40, 0) + b"{}" + b"abc")
    left.close()
    tracemalloc.start()

    with pytest.raises(ChannelClosed):
        right.receive()

    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    right.close()


def test_an_impatient_end_gives_up_on_half_a_message() -> None:
    """A sender that stalls in the middle of a message does not keep an end waiting that has a patience."""
    left, right = socket.socketpair()
    impatient = SocketChannel(right, patience=0.05)
    left.sendall(HEADER.pack(100, 0, 0) + b"{")

    with pytest.raises(ChannelClosed, match="middle"):
        impatient.receive()
    left.close()
    impatient.close()


def test_descriptors_of_a_refused_message_are_closed() -> None:
    """A malformed message does not leave the descriptors open that came with it."""
    left, right = socket.socketpair()
    read, write = os.pipe()
    socket.send_fds(left, [HEADER.pack(2**31, 0, 1)], [write])
    os.close(write)
    channel = SocketChannel(right)

    with pytest.raises(ChannelClosed):
        channel.receive()

    assert os.read(read, 1) == b""
    os.close(read)
    left.close()
    channel.close()


def test_the_head_has_a_fixed_layout() -> None:
    """Both ends agree on the layout whatever the platform's own alignment is."""
    assert struct.calcsize(HEADER.format) == HEADER.size
