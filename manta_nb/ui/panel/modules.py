"""The section `modules`: which cells hold which files of which module, and which cell was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manta_nb.sdk.source import MAIN
from manta_nb.ui.panel.sections import Section
from manta_nb.ui.panel.texts import clean, fitting, said

if TYPE_CHECKING:
    from manta_nb.ui.cells import Cell
    from manta_nb.ui.notebook import CellModule
    from manta_nb.ui.panel.protocol import CellRow, ModuleRow
    from manta_nb.ui.panel.sources import Source

__all__ = ["ModulesSection"]

#: bytes that the modules may take
_ROOM = 40_000


class ModulesSection(Section):
    """The modules as the cells have defined them."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def update(self) -> None:
        """Look at the modules."""
        # a copy, made in one go: a cell may define one at the same time
        entries = list(self._source.modules.values())
        rows = list(map(_row, entries))
        if not self.is_of(rows):
            self.put(fitting(rows, _ROOM), rows)


def _row(entry: CellModule) -> ModuleRow:
    module, refused = entry.module, entry.refused
    return {
        "name": clean(entry.name),
        "revision": module.revision or 1,
        "text": said(repr(module).partition(" · ")[2]),
        "cells": [_cell(path, cell) for path, cell in list(entry.cells.items())[:100]],
        "refused": clean(refused.cell.id) if refused is not None else "",
        "error": said(refused.error) if refused is not None else "",
    }


def _cell(path: str, cell: Cell) -> CellRow:
    file = "" if path == MAIN else clean(path)
    return {"file": file, "cell": clean(cell.id), "number": cell.number, "digest": cell.digest}
