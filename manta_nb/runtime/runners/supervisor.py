"""Runs one batch in a child process and brings home an outcome for every node, whatever the child does."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from manta_nb.runtime.runners.channel import ChannelClosed, Message
from manta_nb.runtime.runners.launch import ChildProcess
from manta_nb.runtime.runners.ledger import Kind, LedgerReader
from manta_nb.runtime.runners.outcome import KIND, NBYTES, NODE, OFFSET, Outcome, Story, result_rows, settle
from manta_nb.runtime.runners.request import BatchRequest
from manta_nb.runtime.runners.segments import HEADER_SIZE
from manta_nb.runtime.runners.storage import SegmentDraft

__all__ = ["Emit", "Children", "Supervisor"]

#: how often a silent batch is looked at, in seconds
TICK = 0.1
#: bundle at most so many lines, or for so long (seconds), before they go to the kernel
MOST_LINES = 256
LONGEST_WAIT = 0.1
LAST_LINES = 20

Emit = Callable[[list[list[Any]]], None]


class Children(Protocol):
    """Where a supervisor gets its child from."""

    def child(self, run_id: str, fresh: bool) -> ChildProcess:
        """The child kept for the run, or a new one."""

    def discard(self, run_id: str, kill: bool = False) -> int:
        """End the run's child; returns how it ended."""

    def stopping(self, run_id: str) -> bool:
        """Whether the run is being stopped."""


class Supervisor:
    """One batch: its segment, its ledger, and the children that work through it one after the other."""

    def __init__(
        self,
        request: BatchRequest,
        children: Children,
        segment: SegmentDraft,
        imports: Mapping[str, memoryview],
        emit: Emit,
    ) -> None:
        self._request = request
        self._children = children
        self._segment = segment
        self._imports = imports
        self._emit = emit
        self._ledger_fd = _ledger_descriptor()
        self._ledger = LedgerReader(self._ledger_fd, len(request.node_ids))
        self._story = Story()
        self._lines: list[list[Any]] = []
        self._waiting_since = 0.0
        self._last: dict[int, deque[str]] = {}
        self._raw = b""

    def run(self) -> Outcome:
        """Work until every node has an outcome."""
        request = self._request
        try:
            left = list(range(len(request.node_ids)))
            while left:
                now = left[:1] if request.policy.isolate else left
                self._leg(now)
                left = self._unsettled()
            return self._outcome()
        finally:
            os.close(self._ledger_fd)

    # -- one child's share ---------------------------------------------------------------------------------------

    def _leg(self, positions: list[int]) -> None:
        """Let one child work on `positions` until it is through, dies or is killed; at least one gets settled."""
        run_id = self._request.run_id
        if self._children.stopping(run_id):
            for position in positions:
                self._charge(position, "stopped", "stopped before its turn")
            return
        try:
            child = self._children.child(run_id, fresh=self._request.policy.isolate)
            self._send(child, positions)
            kind, message = self._follow(child)
        except ChannelClosed:
            kind, message = "died", ""
        self._flush()
        if kind == "end":
            self._charge_silent(positions)
            return
        code = self._children.discard(run_id, kill=kind == "timeout")
        if self._children.stopping(run_id):
            kind, message = "stopped", "stopped by the user"
        self._blame(positions, kind, message or _ended(code))

    def _send(self, child: ChildProcess, positions: list[int]) -> None:
        request = self._request
        new = {key: data for key, data in self._imports.items() if key not in child.holds}
        child.holds = set(self._imports)
        message = {
            "op": "batch",
            "shared": request.shared,
            "turns": [[position, request.node_ids[position]] for position in positions],
            "states": {
                request.node_ids[p]: request.states[request.node_ids[p]]
                for p in positions
                if self._has_state(p)
            },
            "at": self._end(),
            # a child that takes over goes on with the numbers its predecessor gave
            "tags": self._story.tags,
            "imports": [[key, len(data)] for key, data in new.items()],
        }
        shared = self._segment.fd >= 0
        descriptors = (self._segment.fd, self._ledger_fd) if shared else ()
        child.channel.send(message, b"".join(new.values()), descriptors)

    def _has_state(self, position: int) -> bool:
        return self._request.node_ids[position] in self._request.states

    def _end(self) -> int:
        """Where the next value goes: behind the last one that was reported."""
        rows = self._ledger.rows()
        values = rows[(rows[:, KIND] == Kind.RESULT) | (rows[:, KIND] == Kind.GLOBAL)]
        if not len(values):
            return HEADER_SIZE
        end = int((values[:, OFFSET] + values[:, NBYTES]).max())
        return end + (-end) % 64

    def _follow(self, child: ChildProcess) -> tuple[str, str]:
        """Read until the child says it is through, or its turn took too long: (what happened, message)."""
        timeout = self._request.policy.timeout
        while True:
            wait = TICK if timeout is None else min(TICK, max(0.001, timeout / 20))
            if child.channel.poll(wait):
                message = child.channel.receive()
                if message.get("op") == "end":
                    self._read_output(child)
                    return "end", ""
                self._take(message)
            self._read_output(child)
            if self._lines and time.monotonic() - self._waiting_since > LONGEST_WAIT:
                self._flush()
            if timeout is not None and self._overdue(timeout):
                return "timeout", f"over its time limit of {timeout:g} s"

    def _overdue(self, timeout: float) -> bool:
        turn = self._ledger.turn()
        return turn is not None and (time.monotonic_ns() - turn[1]) / 1e9 > timeout

    # -- what a child says ---------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        """One message; a malformed one ends the child like a crash."""
        try:
            self._understand(message)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ChannelClosed(f"the task's process sent a malformed message: {error!r}") from error

    def _understand(self, message: Message) -> None:
        story, op = self._story, message["op"]
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
            self._charge(
                self._position(message),
                str(message["kind"]),
                str(message["message"]),
                where=str(message["where"]),
                traceback=str(message["traceback"]),
            )
        elif op == "lost":
            story.lost[self._position(message)] = str(message["key"])
        elif op == "schedule":
            story.schedule.append(
                (self._position(message), str(message["alias"]), [str(n) for n in message["nodes"]])
            )
        elif op == "stop":
            story.stops.append(self._position(message))
        elif op == "note":
            story.notes.append({key: message[key] for key in ("node", "kind", "message")})

    def _position(self, message: Message) -> int:
        position = int(message["node"])
        if not 0 <= position < len(self._request.node_ids):
            raise ValueError(f"there is no node number {position} in this batch")
        return position

    def _line(self, line: list[Any]) -> None:
        if not self._lines:
            self._waiting_since = time.monotonic()
        self._lines.append(line)
        if line[0] == "l":
            self._last.setdefault(int(line[1]), deque(maxlen=LAST_LINES)).append(str(line[3]))
        if len(self._lines) >= MOST_LINES:
            self._flush()

    def _flush(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._emit(lines)

    def _read_output(self, child: ChildProcess) -> None:
        """What C code and subprocesses printed: charged to the node whose turn it is."""
        try:
            data = os.read(child.output, 1 << 16)
        except OSError:
            return
        if not data:
            return
        *lines, self._raw = (self._raw + data).split(b"\n")
        turn = self._ledger.turn()
        node = turn[0] if turn is not None else 0
        for line in lines:
            if line.strip():
                self._line(["l", node, "stderr", line.decode("utf-8", "replace")[:10_000]])

    # -- who is charged ------------------------------------------------------------------------------------------

    def _charge(self, position: int, kind: str, message: str, where: str = "", traceback: str = "") -> None:
        self._story.failures[position] = {
            "node": position,
            "kind": kind,
            "message": message[:2100],
            "where": where[:300],
            "traceback": traceback[:8000],
            "output": list(self._last.get(position, ())),
        }

    def _blame(self, positions: list[int], kind: str, message: str) -> None:
        """The child is gone: the node whose turn it was is charged, when stopped all that had none."""
        turn = self._ledger.turn()
        unsettled = self._unsettled()
        if kind == "stopped":
            for position in unsettled:
                self._charge(position, kind, message)
            return
        position = turn[0] if turn is not None and turn[0] in unsettled else positions[0]
        if position in unsettled:
            self._charge(position, kind, message)

    def _charge_silent(self, positions: list[int]) -> None:
        """A child that says it is through but left out nodes is not believed."""
        silent = set(self._unsettled()) & set(positions)
        for position in silent:
            self._charge(position, "died", "its process skipped this node")

    def _unsettled(self) -> list[int]:
        rows = self._ledger.rows()
        settled = set(rows[rows[:, KIND] == Kind.DONE][:, NODE].tolist())
        settled.update(self._story.failures, self._story.lost)
        return [position for position in range(len(self._request.node_ids)) if position not in settled]

    def _outcome(self) -> Outcome:
        request, story = self._request, self._story
        rows = self._ledger.rows()
        done = np.ones(len(request.node_ids), dtype=bool)
        done[[*story.failures, *story.lost]] = False
        self._segment.seal(self._end(), request.node_ids, story.tags, result_rows(rows, done))
        names = {
            "run": request.run_id,
            "iteration": request.iteration,
            "task": request.task,
            "attempt": request.attempt,
        }
        return settle(names, len(request.node_ids), rows, story, list(self._segment.place()))


def _ended(code: int) -> str:
    if code < 0:
        return f"its process died with signal {-code} ({_SIGNALS.get(-code, 'killed')})"
    return f"its process ended with exit code {code}"


_SIGNALS = {
    4: "illegal instruction",
    6: "abort",
    7: "bus error",
    8: "floating point",
    9: "killed",
    11: "segfault",
}


def _ledger_descriptor() -> int:
    """Anonymous memory where there is such, else a file that has no name any more."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("manta-ledger", os.MFD_CLOEXEC)
    import tempfile  # only where there is no anonymous memory

    descriptor, path = tempfile.mkstemp(prefix="manta-ledger-")
    os.unlink(path)
    return descriptor
