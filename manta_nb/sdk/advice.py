"""Notes about a swarm that would start, but reads tags or schedules aliases that nobody provides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from manta_nb.sdk.graph import GraphTask, TaskGraph
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["swarm_notes"]


def swarm_notes(graph: TaskGraph, first_globals: Iterable[str]) -> tuple[str, ...]:
    """One line for each literal tag or alias of a module that nothing in the swarm provides.

    A module that writes computed tags silences the notes about tags: they may be the ones.

    Args:
        graph: the tasks of the swarm.
        first_globals: the tags that `set_global` was given.

    Example:
        >>> swarm_notes(graph, ["hyperparameters"])
        ("worker reads the Global 'hyperparamters', which nobody sets (did you mean 'hyperparameters'?)",)
    """
    return tuple(dict.fromkeys(_notes(graph, set(first_globals))))


def _notes(graph: TaskGraph, globals_: set[str]) -> Iterator[str]:
    usages = [task.module.usage for task in graph.tasks]
    computed = any(usage.writes_all for usage in usages)
    globals_ |= {tag for usage in usages for tag in usage.writes}
    results = {tag for usage in usages for tag in usage.adds}
    for task in graph.tasks:
        if not computed:
            yield from _unknown(task, "reads the Global", task.module.usage.reads, globals_, "sets")
            yield from _unknown(task, "selects the Result", task.module.usage.selects, results, "adds")
        yield from _unknown(task, "schedules", task.module.usage.schedules, {*graph.aliases}, "is")


def _unknown(task: GraphTask, does: str, names: Iterable[str], known: set[str], verb: str) -> Iterator[str]:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            yield one_line(f"{task.alias} {does} {shorten(name, 50)!r}, which nobody {verb}{hint}")
