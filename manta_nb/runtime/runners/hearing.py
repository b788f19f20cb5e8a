"""What a supervisor hears from a child: messages, and what its process prints."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from manta_nb.engine.records import Quorum
from manta_nb.runtime.runners.channel import ChannelClosed, Message
from manta_nb.runtime.runners.launch import ChildProcess
from manta_nb.runtime.runners.ledger import LedgerReader
from manta_nb.runtime.runners.outcome import Story
from manta_nb.runtime.runners.storage import SegmentDraft

__all__ = ["Emit", "Hearing"]

#: bundle at most so many lines, or for so long (seconds), before they go to the kernel
MOST_LINES = 256
LONGEST_WAIT = 0.1
LAST_LINES = 20
LONGEST_LINE = 10_000
#: notes of a batch about metrics that are no number: which nodes and names, not every one of ten thousand
MOST_NOTES = 8
#: what `faulthandler` begins with; its lines are not what the task printed
CRASH_REPORT = "Fatal Python error"

MALFORMED = "its process sent a malformed message"

Emit = Callable[[list[list[Any]]], None]


class Hearing:
    """Takes in what the children of one batch say, and keeps the story of it.

    Args:
        nodes: how many nodes the batch has.
        ledger, segment: where rows and values go that come by message.
        emit: hands bundles of metrics and log lines on to the kernel.
    """

    def __init__(self, nodes: int, ledger: LedgerReader, segment: SegmentDraft, emit: Emit) -> None:
        self.story = Story()
        self._nodes = nodes
        self._ledger = ledger
        self._segment = segment
        self._emit = emit
        self._lines: list[list[Any]] = []
        self._waiting_since = 0.0
        self._last: dict[int, deque[str]] = {}
        self._raw = b""
        #: what `faulthandler` told of the child that died last
        self.crash: list[str] = []
        self._strange: set[tuple[int, str]] = set()

    def take(self, message: Message) -> None:
        """One message; a malformed one ends the child like a crash."""
        for descriptor in message.descriptors:
            # nobody asked for any
            os.close(descriptor)
        try:
            self._understand(message)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise ChannelClosed(f"{MALFORMED}: {type(error).__name__} {error}"[:200]) from error

    def _understand(self, message: Message) -> None:
        story, op = self.story, message["op"]
        if op == "stream":
            for line in message["lines"]:
                self._line(list(line))
        elif op == "tag":
            story.tags.append(str(message["name"]))
        elif op == "rows":
            self._ledger.extend([int(number) for number in message["rows"]])
        elif op == "data":
            self._segment.put(message.payload, int(message["at"]))
        elif op == "failed":
            texts = (_shown(message[key]) for key in ("message", "where", "traceback"))
            self.charge(self._position(message), "error", *texts)
        elif op == "lost":
            story.lost[self._position(message)] = str(message["key"])
        elif op == "schedule":
            nodes = [str(node) for node in message["nodes"]]
            story.schedule.append((self._position(message), str(message["alias"]), nodes))
        elif op == "quorum":
            story.quorums[self._position(message)] = _quorum(message["quorum"])
        elif op == "stop":
            story.stops.append(self._position(message))
        elif op == "note":
            note = {
                "node": self._position(message),
                "kind": str(message["kind"]),
                "message": str(message["message"]),
            }
            story.notes.append(note)

    def _position(self, message: Message) -> int:
        position = int(message["node"])
        if not 0 <= position < self._nodes:
            raise ValueError(f"there is no node number {position} in this batch")
        return position

    def charge(self, position: int, kind: str, message: str, where: str = "", traceback: str = "") -> None:
        """The turn of this node failed."""
        self.story.failures[position] = {
            "node": position,
            "kind": kind,
            "message": message[:2100],
            "where": where[:300],
            "traceback": traceback[:8000],
            "output": list(self._last.get(position, ())),
        }

    def _line(self, line: list[Any]) -> None:
        """A metric (`["m", node, name, value, step]`) or a log line (`["l", node, level, text]`), checked."""
        kind, node = line[0], int(line[1])
        if not 0 <= node < self._nodes:
            # printed by a thread of an earlier batch
            return
        if kind == "m":
            _, _, name, value, step = line
            checked = [kind, node, _shown(name), float(value), None if step is None else float(step)]
            if not math.isfinite(checked[3]):
                self._note_strange(node, checked[2])
        elif kind == "l":
            _, _, level, text = line
            checked = [kind, node, _shown(level), _shown(text)]
            self._last.setdefault(node, deque(maxlen=LAST_LINES)).append(checked[3])
        else:
            raise ValueError(f"a line of kind {kind!r}")
        if not self._lines:
            self._waiting_since = time.monotonic()
        self._lines.append(checked)
        if len(self._lines) >= MOST_LINES:
            self.flush()

    def _note_strange(self, node: int, name: str) -> None:
        """A metric that is a gap in its curve is worth an event, once a batch."""
        if (node, name) not in self._strange and len(self._strange) < MOST_NOTES:
            self._strange.add((node, name))
            text = f"NaN or inf in metric {name[:200]!r}"
            self.story.notes.append({"node": node, "kind": "nan", "message": text})

    def flush(self) -> None:
        """Hand on the lines that wait."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._emit(lines)

    def flush_if_due(self) -> None:
        """Hand them on if they have waited long enough."""
        if self._lines and time.monotonic() - self._waiting_since > LONGEST_WAIT:
            self.flush()

    def read_output(self, child: ChildProcess) -> bool:
        """Take in some of what C code and subprocesses printed; False where there is nothing (any more)."""
        try:
            data = os.read(child.output, 1 << 16)
        except OSError:
            return False
        self._printed(self._raw + data)
        return bool(data)

    def drain_output(self, child: ChildProcess) -> None:
        """Take in all of it, also a last line without an end."""
        while self.read_output(child):
            pass
        self._printed(self._raw + b"\n")

    def _printed(self, data: bytes) -> None:
        """Lines belong to the node whose turn it is."""
        *lines, rest = data.split(b"\n")
        self._raw = rest[-LONGEST_LINE:]
        turn = self._ledger.turn()
        node = turn[0] if turn is not None else 0
        for raw in lines:
            line = raw.decode("utf-8", "replace")[:LONGEST_LINE]
            if self.crash or line.startswith(CRASH_REPORT):
                self.crash.append(line)
            elif line.strip():
                self._line(["l", node, "stderr", line])


def _quorum(raw: Any) -> Quorum:
    """What a task said by `World.quorum`, checked again: a child is not believed."""
    quorum = Quorum(
        int(raw["nodes"]), float(raw["patience"]), float(raw["deadline"]), away=raw["away"] is True
    )
    # NaN is not `>= 0` either
    if not (quorum.nodes >= 1 and quorum.patience >= 0 and quorum.deadline >= 0):
        raise ValueError(f"a quorum of {quorum}")
    return quorum


def _shown(text: object) -> str:
    """Text that any screen can show: bounded, and without lone surrogates."""
    return str(text)[:LONGEST_LINE].encode("utf-8", "replace").decode()
