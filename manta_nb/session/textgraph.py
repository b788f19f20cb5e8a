"""A task graph drawn with box characters, as in the page of the seeds.

```
┌───────────┐    ┌───────────────┐    ┌──────────────┐
│ worker ×8 │───>│ aggregator ×1 │───>│ scheduler ×1 │── may stop ──> end
└───────────┘    └───────────────┘    └──────────────┘
      ^                                      │
      └────────── next iteration ────────────┘
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from manta_nb.session.layout import Layout, Place

__all__ = ["draw_text"]

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
#: the character for each set of directions in which lines leave a cell
_LINES = " │││─┘┐┤─└┌├─┴┬┼"
_END = " ── may stop ──> end"


@dataclass
class _Canvas:
    """Lines by the directions in which they leave each cell, and texts over them."""

    lines: dict[tuple[int, int], int] = field(default_factory=dict)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)

    def line(self, *points: tuple[int, int]) -> None:
        """Straight strokes through points `(x, y)`, each on one row or one column with the next."""
        for (x, y), (to_x, to_y) in pairwise(points):
            while (x, y) != (to_x, to_y):
                dx, dy = (to_x > x) - (to_x < x), (to_y > y) - (to_y < y)
                out, back = {(1, 0): (_RIGHT, _LEFT), (-1, 0): (_LEFT, _RIGHT), (0, 1): (_DOWN, _UP)}.get(
                    (dx, dy), (_UP, _DOWN)
                )
                self.lines[x, y] = self.lines.get((x, y), 0) | out
                x, y = x + dx, y + dy  # noqa: PLW2901 - walks from corner to corner
                self.lines[x, y] = self.lines.get((x, y), 0) | back

    def text(self, x: int, y: int, text: str) -> None:
        """Text from `(x, y)` to the right, over any line."""
        self.texts |= {(x + index, y): char for index, char in enumerate(text)}

    def __str__(self) -> str:
        cells = {at: _LINES[directions] for at, directions in self.lines.items()} | self.texts
        rows: dict[int, dict[int, str]] = {}
        for (x, y), char in cells.items():
            rows.setdefault(y, {})[x] = char
        return "\n".join(
            "".join(rows.get(y, {}).get(x, " ") for x in range(max(rows.get(y, {}), default=-1) + 1))
            for y in range(max(rows, default=-1) + 1)
        )


def draw_text(layout: Layout, labels: Mapping[str, str], stops: Iterable[str]) -> str:
    """The graph with these labels as text; `stops` are the tasks that may end it."""
    canvas = _Canvas()
    sources = [place for place in layout.layers[0] if isinstance(place, str)]
    columns = _columns(layout, labels, start=0 if len(sources) == 1 else 4)
    for layer, (left, right) in zip(layout.layers, columns, strict=True):
        for place in layer:
            y = 1 + 2 * layout.rows[place]
            if isinstance(place, str):
                _box(canvas, left, right, y, labels[place])
            else:
                canvas.line((left, y), (right, y))
    _edges(canvas, layout, columns)
    for place in set(stops) & set(layout.layers[-1]):
        canvas.text(columns[-1][1] + 1, 1 + 2 * layout.rows[place], _END.strip())
    _loop(canvas, layout, columns, [1 + 2 * layout.rows[place] for place in sources])
    return str(canvas)


def _columns(layout: Layout, labels: Mapping[str, str], start: int) -> list[tuple[int, int]]:
    """Left and right edge of the boxes of each layer."""
    columns = []
    for index, layer in enumerate(layout.layers):
        width = max((len(labels[place]) + 4 for place in layer if isinstance(place, str)), default=5)
        columns.append((start, start + width - 1))
        start += width + 4 + 2 * (len(_tracks(layout, index)) - 1 if index + 1 < len(layout.layers) else 0)
    return columns


def _tracks(layout: Layout, layer: int) -> dict[Place, int]:
    """The vertical line each place uses on its right: those that lead to the same places share one."""
    leads: dict[Place, list[Place]] = {}
    for at, source, target in layout.steps:
        if at == layer:
            leads.setdefault(source, []).append(target)
    shared: dict[frozenset[Place], int] = {}
    return {place: shared.setdefault(frozenset(to), len(shared)) for place, to in leads.items()}


def _box(canvas: _Canvas, left: int, right: int, y: int, label: str) -> None:
    canvas.line((left, y - 1), (right, y - 1), (right, y + 1), (left, y + 1), (left, y - 1))
    canvas.text(left + 1, y, label.center(right - left - 1))


def _edges(canvas: _Canvas, layout: Layout, columns: Sequence[tuple[int, int]]) -> None:
    for at, source, target in layout.steps:
        right, left = columns[at][1], columns[at + 1][0]
        turn = right + 2 + 2 * _tracks(layout, at)[source]
        y, to_y = 1 + 2 * layout.rows[source], 1 + 2 * layout.rows[target]
        start = right + isinstance(source, str)
        canvas.line((start, y), (turn, y), (turn, to_y), (left - isinstance(target, str), to_y))
        if isinstance(target, str):
            canvas.text(left - 1, to_y, ">")


def _loop(
    canvas: _Canvas, layout: Layout, columns: Sequence[tuple[int, int]], sources: Sequence[int]
) -> None:
    """The way from the last task back to the first ones."""
    bottom = 2 * layout.height + 2
    last = 1 + 2 * max(layout.rows[place] for place in layout.layers[-1])
    from_x = sum(columns[-1]) // 2
    if len(sources) == 1:
        to_x = sum(columns[0]) // 2 - (len(columns) == 1)
        canvas.line(
            (from_x + (len(columns) == 1), last + 2), (from_x + (len(columns) == 1), bottom), (to_x, bottom)
        )
        canvas.line((to_x, bottom), (to_x, sources[0] + 2))
        canvas.text(to_x, sources[0] + 2, "^")
    else:
        to_x = 0
        canvas.line((from_x, last + 2), (from_x, bottom), (to_x, bottom))
        for y in sources:
            canvas.line((to_x, bottom), (to_x, y), (columns[0][0] - 1, y))
            canvas.text(columns[0][0] - 1, y, ">")
    said = " next iteration "
    room = from_x - to_x - 1 - len(said)
    if room >= 2:
        canvas.text(to_x + 1 + room // 2, bottom, said)
    else:
        canvas.text(max(from_x, to_x) + 3, bottom, said.strip())
