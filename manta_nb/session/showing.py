"""How a run is shown, and what an interrupt of the waiting for it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["Display", "Shows", "WaitingInterrupted"]


class Shows(Protocol):
    """A view of a run that can be shown live."""

    def mime(self) -> dict[str, str]:
        """The forms of this moment, by mime type."""


class Display(Protocol):
    """How runs are shown; a notebook gives a session one."""

    def show(self, run: Run, view: Shows | None = None) -> None:
        """Show the run, or one view of it, in the cell that runs now."""

    def monitor(self, run: Run) -> object:
        """Show the run's live monitor in the cell that runs now; returns what the cell may have as its value."""

    def settle(self, run: Run) -> None:
        """The run is over, and the main thread is here: bring its displays to their final form."""


class WaitingInterrupted(KeyboardInterrupt):
    """An interrupt ended the waiting; the run goes on."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
