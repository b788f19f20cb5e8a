"""Give back the pages of libraries that only their import needed: 60 MB of torch's code in a forkserver.

They stay in the system's file cache, and come back one by one where they are needed again. Linux only; elsewhere
nothing happens.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["give_back"]

#: <sys/mman.h>
MADV_DONTNEED = 4
#: what this process has mapped; some kernels do not tell
SMAPS = Path("/proc/self/smaps")


def give_back() -> int:
    """Let go of what this process has only read of files it has mapped; returns how many mappings that were."""
    if sys.platform != "linux" or not SMAPS.exists():
        return 0
    madvise = ctypes.CDLL(None, use_errno=True).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return sum(madvise(start, end - start, MADV_DONTNEED) == 0 for start, end in list(_untouched()))


def _untouched() -> Iterator[tuple[int, int]]:
    """Mappings of files that cannot be written to, and of which no page is this process's own.

    A page that was written to before the mapping became read-only (what the linker relocates) would be lost.
    """
    place: tuple[int, int] | None = None
    for line in SMAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        name, *values = line.split()
        if not name.endswith(":"):
            start, _, end = name.partition("-")
            only_read = values[0].startswith("r-") and len(values) >= 5 and values[4].startswith("/")
            place = (int(start, 16), int(end, 16)) if only_read else None
        elif name == "Anonymous:" and place is not None and values[0] == "0":
            yield place
