"""What a task prints and logs, line by line, on its way to the run's logs."""

from __future__ import annotations

import io
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["LineWriter", "captured"]

LONGEST_LINE = 10_000


class LineWriter(io.TextIOBase):
    """A text stream that hands on whole lines."""

    def __init__(self, level: str, emit: Callable[[str, str], None]) -> None:
        self._level = level
        self._emit = emit
        self._rest = ""

    def write(self, text: str) -> int:
        """Take text; complete lines go out at once. A bare carriage return (a progress bar) ends a line, too."""
        lines = (self._rest + text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = lines.pop()[-LONGEST_LINE:]
        for line in lines:
            if line:
                self._emit(self._level, line[:LONGEST_LINE])
        return len(text)

    def finish(self) -> None:
        """Hand on a last line without an end."""
        rest, self._rest = self._rest, ""
        if rest:
            self._emit(self._level, rest)

    def writable(self) -> bool:
        """Always."""
        return True


class _LogHandler(logging.Handler):
    def __init__(self, emit: Callable[[str, str], None]) -> None:
        super().__init__(logging.INFO)
        self._emit = emit

    def emit(self, record: logging.LogRecord) -> None:
        self._emit(record.levelname, self.format(record))


@contextmanager
def captured(emit: Callable[[str, str], None], keep: deque[str]) -> Iterator[None]:
    """Send what the block prints or logs to `emit(level, line)`, and keep the last lines in `keep`."""

    def both(level: str, line: str) -> None:
        keep.append(line)
        emit(level, line)

    out, err = LineWriter("stdout", both), LineWriter("stderr", both)
    handler = _LogHandler(both)
    logger = logging.getLogger("manta")
    before = sys.stdout, sys.stderr, logger.level, logger.propagate
    sys.stdout, sys.stderr = out, err
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        sys.stdout, sys.stderr, logger.level, logger.propagate = before
        logger.removeHandler(handler)
        out.finish()
        err.finish()
