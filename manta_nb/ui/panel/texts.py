"""Texts that people wrote, made fit for a message: short, and such that JSON can hold them; and how long rows are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, TypeVar

from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["clean", "finite", "fitting", "said", "weight"]

Row = TypeVar("Row", bound=Mapping[str, Any])


def clean(text: object, most: int = 200) -> str:
    """`text` with at most so many characters, and without halves of characters."""
    cut = shorten(str(text), most)
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")


def said(text: object) -> str:
    """`text` on one line of at most 200 characters."""
    return clean(one_line(str(text)))


def weight(body: object) -> int:
    """Bytes of `body` as JSON, at most.

    Raises:
        ValueError: it cannot be sent: a number that is none, or half a character.
    """
    made = json.dumps(body, allow_nan=False)
    if "\\ud" in made:
        json.dumps(body, ensure_ascii=False).encode()
    return len(made)


def finite(number: float) -> float:
    """The number; 0 where JSON has none for it."""
    return number if isfinite(number) else 0.0


def fitting(rows: Iterable[Row], room: int) -> list[Row]:
    """The first of `rows` that take no more than `room` bytes together, less those that take most of it alone."""
    made: list[Row] = []
    most = room // 2
    for row in rows:
        size = weight(row) + 2
        if size > most:
            continue
        room -= size
        if room < 0:
            break
        made.append(row)
    return made
