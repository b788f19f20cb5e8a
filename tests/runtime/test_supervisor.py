"""A child is hostile ground: whatever it sends, its worker lives and every node gets an outcome."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from manta_nb.runtime.runners.channel import HEADER, ChannelClosed, Message, SocketChannel
from manta_nb.runtime.runners.launch import ChildProcess, Settings
from manta_nb.runtime.runners.ledger import COUNT, Kind
from manta_nb.runtime.runners.request import BatchRequest, Policy
from manta_nb.runtime.runners.storage import BytesSegment, SegmentDraft, SharedSegment
from manta_nb.runtime.runners.supervisor import Supervisor
from manta_nb.sdk.codec import encode

pytestmark = pytest.mark.timeout(30)

#: what a child does with a batch: gets the message and its channel
Script = Callable[[Message, SocketChannel], None]
NODES = ("a", "b", "c")


class ThreadChild(ChildProcess):
    """A child that is a thread of the test; to kill it is to hang up."""

    def kill(self) -> None:
        """Hang up."""


class Scripted:
    """Children that follow scripts, one after the other; those after the last script are honest."""

    shares_memory = True

    def __init__(self, *scripts: Script, patience: float | None = None) -> None:
        self.scripts = list(scripts)
        self.patience = patience
        self.current: ChildProcess | None = None
        self.stopped = False
        self.given_up = False
        self.started = 0

    def child(self, run_id: str, fresh: bool) -> ChildProcess:
        """See `Children`."""
        if self.current is None:
            self.current = self.start(None)
        return self.current

    def start(self, settings: Settings | None) -> ChildProcess:
        """A thread that follows the next script."""
        self.started += 1
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        os.close(write)
        os.set_blocking(read, False)
        script = self.scripts.pop(0) if self.scripts else honest
        threading.Thread(target=_follow, args=(script, SocketChannel(theirs)), daemon=True).start()
        return ThreadChild(-1, SocketChannel(ours, self.patience), read, self)

    def reap(self, child: ChildProcess) -> int:
        """See `Launcher`."""
        return -9

    def close(self) -> None:
        """See `Launcher`."""

    def discard(self, run_id: str, kill: bool = False) -> int:
        """See `Children`."""
        child, self.current = self.current, None
        return child.end() if child is not None else 0

    def stopping(self, run_id: str) -> bool:
        """See `Children`."""
        return self.stopped

    def released(self, request: BatchRequest) -> bool:
        """See `Children`."""
        return self.given_up


def _follow(script: Script, channel: SocketChannel) -> None:
    try:
        while True:
            message = channel.receive()
            script(message, channel)
            for descriptor in message.descriptors:
                os.close(descriptor)
    except ChannelClosed:
        channel.close()


def row(kind: Kind, node: int, tag: int = -1, offset: int = 0, nbytes: int = 0) -> dict[str, Any]:
    """A row as a message."""
    return {"op": "rows", "rows": [int(kind), node, tag, offset, nbytes, time.monotonic_ns()]}


def honest(message: Message, channel: SocketChannel) -> None:
    """Every node of the batch writes one value under the tag w."""
    at = message["at"]
    tags = list(message["tags"])
    for position, name in message["turns"]:
        channel.send(row(Kind.TURN, position))
        if "w" not in tags:
            tags.append("w")
            channel.send({"op": "tag", "name": "w"})
        data = b"".join(encode(name).buffers)
        padded = data + bytes(-len(data) % 64)
        channel.send({"op": "data", "at": at}, padded)
        channel.send(row(Kind.RESULT, position, tags.index("w"), at, len(data)))
        at += len(padded)
        channel.send(row(Kind.DONE, position))
    channel.send({"op": "end"})


def saying(*messages: dict[str, Any], after_turn: bool = True, end: bool = True) -> Script:
    """A child in whose first turn these messages are sent."""

    def script(message: Message, channel: SocketChannel) -> None:
        if after_turn:
            channel.send(row(Kind.TURN, message["turns"][0][0]))
        for each in messages:
            channel.send(each)
        if end:
            channel.send({"op": "end"})

    return script


def request(**policy: Any) -> BatchRequest:
    """A batch of three nodes."""
    return BatchRequest("", "run", 0, "t", 0, Policy(**policy), NODES)


def outcome(
    children: Scripted,
    segment: SegmentDraft | None = None,
    heard: list[list[Any]] | None = None,
    **policy: Any,
) -> dict[str, Any]:
    """What the kernel is told of a batch."""
    lines = [] if heard is None else heard
    draft = BytesSegment() if segment is None else segment
    supervisor = Supervisor(request(**policy), children, draft, {}, lines.extend)
    told = json.loads(supervisor.run().head)
    if children.current is not None:
        children.discard("run")
    return told


def failures(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Node → (kind, message)."""
    return {NODES[each["node"]]: (each["kind"], each["message"]) for each in told["failures"]}


def test_an_honest_child_is_believed() -> None:
    """Three nodes that wrote are done."""
    told = outcome(Scripted())

    assert (told["done"], told["failures"], list(told["result_bytes"])) == (None, [], ["w"])


def quorum(**changes: float) -> dict[str, Any]:
    """What a child says of a quorum of two, with something wrong in it."""
    return {"nodes": 2, "patience": 1.0, "deadline": 1.0, "away": False} | changes


MALFORMED: dict[str, dict[str, Any]] = {
    "no op": {"x": 1},
    "stream without lines": {"op": "stream"},
    "lines that are no lists": {"op": "stream", "lines": 5},
    "a line of nothing": {"op": "stream", "lines": [[]]},
    "a line of an unknown kind": {"op": "stream", "lines": [["x", 0, "a", "b"]]},
    "a short metric": {"op": "stream", "lines": [["m", 0, "loss"]]},
    "a long metric": {"op": "stream", "lines": [["m", 0, "loss", 1, 2, 3]]},
    "a metric of text": {"op": "stream", "lines": [["m", 0, "loss", "much", None]]},
    "a metric of a list": {"op": "stream", "lines": [["m", 0, "loss", [1], None]]},
    "a metric without node": {"op": "stream", "lines": [["m", None, "loss", 1, None]]},
    "a metric of 400 digits": {"op": "stream", "lines": [["m", 0, "loss", 10**400, None]]},
    "a step of text": {"op": "stream", "lines": [["m", 0, "loss", 1, "now"]]},
    "a short log line": {"op": "stream", "lines": [["l", 0, "stdout"]]},
    "rows that are no numbers": {"op": "rows", "rows": ["a"] * 6},
    "five numbers": {"op": "rows", "rows": [1, 2, 3, 4, 5]},
    "numbers of 70 bits": {"op": "rows", "rows": [1, 2**70, 0, 0, 0, 0]},
    "rows of an unknown kind": {"op": "rows", "rows": [77, 0, 0, 0, 0, 0]},
    "infinite rows": {"op": "rows", "rows": [1, float("inf"), 0, 0, 0, 0]},
    "data without place": {"op": "data"},
    "data far away": {"op": "data", "at": 10**9},
    "data over the header": {"op": "data", "at": 0},
    "a failure of no node": {"op": "failed", "node": 3, "message": "", "where": "", "traceback": ""},
    "a failure of node -1": {"op": "failed", "node": -1, "message": "", "where": "", "traceback": ""},
    "a failure without message": {"op": "failed", "node": 0},
    "a loss without key": {"op": "lost", "node": 0},
    "a schedule without nodes": {"op": "schedule", "node": 0, "alias": "t"},
    "a stop of no node": {"op": "stop", "node": "a"},
    "a quorum of nothing": {"op": "quorum", "node": 0},
    "a quorum of text": {"op": "quorum", "node": 0, "quorum": "two"},
    "a quorum of no node": {"op": "quorum", "node": 0, "quorum": quorum(nodes=0)},
    "a quorum of endless nodes": {"op": "quorum", "node": 0, "quorum": quorum(nodes=float("inf"))},
    "a patience that is no number": {"op": "quorum", "node": 0, "quorum": quorum(patience=float("nan"))},
    "a deadline before now": {"op": "quorum", "node": 0, "quorum": quorum(deadline=-1)},
    "a note without text": {"op": "note", "node": 0, "kind": "nan"},
}


@pytest.mark.parametrize("which", MALFORMED)
def test_a_malformed_message_ends_the_child(which: str) -> None:
    """The node whose turn it was is charged, the child is replaced, the others are done."""
    children = Scripted(saying(MALFORMED[which]))
    told = outcome(children)

    assert list(failures(told)) == ["a"]
    kind, message = failures(told)["a"]
    assert kind == "died"
    assert message.startswith("its process sent a malformed message: ")
    assert len(message) <= 200
    assert told["done"] == [1, 2]
    assert children.started == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 100,
        HEADER.pack(5, 0, 0) + b"[1,2]",
        HEADER.pack(3, 0, 0) + b"{x}",
    ],
)
def test_bytes_that_are_no_message_end_the_child(raw: bytes) -> None:
    """Bytes without sense are charged like a crash."""

    def script(message: Message, channel: SocketChannel) -> None:
        channel.send(row(Kind.TURN, 0))
        channel._socket.sendall(raw)

    told = outcome(Scripted(script))

    assert (failures(told)["a"][0], told["done"]) == ("died", [1, 2])


def test_half_a_message_does_not_hold_up_the_batch() -> None:
    """A child that stalls in the middle of a message is given up after a while."""

    def script(message: Message, channel: SocketChannel) -> None:
        channel.send(row(Kind.TURN, 0))
        channel._socket.sendall(HEADER.pack(100, 0, 0) + b'{"op":')

    told = outcome(Scripted(script, patience=0.05))

    assert (failures(told)["a"][0], told["done"]) == ("died", [1, 2])


def test_descriptors_that_nobody_asked_for_are_closed() -> None:
    """A child cannot fill the worker's table of open files."""
    before = len(os.listdir("/proc/self/fd"))

    def script(message: Message, channel: SocketChannel) -> None:
        with open(os.devnull, "rb") as file:
            for _ in range(50):
                channel.send({"op": "note", "node": 0, "kind": "k", "message": "m"}, b"", [file.fileno()] * 8)
        honest(message, channel)

    told = outcome(Scripted(script))

    assert (told["done"], len(told["notes"])) == (None, 50)
    assert len(os.listdir("/proc/self/fd")) <= before + 4


LIES: dict[str, tuple[int, int]] = {
    "beyond the end": (64, 10_000),
    "before the start": (0, 8),
    "negative": (64, -8),
    "overflowing": (2**62, 2**62),
}


@pytest.mark.parametrize("which", LIES)
def test_a_value_that_is_not_there_is_not_believed(which: str) -> None:
    """A node that reports a value outside what was written is charged; the next ones write where they should."""
    offset, nbytes = LIES[which]
    script = saying({"op": "tag", "name": "w"}, row(Kind.RESULT, 0, 0, offset, nbytes), row(Kind.DONE, 0))
    told = outcome(Scripted(script))

    assert failures(told)["a"] == ("died", "its process sent a malformed message: a value that is not there")
    assert "a" not in [NODES[position] for position in told["done"]]


def test_a_child_that_skips_nodes_is_not_believed() -> None:
    """`end` without a word about a node charges that node."""
    told = outcome(Scripted(saying(row(Kind.DONE, 0))))

    assert failures(told) == {
        "b": ("died", "its process skipped this node"),
        "c": ("died", "its process skipped this node"),
    }


def test_a_child_cannot_call_a_failure_a_loss() -> None:
    """Who is to blame is not the child's to say: what it reports as failed is an error of the task."""
    told = outcome(
        Scripted(
            saying(
                *(
                    {
                        "op": "failed",
                        "node": n,
                        "kind": "lost",
                        "message": "m",
                        "where": "w",
                        "traceback": "t",
                    }
                    for n in range(3)
                )
            )
        )
    )

    assert set(failures(told).values()) == {("error", "m")}


def test_an_unknown_message_is_passed_over() -> None:
    """A word that this worker does not know does no harm."""

    def script(message: Message, channel: SocketChannel) -> None:
        channel.send({"op": "surprise"})
        honest(message, channel)

    assert outcome(Scripted(script))["done"] is None


def test_texts_are_bounded_and_can_be_shown() -> None:
    """Messages, places and lines of any length and with any characters are cut and cleaned."""
    heard: list[list[Any]] = []
    long = "\ud800" + "x" * 1_000_000
    script = saying(
        {
            "op": "stream",
            "lines": [["l", 0, "stdout", long], ["m", 0, long, 1, None], ["l", 99, "stdout", "?"]],
        },
        {"op": "failed", "node": 0, "message": long, "where": long, "traceback": long},
    )
    told = outcome(Scripted(script), heard=heard)
    [failure] = [each for each in told["failures"] if each["node"] == 0]

    assert (len(failure["message"]), len(failure["where"]), len(failure["traceback"])) == (2100, 300, 8000)
    assert [(line[0], len(line[2]) + len(str(line[3]))) for line in heard] == [("l", 10_006), ("m", 10_003)]
    assert json.dumps([told, heard], ensure_ascii=False).encode()


def test_an_old_child_that_died_meanwhile_is_replaced() -> None:
    """A kept child that is found dead when a batch comes is nobody's fault."""
    children = Scripted(lambda message, channel: None)
    child = children.child("run", fresh=False)
    child.used = True
    child.channel._socket.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
    told = outcome(children)

    assert (told["done"], children.started) == (None, 2)


def test_a_new_child_that_dies_at_once_is_charged() -> None:
    """A process that ends before its first turn is charged to a node, so that the batch ends."""

    def script(message: Message, channel: SocketChannel) -> None:
        raise ChannelClosed

    told = outcome(Scripted(script, script, script))

    assert failures(told) == dict.fromkeys(NODES, ("died", "its process died with signal 9 (killed)"))


def test_a_turn_that_was_charged_does_not_time_out_the_next() -> None:
    """After a timeout the next node has its whole time, however long the new child takes to start."""

    def slow_start(message: Message, channel: SocketChannel) -> None:
        threading.Event().wait(0.5)
        honest(message, channel)

    told = outcome(Scripted(saying(end=False), slow_start), timeout=0.2)

    assert failures(told) == {"a": ("timeout", "over its time limit of 0.2 s")}


@pytest.fixture
def shared() -> Iterator[SharedSegment]:
    """A segment that a child writes to."""
    segment = SharedSegment()
    yield segment
    segment.close()


def tampering(what: Callable[[int, int], None]) -> Script:
    """A child that does something to (segment, ledger) in its first turn, then dies."""

    def script(message: Message, channel: SocketChannel) -> None:
        what(*message.descriptors)
        raise ChannelClosed

    return script


def dying(message: Message, channel: SocketChannel) -> None:
    """A child that dies at once."""
    raise ChannelClosed


@pytest.mark.parametrize(
    "what",
    [
        lambda segment, ledger: os.pwrite(ledger, b"\xff" * 4096, 0),
        lambda segment, ledger: os.pwrite(ledger, COUNT.pack(2**40) + os.urandom(8192), 0),
        lambda segment, ledger: os.pwrite(
            ledger,
            COUNT.pack(3).ljust(64, b"\0") + np.array([3, 0, -9, 2**62, 2**62, 0] * 3, "<i8").tobytes(),
            0,
        ),
        lambda segment, ledger: os.pwrite(
            ledger, COUNT.pack(2).ljust(64, b"\0") + np.array([4, 2**60, 0, 0, 0, 0] * 2, "<i8").tobytes(), 0
        ),
        lambda segment, ledger: os.pwrite(segment, os.urandom(4096), 0),
        lambda segment, ledger: os.ftruncate(segment, 0),
    ],
    ids=["all ones", "random", "values far away", "unknown nodes", "segment", "shortened"],
)
def test_shared_memory_is_hostile_ground_too(what: Callable[[int, int], None], shared: SharedSegment) -> None:
    """Whatever a child writes into segment and ledger, every node has an outcome and the worker lives."""
    told = outcome(Scripted(tampering(what), dying, dying, dying), segment=shared)

    done = range(3) if told["done"] is None else told["done"]
    assert {*done, *(each["node"] for each in told["failures"])} == {0, 1, 2}
