"""Reading values of a run in passing: only the bytes that are asked for, and never across the network.

A value that is read the usual way counts as looked at, so its memory is not used again, and one that lies on
another machine is fetched whole. Here the bytes are copied, and it is checked afterwards that they were the
right ones all the while: the run goes on, and may free them at any time.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from typing import Any

from manta_nb.engine.records import ValueRef
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.runners.segments import HEADER, HEADER_SIZE, SegmentReader
from manta_nb.sdk.codec import decode

__all__ = ["Gone", "Peek"]


class Gone(Exception):
    """The value cannot be read here and now."""


class Peek:
    """One segment of the kernel's host, of which some parts are read. Use as a context manager.

    ```
    with Peek(book, ref.segment.key) as peek:
        view = peek.view(ref.offset, ref.nbytes)
        peek.fetch(ref.offset, 4096)
    # Gone was raised where the segment was freed before this line
    ```
    """

    def __init__(self, book: SegmentBook, key: str) -> None:
        self._book = book
        self._key = key
        self._fd = -1
        self._reader: SegmentReader | None = None
        self._buffer: memoryview = memoryview(b"")

    def __enter__(self) -> Peek:
        # the lock: else the descriptor could be closed, and its number belong to something else, before `dup`
        with self._book._lock:
            entry = self._book.entry(self._key)
            if entry is None:
                raise Gone("it is no longer kept")
            if entry.fd >= 0:
                self._fd = os.dup(entry.fd)
            elif entry.data is not None:
                self._buffer = entry.data.toreadonly()
            else:
                raise Gone("it lies on another machine")
        if self._fd >= 0:
            # memory of its own, which takes none until it is written to
            self._buffer = memoryview(mmap.mmap(-1, os.fstat(self._fd).st_size))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._check()
        finally:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def fetch(self, offset: int, nbytes: int) -> None:
        """Read these bytes."""
        if self._fd < 0:
            return
        part = self._buffer[offset : offset + nbytes]
        done = 0
        while done < len(part):
            count = os.preadv(self._fd, [part[done : done + (1 << 30)]], offset + done)
            if not count:
                raise Gone("it is no longer kept")
            done += count

    def view(self, offset: int, nbytes: int) -> memoryview:
        """These bytes; zeros where they were not fetched."""
        return self._buffer[offset : offset + nbytes].toreadonly()

    def value(self, ref: ValueRef) -> Any:
        """A value, with arrays that stay valid."""
        self.fetch(ref.offset, ref.nbytes)
        return decode(self.view(ref.offset, ref.nbytes))

    def entries(self, tag: str) -> list[tuple[str, int, int]]:
        """`(node_id, offset, nbytes)` of every result under `tag`."""
        if self._reader is None:
            self.fetch(0, HEADER_SIZE)
            *_, offset, length, _ = HEADER.unpack_from(self._buffer)
            self.fetch(offset, min(length, len(self._buffer)))
            self._reader = SegmentReader(self._key, self._buffer)
        return list(self._reader.entries(tag))

    def results(self, tag: str, nodes: Iterable[str]) -> dict[str, Any]:
        """`{node_id: value}` of `tag` for these nodes."""
        wanted = set(nodes)
        found = {}
        for node_id, offset, nbytes in self.entries(tag):
            if node_id in wanted:
                self.fetch(offset, nbytes)
                found[node_id] = decode(self.view(offset, nbytes))
        return found

    def _check(self) -> None:
        """What was read was the segment: its header is the first thing that whoever writes over it erases."""
        if self._fd < 0:
            return
        head = os.pread(self._fd, HEADER_SIZE, 0)
        if len(head) < HEADER_SIZE or HEADER.unpack_from(head)[1].hex() != self._key:
            raise Gone("it is no longer kept")
