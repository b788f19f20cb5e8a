"""Failpoints: `MANTA_FAIL_AT=before_commit:3` ends this process, as kill -9 does, at its commit of iteration 3."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from manta_nb.errors import StoreError
from manta_nb.sdk.names import shorten

__all__ = ["VARIABLE", "Failpoint"]

VARIABLE: Final = "MANTA_FAIL_AT"
#: before anything is written; inside the transaction, with the files of the values written; right after it
_PLACES: Final = ("before_commit", "during_commit", "after_commit")


@dataclass(frozen=True)
class Failpoint:
    """A place in a commit at which this process dies; by default none."""

    place: str = ""
    #: of the commit after so many iterations; None: of the first one
    iterations: int | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Failpoint:
        """What `MANTA_FAIL_AT` asks for."""
        text = environ.get(VARIABLE, "")
        place, _, number = text.partition(":")
        if not text:
            return cls()
        if place not in _PLACES or (number and not number.isascii()) or (number and not number.isdigit()):
            raise StoreError(
                f"{VARIABLE} must be {', '.join(_PLACES)}, or one of them with an iteration as in "
                f"'during_commit:3', got {shorten(repr(text), 40)}"
            )
        return cls(place, int(number) if number else None)

    def reach(self, place: str, iterations: int) -> None:
        """Die here if this is the place."""
        if place == self.place and self.iterations in {None, iterations}:
            os.kill(os.getpid(), signal.SIGKILL)
