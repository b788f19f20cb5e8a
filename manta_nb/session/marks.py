"""How far a reader of a growing table has come, also where rows it has read are taken back.

A table notes every removal in its `Removals`; a reader keeps a `Mark`, which `Removals.moved` brings up to date.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Mark", "Removals", "Tail"]

Array = npt.NDArray[Any]

#: positions that are remembered, all removals together; whoever is further behind reads everything again
MOST_POSITIONS = 1_000_000
MOST_REMOVALS = 256


class Mark(NamedTuple):
    """A place in a table: the rows before `row` were read.

    After a removal some are read again: of the rows from `row` to `until` those of iteration `again` and later.
    """

    row: int = 0
    revision: int = 0
    until: int = 0
    again: int = 0


class Tail(NamedTuple):
    """What came after a mark. `taken_back`: first forget what was read of this iteration and later ones."""

    columns: dict[str, Array]
    mark: Mark
    taken_back: int | None


class Removals:
    """Which rows were taken out of a table lately, as positions at that time."""

    def __init__(self) -> None:
        self.revision = 0
        self._positions = 0
        self._log: deque[tuple[int, Array]] = deque()

    def note(self, iteration: int, positions: Array) -> None:
        """These rows, all of one iteration and in rising order, were taken out."""
        self.revision += 1
        self._log.append((iteration, positions.astype(np.int32)))
        self._positions += len(positions)
        while self._log and (len(self._log) > MOST_REMOVALS or self._positions > MOST_POSITIONS):
            self._positions -= len(self._log.popleft()[1])

    def moved(self, mark: Mark) -> tuple[Mark, int | None]:
        """The same place now, and the iteration from which rows are to be forgotten and read again."""
        missed = self.revision - mark.revision
        if not missed:
            return mark, None
        if missed > len(self._log):
            return Mark(revision=self.revision), 0
        row, until = mark.row, max(mark.row, mark.until)
        touched: list[int] = []
        for iteration, positions in list(self._log)[-missed:]:
            if positions[0] < until:
                touched.append(iteration)
            row, until = (at - int(np.searchsorted(positions, at)) for at in (row, until))
        if not touched:
            return Mark(row, self.revision, until, mark.again), None
        # where an earlier removal is not read through yet, both are begun again
        lowest = min([*touched, mark.again] if row < until else touched)
        return Mark(0, self.revision, until, lowest), lowest
