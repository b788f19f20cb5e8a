"""The nodes: a row of each, or, of many, how many do what and which stand out."""

from __future__ import annotations

import heapq
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from manta_nb.session.feed.look import Look, NodeLook
from manta_nb.session.feed.message import Draft, clean, name
from manta_nb.session.feed.names import Names
from manta_nb.session.feed.pace import Pace
from manta_nb.session.nodework import NodeState, NodeWork

__all__ = ["COLUMNS", "Crowd", "NodeRows", "Nodes"]

#: what the cells of a row are, after the node's id
COLUMNS = (
    "state",
    "task",
    "done",
    "cpu",
    "rss",
    "seconds",
    "bytes_iteration",
    "bytes_out",
    "data_bytes",
    "error",
    "worker",
)
_UNKNOWN = NodeLook()
_IDLE: tuple[str, NodeState] = ("", "idle")
_DONE: Mapping[str, int] = MappingProxyType({"done": 1, "waiting": 0})
#: what a row takes beside its texts
_ROW = 110
#: bytes that this section may take of a delta
_NODES = 16_000
#: characters of an error
_ERROR = 300
_NAMED = 10


class NodeRows:
    """The rows of the nodes, made from what they did for the run and what was seen of their processes."""

    def __init__(self, work: NodeWork, look: Look) -> None:
        self.work = work
        self.look = look

    def of(self, node_ids: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
        """Each node and its cells, see `COLUMNS`. Seconds and bytes out are those of the whole run."""
        work, seen, away = self.work, self.look.nodes, self.work.away
        # a hundred of these are made for every delta
        doing, errors, seconds = work.doing.get, work.errors, work.seconds.get
        last, out = work.bytes_last.get, work.bytes_out.get
        for node_id in node_ids:
            task, state = doing(node_id, _IDLE)
            if away:
                state = away.get(node_id, state)
            look = seen.get(node_id, _UNKNOWN)
            error = clean(errors[node_id], _ERROR) if node_id in errors else ""
            yield (
                node_id,
                [
                    state,
                    task,
                    _DONE.get(state),
                    look.cpu,
                    look.rss,
                    int(1000 * seconds(node_id, 0.0)) / 1000,
                    last(node_id, 0),
                    out(node_id, 0),
                    look.data_bytes,
                    error,
                    look.worker,
                ],
            )


class Nodes:
    """The section `nodes`: the rows that changed."""

    def __init__(self, rows: NodeRows, names: Names) -> None:
        self._rows = rows
        self._names = names
        self._revision = 0
        self._seen: Mapping[str, NodeLook] = {}
        #: nodes whose rows may have changed, oldest first
        self._due: dict[str, None] = {}
        self._sent: dict[str, list[Any]] = {}
        #: characters of the texts of a row, at most
        self._longest_alias = self._texts = max(map(len, names.tasks), default=0)

    def reset(self) -> None:
        """See `Part`."""
        self._sent = {}
        self._due = dict.fromkeys(self._names.nodes)

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        self._catch_up()
        if self._due:
            self._add(draft)

    def _add(self, draft: Draft) -> None:
        changed: dict[str, list[Any]] = {}
        sent, key, plain = self._sent, self._names.key, _ROW + self._texts
        size, room = 0, draft.room if draft.whole else min(draft.room, _NODES)
        looked = 0
        for node_id, row in self._rows.of(self._due):
            if row != sent.get(node_id):
                size += plain + 6 * len(row[9]) if row[9] else plain
                if size > room and (changed or size > draft.room):
                    break
                sent[node_id] = changed[key(node_id)] = row
            looked += 1
        self._due = dict.fromkeys(islice(self._due, looked, None))
        if changed:
            draft.put("nodes", changed, size)

    def _catch_up(self) -> None:
        work, seen = self._rows.work, self._rows.look.nodes
        revision = work.revision
        if revision != self._revision:
            changed = work.changed(self._revision)
            self._due.update(dict.fromkeys(self._names.nodes) if changed is None else changed)
            self._revision = revision
        if seen is not self._seen:
            self._seen = seen
            self._texts = self._longest_alias + max((len(look.worker) for look in seen.values()), default=0)
            self._due.update(dict.fromkeys(self._names.nodes))


class Crowd:
    """The section `crowd`, in the place of `nodes` where there are many."""

    def __init__(self, rows: NodeRows, names: Names, pace: Pace) -> None:
        self._rows = rows
        self._names = names
        self._pace = pace
        self._revision = -1

    def reset(self) -> None:
        """See `Part`."""
        self._revision = -1

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        work = self._rows.work
        if work.revision != self._revision and (draft.whole or self._pace.due()):
            self._revision = work.revision
            with self._pace.making():
                self._add(draft, work)

    def _add(self, draft: Draft, work: NodeWork) -> None:
        nodes = self._names.node_list()
        slowest = heapq.nlargest(_NAMED, list(work.seconds.items()), key=lambda item: item[1])
        failed = list(work.errors.items())[-_NAMED:][::-1]
        body = {
            "states": dict(self._states(nodes)),
            "seconds": _spread(list(work.seconds.values()), len(nodes)),
            "bytes": _spread(list(work.bytes_out.values()), len(nodes)),
            "slowest": [[name(node), round(seconds, 3)] for node, seconds in slowest],
            "failed": [[name(node), clean(error, _ERROR)] for node, error in failed],
        }
        draft.put("crowd", body, 400 + 6 * sum(len(node) + len(str(what)) for node, what in slowest + failed))

    def _states(self, nodes: Iterable[str]) -> Counter[str]:
        work = self._rows.work
        doing, away = dict(work.doing), dict(work.away)
        if not away:
            counts = Counter(state for _, state in doing.values())
            counts["idle"] = max(0, len(list(nodes)) - len(doing))
        else:
            counts = Counter(away.get(node) or doing.get(node, ("", "idle"))[1] for node in nodes)
        return +Counter[str](counts)


def _spread(values: list[float] | list[int], nodes: int) -> dict[str, float]:
    """Smallest, middle and largest; a node that gave nothing counts as 0."""
    numbers = sorted([*values, *[0] * (nodes - len(values))])
    if not numbers:
        return {"min": 0, "median": 0, "max": 0}
    middle = statistics.median_low(numbers)
    return {"min": round(numbers[0], 4), "median": round(middle, 4), "max": round(numbers[-1], 4)}
