"""A task graph as SVG inside HTML: no script, no style sheet, readable on a dark and on a light page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from manta_nb.render import esc
from manta_nb.session.layout import Layout, Place

__all__ = ["STATE_COLORS", "Box", "State", "draw_svg"]

State = Literal["pending", "running", "done", "failed"]

#: middle tones that stand out on black and on white
STATE_COLORS: Mapping[str, str] = {
    "pending": "#8a919e",
    "running": "#3b82f6",
    "done": "#2f9e6b",
    "failed": "#e5484d",
}
_WIDEST = 600
#: below this scale letters cannot be read; a wider graph scrolls
_SMALLEST = 0.7
_CHAR, _BOX_HEIGHT, _ROW, _GAP, _MARGIN = 7.3, 32, 25, 46, 4
_SMALL = 'font-size="10.5" opacity=".75"'
_FONT = "font-family:var(--jp-ui-font-family, system-ui, sans-serif)"


@dataclass(frozen=True)
class Box:
    """One task as it is drawn: its label such as `worker ×8`, its colour, and what hovering says."""

    label: str
    state: State = "pending"
    title: str = ""


@dataclass(frozen=True)
class _Spot:
    """A rectangle; a bend has no height."""

    left: float
    right: float
    y: float
    half: float = _BOX_HEIGHT / 2

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def top(self) -> float:
        return self.y - self.half

    @property
    def bottom(self) -> float:
        return self.y + self.half


#: from the middle of the last task to the end of the loop's label
_LABEL = 108


def draw_svg(layout: Layout, boxes: Mapping[str, Box], stops: Iterable[str], said: str) -> str:
    """The graph as HTML; `stops` are the tasks that may end it, `said` describes it to a screen reader."""
    ending = set(stops)
    early = ending - set(layout.layers[-1])
    several = len(layout.layers[0]) > 1
    spots = _spots(layout, boxes, left=_MARGIN + 26 * several, top=_MARGIN + 24 * bool(early))
    right = max(spot.right for spot in spots.values())
    lane = max(spot.bottom for spot in spots.values()) + 18
    drawn = [
        _step(spots[source], spots[target], isinstance(target, str)) for _, source, target in layout.steps
    ]
    drawn += [_box(spots[alias], box) for alias, box in boxes.items()]
    drawn.append(_loop(spots, layout, lane))
    # where the loop is too narrow for its label, that stands on its right
    width = max(right + _MARGIN, *(spots[place].middle + _LABEL for place in layout.layers[-1]))
    if ending:
        drawn.append(_end(spots, layout, ending, right))
        width = right + 118
    height = lane + 20
    return (
        f'<div style="max-width:{_WIDEST}px;overflow-x:auto">'
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{esc(said)}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="100%" '
        f'style="display:block;max-width:{min(width, _WIDEST):.0f}px;min-width:{min(width, width * _SMALLEST):.0f}px;'
        f'height:auto;{_FONT};font-size:12.5px" fill="none" stroke="currentColor" stroke-width="1.3">'
        f"{''.join(drawn)}</svg></div>"
    )


def _spots(layout: Layout, boxes: Mapping[str, Box], left: float, top: float) -> dict[Place, _Spot]:
    spots: dict[Place, _Spot] = {}
    for layer in layout.layers:
        width = max((len(boxes[p].label) * _CHAR + 24 for p in layer if isinstance(p, str)), default=10.0)
        for place in layer:
            y = top + _BOX_HEIGHT / 2 + _ROW * layout.rows[place]
            spots[place] = _Spot(left, left + width, y, _BOX_HEIGHT / 2 if isinstance(place, str) else 0)
        left += width + _GAP
    return spots


def _box(spot: _Spot, box: Box) -> str:
    color = STATE_COLORS[box.state]
    dashed = ' stroke-dasharray="4 3"' if box.state == "pending" else ""
    weight = "600" if box.state in ("running", "failed") else "400"
    return (
        f'<g><title>{esc(box.title or box.label)}</title><rect x="{spot.left:.1f}" y="{spot.top:.1f}" '
        f'width="{spot.right - spot.left:.1f}" height="{_BOX_HEIGHT}" rx="8" fill="{color}" fill-opacity=".14" '
        f'stroke="{color}" stroke-width="1.6"{dashed}/>'
        + _text(spot.middle, spot.y + 4.3, box.label, f'font-weight="{weight}"')
        + "</g>"
    )


def _text(x: float, y: float, text: str, more: str = "", anchor: str = "middle") -> str:
    look = f'text-anchor="{anchor}" fill="currentColor" stroke="none" {more}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{esc(text)}</text>'


def _path(points: str, more: str = "") -> str:
    return f'<path d="{points}" opacity=".6" {more}/>'


def _head(x: float, y: float, towards: Literal["right", "up", "down"] = "right") -> str:
    """The point of an arrow that ends at (x, y). No `<marker>`: its id would be shared by the whole notebook."""
    back = {"right": ((-7, -4), (-7, 4)), "up": ((-4, 7), (4, 7)), "down": ((-4, -7), (4, -7))}[towards]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in [(0, 0), *back])
    return f'<polygon points="{points}" fill="currentColor" stroke="none" opacity=".75"/>'


def _step(source: _Spot, target: _Spot, arrow: bool) -> str:
    start, end = source.right, target.left - 6 * arrow
    bow = (end - start) * 0.5
    curve = (
        f"M{start:.1f} {source.y:.1f}C{start + bow:.1f} {source.y:.1f} {end - bow:.1f} {target.y:.1f} "
        f"{end:.1f} {target.y:.1f}"
    )
    through = "" if arrow else f"H{target.right:.1f}"
    return _path(curve + through) + (_head(target.left - 1, target.y) if arrow else "")


def _loop(spots: Mapping[Place, _Spot], layout: Layout, lane: float) -> str:
    """From the last task under all others back to the first ones."""
    first = [spots[place] for place in layout.layers[0]]
    last = max((spots[place] for place in layout.layers[-1]), key=lambda spot: spot.y)
    x = last.middle + (14 if len(layout.layers) == 1 else 0)
    start = f"M{x:.1f} {last.bottom:.1f}V{lane - 7:.1f}q0 7 -7 7"
    if len(first) == 1:
        to = first[0].middle - (14 if len(layout.layers) == 1 else 0)
        back = _path(f"{start}H{to + 7:.1f}q-7 0 -7 -7V{first[0].bottom + 7:.1f}") + _head(
            to, first[0].bottom + 1, "up"
        )
    else:
        to = float(_MARGIN)
        back = _path(
            f"{start}H{to + 7:.1f}q-7 0 -7 -7V{first[0].y + 7:.1f}q0 -7 7 -7H{first[0].left - 6:.1f}"
        )
        back += "".join(_path(f"M{to:.1f} {spot.y:.1f}H{spot.left - 6:.1f}") for spot in first[1:])
        back += "".join(_head(spot.left - 1, spot.y) for spot in first)
    wide = x - to > 90
    label = _text(
        (x + to) / 2 if wide else x + 8,
        lane + (13 if wide else -4),
        "next iteration",
        _SMALL,
        "middle" if wide else "start",
    )
    return back + label


def _end(spots: Mapping[Place, _Spot], layout: Layout, ending: set[str], right: float) -> str:
    """The word `end` and a dashed arrow to it from each task that may stop the swarm."""
    dashed = 'stroke-dasharray="5 3"'
    at = max((spots[p] for p in layout.layers[-1] if p in ending), default=None, key=lambda spot: -spot.y)
    y = (at or spots[layout.layers[-1][0]]).y
    x = right + 76
    drawn = f'<rect x="{x:.1f}" y="{y - 11:.1f}" width="36" height="22" rx="11" opacity=".6"/>' + _text(
        x + 18, y + 4, "end", 'font-size="11.5"'
    )
    for spot in (spots[p] for p in layout.layers[-1] if p in ending):
        drawn += _path(
            f"M{spot.right:.1f} {spot.y:.1f}H{right + 8:.1f}L{x - 14:.1f} {y:.1f}H{x - 6:.1f}", dashed
        )
    if any(p in ending for p in layout.layers[-1]):
        drawn += _head(x - 1, y) + _text(right + 34, y - 6, "may stop", _SMALL)
    early: Sequence[_Spot] = [spots[alias] for alias in ending - set(layout.layers[-1])]
    for spot in early:
        drawn += _path(f"M{spot.middle:.1f} {spot.top:.1f}V{_MARGIN + 4}H{x + 18:.1f}V{y - 18:.1f}", dashed)
        drawn += _text(spot.middle + 6, _MARGIN + 16, "may stop", _SMALL, "start")
    return drawn + (_head(x + 18, y - 12, "down") if early else "")
