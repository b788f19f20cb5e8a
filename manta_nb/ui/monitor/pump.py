"""What sends a monitor's messages: a thread that wakes when something changed, at most ten times a second."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

__all__ = ["Feed", "Message", "Pump"]

_log = logging.getLogger(__name__)

#: seconds between two messages, at least
PAUSE = 0.1
#: a message that took t seconds is followed by a pause of this many t: 2 % of the time, at most
_RATIO, _LONGEST = 50, 5.0
#: the work that may wait is done again after so many times what it took: 0.5 % of the time
_LEISURE = 200
#: seconds after which a run that goes on is looked at although it told nothing: its processes' CPU and memory
_IDLE = 1.0
#: seconds after the start at which everything is sent to a screen that did not ask for it: it may be unable to, yet
_UNASKED = (1.0, 2.0, 4.0, 8.0, 16.0)


class Message(Protocol):
    """What is sent: JSON and binary buffers."""

    @property
    def content(self) -> Mapping[str, Any]:
        """The JSON part."""

    @property
    def buffers(self) -> Sequence[Any]:
        """The binary part."""


class Feed(Protocol):
    """Where messages come from; see `manta_nb.session.feed.RunFeed`."""

    def full(self) -> Message:
        """Everything there is."""

    def delta(self) -> Message | None:
        """What changed since the last message; None where nothing did."""

    def answer(self, command: Mapping[str, Any]) -> Message:
        """The answer to `value`, `nodes` or `logs`."""

    def background(self) -> None:
        """Work that may wait, such as comparing what nodes sent; what it finds is in a later delta."""


class Pump:
    """Sends a feed's messages with `send`, as long as `going()` or somebody asks; any thread may call it.

    Its thread ends with the run, and is there again when something is asked for later.
    """

    def __init__(
        self, feed: Feed, send: Callable[[Message], None], going: Callable[[], bool], pause: float = PAUSE
    ) -> None:
        self._feed = feed
        self._send = send
        self._going = going
        self._pause = pause
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._urgent = threading.Event()
        self._full = False
        self._closed = False
        self._thread: threading.Thread | None = None
        #: when the work that may wait is due again
        self._rested = 0.0
        #: whether the screen has asked for something: until then it may be that nobody sees it
        self.asked = False
        #: what went wrong for good; "" where nothing did
        self.broken = ""

    def wake(self) -> None:
        """Something changed."""
        self._changed.set()
        with self._lock:
            if self._thread is None and not self._closed:
                context = contextvars.copy_context()
                self._thread = threading.Thread(
                    target=context.run, args=(self._work,), name="manta-nb-monitor", daemon=True
                )
                self._thread.start()

    def ask(self) -> None:
        """The screen wants everything."""
        self.asked = self._full = True
        self._urgent.set()
        self.wake()

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        self._urgent.set()
        self._changed.set()

    def join(self, timeout: float) -> bool:
        """Wait until the thread has ended; False where that took longer than `timeout` seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return self._thread is None

    def _work(self) -> None:
        began = time.monotonic()
        unasked = list(_UNASKED)
        while not self._closed:
            self._changed.wait(_IDLE)
            self._changed.clear()
            if not self.asked and unasked and time.monotonic() - began >= unasked[0]:
                unasked.pop(0)
                self._full = True
            self._urgent.clear()
            cost = self._once()
            if cost is None and self._ended():
                return
            self._urgent.wait(min(max(self._pause, _RATIO * (cost or 0)), _LONGEST))
        self._thread = None

    def _once(self) -> float | None:
        """Send one message, if there is something to say; returns what that took, in seconds of this thread."""
        began = time.thread_time()
        full, self._full = self._full, False
        try:
            message = self._feed.full() if full else self._feed.delta()
            if message is not None and not self._closed:
                self._send(message)
                # what did not fit follows in the next
                self._changed.set()
            cost = time.thread_time() - began
            self._beside()
        except OSError:
            # The front end has gone, or the kernel is going; the run does not care who looks at it.
            self.close()
            return None
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the run's own displays
            _log.exception("the monitor stopped")
            self.broken = f"{type(error).__name__}: {error}"
            self.close()
            return None
        return cost if message is not None else None

    def _beside(self) -> None:
        """The work that may wait: as often as it costs 0.5 % of the time at most, and once more at the end."""
        now = time.monotonic()
        if now < self._rested and self._going():
            return
        began = time.thread_time()
        try:
            self._feed.background()
        except Exception:  # noqa: BLE001 - what is shown goes on without it
            _log.exception("a monitor could not look at nodes or values")
        self._rested = now + min(_LEISURE * (time.thread_time() - began), _LONGEST)

    def _ended(self) -> bool:
        """Whether the thread may end; whoever wakes it afterwards gets another one."""
        with self._lock:
            if self._changed.is_set() or self._full or (self._going() and not self._closed):
                return False
            self._thread = None
            return True
