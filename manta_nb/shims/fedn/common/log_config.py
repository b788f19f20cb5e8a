"""The logger that packages print with: `from fedn.common.log_config import logger`.

Its lines go to standard error, as FEDn's do, with time and level.
"""

from __future__ import annotations

import logging
import sys

__all__ = ["formatter", "handler", "log_levels", "logger", "set_log_level_from_string", "set_log_stream"]

log_levels = {
    "CRITICAL": logging.CRITICAL,
    "DEBUG": logging.DEBUG,
    "ERROR": logging.ERROR,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
}


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to whatever `sys.stderr` is now: a program that is forked or captured has another one."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


formatter = logging.Formatter("%(asctime)s [%(levelname)s] %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
handler = _Handler()
handler.setFormatter(formatter)
logger = logging.getLogger("fedn")
logger.setLevel(logging.DEBUG)
# once, although `fedn` and `manta_nb.shims.fedn` are two modules
if not any(type(each).__name__ == _Handler.__name__ for each in logger.handlers):
    logger.addHandler(handler)


def set_log_level_from_string(level_str: str) -> None:
    """Set the level by its name, such as "INFO"; ValueError for another word."""
    level = log_levels.get(level_str.upper())
    if level is None:
        raise ValueError(f"Invalid log level: {level_str}")
    logger.setLevel(level)


def set_log_stream(log_file: str | None) -> None:
    """Write to a file instead; nothing changes where there is no name."""
    if not log_file:
        return
    for each in logger.handlers[:]:
        logger.removeHandler(each)
    to_file = logging.FileHandler(log_file)
    to_file.setFormatter(formatter)
    logger.addHandler(to_file)
