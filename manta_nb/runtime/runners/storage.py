"""The segments a worker holds for the batches it ran: anonymous memory where there is such, else plain bytes."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Container, Sequence

import numpy as np

from manta_nb.runtime.runners.segments import HEADER_SIZE, Place, header, new_key, read_at, table

__all__ = ["BytesSegment", "SegmentDraft", "SharedSegment", "Shelf"]


#: a segment is at most so many times larger than what is in it
MOST_SLACK = 4
#: segments of one task whose memory is kept for its next batches
MOST_SPARE = 2

#: run and task
Label = tuple[str, str]


class SharedSegment:
    """A segment in anonymous memory, being written by a child and then kept."""

    def __init__(self) -> None:
        self.key = new_key()
        self.fd = os.memfd_create("manta-nb", os.MFD_CLOEXEC)
        self.nbytes = 0

    @staticmethod
    def holding(data: memoryview) -> int:
        """A descriptor of anonymous memory with a whole segment in it."""
        descriptor = os.memfd_create("manta-nb", os.MFD_CLOEXEC)
        try:
            _write_all(descriptor, data, 0)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def renew(self) -> None:
        """Forget what is in it, and keep the memory: pages cost more to get than to write."""
        self.key = new_key()
        _write_all(self.fd, bytes(HEADER_SIZE), 0)

    def put(self, data: memoryview, at: int) -> None:
        """Values are written by the child itself."""
        raise TypeError("a shared segment takes no values by message")

    def size(self) -> int:
        """Bytes written so far."""
        return os.fstat(self.fd).st_size

    def seal(self, end: int, nodes: Sequence[str], tags: Sequence[str], rows: np.ndarray) -> None:
        """Write table and header behind the values, which end at `end`."""
        directory = table(nodes, tags, rows)
        _write_all(self.fd, directory, end)
        needed = end + len(directory)
        # what a larger batch left behind stays for the next one, within reason
        self.nbytes = self.size() if self.size() <= MOST_SLACK * needed else needed
        os.ftruncate(self.fd, self.nbytes)
        _write_all(self.fd, header(self.key, self.nbytes, end, len(directory)), 0)

    def place(self) -> Place:
        """Where other processes of this host open it."""
        return Place(self.key, os.getpid(), self.fd, self.nbytes)

    def read(self) -> memoryview:
        """All bytes, for readers elsewhere."""
        data = bytearray(self.nbytes)
        read_at(self.fd, data, 0)
        return memoryview(data)

    def close(self) -> None:
        """Let go of it; readers that have it open keep their view."""
        os.close(self.fd)


class BytesSegment:
    """A segment in this process's own memory."""

    fd = -1

    def __init__(self) -> None:
        self.key = new_key()
        self._data = bytearray(HEADER_SIZE)
        self.nbytes = 0

    def put(self, data: memoryview, at: int) -> None:
        """Add a value that came by message at offset `at`."""
        if at < HEADER_SIZE or at > len(self._data) + 64:
            raise ValueError(f"a value at {at} does not follow the {len(self._data)} bytes before it")
        # a child that took over writes again what its predecessor left unfinished
        self._data[at:] = data

    def size(self) -> int:
        """See `SharedSegment.size`."""
        return len(self._data)

    def seal(self, end: int, nodes: Sequence[str], tags: Sequence[str], rows: np.ndarray) -> None:
        """See `SharedSegment.seal`."""
        directory = table(nodes, tags, rows)
        self._data[end:] = directory
        self.nbytes = len(self._data)
        self._data[:HEADER_SIZE] = header(self.key, self.nbytes, end, len(directory))

    def place(self) -> Place:
        """A place nobody can open: the bytes have to travel."""
        return Place(self.key, 0, -1, self.nbytes)

    def read(self) -> memoryview:
        """All bytes."""
        return memoryview(self._data)

    def close(self) -> None:
        """Free the memory."""
        self._data = bytearray()


SegmentDraft = SharedSegment | BytesSegment


class Shelf:
    """The sealed segments of a worker, by key, until the kernel says they are not needed."""

    def __init__(self) -> None:
        self._segments: dict[str, SegmentDraft] = {}
        #: segments whose memory is to be written over, the latest last
        self._spare: dict[Label, list[SharedSegment]] = defaultdict(list)
        self._labels: dict[str, Label] = {}
        #: segments that came from elsewhere, for the children of this worker
        self.imported: dict[str, memoryview] = {}

    def keep(self, segment: SegmentDraft, label: Label) -> None:
        """Hold a sealed segment; its memory is used again for the same label only, where it has the right size."""
        self._segments[segment.key] = segment
        self._labels[segment.key] = label

    def get(self, key: str) -> SegmentDraft | None:
        """The segment, or None where this worker does not hold it."""
        return self._segments.get(key)

    def bytes_of(self, key: str) -> memoryview | None:
        """The bytes of a segment that is held here or came from elsewhere."""
        segment = self._segments.get(key)
        return self.imported.get(key) if segment is None else segment.read()

    def release(self, keys: Sequence[str]) -> None:
        """Free these; unknown ones are no matter."""
        for key in keys:
            self.imported.pop(key, None)
            self._labels.pop(key, None)
            segment = self._segments.pop(key, None)
            if segment is not None:
                segment.close()

    def reuse(self, keys: Sequence[str], over: Container[str] = ()) -> None:
        """Keep the memory of these for the next batches of their runs, but for those that are over; nobody reads it."""
        for key in keys:
            segment, label = self._segments.pop(key, None), self._labels.pop(key, None)
            if not isinstance(segment, SharedSegment) or label is None:
                continue
            if label[0] in over:
                segment.close()
                continue
            spare = self._spare[label]
            spare.append(segment)
            if len(spare) > MOST_SPARE:
                spare.pop(0).close()

    def draft(self, shared: bool, label: Label) -> SegmentDraft:
        """A segment to write to: memory that the same task used before, where there is some."""
        if not shared:
            return BytesSegment()
        try:
            segment = self._spare[label].pop()
        except IndexError:
            return SharedSegment()
        segment.renew()
        return segment

    def trim(self, run_id: str | None = None) -> None:
        """Give spare memory back: of one run, or all."""
        for label in [label for label in self._spare if run_id in (None, label[0])]:
            # the run's end may be told twice, on two threads
            for segment in self._spare.pop(label, ()):
                segment.close()

    def close(self) -> None:
        """Free all."""
        self.trim()
        self.release([*self._segments, *self.imported])


def _write_all(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
