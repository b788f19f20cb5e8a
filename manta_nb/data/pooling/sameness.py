"""What is the same on several nodes, and what of it is to be taken once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

__all__ = ["CHUNK", "Rows", "alike", "chunks", "digest", "taken_once"]

#: bytes that are read at a time
CHUNK: Final = 1 << 20
_PART = re.compile(r"train|test|val", re.IGNORECASE)


@dataclass(frozen=True)
class Rows:
    """Something of a name that several nodes have, a table or an array: how many rows, and whether they are alike."""

    name: str
    #: node → rows; None where it has none, as single numbers have
    rows: Mapping[str, int | None]
    same: bool


def taken_once(found: Sequence[Rows]) -> set[str]:
    """The names of what is the same on all nodes that have it, and is not one half of something that is not.

    Labels in the same order on each node look alike. They belong to samples that differ: what has as many rows on
    every node as something of the same part (train, test, val) that differs is put together as that is.

    Example:
        >>> taken_once([Rows("x", {"a": 2, "b": 2}, False), Rows("y", {"a": 2, "b": 2}, True)])
        set()
    """
    differ = {_fellows(each) for each in found if not each.same}
    return {each.name for each in found if each.same and _fellows(each) not in differ}


def _fellows(each: Rows) -> Hashable:
    part = _PART.search(each.name)
    return frozenset(each.rows.items()), part.group().lower() if part else ""


def alike(paths: Iterable[Path]) -> bool:
    """Whether files have the same content; read only where their sizes agree."""
    files = list(paths)
    return (
        len({path.stat().st_size for path in files}) == 1
        and len({digest(path.open("rb")) for path in files}) == 1
    )


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """What is left in a stream, a part at a time."""
    while chunk := stream.read(CHUNK):
        yield chunk


def digest(stream: IO[bytes]) -> bytes:
    """The sha256 of what is left in a stream, which is closed."""
    with stream:
        found = hashlib.sha256()
        for chunk in chunks(stream):
            found.update(chunk)
        return found.digest()
