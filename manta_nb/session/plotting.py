"""Curves of metrics by matplotlib, without pyplot and its state shared by the whole kernel."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from manta_nb.session.curves import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from manta_nb.session.figure import RunFigure

__all__ = ["Curves", "plot", "png"]

Array = npt.NDArray[Any]

_MEAN, _NODE, _BAND = "#2563c9", "#7c9cc9", "#2563c9"
_INK, _FAINT, _GRID = "#2e3440", "#6b7280", "#e5e7eb"
#: more lines than this are a cloud: the band and the mean say it better
MOST_LINES = 50
MOST_AXES = 9


class Curves(Protocol):
    """What is drawn; a `MetricTable` is one."""

    def names(self) -> list[str]:
        """The metrics there are."""

    def series(self, name: str) -> dict[str, tuple[Array, Array]]:
        """`{node: (x, y)}`."""

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
    if not metrics.names():
        return b""
    # matplotlib draws 0.4 s for its first figure and cannot write palettes; both are needed here only
    from PIL import Image  # noqa: PLC0415

    figure = _figure(metrics, metrics.names()[:MOST_AXES])
    data = b""
    for dpi, colors in ((110, 96), (90, 64), (70, 32), (50, 16)):
        figure.set_dpi(dpi)
        figure.canvas.draw()
        picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # type: ignore[attr-defined]
        buffer = io.BytesIO()
        picture.quantize(colors).save(buffer, "png", optimize=True)
        data = buffer.getvalue()
        if len(data) <= most:
            return data
    return data


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
        figure.text(0.5, 0.5, "no metrics yet", color=_FAINT, ha="center", va="center")
    return figure


def _draw(ax: Axes, metrics: Curves, name: str) -> None:
    curve = Curve(*(_finite(column) for column in metrics.mean_series(name)))
    nodes = metrics.series(name)
    many = len(nodes) > MOST_LINES
    if curve.n.max(initial=0) > 1:
        ax.fill_between(
            curve.x, curve.low, curve.high, color=_BAND, alpha=0.16 if many else 0.08, linewidth=0
        )
        for x, y in [] if many else nodes.values():
            ax.plot(x, _finite(y), color=_NODE, alpha=0.75, linewidth=0.8, marker=_marker(x), markersize=2.5)
    ax.plot(curve.x, curve.mean, color=_MEAN, linewidth=2.2, marker=_marker(curve.x), markersize=4.5)
    _dress(ax, name, int(curve.n.max(initial=0)), len(nodes))


def _dress(ax: Axes, name: str, most: int, nodes: int) -> None:
    """Title, grid and ticks; every colour is set, for the user's own style may be dark."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - imports matplotlib

    ax.set_facecolor("white")
    ax.set_title(name, loc="left", fontsize=10, fontweight="bold", color=_INK)
    said = f"mean of {most} nodes" if most > 1 else f"{nodes} nodes, one at a time" if nodes > 1 else ""
    ax.set_title(said, loc="right", fontsize=8, color=_FAINT)
    ax.set_xlabel("iteration", fontsize=8, color=_FAINT)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    ax.tick_params(colors=_FAINT, labelsize=8, length=0)
    ax.grid(visible=True, color=_GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_GRID)


def _marker(x: Array) -> str:
    return "o" if len(x) <= 12 else ""


def _finite(values: Array) -> Array:
    """Infinite numbers as gaps: one of them would push every other to the edge."""
    return values if values.dtype.kind != "f" else np.where(np.isfinite(values), values, np.nan)
