"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["until"]


def until(condition: Callable[[], object], timeout: float = 10, what: str = "") -> None:
    """Return as soon as `condition()` is true; an `AssertionError` where that takes longer than `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what or f"not within {timeout:g} s: {condition}"
        time.sleep(0.002)
