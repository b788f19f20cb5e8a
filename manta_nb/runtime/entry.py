"""`Entry`: one segment as the kernel knows it."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from manta_nb.engine.records import Segment
from manta_nb.errors import MissingTag
from manta_nb.runtime.capabilities import HostTag
from manta_nb.runtime.runners.segments import Place, SegmentReader
from manta_nb.runtime.runners.storage import SharedSegment

__all__ = ["Entry", "free"]

#: segments of finished runs up to so many bytes are kept as bytes
POCKET = 4 << 20


@dataclass
class Entry:
    """One segment: where its holder has it, and the kernel's own hold on it."""

    segment: Segment
    #: where the holder has it; a pid of 0 means that nobody else can open it
    place: Place
    #: host of the holder
    host: HostTag
    #: the kernel's own descriptor, or -1
    fd: int = -1
    #: the bytes, where the kernel has them
    data: memoryview | None = None
    #: reads the bytes from where they are kept for good
    load: Callable[[], memoryview] | None = None
    #: (worker, key of the copy) → future of a copy that a worker has or is getting
    copies: dict[tuple[str, str], Any] = field(default_factory=dict)
    reader: SegmentReader | None = None
    #: whether its holder went away; another process has that name now
    left: bool = False
    #: whether anybody still has it
    held: bool = True
    #: whether somebody may look at its memory for longer than the run needs it
    viewed: bool = False
    #: whether a finished run shows it
    adopted: bool = False
    #: runs that need it beside the one that made it: each drops it once
    sharers: int = 0

    @property
    def here(self) -> bool:
        """Whether it can be read whatever becomes of its holder."""
        return self.fd >= 0 or self.data is not None or self.load is not None

    def whole(self) -> memoryview:
        """All its bytes as they lie in memory, to look at for a moment: it may be written over later."""
        if self.fd >= 0:
            return memoryview(mmap.mmap(self.fd, self.segment.nbytes, access=mmap.ACCESS_READ))
        if self.data is None:
            raise MissingTag("this value is gone with the node that held it")
        return self.data

    def leave(self) -> None:
        """Nobody but the kernel has it from now on."""
        self.copies, self.left, self.held = {}, True, self.here
        self.place = self.place._replace(pid=0)

    def pocket(self) -> None:
        """Keep a small segment as bytes: descriptors are scarce, and there are many runs in a day."""
        if self.fd < 0 or self.segment.nbytes > POCKET:
            return
        self.data = memoryview(os.pread(self.fd, self.segment.nbytes, 0))
        if self.reader is not None:
            self.reader.close()
        os.close(self.fd)
        if not self.segment.holder:
            # it was the kernel's own: nobody else has it
            self.place = self.place._replace(pid=0)
        self.fd, self.reader = -1, SegmentReader(self.segment.key, self.data)

    def unpocket(self) -> None:
        """Put it back where other processes can open it."""
        if self.fd >= 0 or self.data is None:
            return
        # its reader stays: somebody may have views of the bytes
        self.fd = SharedSegment.holding(self.data)
        self.data, self.reader = None, None


def free(entries: Iterable[Entry]) -> None:
    """Close what the kernel has of these."""
    for entry in entries:
        if entry.reader is not None:
            entry.reader.close()
        if entry.fd >= 0:
            os.close(entry.fd)
