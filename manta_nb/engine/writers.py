"""Who wrote which Global in one iteration, and whether two did so at the same time."""

from __future__ import annotations

from manta_nb.engine.graph import TaskGraph
from manta_nb.engine.records import Batch, Event
from manta_nb.engine.wording import one_line

__all__ = ["Writers"]


class Writers:
    """Notes who wrote which tag, and tells once of each tag that two wrote without waiting for each other."""

    def __init__(self, graph: TaskGraph) -> None:
        self._graph = graph
        #: tag → who wrote it, as (alias, node)
        self._writers: dict[str, set[tuple[str, str]]] = {}
        self._told: set[str] = set()

    def note(self, batch: Batch) -> list[Event]:
        """Note what this batch wrote; returns an event for each tag that got a second writer beside."""
        events = []
        for tag, (node, _) in batch.globals.items():
            here = (batch.task, node)
            others = self._writers.setdefault(tag, set())
            # The least of them, so that equal runs record equal events.
            rival = min((other for other in others if self._beside(here, other)), default=None)
            if rival is None and tag in batch.contested:
                rival = (batch.task, "another node")
            others.add(here)
            if rival is not None and tag not in self._told:
                self._told.add(tag)
                text = (
                    f"Global {tag!r} was written by {rival[0]} on {rival[1]} and by {batch.task} on {node} "
                    "at the same time: the later one counts"
                )
                events.append(Event(batch.iteration, "conflict", one_line(text), node, batch.task))
        return events

    def _beside(self, one: tuple[str, str], other: tuple[str, str]) -> bool:
        if one[0] == other[0]:
            return one[1] != other[1]
        return other[0] in self._graph.beside[one[0]]
