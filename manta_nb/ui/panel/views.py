"""`View`: one page that looks at this kernel, what it has been sent, and the comm that goes there."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from manta_nb.ui.panel.sections import Section

__all__ = ["GONE", "DataComm", "View"]

#: seconds without a word after which a page that used to say `here` has gone
GONE = 300.0
#: bytes of one message; what is left over follows at once
MOST_BYTES = 95_000


class DataComm(Protocol):
    """A comm that a page opened; nothing but this is used of it."""

    def send(self, data: Any) -> None:
        """Send a message."""

    def close(self) -> None:
        """Tell the page that nobody is there."""

    def on_close(self, callback: Callable[[Any], None]) -> None:
        """Call back when the page has closed it."""


class View:
    """What one page knows of this kernel. It is sent to from several threads, in whole messages.

    Args:
        token: names it on both of its comms.
        comm: goes to the page.
        clock: seconds, as `time.monotonic` counts them.
    """

    def __init__(self, token: str, comm: DataComm, clock: Callable[[], float] = time.monotonic) -> None:
        self.token = token
        self.comm = comm
        #: id of the run whose values are shown; "": the latest
        self.chosen = ""
        self.closed = False
        self._clock = clock
        #: when the page said something the last time; and whether it says now and then that it is there
        self._heard, self._tells = clock(), False
        #: whether what the page says comes on the main thread, as without subshells: then it waits for the cell
        self.waits = _on_main()
        self._full = True
        self._seq = 0
        #: section → its revision as the page has it
        self._has: dict[str, object] = {}
        self._lock = threading.Lock()
        # What is sent in the name of the page's own message, the kernel answers on the page's own shell.
        self._context = contextvars.copy_context()

    def heard(self, op: object = "") -> None:
        """The page has said something, which came on this thread."""
        self._heard, self.waits = self._clock(), _on_main()
        self._tells = self._tells or op == "here"

    def excuse(self) -> None:
        """The page could not be heard, as a cell runs."""
        self._heard = self._clock()

    @property
    def silence(self) -> float:
        """Seconds since the page said something."""
        return self._clock() - self._heard

    @property
    def gone(self) -> bool:
        """Whether the page has gone without a word."""
        return self._tells and self.silence > GONE

    def ask_full(self) -> None:
        """The page wants everything."""
        self._full = True

    def update(self, sections: Mapping[str, Section]) -> None:
        """Send the sections that the page does not have as they are now."""
        full = self._full
        has = {} if full else self._has
        fresh = {name: each for name, each in sections.items() if has.get(name) is not each.revision}
        part: dict[str, Section] = {}
        room = MOST_BYTES
        for name, section in fresh.items():
            if part and section.size > room:
                self._deliver(part, full)
                part, room, full = {}, MOST_BYTES, False
            part[name] = section
            room -= section.size
        if part:
            self._deliver(part, full)

    def _deliver(self, part: Mapping[str, Section], full: bool) -> None:
        """Send these sections; only what could be sent counts as what the page has."""
        if full:
            # before it is sent: the page may say hello once more meanwhile
            self._full = False
        try:
            self._state({name: section.body for name, section in part.items()}, full)
        except BaseException:
            self._full = self._full or full
            raise
        if full:
            self._has.clear()
        self._has.update({name: section.revision for name, section in part.items()})

    def _state(self, part: Mapping[str, Any], full: bool) -> None:
        body = dict(part)
        if "runs" in body:
            body |= body["runs"]
        self.send({"op": "state", "seq": self._seq + 1, "full": full, **body})
        self._seq += 1

    def send(self, content: Mapping[str, Any]) -> None:
        """Send one message, unless the page has gone."""
        with self._lock:
            if not self.closed:
                self._context.copy().run(self.comm.send, dict(content))

    def close(self) -> None:
        """Tell the page that there is nothing more to come."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
        self._context.copy().run(self.comm.close)


def _on_main() -> bool:
    return threading.current_thread() is threading.main_thread()
