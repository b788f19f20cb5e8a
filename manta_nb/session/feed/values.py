"""The values of a run in words and numbers: changes of Globals, Results, and how far the nodes disagree."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from manta_nb.session.feed.message import Draft, clean, fitting, name, packed
from manta_nb.session.feed.names import Names, named
from manta_nb.session.findings import Disagreement, Findings, GlobalChange, ResultsWritten

__all__ = ["Disagreements", "Globals", "Results"]

#: bytes that each of these sections may take of a delta
_GLOBALS, _RESULTS, _DISAGREEMENT = 6_000, 6_000, 8_000


class Globals:
    """The section `globals`: every change, in order."""

    def __init__(self, findings: Findings) -> None:
        self._changes = findings.changes
        self._next = 0

    def reset(self) -> None:
        """See `Part`."""
        self._next = 0

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        if self._changes.count == self._next and not draft.whole:
            return
        first, rows = self._changes.since(self._next)
        made, size = fitting(rows, draft, _GLOBALS, _change)
        self._next = first + len(made)
        if made or draft.whole:
            draft.put("globals", made, size)


class Results:
    """The section `results`: what was written under each tag in each committed iteration."""

    def __init__(self, findings: Findings, names: Names, many: bool) -> None:
        self._results = findings.results
        self._names = names
        self._many = many
        self._next = 0

    def reset(self) -> None:
        """See `Part`."""
        self._next = 0

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        if self._results.count == self._next and not draft.whole:
            return
        first, rows = self._results.since(self._next)
        made, size = fitting(rows, draft, _RESULTS, self._cells)
        self._next = first + len(made)
        if made or draft.whole:
            draft.put("results", made, size)

    def _cells(self, row: ResultsWritten) -> dict[str, Any]:
        nodes: list[int] | int
        if isinstance(row.nodes, int):
            nodes = row.nodes
        else:
            nodes = len(row.nodes) if self._many else named(row.nodes, self._names)
        return {
            "tag": name(row.tag),
            "iteration": row.iteration,
            "nodes": nodes,
            "nbytes": row.nbytes,
            "type": clean(row.type, 400),
        }


class Disagreements:
    """The section `disagreement`, with a buffer `[node, norm, cosine]` for each entry."""

    def __init__(self, findings: Findings, names: Names) -> None:
        self._found = findings.disagreements
        self._names = names
        self._next = 0

    def reset(self) -> None:
        """See `Part`."""
        self._next = 0

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        if self._found.count == self._next:
            return
        first, rows = self._found.since(self._next)
        room = math.inf if draft.whole else min(draft.room, _DISAGREEMENT)
        made: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            size += 100 + 6 * len(row.tag + row.note) + 24 * len(row.nodes)
            if size > (room if made else draft.room):
                break
            made.append(self._entry(row))
            draft.buffers.append(
                packed([np.array(named(row.nodes, self._names)), row.norm, row.cosine], "<f8")
            )
        self._next = first + len(made)
        if made:
            draft.put("disagreement", made, size)

    def _entry(self, row: Disagreement) -> dict[str, Any]:
        entry: dict[str, Any] = {"tag": name(row.tag), "iteration": row.iteration, "n": len(row.nodes)}
        return {**entry, "note": clean(row.note)} if row.note else entry


def _change(change: GlobalChange) -> dict[str, Any]:
    return {
        "tag": name(change.tag),
        "iteration": change.iteration,
        "type": clean(change.type, 400),
        "nbytes": change.ref.nbytes,
        "version": change.version,
        "preview": clean(change.preview, 200),
    }
