"""Runs one batch in a child process and brings home an outcome for every node, whatever the child does."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from manta_nb.runtime.runners.autopsy import crash_site, how_it_ended
from manta_nb.runtime.runners.channel import ChannelClosed
from manta_nb.runtime.runners.hearing import MALFORMED, Emit, Hearing
from manta_nb.runtime.runners.launch import ChildProcess
from manta_nb.runtime.runners.ledger import Kind, LedgerReader
from manta_nb.runtime.runners.outcome import KIND, NBYTES, NODE, OFFSET, Outcome, result_rows, settle_batch
from manta_nb.runtime.runners.release import RELEASE
from manta_nb.runtime.runners.request import BatchRequest
from manta_nb.runtime.runners.segments import HEADER_SIZE
from manta_nb.runtime.runners.storage import SegmentDraft

__all__ = ["Children", "Emit", "Supervisor"]

#: how often a silent batch is looked at, in seconds
TICK = 0.1
#: seconds that a child may be silent between turns, which is not the user's time: then it stands still
BETWEEN_TURNS = 60.0
#: the most that one look counts of it: the worker may have stood still itself
LONGEST_TICK = 1.0


class Children(Protocol):
    """Where a supervisor gets its child from."""

    def child(self, run_id: str, fresh: bool) -> ChildProcess:
        """The child kept for the run, or a new one."""

    def discard(self, run_id: str, kill: bool = False) -> int:
        """End the run's child; returns how it ended."""

    def stopping(self, run_id: str) -> bool:
        """Whether the run is being stopped."""

    def released(self, request: BatchRequest) -> bool:
        """Whether nobody waits for the batch any more."""


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
        self._ledger_fd = _ledger_descriptor()
        nodes = len(request.node_ids)
        self._ledger = LedgerReader(self._ledger_fd, nodes)
        self._hearing = Hearing(nodes, self._ledger, segment, emit)
        self._story = self._hearing.story
        #: whether the child that has the batch knows that nobody waits for it
        self._told = False

    def run(self) -> Outcome:
        """Work until every node has an outcome."""
        request = self._request
        try:
            left = list(range(len(request.node_ids)))
            while left:
                self._leg(left[:1] if request.policy.isolate else left)
                left = self._unsettled()
            return self._outcome()
        finally:
            self._ledger.close()
            os.close(self._ledger_fd)

    def _leg(self, positions: list[int]) -> None:
        """Let one child work on `positions` until it is through, dies or is killed.

        At least one node gets settled, unless the child was an old one that had died in the meantime.
        """
        run_id = self._request.run_id
        if self._children.stopping(run_id):
            self._blame(positions, "stopped", "stopped before its turn")
            return
        child, kept, rows = None, False, len(self._ledger.rows())
        try:
            child = self._children.child(run_id, fresh=self._request.policy.isolate)
            child.used, kept = True, child.used
            if self._children.stopping(run_id):
                # it was asked for before there was a child to kill
                child.kill()
            self._send(child, positions)
            kind, message = self._follow(child)
        except ChannelClosed as closed:
            kind, message = "died", str(closed) if str(closed).startswith(MALFORMED) else ""
        if child is not None:
            self._hearing.drain_output(child)
        self._hearing.flush()
        self._charge_liars()
        if kind == "end":
            self._charge_silent(positions)
            return
        code = self._children.discard(run_id, kill=bool(message))
        if self._children.stopping(run_id):
            kind, message = "stopped", "stopped by the user"
        elif kept and kind == "died" and len(self._ledger.rows()) == rows:
            # it was dead before it got to anything: a new one is asked
            return
        self._blame(positions, kind, message or how_it_ended(code))

    def _send(self, child: ChildProcess, positions: list[int]) -> None:
        request = self._request
        new = {key: data for key, data in self._imports.items() if key not in child.holds}
        child.holds = set(self._imports)
        names = [request.node_ids[position] for position in positions]
        self._told = self._children.released(request)
        message: dict[str, Any] = {
            "op": "batch",
            "shared": request.shared,
            "turns": list(zip(positions, names, strict=True)),
            "states": {name: request.states[name] for name in names if name in request.states},
            "paces": {name: request.paces[name] for name in names if name in request.paces},
            "at": self._end(),
            # a child that takes over goes on with the numbers its predecessor gave
            "tags": self._story.tags,
            "imports": [[key, len(data)] for key, data in new.items()],
            "released": self._told,
        }
        descriptors = (self._segment.fd, self._ledger_fd) if self._segment.fd >= 0 else ()
        child.channel.send(message, b"".join(new.values()), descriptors)

    def _end(self) -> int:
        """Where the next value goes: behind the last one that was reported."""
        values, there = self._values()
        if not there.any():
            return HEADER_SIZE
        end = int((values[there][:, OFFSET] + values[there][:, NBYTES]).max())
        return end + (-end) % 64

    def _values(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows of values, and which of them are really in the segment."""
        rows = self._ledger.rows()
        values = rows[(rows[:, KIND] == Kind.RESULT) | (rows[:, KIND] == Kind.GLOBAL)]
        offset, nbytes, size = values[:, OFFSET], values[:, NBYTES], self._segment.size()
        # not their sum, which can overflow
        return values, (offset >= HEADER_SIZE) & (nbytes >= 0) & (offset <= size) & (nbytes <= size - offset)

    def _charge_liars(self) -> None:
        """A child that reports values it did not write is not believed."""
        values, there = self._values()
        for position in {*values[~there][:, NODE].tolist()} & set(range(len(self._request.node_ids))):
            self._hearing.charge(position, "died", f"{MALFORMED}: a value that is not there")

    def _follow(self, child: ChildProcess) -> tuple[str, str]:
        """Read until the child says it is through, or its turn took too long: (what happened, message)."""
        timeout = self._request.policy.timeout
        wait = TICK if timeout is None else min(TICK, max(0.001, timeout / 20))
        ears = select.poll()
        for descriptor in (child.channel.fileno(), child.output):
            ears.register(descriptor, select.POLLIN)
        silent, before = 0.0, time.monotonic()
        while True:
            heard = {descriptor for descriptor, _ in ears.poll(wait * 1000)}
            if child.output in heard and not self._hearing.read_output(child):
                ears.unregister(child.output)
            if child.channel.fileno() in heard:
                message = child.channel.receive()
                if message.get("op") == "end":
                    self._story.kept += [str(key) for key in message.get("kept", ())]
                    return "end", ""
                self._hearing.take(message)
            self._hearing.flush_if_due()
            self._tell(child)
            turn, now = self._turn(), time.monotonic()
            if timeout is not None and turn and now - turn[1] / 1e9 > timeout:
                return "timeout", f"over its time limit of {timeout:g} s"
            silent = 0.0 if heard or turn else silent + min(now - before, LONGEST_TICK)
            before = now
            if silent > BETWEEN_TURNS:
                return "died", f"its process stood still for {BETWEEN_TURNS:g} s before its turn"

    def _tell(self, child: ChildProcess) -> None:
        """Let the child know, once, when the batch was released."""
        if not self._told and self._children.released(self._request):
            self._told = True
            child.channel.send({"op": RELEASE})

    def _turn(self) -> tuple[int, int] | None:
        """The turn that is under way; the last one of a child that was killed never ends in the ledger."""
        turn = self._ledger.turn()
        return turn if turn is not None and turn[0] not in self._story.failures else None

    def _blame(self, positions: list[int], kind: str, message: str) -> None:
        """The child is gone: the node whose turn it was is charged; after a stop, all that had none."""
        unsettled = self._unsettled()
        if kind == "stopped":
            for position in unsettled:
                self._hearing.charge(position, kind, message)
            return
        turn = self._ledger.turn()
        position = turn[0] if turn is not None and turn[0] in unsettled else positions[0]
        if position in unsettled:
            self._hearing.charge(position, kind, message, crash_site(self._hearing.crash))
        self._hearing.crash = []

    def _charge_silent(self, positions: list[int]) -> None:
        """A child that says it is through but left out nodes is not believed."""
        for position in set(self._unsettled()) & set(positions):
            self._hearing.charge(position, "died", "its process skipped this node")

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
        return settle_batch(request, rows, story, list(self._segment.place()))


def _ledger_descriptor() -> int:
    """Anonymous memory where there is such, else a file that has no name any more."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("manta-ledger", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    import tempfile  # noqa: PLC0415 - only where there is no anonymous memory

    descriptor, path = tempfile.mkstemp(prefix="manta-ledger-")
    os.unlink(path)
    return descriptor
