"""The messages of the live monitor while they are made: what is in them, and how much room is left.

What goes into `content` is JSON: no NaN and no infinity, no text that UTF-8 cannot say.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from manta_nb.sdk.names import shorten

__all__ = ["DELTA", "Draft", "Message", "Part", "clean", "finite", "fitting", "name", "packed", "weight"]

#: bytes of a delta, at most; what is left over follows in the next one
DELTA = 50_000
#: what the frame of a message and the names of its sections take
_FRAME = 1_000
#: a delta with so much room left holds little else
_EMPTY = 30_000
#: characters of a name
_NAME = 5_000

#: rows that are weighed together
_TOGETHER = 25

T = TypeVar("T")


@dataclass(frozen=True)
class Message:
    """A message to the browser: JSON, and the buffers that go with it."""

    content: dict[str, Any]
    buffers: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A message in the making. The first buffers are those of points or bands, then those of the disagreement."""

    room: float = math.inf
    content: dict[str, Any] = field(default_factory=dict)
    curves: list[bytes] = field(default_factory=list)
    buffers: list[bytes] = field(default_factory=list)

    @classmethod
    def of_delta(cls) -> Draft:
        """One that is kept small."""
        return cls(DELTA - _FRAME)

    @property
    def whole(self) -> bool:
        """Whether everything has to be in it."""
        return self.room == math.inf

    def put(self, section: str, body: Any, nbytes: float) -> None:
        """Add a section that takes about `nbytes`."""
        self.content[section] = body
        self.room -= nbytes

    def message(self, op: str, seq: int) -> Message:
        """The message as it is sent."""
        return Message({"op": op, "seq": seq, **self.content}, self.curves + self.buffers)


class Part(Protocol):
    """A section of the messages, or some that belong together; remembers what the browser has of it."""

    def reset(self) -> None:
        """The browser has nothing."""

    def add(self, draft: Draft) -> None:
        """Put in what the browser does not have yet, as far as there is room."""


def clean(text: str, most: int = 2_000) -> str:
    """A text that JSON can hold: cut to `most` characters, and without halves of characters."""
    if len(text) > most:
        text = shorten(text, most)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def name(text: str) -> str:
    """The name of a node, a task, a tag or a metric; the same one wherever it stands."""
    return clean(text, _NAME)


def weight(body: Any) -> int:
    """Bytes of `body` as JSON, at most."""
    return len(json.dumps(body))


def fitting(
    rows: Sequence[T], draft: Draft, share: int, make: Callable[[T], Any], alone: float = _EMPTY
) -> tuple[list[Any], int]:
    """The first of `rows`, made ready to be sent, that take no more than `share` bytes; and how much they take.

    A row that is larger than that goes alone, when there is little else: so much room, `alone`.
    """
    if draft.whole:
        return list(map(make, rows)), 0
    made: list[Any] = []
    taken, room = 0, min(share, draft.room)
    for start in range(0, len(rows), _TOGETHER):
        bodies = list(map(make, rows[start : start + _TOGETHER]))
        size = weight(bodies)
        if taken + size <= room:
            made += bodies
            taken += size
            continue
        for body in bodies:
            size = weight(body) + 2
            fits = taken + size <= room
            if not fits and (made or draft.room < alone):
                break
            made.append(body)
            taken += size
            if not fits:
                break
        break
    return made, taken


def finite(value: float | np.floating[Any], digits: int = 6) -> float | None:
    """A number that JSON can hold: `digits` significant ones; None for NaN and infinities."""
    number = float(value)
    return float(f"{number:.{digits}g}") if math.isfinite(number) else None


def packed(columns: Sequence[npt.NDArray[Any]], dtype: str) -> bytes:
    """Columns as rows, one behind the other."""
    table = np.empty((len(columns[0]), len(columns)), dtype)
    for index, column in enumerate(columns):
        table[:, index] = column
    return table.tobytes()
