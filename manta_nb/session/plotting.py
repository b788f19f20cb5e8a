"""Curves of metrics by matplotlib, without pyplot and its state shared by the whole kernel."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from manta_nb.render import plain
from manta_nb.session.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from manta_nb.session.figure import RunFigure

__all__ = ["FAINT", "GRID", "INK", "Curves", "dress", "finite", "overlay", "picture", "plot", "png", "worded"]

Array = npt.NDArray[Any]

_MEAN, _NODE, _BAND = "#2563c9", "#7c9cc9", "#2563c9"
INK, FAINT, GRID = "#2e3440", "#5b6472", "#e5e7eb"
#: told apart by people who see fewer colours, too, and by all on white: at least 3:1
_COLOURS = ("#0067a5", "#c75100", "#008060", "#a3379b", "#6b5a00", "#333333")
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)))
_MARKS = "os^Dvp"
#: runs in one chart
MOST_RUNS = len(_COLOURS) * len(_DASHES)
#: more lines than this are a cloud: the band and the mean say it better
MOST_LINES = 50
MOST_AXES = 9


class Curves(Protocol):
    """What is drawn; a `MetricTable` is one."""

    def names(self) -> list[str]:
        """The metrics there are."""

    def series(self, name: str) -> dict[str, tuple[Array, Array]]:
        """`{node: (x, y)}`."""

    def by_iteration(self, name: str) -> Curve:
        """Mean, low and high over the nodes in each iteration."""

    def mean_series(self, name: str) -> Curve:
        """Mean, low and high over the nodes."""


def plot(metrics: Curves, name: str | None = None, ax: Axes | None = None) -> Figure:
    """Draw one metric, or each in axes of its own; returns the figure, which a notebook displays.

    Nodes are thin lines (left out above 50 nodes), their mean is thick, the band goes from the lowest to the highest.
    `ax` draws one metric into axes of your own figure.
    """
    if ax is not None:
        names = [name] if name is not None else metrics.names()[:1]
        for one in names:
            _draw(ax, metrics, one)
        return ax.figure  # type: ignore[return-value]
    return _figure(metrics, metrics.names()[:MOST_AXES] if name is None else [name])


def png(metrics: Curves, most: int = 60_000) -> bytes:
    """All curves as a PNG of at most `most` bytes; empty where there is nothing to draw."""
    return picture(_figure(metrics, metrics.names()[:MOST_AXES]), most) if metrics.names() else b""


def picture(figure: Figure, most: int) -> bytes:
    """A figure as a PNG of at most `most` bytes, as long as that can be had by fewer dots and colours."""
    # matplotlib cannot write palettes, and a run without a picture needs no Pillow
    from PIL import Image  # noqa: PLC0415

    data = b""
    for dpi, colors in ((110, 96), (90, 64), (70, 32), (50, 16)):
        figure.set_dpi(dpi)
        figure.canvas.draw()
        drawn = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # type: ignore[attr-defined]
        buffer = io.BytesIO()
        drawn.quantize(colors).save(buffer, "png", optimize=True)
        data = buffer.getvalue()
        if len(data) <= most:
            return data
    return data


def overlay(
    curves: Sequence[tuple[str, Curves]],
    name: str,
    forks: Mapping[int, tuple[int, int]] = MappingProxyType({}),
) -> RunFigure:
    """One metric of several runs in one axes: a line and a band for each `(what the legend says, metrics)`.

    Of more than twelve runs the last are drawn. Without its colour a run is known by its dashes and marks.

    Args:
        curves: the runs.
        name: of the metric.
        forks: place of a run in `curves` → the place of its parent, and the iteration after which it leaves that.
    """
    from manta_nb.session.figure import RunFigure  # noqa: PLC0415 - imports matplotlib

    known = {
        place: Curve(*map(finite, metrics.by_iteration(name)))
        for place, (_, metrics) in enumerate(curves)
        if name in metrics.names()
    }
    for place, (parent, at) in forks.items():
        if place in known:
            known[place] = _branch(known[place], known.get(parent), at)
    drawn = [(curves[place][0], curve) for place, curve in known.items()]
    # no wider than a narrow notebook, where it would be made smaller than one can read
    figure = RunFigure(figsize=(6.2, 3.2 + 0.1 * min(len(drawn), MOST_RUNS)), layout="constrained")
    figure.set_facecolor("white")
    ax = figure.add_subplot()
    for place, (_, curve) in enumerate(drawn[-MOST_RUNS:]):
        _rival(ax, place, curve)
    left = len(drawn) - MOST_RUNS
    dress(ax, name or "no metrics yet", f"the last {MOST_RUNS} of {len(drawn)} runs" if left > 0 else "")
    if drawn:
        below: dict[str, Any] = {"loc": "outside lower left", "ncols": 2, "fontsize": 8, "frameon": False}
        legend = figure.legend(ax.lines, ["."] * len(ax.lines), **below)
        for text, (label, curve) in zip(legend.get_texts(), drawn[-MOST_RUNS:], strict=True):
            worded(text, label if np.isfinite(curve.mean).any() else f"{label} · NaN only")
            text.set_color(INK)
        if not any(np.isfinite(curve.mean).any() for _, curve in drawn):
            _say_nothing_finite(ax, [curve.mean for _, curve in drawn])
    figure.fresh = lambda: overlay(curves, name, forks)
    return figure


def _branch(curve: Curve, parent: Curve | None, at: int) -> Curve:
    """What a fork did itself, from the point on where it leaves its parent."""
    own = Curve(*(column[curve.x > at] for column in curve))
    if parent is None or not (parent.x == at).any():
        return own
    # the band begins there as a point: the nodes' values are the parent's
    start = Curve(*(column[parent.x == at] for column in parent))
    start = start._replace(low=start.mean, high=start.mean)
    return Curve(*(np.concatenate(pair) for pair in zip(start, own, strict=True)))


def _rival(ax: Axes, place: int, curve: Curve) -> None:
    colour, dash = _COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS)]
    if curve.n.max(initial=0) > 1:
        ax.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.1, linewidth=0)
    few = len(curve.x) <= 12
    step = 1 if few else len(curve.x) // 8
    mark: dict[str, Any] = {"marker": _MARKS[place % len(_MARKS)], "markersize": 4.5, "markevery": step}
    ax.plot(curve.x, curve.mean, color=colour, linewidth=2, linestyle=dash, **mark)


def worded(text: Text, said: str) -> None:
    """Let a text of a figure say this, whatever it holds: one line, and a dollar sign is no formula."""
    text.set_parse_math(False)
    text.set_text(plain(said))


def _figure(metrics: Curves, names: list[str]) -> RunFigure:
    from manta_nb.session.figure import RunFigure  # noqa: PLC0415 - imports matplotlib

    across = 1 if len(names) == 1 else 2 if len(names) in (2, 4) else 3
    down = max(1, math.ceil(len(names) / across))
    width = {1: 5.6, 2: 7.6, 3: 9.0}[across]
    figure = RunFigure(figsize=(width, down * {1: 3.2, 2: 2.7, 3: 2.4}[across]), layout="constrained")
    figure.set_facecolor("white")
    for place, name in enumerate(names, start=1):
        _draw(figure.add_subplot(down, across, place), metrics, name)
    figure.fresh = lambda: _figure(metrics, names or metrics.names()[:MOST_AXES])
    if not names:
        figure.text(0.5, 0.5, "no metrics yet", color=FAINT, ha="center", va="center")
    return figure


def _draw(ax: Axes, metrics: Curves, name: str) -> None:
    curve = Curve(*(finite(column) for column in metrics.mean_series(name)))
    nodes = metrics.series(name)
    many = len(nodes) > MOST_LINES
    if curve.n.max(initial=0) > 1:
        ax.fill_between(
            curve.x, curve.low, curve.high, color=_BAND, alpha=0.16 if many else 0.08, linewidth=0
        )
        for x, y in [] if many else nodes.values():
            ax.plot(x, finite(y), color=_NODE, alpha=0.75, linewidth=0.8, marker=_marker(x), markersize=2.5)
    ax.plot(curve.x, curve.mean, color=_MEAN, linewidth=2.2, marker=_marker(curve.x), markersize=4.5)
    most = int(curve.n.max(initial=0))
    said = f"mean of {most} nodes" if most > 1 else f"{len(nodes)} nodes, one at a time" * (len(nodes) > 1)
    dress(ax, name, said)
    if not np.isfinite(curve.mean).any():
        _say_nothing_finite(ax, [y for _, y in nodes.values()])


def _say_nothing_finite(ax: Axes, values: list[Array]) -> None:
    """An empty plot would look like a mistake of ours."""
    every = np.concatenate([np.asarray(each, dtype=float) for each in values])
    kind = "NaN" if np.isnan(every).all() else "NaN or infinite"
    said = f"all {every.size} values are {kind}" if every.size > 1 else f"its only value is {kind}"
    ax.text(0.5, 0.5, said, transform=ax.transAxes, ha="center", va="center", fontsize=10, color=INK)
    ax.set_xticks([])
    ax.set_yticks([])


def dress(ax: Axes, name: str, said: str = "") -> None:
    """Title, grid and ticks; every colour is set, for the user's own style may be dark."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - imports matplotlib

    ax.set_facecolor("white")
    worded(ax.set_title("", loc="left", fontsize=10, fontweight="bold", color=INK), name)
    worded(ax.set_title("", loc="right", fontsize=8, color=FAINT), said)
    ax.set_xlabel("iteration", fontsize=8, color=FAINT)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    ax.tick_params(colors=FAINT, labelsize=8, length=0)
    ax.grid(visible=True, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRID)


def _marker(x: Array) -> str:
    return "o" if len(x) <= 12 else ""


def finite(values: Array) -> Array:
    """Infinite numbers as gaps: one of them would push every other to the edge."""
    return values if values.dtype.kind != "f" else np.where(np.isfinite(values), values, np.nan)
