"""Answers to what a browser asks for: a value, a page of nodes, a page of log lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from manta_nb.errors import CorruptBytes, MantaError, MissingTag
from manta_nb.session.feed.message import clean
from manta_nb.session.feed.nodes import COLUMNS, NodeRows
from manta_nb.session.feed.peek import Gone
from manta_nb.session.feed.texts import log_cells
from manta_nb.session.feed.valueview import ValueView
from manta_nb.session.logs import LogRow
from manta_nb.session.run import Run

__all__ = ["Answers"]

_MOST_NODES, _MOST_LINES = 200, 500


class Answers:
    """Answers commands about one run; keeps nothing between them."""

    def __init__(self, run: Run, rows: NodeRows) -> None:
        self._run = run
        self._rows = rows
        self._values = ValueView(run._history)

    def to(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """The answer; one that says what was wrong where the command was malformed, or its value is gone."""
        ask = command.get("ask")
        head = {"op": "answer", "ask": ask if isinstance(ask, int) else 0}
        asked = {"value": self._value, "nodes": self._nodes, "logs": self._logs}.get(str(command.get("op")))
        if asked is None:
            return {
                **head,
                "ok": False,
                "text": f"nobody knows the command {clean(str(command.get('op')), 60)!r}",
            }
        try:
            return {**head, "ok": True, **asked(command)}
        except (MantaError, Gone, CorruptBytes) as error:
            return {**head, "ok": False, "text": clean(str(error))}
        except (TypeError, ValueError, OverflowError) as error:
            return {**head, "ok": False, "text": clean(f"malformed: {error}", 200)}

    def _value(self, command: Mapping[str, Any]) -> dict[str, Any]:
        tag, iteration = str(command.get("tag", "")), _whole(command.get("iteration"))
        if command.get("kind") == "global":
            return self._values.of_global(tag, iteration)
        if command.get("kind") != "result":
            raise MissingTag("a value is of the kind global or result")
        node = command.get("node")
        return self._values.of_result(tag, iteration, None if node is None else str(node))

    def _nodes(self, command: Mapping[str, Any]) -> dict[str, Any]:
        offset, limit = _page(command, "offset", _MOST_NODES)
        rows = [[node, *cells] for node, cells in self._rows.of(self._run.nodes)]
        wanted = str(command.get("filter") or "").strip().lower()
        if wanted:
            shown = (0, 1, 2, 10, 11)
            rows = [row for row in rows if any(wanted in str(row[index]).lower() for index in shown)]
        if command.get("sort") in COLUMNS:
            at = COLUMNS.index(str(command["sort"])) + 1
            missing = [row for row in rows if row[at] is None]
            rows = [row for row in rows if row[at] is not None]
            rows.sort(key=lambda row: row[at], reverse=bool(command.get("descending")))
            rows += missing
        elif command.get("descending"):
            rows.reverse()
        page = [[clean(row[0]), *row[1:]] for row in rows[offset : offset + limit]]
        return {"total": len(rows), "rows": page}

    def _logs(self, command: Mapping[str, Any]) -> dict[str, Any]:
        _, limit = _page(command, "offset", _MOST_LINES)
        before = _whole(command.get("before"))
        first, rows = self._run.logs.since(0)
        end = len(rows) if before is None else max(0, min(len(rows), before - first))
        found: list[tuple[int, LogRow]] = []
        for number in range(end - 1, -1, -1):
            if _fits(rows[number], command):
                found.append((first + number, rows[number]))
                if len(found) > limit:
                    break
        page = found[:limit][::-1]
        return {
            "rows": [log_cells(row) for _, row in page],
            "first": page[0][0] if page else first,
            "more": len(found) > limit,
        }


def _fits(row: LogRow, command: Mapping[str, Any]) -> bool:
    named: Iterable[tuple[str, str]] = (("node", row.node), ("task", row.task))
    if any(command.get(key) not in (None, "", have) for key, have in named):
        return False
    level, contains = command.get("level"), command.get("contains")
    if level and str(level).lower() != row.level.lower():
        return False
    return not contains or str(contains).lower() in row.text.lower()


def _page(command: Mapping[str, Any], start: str, most: int) -> tuple[int, int]:
    offset, limit = _whole(command.get(start)), _whole(command.get("limit"))
    return max(0, offset or 0), max(1, min(most, most if limit is None else limit))


def _whole(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a whole number is needed")
    return int(value)
