"""`Inbox`: what comes in for a run, taken up one by one on a thread of the run's own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Inbox"]

#: seconds between looks at what is open
TICK = 1.0
#: seconds that what is being taken up gets to end
CLOSING = 5

Message = Mapping[str, Any]


class Inbox:
    """Messages about batches: whoever puts one in, Dask's own thread above all, is not kept.

    Args:
        name: of the run, for the thread.
        take: called with the id of a batch and a message about it.
        look: called once a second.
    """

    def __init__(self, name: str, take: Callable[[str, Message], None], look: Callable[[], None]) -> None:
        self._take = take
        self._look = look
        self._queue: queue.SimpleQueue[tuple[str, Message] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, name=f"manta-{name}-in", daemon=True)
        self._thread.start()

    def put(self, batch_id: str, message: Message) -> None:
        """A message has come."""
        self._queue.put((batch_id, message))

    def close(self) -> None:
        """Take up what is there, and end."""
        self._queue.put(None)
        self._thread.join(timeout=CLOSING)

    def _read(self) -> None:
        due = time.monotonic() + TICK
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                pass
            else:
                if item is None:
                    return
                self._take(*item)
            # also while messages keep coming: what another node streams must not hide what is overdue
            if time.monotonic() >= due:
                self._look()
                due = time.monotonic() + TICK
