"""`Traces`: which cells of a notebook defined what and started what, and who has to hear that something changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.ui.cells import Cell

__all__ = ["Traces"]


class Traces:
    """What one kernel remembers of its cells; any thread may ask."""

    def __init__(self) -> None:
        #: the n of `In[n]` → the front end's id of that cell
        self._ids: dict[int, str] = {}
        #: id of a run → the cell that started it
        self._starts: dict[str, Cell] = {}
        #: ids of the runs that began in this kernel: the cells that their errors name are those of `_ids`
        self._born: set[str] = set()
        self._watchers: list[Callable[[], None]] = []

    def ran(self, cell: Cell) -> None:
        """A cell with one of our magics runs."""
        if cell.id:
            self._ids[cell.number] = cell.id

    def began(self, run_id: str, cell: Cell) -> None:
        """That cell started a run."""
        self._starts[run_id] = cell

    def remember(self, run: Run) -> None:
        """A run began here, or goes on here."""
        if run.stored_session is None:
            self._born.add(run.run_id)
        self.changed()

    def start_of(self, run_id: str) -> Cell | None:
        """The cell that started a run; None where that is not known."""
        return self._starts.get(run_id)

    def id_of(self, number: int, run_id: str) -> str:
        """What the front end calls the cell that was `In[number]` for that run; "" where that is not known."""
        return self._ids.get(number, "") if run_id in self._born else ""

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when nodes or runs come and go; returns what ends that."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback) if callback in self._watchers else None

    def changed(self) -> None:
        """Tell who watches."""
        for watcher in list(self._watchers):
            watcher()
