"""The figure `run.plot()` returns: matplotlib's own, which shows itself as a picture in a notebook."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any, Self

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["RunFigure"]


class RunFigure(Figure):
    """A figure outside pyplot: nothing has to close it, any thread may draw it, `savefig` works as ever.

    `fresh` draws the same curves anew. After `follow(live)` its display is kept up to date by `live`, unless
    something was changed in it by hand: then it is shown as it is.
    """

    fresh: Callable[[], RunFigure] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        FigureCanvasAgg(self)
        self._live: Callable[[RunFigure], None] | None = None

    def follow(self, live: Callable[[RunFigure], None]) -> Self:
        """Let `live` display this figure; returns the figure."""
        # Drawing clears matplotlib's own mark of change, so a mark at the display is a change by hand.
        self.canvas.draw()
        self._live = live
        return self

    def mime(self) -> dict[str, str]:
        """The curves of this moment as a picture, by mime type."""
        figure = self.fresh() if self.fresh is not None else self
        return {"text/plain": repr(self), "image/png": base64.b64encode(figure._repr_png_()).decode()}

    def _ipython_display_(self) -> None:
        if self._live is None or self.stale:
            # IPython's word for "show the other forms"
            raise NotImplementedError
        self._live(self)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()
