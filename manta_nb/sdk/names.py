"""What a thing may be called, in which order names come, and which name was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from keyword import iskeyword

from manta_nb.errors import DataError, DefinitionError, NodeError

__all__ = [
    "check_dataset_name",
    "check_name",
    "check_node_id",
    "did_you_mean",
    "listed",
    "natural_key",
    "shorten",
]

#: the longest name, in characters, and in bytes as a file system counts them
_MOST_CHARACTERS, _MOST_BYTES = 100, 255

#: how alike two spellings must be, from 0 to 1: "iris" and "digits" are 0.6
_NEAR = 0.65
#: letters that make a part of a name worth a guess
_PART = 3


def check_node_id(text: str) -> str:
    """`text` if a node may be called so: 1–100 printable characters that are safe as the name of a folder.

    Accents and inner blanks are welcome (`Élève_1`); raises `NodeError` that says what is wrong.
    """
    if trouble := _trouble(text):
        raise NodeError(f"{shorten(repr(text), 60)} cannot be the name of a node: {trouble}")
    return text


def check_dataset_name(text: str) -> str:
    """`text` if a dataset, or one array of it, may be called so (as nodes are), or `DataError`."""
    if trouble := _trouble(text):
        raise DataError(f"{shorten(repr(text), 60)} cannot be the name of a dataset: {trouble}")
    return text


def check_name(text: str, what: str) -> str:
    """`text` if it is an identifier and no keyword; `what` (`"module"`) tells the error whose name it is."""
    if iskeyword(text):
        raise DefinitionError(f"{text!r} cannot be the name of a {what}: it is a word of Python itself")
    if not text.isidentifier():
        raise DefinitionError(
            f"{shorten(repr(text), 60)} cannot be the name of a {what}: "
            "use letters, digits and _ only, and no digit first"
        )
    return text


def natural_key(text: str) -> tuple[tuple[object, ...], str]:
    """A sort key that counts as people do: `node_2` before `node_10`, capitals among the others."""
    parts = re.split(r"([0-9]+)", text.casefold())
    # The length of the digits before the digits: orders numbers of any size without making an int of them.
    numbers = [digits.lstrip("0") for digits in parts[1::2]]
    mixed: list[object] = [*parts]
    mixed[1::2] = [(len(digits), digits) for digits in numbers]
    return tuple(mixed), text


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`" (did you mean 'digits'?)"` for the option nearest to `word`, or `""` where none is near."""
    spellings = {option.casefold(): option for option in options}
    typed = word.casefold()
    near = get_close_matches(typed, spellings, n=1, cutoff=_NEAR)
    # "acc" for "val_acc": far apart as spellings, and still meant
    near = near or [name for name in spellings if len(typed) >= _PART and typed in name]
    return f" (did you mean {spellings[near[0]]!r}?)" if near else ""


def listed(names: Sequence[str], most: int = 5) -> str:
    """`"a, b, c"`, each shortened, the ones after the first `most` counted: `"a, b and 7 more"`."""
    shown = ", ".join(shorten(name, 24) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def shorten(text: str, most: int) -> str:
    """`text`, its middle left out where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def _trouble(text: str) -> str:
    """Why `text` cannot be the name of a folder on every system, in a few words; "" if it can."""
    if not text or text in {".", ".."}:
        return "it must be a name"
    if len(text) > _MOST_CHARACTERS:
        return f"it has {len(text)} characters, {_MOST_CHARACTERS} at most"
    if text != text.strip():
        return "it begins or ends with a blank"
    if bad := [char for char in text if char in "/\\," or not char.isprintable()]:
        return f"it holds {bad[0]!r}"
    size = len(text.encode())
    return f"it takes {size} bytes, {_MOST_BYTES} at most" if size > _MOST_BYTES else ""
