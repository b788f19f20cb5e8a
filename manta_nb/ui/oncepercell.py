"""`OncePerCell`: what a notebook shows its runs with, so that no cell shows one twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from IPython.core.interactiveshell import InteractiveShell

from manta_nb.ui.cells import cell_number

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["OncePerCell", "RunDisplay"]


class RunDisplay(Protocol):
    """Shows runs; see `manta_nb.ui.live.RunDisplay`."""

    #: called before a run goes on from a screen; raises where it must not
    before_resume: Callable[[Run], object]

    def show(self, run: Run, view: Any = None) -> None:
        """A new output of the run, or of a view of it, in the cell that runs now."""

    def monitor(self, run: Run) -> object:
        """A new output with the live monitor of the run, in the cell that runs now; returns the run."""

    def know(self, session: Session) -> None:
        """A session whose runs are shown: monitors look at its nodes."""

    def expect(self, run: Run) -> None:
        """The run may go on from a screen elsewhere: its latest outputs follow it then."""

    def settle(self, run: Run) -> None:
        """Bring all outputs of the run up to date."""

    def settle_ended(self, result: object = None) -> None:
        """Settle every run that is over."""


class OncePerCell:
    """A display that shows a run once a cell: one that was waited for is shown before, and again as the result."""

    def __init__(self, display: RunDisplay, shell: InteractiveShell) -> None:
        self._display = display
        self._shell = shell
        self._shown = ("", -1)
        self.know = display.know
        self.expect = display.expect
        self.settle = display.settle
        self.settle_ended = display.settle_ended

    def show(self, run: Run, view: Any = None) -> None:
        """Show the run in the cell that runs now, unless that has been done."""
        now = (run.run_id, cell_number(self._shell))
        if view is None and now == self._shown:
            return
        if view is None:
            self._shown = now
        self._display.show(run, view)

    __call__ = show

    def monitor(self, run: Run) -> Run:
        """Show the run's monitor in the cell that runs now, unless the run has been shown in it."""
        now = (run.run_id, cell_number(self._shell))
        if now != self._shown:
            self._shown = now
            self._display.monitor(run)
        return run
