"""`Spare`: Results of finished runs, which are kept while there is room for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psutil

__all__ = ["Spare"]

#: they take at most this share of the machine's memory
SHARE = 0.25


class Spare:
    """Segments that nobody needs but who looks at a finished run: the oldest go first. Not locked.

    Args:
        limit: bytes that they take at most; None: a quarter of the machine's memory.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = int(psutil.virtual_memory().total * SHARE) if limit is None else limit
        #: bytes by key, the oldest first
        self._sizes: dict[str, int] = {}
        #: those that had to go
        self.gone: set[str] = set()

    def add(self, sizes: Mapping[str, int]) -> list[str]:
        """Another run has finished; returns what has to go for its segments, never these themselves."""
        self.forget(sizes)
        old = list(self._sizes)
        self._sizes.update(sizes)
        total, going = sum(self._sizes.values()), []
        for key in old:
            if total <= self._limit:
                break
            total -= self._sizes.pop(key)
            going.append(key)
        self.gone.update(going)
        return going

    def forget(self, keys: Iterable[str]) -> None:
        """These went, or somebody needs them again."""
        for key in keys:
            self._sizes.pop(key, None)
