"""What a browser makes of the messages, in the shortest way there is: the tests compare it with the run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from manta_nb.session.feed import Message, RunFeed
from manta_nb.session.run import Run

__all__ = ["Receiver", "drain", "points_of", "size_of"]

Point = tuple[str, str, str, int, float | None, float]


class Receiver:
    """Adds messages up, as protocol version 1 says."""

    def __init__(self) -> None:
        self.seq = 0
        self._forget()

    def _forget(self) -> None:
        self.one: dict[str, Any] = {}
        self.nodes: list[str] = []
        self.metrics: list[dict[str, Any]] = []
        self.points: list[tuple[int, int, int, float, float]] = []
        self.bands: dict[tuple[int, int], tuple[float, ...]] = {}
        self.rows: dict[str, list[Any]] = {}
        self.output: dict[str, list[str]] = {}
        self.listed: dict[str, list[Any]] = {"globals": [], "results": [], "events": []}
        self.disagreement: list[tuple[dict[str, Any], list[list[float]]]] = []
        self.logs: list[Any] = []
        self.first_log = 0

    def take(self, message: Message | None) -> None:
        """Apply one message; fails where it is not the next one."""
        if message is None:
            return
        content, buffers = json.loads(json.dumps(message.content, allow_nan=False)), list(message.buffers)
        if content["op"] == "full":
            self._forget()
        else:
            assert content["seq"] == self.seq + 1
        self.seq = content["seq"]
        names = content.get("names", {})
        self.nodes += names.get("nodes", [])
        self.metrics += names.get("metrics", [])
        self._curves(content, buffers)
        for section in ("run", "graph", "tasks", "crowd", "extremes", "error"):
            if section in content:
                self.one[section] = content[section]
        self.rows.update(content.get("nodes", {}))
        self.output.update(content.get("output", {}))
        for section, listed in self.listed.items():
            listed.extend(content.get(section, []))
        for entry in content.get("disagreement", []):
            numbers = np.frombuffer(buffers.pop(0), "<f8").reshape(entry["n"], 3)
            self.disagreement.append((entry, numbers.tolist()))
        if "logs" in content:
            self._lines(content["logs"])
        assert not buffers

    def _curves(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        for section, width in (("points", 2), ("bands", 5)):
            if section not in content:
                continue
            body = content[section]
            keys = np.frombuffer(buffers.pop(0), "<i4").reshape(body["n"], 3).tolist()
            values = np.frombuffer(buffers.pop(0), "<f8").reshape(body["n"], width).tolist()
            since = body.get("from", float("inf"))
            if section == "points":
                self.points = [point for point in self.points if point[2] < since]
                self.points += [(*key, *value) for key, value in zip(keys, values, strict=True)]
            else:
                self.bands = {key: band for key, band in self.bands.items() if key[1] < since}
                for (metric, iteration, count), value in zip(keys, values, strict=True):
                    self.bands[metric, iteration] = (count, *value)

    def _lines(self, body: dict[str, Any]) -> None:
        if body["first"] != self.first_log + len(self.logs):
            self.logs, self.first_log = [], body["first"]
        self.logs += body["rows"]

    def named_points(self) -> list[Point]:
        """The points with names in the place of numbers, sorted by all but the order in which they came."""
        found = [
            (self.metrics[m]["name"], self.metrics[m]["task"], self.nodes[n], i, _none(step), value)
            for m, n, i, step, value in self.points
        ]
        return sorted(found, key=lambda point: point[:4])

    def state(self) -> dict[str, Any]:
        """All of it but the clock, with names, so that two receivers can be compared."""
        run = {key: value for key, value in self.one["run"].items() if key not in ("elapsed", "left")}
        return {
            "one": self.one | {"run": run},
            "points": repr(self.named_points()),
            "bands": repr(sorted((self.metrics[m]["name"], i, band) for (m, i), band in self.bands.items())),
            "rows": {self.nodes[int(index)]: row for index, row in self.rows.items()},
            "output": {self.nodes[int(index)]: lines for index, lines in self.output.items()},
            "listed": self.listed,
            "disagreement": repr(self.disagreement),
            "logs": (self.first_log, self.logs),
        }


def drain(feed: RunFeed, receiver: Receiver) -> list[Message]:
    """Send all there is to tell; returns the messages."""
    sent = []
    while (message := feed.delta()) is not None:
        receiver.take(message)
        sent.append(message)
        assert len(sent) < 10_000
    return sent


def points_of(run: Run) -> list[Point]:
    """The truth about the points, as `Receiver.named_points` has it."""
    rows = [(row.name, row.task, row.node, row.iteration, row.step, row.value) for row in run.metrics.rows()]
    return sorted(rows, key=lambda point: point[:4])


def size_of(message: Message) -> int:
    """Bytes on the wire, as Jupyter packs them."""
    text = json.dumps(message.content, ensure_ascii=False, allow_nan=False)
    return len(text.encode("utf-8")) + sum(map(len, message.buffers))


def largest(messages: Iterable[Message]) -> int:
    """The largest of some messages, in bytes."""
    return max(map(size_of, messages), default=0)


def _none(step: float) -> float | None:
    return None if step != step else step  # noqa: PLR0124 - NaN
