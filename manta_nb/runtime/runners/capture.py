"""What a task prints and logs, line by line, on its way to the run's logs."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Capture", "LineWriter"]

LONGEST_LINE = 10_000
LAST_LINES = 20


class LineWriter(io.TextIOBase):
    """A text stream that hands on whole lines."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, level: str, emit: Callable[[str, str], None]) -> None:
        self._level = level
        self._emit = emit
        self._rest = ""
        # a task may print from several threads
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Take text; complete lines go out at once. A bare carriage return (a progress bar) ends a line, too."""
        with self._lock:
            lines = (self._rest + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._rest = lines.pop()[-LONGEST_LINE:]
            for line in lines:
                if line:
                    self._emit(self._level, line[:LONGEST_LINE])
        return len(text)

    def finish(self) -> None:
        """Hand on a last line without an end."""
        with self._lock:
            if self._rest:
                rest, self._rest = self._rest, ""
                self._emit(self._level, rest)

    def writable(self) -> bool:
        """Always."""
        return True


class Capture(logging.Handler):
    """Takes over standard output, standard error and the logger `manta` while a batch runs.

    Args:
        emit: called with (node's position, level, line).
    """

    def __init__(self, emit: Callable[[int, str, str], None]) -> None:
        super().__init__(logging.INFO)
        self._emit = emit
        self._node = -1
        self._out = LineWriter("stdout", self._line)
        self._err = LineWriter("stderr", self._line)
        #: the last lines of the turn under way
        self.last: deque[str] = deque(maxlen=LAST_LINES)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Capture while the block runs."""
        logger = logging.getLogger("manta")
        before = sys.stdout, sys.stderr, logger.level, logger.propagate
        sys.stdout, sys.stderr = self._out, self._err
        logger.addHandler(self)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            sys.stdout, sys.stderr, logger.level, logger.propagate = before
            logger.removeHandler(self)

    def begin(self, node: int) -> None:
        """What comes now belongs to this node, also where the last one replaced the streams."""
        self._node = node
        self.last.clear()
        sys.stdout, sys.stderr = self._out, self._err

    def end(self) -> None:
        """The node's turn is over."""
        self._out.finish()
        self._err.finish()

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        self._line(record.levelname, self.format(record))

    def _line(self, level: str, line: str) -> None:
        self.last.append(line)
        self._emit(self._node, level, line)
