"""How the text of an option becomes a value: each reader checks while it parses and says what it wants.

A reader takes the option's name (for the message) and the text; what it cannot read is a `UsageError` such as
`--nodes must be a whole number ≥ 1, got -3`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from manta_nb.errors import UsageError
from manta_nb.render import plain
from manta_nb.sdk.names import did_you_mean, shorten

__all__ = [
    "Reader",
    "choice",
    "identifier",
    "identifiers",
    "iterations",
    "memory",
    "names",
    "number",
    "ratios",
    "seconds",
    "share",
    "shown",
    "text",
    "variable",
    "whole",
]

Reader = Callable[[str, str], Any]

_WHOLE = re.compile(r"[+-]?[0-9]+")
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)?\s*([kMGT]i?)?B?", re.IGNORECASE)
#: the longest number worth turning into one: int() of more digits than 4300 raises, and nobody means it
_LONGEST = 18


def text(option: str, word: str) -> str:
    """Any text but an empty one."""
    if not word.strip():
        raise _wrong(option, "a text", word)
    return word


def identifier(option: str, word: str) -> str:
    """A name as Python variables have it, and no word of Python itself."""
    if not word.isidentifier() or iskeyword(word):
        raise _wrong(option, "a name of letters, digits and _, no digit first and no word of Python,", word)
    return word


def names(option: str, word: str) -> tuple[str, ...]:
    """Names with commas between them: `node_0,node_3`."""
    found = tuple(part.strip() for part in word.split(","))
    if not all(found):
        raise _wrong(option, "names with commas between them, such as a,b", word)
    return found


def identifiers(option: str, word: str) -> tuple[str, ...]:
    """Names as Python variables have them, with commas between: `worker,evaluate`."""
    return tuple(identifier(option, part) for part in names(option, word))


def whole(least: int) -> Reader:
    """A reader of whole numbers of at least `least`."""

    def read(option: str, word: str) -> int:
        value = _int(word)
        if value is None or value < least:
            raise _wrong(option, f"a whole number ≥ {least}", word)
        return value

    return read


def number(above: float) -> Reader:
    """A reader of finite numbers greater than `above`."""

    def read(option: str, word: str) -> float:
        value = _float(word)
        if value is None or value <= above:
            raise _wrong(option, f"a finite number > {above:g}", word)
        return value

    return read


def seconds(option: str, word: str) -> float:
    """A length of time: a finite number from 0."""
    value = _float(word)
    if value is None or value < 0:
        raise _wrong(option, "a number of seconds ≥ 0", word)
    return value


def variable(option: str, word: str) -> tuple[str, str]:
    """A variable of a program's environment: `MAX_EPOCHS=5`; its value may be empty."""
    name, equals, value = word.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{option} takes NAME=VALUE, got {shown(word) or 'nothing'}")
    return name.strip(), value


def iterations(option: str, word: str) -> int | str:
    """A whole number of at least 1, or `forever`."""
    if word == "forever":
        return word
    value = _int(word)
    if value is None or value < 1:
        raise _wrong(option, "a whole number ≥ 1 or forever", word)
    return value


def share(option: str, word: str) -> int | float:
    """A count of nodes (`3`) or a fraction of them (`0.5`)."""
    count = _int(word)
    if count is not None and count >= 1:
        return count
    fraction = _float(word)
    if count is None and fraction is not None and 0 < fraction < 1:
        return fraction
    raise _wrong(option, "a whole number ≥ 1 or a fraction such as 0.5", word)


def ratios(option: str, word: str) -> tuple[float, ...]:
    """Positive numbers with commas between them: `1,2,7`."""
    found = tuple(_float(part) for part in word.split(","))
    good = tuple(value for value in found if value is not None and value > 0)
    if len(good) != len(found):
        raise _wrong(option, "positive numbers with commas between them, such as 1,2,7", word)
    return good


def memory(option: str, word: str) -> str:
    """An amount of memory: `512MB`, `2 GiB`, or bytes."""
    if _SIZE.fullmatch(word) is None or not re.search("[1-9]", word):
        raise _wrong(option, "an amount of memory such as 512MB", word)
    return word


def choice(*allowed: str) -> Reader:
    """A reader of one word out of `allowed`."""

    def read(option: str, word: str) -> str:
        if word not in allowed:
            likely = did_you_mean(word, allowed)
            raise UsageError(f"{option} must be {' or '.join(allowed)}, got {shown(word)}{likely}")
        return word

    return read


def shown(word: str) -> str:
    """`word` as an error shows it: short, and without control characters."""
    return shorten(plain(word), 40)


def _int(word: str) -> int | None:
    if _WHOLE.fullmatch(word) is None or len(word) > _LONGEST:
        return None
    return int(word)


def _float(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in word else None


def _wrong(option: str, wanted: str, got: str) -> UsageError:
    return UsageError(f"{option} must be {wanted}, got {shown(got) or 'nothing'}")
