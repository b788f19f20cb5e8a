"""The logger `SwarmCallback`, which scripts turn to DEBUG and write their own lines to."""

from __future__ import annotations

import logging
import sys

__all__ = ["own_logger"]


class _Printing(logging.Handler):
    """Prints to the standard output there is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record, at once: the line is read while the script still runs."""
        try:
            sys.stdout.write(f"{self.format(record)}\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self.handleError(record)


def own_logger() -> logging.Logger:
    """The logger of scripts that bring none: level INFO, lines with time and level on standard output."""
    logger = logging.getLogger("SwarmCallback")
    if not any(type(handler).__name__ == _Printing.__name__ for handler in logger.handlers):
        handler = _Printing()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    # A root logger with a handler, TensorFlow's for one, would print each line again.
    logger.propagate = False
    return logger
