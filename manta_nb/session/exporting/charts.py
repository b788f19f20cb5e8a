"""The curves of a metric as SVG for the report; its style sheet gives them their colours, dark and light."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from manta_nb.render import esc, number
from manta_nb.session.curves import Curve
from manta_nb.session.plotting import Curves, finite
from manta_nb.session.thinning import kept

__all__ = ["chart"]

Array = npt.NDArray[Any]

_WIDTH, _HEIGHT = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 8, 24
#: more lines are a cloud: the band says it better
_MOST_NODES = 32
#: numbers beyond this are not drawn: their distance is no number any more
_LARGEST = 1e300


def chart(metrics: Curves, name: str, points: int, nodes: bool = True) -> str:
    """One metric: a band from the lowest to the highest node, a thin line for each node, a thick one for the mean.

    Args:
        metrics: where it is.
        name: of the metric.
        points: at most so many of each line.
        nodes: draw the lines of the nodes, if they are not too many.
    """
    curve = Curve(*(_drawable(column) for column in metrics.mean_series(name)))
    lines = metrics.series(name)
    many = curve.n.max(initial=0) > 1
    shown = (
        [(x, _drawable(y)) for x, y in lines.values()] if many and nodes and len(lines) <= _MOST_NODES else []
    )
    values = np.concatenate([curve.mean, curve.low, curve.high, *(y for _, y in shown)])
    known = values[np.isfinite(values)]
    if not len(known):
        return '<p class="faint">no finite number was recorded</p>'
    axes = _Axes(curve.x, known)
    drawn = [*_grid(axes)]
    if many:
        drawn += [f'<polygon class="band" points="{part}"/>' for part in _band(axes, curve, points)]
    drawn += [_line(axes, x, y, points, "node") for x, y in shown]
    drawn.append(_line(axes, curve.x, curve.mean, points, "mean"))
    said = esc(f"{name} by iteration, from {number(float(known.min()))} to {number(float(known.max()))}")
    return f'<svg class="chart" role="img" aria-label="{said}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(drawn)}</svg>'


class _Axes:
    """Where numbers stand in the picture."""

    def __init__(self, x: Array, y: Array) -> None:
        self.x_ticks = _ticks(float(x.min()), float(x.max()), 8, whole=True)
        self.y_ticks = _ticks(float(y.min()), float(y.max()), 6)
        self._x = _span([float(x.min()), float(x.max())])
        self._y = _span([float(y.min()), float(y.max()), *self.y_ticks])

    def across(self, x: float) -> float:
        """The place of an iteration."""
        low, high = self._x
        return _LEFT + (x - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def up(self, y: float) -> float:
        """The place of a value."""
        low, high = self._y
        return _HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def point(self, x: float, y: float) -> str:
        """Both, as SVG writes them."""
        return f"{self.across(x):.1f},{self.up(y):.1f}"


def _grid(axes: _Axes) -> Iterator[str]:
    for y in axes.y_ticks:
        at = axes.up(y)
        yield f'<path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>'
        yield f'<text x="{_LEFT - 7}" y="{at + 3.5:.1f}" text-anchor="end">{_short(y)}</text>'
    for x in axes.x_ticks:
        yield f'<text x="{axes.across(x):.1f}" y="{_HEIGHT - 7}" text-anchor="middle">{x:g}</text>'


def _band(axes: _Axes, curve: Curve, points: int) -> Iterator[str]:
    """Polygons between the lowest and the highest node, one for each stretch without a gap."""
    chosen = kept(len(curve.x), points)
    starts = np.concatenate([[0], chosen[:-1] + 1])
    low, high = np.fmin.reduceat(curve.low, starts), np.fmax.reduceat(curve.high, starts)
    x = curve.x[chosen]
    for part in _stretches(np.isfinite(low) & np.isfinite(high)):
        there = [axes.point(*pair) for pair in zip(x[part].tolist(), low[part].tolist(), strict=True)]
        back = [axes.point(*pair) for pair in zip(x[part].tolist(), high[part].tolist(), strict=True)]
        yield " ".join([*there, *reversed(back)])


def _line(axes: _Axes, x: Array, y: Array, points: int, kind: str) -> str:
    """A line with gaps where there is no number; a point that stands alone is a dot."""
    chosen = kept(len(x), points)
    x, y = x[chosen], y[chosen]
    drawn = ""
    few = kind == "mean" and len(x) <= 12
    for part in _stretches(np.isfinite(y)):
        places = [axes.point(*pair) for pair in zip(x[part].tolist(), y[part].tolist(), strict=True)]
        drawn += f'<polyline class="{kind}" points="{" ".join(places)}"/>' if len(places) > 1 else ""
        for place in places if few or len(places) == 1 else ():
            across, up = place.split(",")
            drawn += f'<circle class="{kind}" cx="{across}" cy="{up}" r="{2.6 if kind == "mean" else 1.6}"/>'
    return drawn


def _stretches(known: Array) -> list[Array]:
    """The positions of each run of numbers without a gap."""
    places = np.flatnonzero(known)
    return [part for part in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(part)]


def _ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """Round numbers from about `low` to about `high`."""
    span = high - low
    if span <= abs(high) * 1e-9:
        return [low]
    raw = span / (most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    step = max(1.0, step) if whole else step
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)][: 2 * most]


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if high - low > abs(high) * 1e-9:
        return low, high
    room = abs(high) * 0.1 or 0.5
    return low - room, high + room


def _short(value: float) -> str:
    """A number of a tick: `0.25`, `40k`, `1.5M`, `3e+09`."""
    size = abs(value)
    if size < 1e4:
        return f"{value:.4g}"
    if size < 1e9:
        return f"{value / 1e6:.4g}M" if size >= 1e6 else f"{value / 1e3:.4g}k"
    return f"{value:.2g}"


def _drawable(values: Array) -> Array:
    kept_values = finite(values)
    if kept_values.dtype.kind != "f":
        return kept_values
    return np.where(np.abs(kept_values) < _LARGEST, kept_values, np.nan)
