"""What was printed and what happened: log lines, events, and the last lines of each node."""

from __future__ import annotations

from typing import Any

from manta_nb.engine.records import Event
from manta_nb.session.feed.message import Draft, clean, fitting, name
from manta_nb.session.feed.names import Names
from manta_nb.session.logs import EventTable, LogRow, LogTable

__all__ = ["Events", "Logs", "Output", "log_cells"]

#: lines of a message; who falls further behind gets the newest, and asks for the others
NEWEST = 500
#: events of a full message
MOST_EVENTS = 2_000
#: bytes that each of these sections may take of a delta
_LOGS, _EVENTS, _OUTPUT = 12_000, 6_000, 6_000
#: last lines of a node that are shown, and how far back they are looked for
_LAST, _LOOK_BACK = 5, 5_000
_LINE = 300


def log_cells(row: LogRow) -> list[Any]:
    """A line as it is sent."""
    return [row.iteration, name(row.node), name(row.task), clean(row.level, 100), clean(row.text)]


class Logs:
    """The section `logs`: the newest lines. `skipped` is how many before `first` were not sent."""

    def __init__(self, logs: LogTable) -> None:
        self._logs = logs
        self._next = 0

    def reset(self) -> None:
        """See `Part`."""
        self._next = 0

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        count = self._logs.count
        if count == self._next and not draft.whole:
            return
        first, rows = self._logs.since(max(self._next, count - NEWEST))
        made, size = fitting(rows, draft, _LOGS, log_cells)
        if made or draft.whole:
            draft.put("logs", {"first": first, "rows": made, "skipped": first - self._next}, size + 60)
            self._next = first + len(made)


class Events:
    """The section `events`."""

    def __init__(self, events: EventTable) -> None:
        self._events = events
        self._next = 0

    def reset(self) -> None:
        """See `Part`."""
        self._next = max(0, self._events.count - MOST_EVENTS)

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        if self._events.count == self._next and not draft.whole:
            return
        first, rows = self._events.since(self._next)
        made, size = fitting(rows, draft, _EVENTS, _event_cells)
        self._next = first + len(made)
        if made or draft.whole:
            draft.put("events", made, size)


class Output:
    """The section `output`: the last lines of each node."""

    def __init__(self, logs: LogTable, names: Names) -> None:
        self._logs = logs
        self._names = names
        self._next = 0
        #: node → its last lines
        self._last: dict[str, list[str]] = {}
        #: nodes whose lines changed, oldest first
        self._due: dict[str, None] = {}

    def reset(self) -> None:
        """See `Part`."""
        self._due = dict.fromkeys(self._last)

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        self._catch_up()
        if not self._due:
            return
        due = list(self._due)
        made, size = fitting(
            due, draft, _OUTPUT, lambda node: (self._names.key(node), self._last[node]), alone=0
        )
        self._due = dict.fromkeys(due[len(made) :])
        draft.put("output", dict(made), size)

    def _catch_up(self) -> None:
        if self._logs.count == self._next:
            return
        first, rows = self._logs.since(max(self._next, self._logs.count - _LOOK_BACK))
        self._next = first + len(rows)
        fresh: dict[str, list[str]] = {}
        for row in rows:
            fresh.setdefault(row.node, []).append(row.text)
        for node_id, texts in fresh.items():
            newest = [clean(text, _LINE) for text in texts[-_LAST:]]
            self._last[node_id] = [*self._last.get(node_id, ()), *newest][-_LAST:]
            self._due[node_id] = None


def _event_cells(event: Event) -> list[Any]:
    texts = [clean(event.kind, 100), clean(event.message), name(event.node_id), name(event.task)]
    return [event.iteration, *texts]
