"""What is said of a program that has ended: the line that tells why, and the signal that ended it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable

__all__ = ["killed_by", "last_words"]

_TELLING = re.compile(r"\b(?:[A-Za-z.]*(?:Error|Exception)|ERROR|error)\b\s*:")


def last_words(tail: Iterable[str]) -> str:
    """The line that says why a program failed: the last one that speaks of an error, else the last one; "" for none.

    >>> last_words(["Loss: 1", "ValueError: no such column", "bye"])
    'ValueError: no such column'
    """
    lines = [*tail]
    telling = [line for line in lines if _TELLING.search(line)]
    return next(iter([*telling[-1:], *lines[-1:]]), "")


def killed_by(exit_code: int) -> str:
    """`killed by SIGABRT` where a signal ended a program; "" where it ended by itself."""
    if exit_code >= 0:
        return ""
    known = {each.value: each.name for each in signal.Signals}
    return f"killed by {known.get(-exit_code, f'signal {-exit_code}')}"
