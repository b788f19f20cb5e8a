"""What everything displayed is made of: each thing as aligned text and as HTML, in the same words.

* `Table`, `Card`: rows in columns; a title with lines and folds;
* `bar`: a fraction drawn inside a line or a cell;
* `Shown`: the base of whatever may be put into one of them as it is. Anything else is escaped.

The HTML has inline styles only and no script, takes its colours from the page (dark or light), breaks long
words instead of growing wide, and says the same where a host strips every style, as GitHub does.
"""

from __future__ import annotations

import html
import math
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from textwrap import indent
from typing import ClassVar, TypeGuard

__all__ = ["Card", "Shown", "Table", "bar", "esc", "number", "plain"]

_LINE = "solid var(--jp-border-color2, #8884)"
_BOX = "max-width:100%;overflow-wrap:anywhere;color:var(--jp-ui-font-color1, inherit);background:transparent"
_TABLE = f"{_BOX};table-layout:auto;margin:0;border-collapse:collapse;font-variant-numeric:tabular-nums"
_FAINT = "opacity:.7;text-align:left"
#: a cell is cut here in the text form; the HTML form wraps instead
_CELL = 60
#: words of up to so many characters are not broken
_WORD = 12


class Shown(ABC):
    """Something with a text and an HTML form; a notebook displays the second, a terminal the first."""

    #: stands on the right of its column in a `Table`, as numbers do
    right: ClassVar[bool] = False

    @abstractmethod
    def __str__(self) -> str:
        """The text form."""

    @abstractmethod
    def _repr_html_(self) -> str:
        """The HTML form, everything from outside escaped."""

    def __repr__(self) -> str:
        return str(self)


def esc(text: object) -> str:
    """`text` safe inside HTML and its attributes, also where it holds broken Unicode."""
    # A lone surrogate (an undecodable file name) would make the whole notebook impossible to save.
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"), quote=True)


def plain(text: object) -> str:
    """`text` on one line and without control characters, so that it cannot move a terminal's cursor."""
    return "".join(char if char.isprintable() else " " for char in str(text))


def number(value: Real | float) -> str:
    """A number as people read it: `1437`, `0.9123`, `12346`, `1.2e-05`, `nan`."""
    if isinstance(value, Integral):
        return str(int(value))
    return f"{float(value):.0f}" if 1e4 <= abs(float(value)) < 1e15 else f"{float(value):.4g}"


@dataclass(frozen=True, repr=False)
class Table(Shown):
    """Rows under named columns; at most `limit` are shown, the rest is counted.

    A column of numbers stands on the right. A cell may be a `Shown`, such as `bar(0.4)`; None is empty.
    ```
    Table(["node", "samples"], [["node_0", 180], ["node_1", 179]], caption="digits")
    ```
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    limit: int = 50

    def __str__(self) -> str:
        cells = [[_cut(_text(cell)) for cell in row] for row in self._seen()]
        header = [_cut(plain(column)) for column in self.columns]
        widths = [max(map(_width, column)) for column in zip(header, *cells, strict=True)]
        lines = [header, ["─" * width for width in widths], *cells]
        sides = self._sides()
        body = ["  ".join(map(_pad, line, widths, sides)).rstrip() for line in lines]
        return "\n".join(filter(None, [plain(self.caption), *body, self._more()]))

    def _repr_html_(self) -> str:
        sides = self._sides()
        caption = f'<caption style="{_FAINT}">{esc(self.caption)}</caption>' if self.caption else ""
        head = _row("th", self.columns, sides)
        body = "".join(_row("td", row, sides) for row in self._seen())
        more = f'<div style="{_FAINT}">{self._more()}</div>' if self._more() else ""
        return f'<table style="{_TABLE}">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>{more}'

    def _seen(self) -> Sequence[Sequence[object]]:
        return self.rows[: self.limit]

    def _more(self) -> str:
        left = len(self.rows) - self.limit
        return f"… and {left} more" if left > 0 else ""

    def _sides(self) -> list[bool]:
        """For each column: is it on the right?"""
        return [_on_the_right([row[index] for row in self._seen()]) for index in range(len(self.columns))]


@dataclass(frozen=True, repr=False)
class Card(Shown):
    """A title, some lines (text or `Shown`), and folds: `(summary, text or Shown)`, closed in HTML.

    ```
    Card("worker v2", ["every node with data", table], details=[("source", text)])
    ```
    """

    title: str
    lines: Sequence[object] = ()
    details: Sequence[tuple[str, object]] = ()

    def __str__(self) -> str:
        folds = (f"{plain(summary)}:\n{indent(_text(inner), '  ')}" for summary, inner in self.details)
        return "\n".join([plain(self.title), *map(_text, self.lines), *folds])

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{_html(line)}</div>" for line in self.lines)
        folds = "".join(
            f"<details><summary>{esc(summary)}</summary>{_html(inner)}</details>"
            for summary, inner in self.details
        )
        style = f"{_BOX};border-left:3px {_LINE};padding:2px 0 2px 10px"
        return f'<div style="{style}"><div><b>{esc(self.title)}</b></div>{lines}{folds}</div>'


@dataclass(frozen=True, repr=False)
class _Bar(Shown):
    fraction: float
    label: str
    width: int

    def __str__(self) -> str:
        full, eighths = divmod(round(self.fraction * self.width * 8), 8)
        blocks = "█" * full + ("", *"▏▎▍▌▋▊▉")[eighths]
        return f"{blocks:<{self.width}} {self.label}"

    def _repr_html_(self) -> str:
        end = f"{100 * self.fraction:.1f}%"
        fill = f"linear-gradient(to right, rgba(66,133,244,.45) {end}, rgba(128,128,128,.15) {end})"
        style = f"display:inline-block;min-width:{self.width}ch;padding:0 4px;background:{fill}"
        return f'<span style="{style}">{esc(self.label)}</span>'


def bar(fraction: float, label: str | None = None, width: int = 10) -> Shown:
    """A bar filled to `fraction` (0 to 1, clamped; NaN is empty), `width` characters wide, with its label.

    The label is the percentage where none is given; in HTML it stands inside the bar.
    """
    part = 0.0 if math.isnan(fraction) else min(1.0, max(0.0, fraction))
    return _Bar(part, plain(f"{part:.0%}" if label is None else label), width)


def _is_number(thing: object) -> TypeGuard[Real]:
    return isinstance(thing, Real) and not isinstance(thing, bool)


def _words(thing: object) -> str:
    return "" if thing is None else number(thing) if _is_number(thing) else str(thing)


def _text(thing: object) -> str:
    return "\n".join(map(plain, _words(thing).split("\n")))


def _html(thing: object) -> str:
    return thing._repr_html_() if isinstance(thing, Shown) else esc(_words(thing)).replace("\n", "<br>")


def _row(tag: str, cells: Sequence[object], sides: Sequence[bool]) -> str:
    inner = "".join(map(_td, [tag] * len(cells), cells, sides, range(len(cells))))
    return f'<tr style="border-bottom:1px {_LINE}">{inner}</tr>'


def _td(tag: str, cell: object, right: bool, column: int) -> str:
    # Numbers and the short names in front of them are never broken; a long heading may be, between its words.
    words = _words(cell)
    whole = tag == "td" and (right or (column == 0 and len(words) <= 24))
    short = max(map(len, words.split()), default=0) <= _WORD
    style = f"text-align:{'right' if right else 'left'}{';white-space:nowrap' * whole}"
    style += ";overflow-wrap:normal" * (short and not whole)
    return f'<{tag} style="padding:2px 8px;{style}">{_html(cell)}</{tag}>'


def _on_the_right(cells: Sequence[object]) -> bool:
    given = [cell for cell in cells if cell is not None]
    return bool(given) and all(cell.right if isinstance(cell, Shown) else _is_number(cell) for cell in given)


def _cut(text: str) -> str:
    return plain(text if len(text) <= _CELL else text[: _CELL - 1] + "…")


def _width(text: str) -> int:
    """Columns in a terminal: East Asian wide characters take two, combining marks none."""
    combining, wide = unicodedata.combining, unicodedata.east_asian_width
    return sum(0 if combining(char) else 2 if wide(char) in "WF" else 1 for char in text)


def _pad(text: str, width: int, right: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if right else text + blank
