"""Pieces of the report's HTML: each escapes what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TypeGuard

from manta_nb.render import esc, number

__all__ = ["badge", "code", "facts", "listed", "page", "section", "table", "text"]

#: what a browser may do with the file: show it. No script, nothing from anywhere
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

#: characters of a cell that stay on one line
_SHORT = 24


def text(value: object) -> str:
    """Escaped, and without characters that HTML has no place for."""
    return esc("".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in str(value)))


def page(title: str, style: str, body: str) -> str:
    """A whole document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n"
        "</html>\n"
    )


def section(heading: str, inner: str) -> str:
    """A part of the document; "" where there is nothing in it."""
    return f"<section>\n<h2>{text(heading)}</h2>\n{inner}\n</section>" if inner else ""


def badge(status: str) -> str:
    """The status of a run."""
    return f'<span class="badge {text(status)}">{text(status)}</span>'


def facts(pairs: Iterable[tuple[str, str, str]]) -> str:
    """Figures with what they are: `(what, figure, more about it)`."""
    inner = (
        f"<div><dt>{text(what)}</dt><dd>{text(figure)}{f' <small>{text(more)}</small>' if more else ''}</dd></div>"
        for what, figure, more in pairs
    )
    return f'<dl class="facts">{"".join(inner)}</dl>'


def code(content: str, wrap: bool = False) -> str:
    """A text in letters of one width."""
    return f"<pre{' class=wrap' if wrap else ''}>{text(content)}</pre>"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], note: str = "") -> str:
    """Rows under named columns; numbers, and texts that begin with one throughout, stand on the right."""
    sides = [index > 0 and _on_the_right([row[index] for row in rows]) for index in range(len(columns))]
    head = "".join(map(_cell, ["th"] * len(columns), columns, sides))
    body = "".join(f"<tr>{''.join(map(_cell, ['td'] * len(columns), row, sides))}</tr>" for row in rows)
    said = f'<p class="faint small">{text(note)}</p>' if note else ""
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{said}'
    )


def listed(pairs: Mapping[str, str]) -> str:
    """Names and what belongs to them, in columns."""
    inner = (f"<li>{text(name)} <span>{text(value)}</span></li>" for name, value in pairs.items())
    return f'<ul class="packages">{"".join(inner)}</ul>' if pairs else ""


def _cell(tag: str, value: object, right: bool) -> str:
    words = "" if value is None else number(value) if _counts(value) else str(value)
    # short words are never broken, long ones wherever they have to be
    long = len(words) > _SHORT and (tag == "th" or not right)
    kinds = " ".join(["right"] * right + ["long"] * long)
    return f'<{tag} class="{kinds}">{text(words)}</{tag}>' if kinds else f"<{tag}>{text(words)}</{tag}>"


def _on_the_right(cells: Sequence[object]) -> bool:
    given = [cell for cell in cells if cell is not None]
    return bool(given) and all(
        _counts(cell) or (isinstance(cell, str) and cell[:1].isdigit()) for cell in given
    )


def _counts(value: object) -> TypeGuard[Real]:
    return isinstance(value, Real) and not isinstance(value, bool)
