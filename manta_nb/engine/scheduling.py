"""What the tasks of one iteration asked for the next: `schedule_next_iter` and `stop_swarm`."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from manta_nb.engine.records import Batch, Event
from manta_nb.engine.wording import name_some, one_line

__all__ = ["next_schedule", "stopper"]


def stopper(batches: Iterable[Batch]) -> tuple[str, str] | None:
    """The task and the node that called `stop_swarm()`, the first one that did."""
    return next(((batch.task, batch.stop) for batch in batches if batch.stop is not None), None)


def next_schedule(
    number: int, batches: Iterable[Batch], tasks: Container[str], knows: Callable[[str], bool]
) -> tuple[dict[str, tuple[str, ...]], list[Event]]:
    """Alias → nodes that iteration `number` asked for (its last batch counts); an event for unknown names."""
    asked: dict[str, tuple[str, ...]] = {}
    for batch in batches:
        asked.update(batch.schedule)
    schedule: dict[str, tuple[str, ...]] = {}
    events = []
    for alias, node_ids in asked.items():
        if alias not in tasks:
            text = f"schedule_next_iter asked for {alias!r}, which is no task of this run: ignored"
            events.append(Event(number, "schedule", text, task=alias))
            continue
        known = tuple(node for node in node_ids if knows(node))
        unknown = [node for node in node_ids if not knows(node)]
        if unknown:
            text = f"schedule_next_iter asked {alias!r} onto unknown nodes, ignored: {name_some(unknown)}"
            events.append(Event(number, "schedule", one_line(text), task=alias))
        if known:
            schedule[alias] = known
    return schedule, events
