"""Segments: the memory in which one batch leaves what it wrote.

A segment is anonymous memory (`memfd_create`) whose descriptor the worker holds; a reader on the same host
opens `/proc/<pid>/fd/<n>` and checks a random key, so a recycled descriptor is never mistaken for it. The
operating system frees it when the last descriptor and the last mapping are gone, after any kill. Where that
is not to be had, the same bytes live in a `bytearray` and travel by Dask.

Layout: 64 bytes of header (magic, key, length, place of the table), encoded values at multiples of 64, the
table: JSON names of nodes and tags, then rows of four int64: node, tag, offset, nbytes.
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
import struct
import sys
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from manta_nb.errors import CorruptBytes
from manta_nb.sdk.codec import decode

__all__ = [
    "HEADER_SIZE",
    "Place",
    "SegmentReader",
    "have_memfd",
    "header",
    "new_key",
    "open_place",
    "read_at",
    "table",
]

MAGIC = b"mantaseg"
HEADER = struct.Struct("<8s16sQQQQ")
HEADER_SIZE = 64
#: a copy of less than this is cheaper than a mapping of its own
COPY_BELOW = 1 << 18


class Place(NamedTuple):
    """Where a segment can be opened by a process of the same host and user."""

    key: str
    pid: int
    fd: int
    nbytes: int


def have_memfd() -> bool:
    """Whether this machine has anonymous memory that other processes can open (Linux, /proc)."""
    return (
        sys.platform == "linux" and hasattr(os, "memfd_create") and os.path.isdir(f"/proc/{os.getpid()}/fd")
    )


def new_key() -> str:
    """A random name of 32 hexadecimal digits."""
    return secrets.token_hex(16)


def table(nodes: Sequence[str], tags: Sequence[str], rows: np.ndarray) -> bytes:
    """The table of a segment; `rows` is int64 of shape (n, 4): node, tag, offset, nbytes."""
    names = json.dumps([list(nodes), list(tags)], separators=(",", ":")).encode("ascii")
    names += b" " * (-len(names) % 8)
    return (
        struct.pack("<QQ", len(names), len(rows)) + names + np.ascontiguousarray(rows, dtype="<i8").tobytes()
    )


def header(key: str, nbytes: int, table_offset: int, table_bytes: int) -> bytes:
    """The first 64 bytes of a segment of `nbytes` in all."""
    return HEADER.pack(MAGIC, bytes.fromhex(key), nbytes, table_offset, table_bytes, 0).ljust(
        HEADER_SIZE, b"\0"
    )


def open_place(place: Place) -> int:
    """A descriptor of the segment at `place`; `CorruptBytes` where it is gone or is another one."""
    try:
        descriptor = os.open(f"/proc/{place.pid}/fd/{place.fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CorruptBytes(f"segment {place.key[:8]} is gone: {error.strerror}") from error
    try:
        head = os.pread(descriptor, HEADER_SIZE, 0)
        size = os.fstat(descriptor).st_size
    except OSError as error:
        os.close(descriptor)
        raise CorruptBytes(f"segment {place.key[:8]} cannot be read: {error.strerror}") from error
    if size != place.nbytes or head[:24] != MAGIC + bytes.fromhex(place.key):
        os.close(descriptor)
        raise CorruptBytes(f"segment {place.key[:8]} is gone: its place holds something else")
    return descriptor


def read_at(descriptor: int, data: bytearray, at: int) -> None:
    """Fill `data` with what lies at `at`; one call of the system returns 2 GB at the most."""
    read = 0
    while read < len(data):
        count = os.preadv(descriptor, [memoryview(data)[read : read + (1 << 30)]], at + read)
        if not count:
            raise OSError(f"the memory ended after {at + read} bytes")
        read += count


class SegmentReader:
    """Reads the values of one segment, from a descriptor or from bytes."""

    def __init__(self, key: str, source: int | bytes | bytearray | memoryview) -> None:
        self.key = key
        self._maps: list[weakref.ref[mmap.mmap]] = []
        self._source: int | bytes | bytearray | memoryview = source
        if isinstance(source, int):
            self.nbytes = os.fstat(source).st_size
            self._shared = memoryview(mmap.mmap(source, self.nbytes, access=mmap.ACCESS_READ))
        else:
            self._shared = memoryview(source)
            self.nbytes = len(self._shared)
        self._check()

    @classmethod
    def at(cls, place: Place) -> SegmentReader:
        """A reader of the segment at `place`."""
        descriptor = open_place(place)
        try:
            return cls(place.key, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def _check(self) -> None:
        if self.nbytes < HEADER_SIZE:
            raise CorruptBytes(f"segment {self.key[:8]} is too short")
        magic, key, nbytes, offset, length, _ = HEADER.unpack_from(self._shared)
        if magic != MAGIC or key.hex() != self.key or nbytes != self.nbytes or offset + length > nbytes:
            raise CorruptBytes(f"segment {self.key[:8]} has a wrong header")
        self._table_at = (offset, length)

    @property
    def bytes(self) -> memoryview:
        """The whole segment, read-only."""
        return self._shared.toreadonly()

    def private(self) -> memoryview:
        """A writable view that shares memory until it is written to; writes stay in this process."""
        if isinstance(self._source, int):
            private = mmap.mmap(self._source, self.nbytes, access=mmap.ACCESS_COPY)
            self._maps.append(weakref.ref(private))
            return memoryview(private)
        return memoryview(bytearray(self._shared))

    def viewed(self) -> bool:
        """Whether somebody still holds a private view that was handed out before.

        An array of numpy refers to the mapping, but does not count as a user of its buffer: closing the mapping would
        succeed, and the array's next reader would crash. So nothing is closed here; the last reference does that.
        """
        views, self._maps = self._maps, []
        return any(view() is not None for view in views)

    @cached_property
    def _table(self) -> tuple[list[str], list[str], np.ndarray]:
        offset, length = self._table_at
        part = self._shared[offset : offset + length]
        try:
            names_bytes, count = struct.unpack_from("<QQ", part)
            nodes, tags = json.loads(bytes(part[16 : 16 + names_bytes]))
            rows = np.frombuffer(part, dtype="<i8", count=count * 4, offset=16 + names_bytes).reshape(-1, 4)
        except (struct.error, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise CorruptBytes(f"segment {self.key[:8]} has a wrong table") from error
        if (
            type(nodes) is not list
            or type(tags) is not list
            or not {*map(type, nodes), *map(type, tags)} <= {str}
        ):
            raise CorruptBytes(f"segment {self.key[:8]} has a table without names")
        places = rows[:, 2:]
        # the sum only after each of both: it could overflow
        if len(rows) and (
            rows.min() < 0
            or places.max() > self.nbytes
            or places.sum(axis=1).max() > self.nbytes
            or rows[:, 0].max() >= len(nodes)
        ):
            raise CorruptBytes(f"segment {self.key[:8]} has a row that points out of it")
        return nodes, tags, rows

    def entries(self, tag: str) -> Iterator[tuple[str, int, int]]:
        """`(node_id, offset, nbytes)` of every result under `tag`, in the order of writing."""
        nodes, tags, rows = self._table
        if tag not in tags:
            return
        for node, offset, nbytes in rows[rows[:, 1] == tags.index(tag)][:, (0, 2, 3)].tolist():
            yield nodes[node], offset, nbytes

    def value(self, offset: int, nbytes: int) -> Any:
        """One value, with arrays that are writable copies."""
        self._within(offset, nbytes)
        if nbytes > COPY_BELOW and isinstance(self._source, int):
            return decode(self.private()[offset : offset + nbytes], writable=True)
        return decode(memoryview(bytearray(self._shared[offset : offset + nbytes])), writable=True)

    def select(self, tag: str, into: dict[str, Any], view: memoryview) -> None:
        """Put `{node_id: value}` of `tag` into `into`; arrays are views into `view` (see `private`)."""
        for node_id, offset, nbytes in self.entries(tag):
            into[node_id] = decode(view[offset : offset + nbytes], writable=True)

    def _within(self, offset: int, nbytes: int) -> None:
        if offset < HEADER_SIZE or nbytes < 0 or offset + nbytes > self.nbytes:
            raise CorruptBytes(f"segment {self.key[:8]} holds no value at {offset}")

    def extract(self, key: str, tags: Sequence[str]) -> bytearray:
        """A segment of its own, called `key`, with these result tags only."""
        nodes, names, rows = self._table
        wanted = rows[np.isin(rows[:, 1], [i for i, name in enumerate(names) if name in tags])].copy()
        out = bytearray(HEADER_SIZE)
        for row in wanted:
            start, length = int(row[2]), int(row[3])
            row[2] = len(out)
            out += self._shared[start : start + length]
            out += bytes(-len(out) % 64)
        directory = table(nodes, names, wanted)
        offset = len(out)
        out += directory
        out[:HEADER_SIZE] = header(key, len(out), offset, len(directory))
        return out

    def descriptor(self) -> int | None:
        """The descriptor this reader holds, or None where it reads from bytes."""
        return self._source if isinstance(self._source, int) else None

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptor; views that were handed out stay valid."""
        if isinstance(self._source, int):
            os.close(self._source)
            self._source = b""
