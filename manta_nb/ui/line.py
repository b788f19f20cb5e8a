"""The text after a magic's name, made into words: the comment dropped, variables put in, quotes taken off."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from IPython.utils.text import DollarFormatter

from manta_nb.errors import UsageError
from manta_nb.render import plain
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.ui.values import shown

__all__ = ["expand", "split", "without_comment"]

#: what follows `--data`, where it is one variable: `$var`, `{var}`, `name=$var`
_DATA = re.compile(r"(--data(?:\s+|\s*=\s*)(?:[\w.-]+=)?)(?:\$(\w+)|\{(\w+)\})(?=\s|$)")
#: values that mean their own text on a command line
_WORDS = (str, int, float, PurePath)


def without_comment(line: str) -> str:
    """`line` up to the first ` #` outside quotes."""
    quote = ""
    for position, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (position == 0 or line[position - 1].isspace()):
            return line[:position]
    return line


def expand(line: str, namespace: Mapping[str, Any]) -> str:
    """`$name` and `{expression}` replaced by their values, as on every magic line of IPython.

    A variable after `--data` that holds arrays stays `$name`: its text would be useless, the object is wanted.
    A line whose expressions fail stays as it is, as in IPython.
    """
    marked = _DATA.sub(lambda found: _kept(found, namespace), line)
    try:
        return str(DollarFormatter().vformat(marked, args=(), kwargs=dict(namespace)))
    except Exception:  # noqa: BLE001 - the expressions are the user's code, and may raise anything
        return line


def _kept(found: re.Match[str], namespace: Mapping[str, Any]) -> str:
    name = found[2] or found[3]
    value = namespace.get(name)
    # `$$name` is how the formatter writes a literal `$name`.
    return found[0] if value is None or isinstance(value, _WORDS) else f"{found[1]}$${name}"


def split(line: str, namespace: Mapping[str, Any] | None = None) -> list[str]:
    """The words of a magic line.

    Args:
        line: the text after the magic's name.
        namespace: where `$name` and `{name}` are looked up; None: nothing is expanded.

    Raises:
        UsageError: a quote is left open, or a variable on the line does not exist.
    """
    given = without_comment(line)
    expanded = given if namespace is None else expand(given, namespace)
    lexer = shlex.shlex(expanded, posix=True, punctuation_chars=False)
    # No escapes: a backslash belongs to a Windows path. Comments are gone already.
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    try:
        words = list(lexer)
    except ValueError:
        quote = next(char for char in reversed(expanded) if char in "'\"")
        rest = expanded[expanded.rindex(quote) :].strip()
        raise UsageError(
            f"a quote is left open at {shorten(plain(rest), 60)} : close it with another {quote}, or leave it out"
        ) from None
    if namespace is not None:
        _check_expanded(words, namespace)
    return words


def _check_expanded(words: list[str], namespace: Mapping[str, Any]) -> None:
    """An unknown `{name}` or `$name` would otherwise be reported as a wrong number."""
    for word in words:
        found = re.search(r"\{(\w+)\}|\$(\w+)", word)
        name = (found[1] or found[2]) if found else ""
        if name.isidentifier() and name not in namespace:
            likely = did_you_mean(name, [known for known in namespace if not known.startswith("_")])
            raise UsageError(
                f"{shown(word)} on the line: {shown(name)} is not defined in the notebook{likely}; "
                f"write {shown(name)} = … in a cell above, or the value itself"
            )
