"""What the tasks of a run printed and logged, and what happened to it: two bounded tables."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from manta_nb.engine.records import Event
from manta_nb.render import Table
from manta_nb.session.views import View

__all__ = ["EventTable", "LogRow", "LogTable"]

MOST_LINES = 100_000
MOST_EVENTS = 10_000
_SHOWN = 50

Row = TypeVar("Row")


class LogRow(NamedTuple):
    """One line that a task printed or logged; `level` is `stdout`, `stderr` or the logger's (`INFO`, …)."""

    iteration: int
    node: str
    task: str
    level: str
    text: str


class _Bounded(View, Generic[Row]):
    """The latest rows of a table that drops its oldest and counts them; any thread may add and read."""

    def __init__(self, rows: Iterable[Row], limit: int) -> None:
        self._lock = threading.Lock()
        self._rows: deque[Row] = deque(maxlen=limit)
        #: how many rows were dropped to make room
        self.dropped = 0
        self.extend(rows)

    def extend(self, rows: Iterable[Row]) -> None:
        """Add rows at the end; beyond the limit the oldest are dropped and counted."""
        added = list(rows)
        with self._lock:
            self.dropped += max(0, len(self._rows) + len(added) - (self._rows.maxlen or 0))
            self._rows.extend(added)

    @property
    def count(self) -> int:
        """How many rows there ever were, those that were dropped, too."""
        with self._lock:
            return self.dropped + len(self._rows)

    def since(self, number: int, limit: int | None = None) -> tuple[int, list[Row]]:
        """The rows from `number` on, counted from 0 at the start of the run, and the number of the first of them.

        With `limit` the oldest that many. Costs as much as there are rows after `number`.
        """
        with self._lock:
            first = max(number, self.dropped)
            wanted = self.dropped + len(self._rows) - first
            rows = list(islice(reversed(self._rows), max(0, wanted)))
        rows.reverse()
        return first, rows if limit is None else rows[:limit]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        with self._lock:
            return iter(list(self._rows))

    def __getitem__(self, index: int) -> Row:
        with self._lock:
            return self._rows[index]

    def __str__(self) -> str:
        return str(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()

    def _cells(self, row: Row) -> list[object]:
        raise NotImplementedError

    def _columns(self) -> list[str]:
        raise NotImplementedError

    def _table(self) -> Table:
        rows = list(self)
        earlier = f"; {len(rows) - _SHOWN} earlier ones are here, too" if len(rows) > _SHOWN else ""
        dropped = f"; {self.dropped} older ones were dropped" if self.dropped else ""
        caption = (
            f"{len(rows)} {'line' if self._columns()[-1] == 'text' else 'event'}{'s' * (len(rows) != 1)}"
        )
        return Table(
            self._columns(), [self._cells(row) for row in rows[-_SHOWN:]], f"{caption}{earlier}{dropped}"
        )


class LogTable(_Bounded[LogRow]):
    """The lines of a run: `run.logs.filter(node="node_3", contains="loss").tail(20)`.

    The latest 100,000 are kept; `dropped` says how many older ones are gone.
    """

    def __init__(self, rows: Iterable[LogRow] = (), limit: int = MOST_LINES) -> None:
        super().__init__(rows, limit)

    def filter(
        self,
        node: str | None = None,
        task: str | None = None,
        level: str | None = None,
        contains: str = "",
        iteration: int | None = None,
    ) -> LogTable:
        """The lines that fit everything given, as they are now; `level` in upper or lower case."""
        wanted = (iteration, node, task)
        return LogTable(
            row
            for row in self
            if all(want in (None, have) for want, have in zip(wanted, row[:3], strict=True))
            and (level is None or level.lower() == row.level.lower())
            and contains in row.text
        )

    def tail(self, n: int = 20) -> LogTable:
        """The last `n` lines."""
        return LogTable(list(self)[-n:] if n > 0 else ())

    def last_of_each(
        self, nodes: Iterable[str], n: int = 5, look_back: int = 5_000
    ) -> dict[str, list[LogRow]]:
        """The last `n` lines of each node that printed something within the last `look_back` lines."""
        found: dict[str, list[LogRow]] = {node: [] for node in nodes}
        with self._lock:
            newest = [row for row, _ in zip(reversed(self._rows), range(look_back), strict=False)]
        for row in newest:
            lines = found.get(row.node)
            if lines is not None and len(lines) < n:
                lines.append(row)
        return {node: lines[::-1] for node, lines in found.items() if lines}

    def _columns(self) -> list[str]:
        return ["iteration", "node", "task", "level", "text"]

    def _cells(self, row: LogRow) -> list[object]:
        return [str(row.iteration), row.node, row.task, row.level, row.text]


class EventTable(_Bounded[Event]):
    """What happened to a run: retries, lost nodes, two writers of one tag, NaN. The latest 10,000 are kept."""

    def __init__(self, rows: Iterable[Event] = (), limit: int = MOST_EVENTS) -> None:
        super().__init__(rows, limit)

    def filter(self, kind: str | None = None, node: str | None = None, task: str | None = None) -> EventTable:
        """The events that fit everything given, as they are now."""
        return EventTable(
            event
            for event in self
            if kind in (None, event.kind) and node in (None, event.node_id) and task in (None, event.task)
        )

    def _columns(self) -> list[str]:
        return ["iteration", "kind", "node", "task", "event"]

    def _cells(self, event: Event) -> list[object]:
        return [str(event.iteration), event.kind, event.node_id, event.task, event.message]
