"""The ledger of a batch: what each node's turn has written so far, row by row, readable after any crash.

The child appends; the worker reads. Over shared memory a row costs a microsecond and no system call, so
that ten thousand nodes can report one by one; over a pipe the rows travel in messages.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from contextlib import suppress
from enum import IntEnum

import numpy as np

from manta_nb.errors import MantaError

__all__ = ["ROW", "Kind", "LedgerReader", "LedgerWriter"]

#: kind, node, tag, offset, nbytes, time (ns, monotonic)
ROW = struct.Struct("<6q")
COUNT = struct.Struct("<q")
START = 64


class Kind(IntEnum):
    """What a row says."""

    #: the node's turn began
    TURN = 1
    #: a result was written
    RESULT = 2
    #: a Global was written
    GLOBAL = 3
    #: the turn ended well
    DONE = 4
    #: the turn failed
    FAILED = 5
    #: the node's `local.state` has a new version
    STATE = 6


KINDS = frozenset(int(kind) for kind in Kind)


def capacity(nodes: int) -> int:
    """Bytes to reserve (sparsely) for a batch of `nodes`: 64 rows a node and 100,000 more."""
    return START + ROW.size * (64 * nodes + 100_000)


class LedgerWriter:
    """The child's end, over shared memory."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        os.close(descriptor)
        # a child that takes over goes on behind the rows of the one that died
        (self._count,) = COUNT.unpack_from(self._map, 0)
        self._next = START + ROW.size * self._count

    def close(self) -> None:
        """Unmap."""
        self._map.close()

    def append(self, kind: Kind, node: int, tag: int, offset: int, nbytes: int, at: int) -> None:
        """Add one row; a full ledger is a `MantaError` in the task that fills it."""
        if self._next + ROW.size > len(self._map):
            raise MantaError(
                "the tasks of one worker wrote more values than its ledger holds: write fewer tags"
            )
        ROW.pack_into(self._map, self._next, kind, node, tag, offset, nbytes, at)
        self._next += ROW.size
        self._count += 1
        COUNT.pack_into(self._map, 0, self._count)


class LedgerReader:
    """The worker's end."""

    def __init__(self, descriptor: int, nodes: int) -> None:
        os.ftruncate(descriptor, capacity(nodes))
        _keep_size(descriptor)
        self._map = mmap.mmap(descriptor, capacity(nodes))
        self._rows: list[int] = []

    def close(self) -> None:
        """Unmap: the mapping has a descriptor of its own."""
        self._map.close()

    def extend(self, rows: list[int]) -> None:
        """Add rows that came in a message (flat, six numbers each); a `ValueError` where they are none."""
        if len(rows) % 6 or not all(-(2**63) <= number < 2**63 for number in rows):
            raise ValueError(f"{len(rows)} numbers that are no rows of 64 bits")
        if not all(kind in KINDS for kind in rows[::6]):
            raise ValueError("a row of an unknown kind")
        self._rows += rows

    def rows(self) -> np.ndarray:
        """All rows so far: int64 of shape (n, 6)."""
        if self._rows:
            return np.array(self._rows, dtype=np.int64).reshape(-1, 6)
        (count,) = COUNT.unpack_from(self._map, 0)
        count = max(0, min(count, (len(self._map) - START) // ROW.size))
        return np.frombuffer(self._map[START : START + count * ROW.size], dtype="<i8").reshape(-1, 6)

    def turn(self) -> tuple[int, int] | None:
        """`(node, start in ns)` of the turn that is under way, or None between turns."""
        (count,) = COUNT.unpack_from(self._map, 0)
        if self._rows:
            for at in range(len(self._rows) - 6, -1, -6):
                if self._rows[at] == Kind.TURN:
                    return self._rows[at + 1], self._rows[at + 5]
                if self._rows[at] in (Kind.DONE, Kind.FAILED):
                    return None
            return None
        for row in range(min(count, (len(self._map) - START) // ROW.size) - 1, -1, -1):
            kind, node, _, _, _, at = ROW.unpack_from(self._map, START + row * ROW.size)
            if kind == Kind.TURN:
                return node, at
            if kind in (Kind.DONE, Kind.FAILED):
                return None
        return None


def _keep_size(descriptor: int) -> None:
    """Whoever has the descriptor cannot shorten the memory: reading what is gone would kill the reader."""
    if sys.platform != "linux":
        return
    import fcntl  # noqa: PLC0415 - only where there are seals

    # a plain file, where there is no anonymous memory, takes none
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
