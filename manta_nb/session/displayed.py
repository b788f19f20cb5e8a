"""What is seen of a run where its name is a cell's last line: text, HTML, or a display that moves."""

from __future__ import annotations

from typing import cast

from manta_nb.session.digest import RunLike
from manta_nb.session.showing import Display, Shows
from manta_nb.session.summary import bundle, progress_line, summarise, summary_text

__all__ = ["Displayed"]


class Displayed:
    """The forms of a run; the base of `Run`."""

    _display: Display | None = None

    def _show(self, view: Shows) -> None:
        if self._display is not None:
            self._display.show(self, view)  # type: ignore[arg-type] # there is no other run

    def __repr__(self) -> str:
        return progress_line(summarise(cast("RunLike", self)))

    def __str__(self) -> str:
        return summary_text(summarise(cast("RunLike", self)))

    def _ipython_display_(self) -> None:
        if self._display is None:
            # IPython's word for "show the other forms"
            raise NotImplementedError
        self._display.show(self)  # type: ignore[arg-type] # as above

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return bundle(cast("RunLike", self))
