"""What a supervisor hears from a child: messages, and what its process prints."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any

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
#: what `faulthandler` begins with; its lines are not what the task printed
CRASH_REPORT = "Fatal Python error"

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

    def take(self, message: Message) -> None:
        """One message; a malformed one ends the child like a crash."""
        try:
            self._understand(message)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ChannelClosed(f"the task's process sent a malformed message: {error!r}") from error

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
            texts = (str(message[key]) for key in ("kind", "message", "where", "traceback"))
            self.charge(self._position(message), *texts)
        elif op == "lost":
            story.lost[self._position(message)] = str(message["key"])
        elif op == "schedule":
            nodes = [str(node) for node in message["nodes"]]
            story.schedule.append((self._position(message), str(message["alias"]), nodes))
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
        if not self._lines:
            self._waiting_since = time.monotonic()
        self._lines.append(line)
        if line[0] == "l":
            self._last.setdefault(int(line[1]), deque(maxlen=LAST_LINES)).append(str(line[3]))
        if len(self._lines) >= MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Hand on the lines that wait."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._emit(lines)

    def flush_if_due(self) -> None:
        """Hand them on if they have waited long enough."""
        if self._lines and time.monotonic() - self._waiting_since > LONGEST_WAIT:
            self.flush()

    def read_output(self, child: ChildProcess) -> None:
        """What C code and subprocesses printed: it belongs to the node whose turn it is."""
        try:
            data = os.read(child.output, 1 << 16)
        except OSError:
            # nothing there
            return
        *lines, self._raw = (self._raw + data).split(b"\n")
        turn = self._ledger.turn()
        node = turn[0] if turn is not None else 0
        for raw in lines:
            line = raw.decode("utf-8", "replace")[:LONGEST_LINE]
            if self.crash or line.startswith(CRASH_REPORT):
                self.crash.append(line)
            elif line.strip():
                self._line(["l", node, "stderr", line])
