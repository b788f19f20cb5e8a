"""What the forkserver imports first: while it imports the rest it looks whether anybody still wants it.

Torch takes seconds, and a kernel may die meanwhile. Later the forkserver sees that by itself. A timer, as a thread
would have to be ended before the first fork, and as the system's own signal for it (PDEATHSIG) comes at the end of the
thread that started the process.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

__all__ = ["unwatch"]

#: seconds between two looks
EVERY = 0.2
_PARENT = os.getppid()


def _look(number: int, frame: FrameType | None) -> None:
    if os.getppid() != _PARENT:
        os._exit(1)


def unwatch() -> None:
    """The imports are over."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


signal.signal(signal.SIGALRM, _look)
signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)
