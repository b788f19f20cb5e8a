"""What a report says beyond what a run shows: its code, its packages, its data, and where it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manta_nb.sdk.graph import GraphTask
from manta_nb.session.digest import RunLike
from manta_nb.session.storedcode import versions
from manta_nb.store.records import RunHead

__all__ = ["Code", "Facts", "facts_of"]


@dataclass(frozen=True)
class Code:
    """The module of one or several tasks."""

    #: the tasks that run it
    tasks: tuple[str, ...]
    #: on which nodes, in words
    placement: str
    #: file → text
    files: Mapping[str, str]
    #: file → the cell or file it came from
    origins: Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """All that repeating a run takes, but for the data."""

    code: tuple[Code, ...]
    #: package → version
    versions: Mapping[str, str]
    #: what the nodes were started with, a line each
    nodes: tuple[str, ...]
    #: the notebook or file it was started from; "" where that is not known
    source: str
    #: the run it goes on from, and the iteration of that whose values it begins with (None: it repeats it)
    parent: tuple[str, int | None] | None


def facts_of(run: RunLike) -> Facts:
    """Look at what a run was asked for; of one that no store has, what can be known here."""
    head: RunHead | None = getattr(run, "head", None)
    session = head.session if head is not None else getattr(run, "stored_session", None) or {}
    return Facts(
        _code(getattr(run.graph, "tasks", ())),
        head.versions if head is not None and head.versions else versions(),
        _nodes(session),
        head.source if head is not None else "",
        getattr(run, "parent", None) or (head.parent if head is not None else None),
    )


def _code(tasks: tuple[GraphTask, ...]) -> tuple[Code, ...]:
    """The modules; one that several tasks run is there once."""
    found: dict[tuple[str, str], Code] = {}
    for task in tasks:
        module, key = task.module, (task.module.source.version, task.module.placement())
        aliases = (*found[key].tasks, task.alias) if key in found else (task.alias,)
        found[key] = Code(aliases, module.placement(), module.source.files, module.source.origins)
    return tuple(found.values())


def _nodes(session: Mapping[str, Any]) -> tuple[str, ...]:
    """What `session.describing` kept, in words."""
    options, missing = session.get("options", {}), session.get("missing", ())
    words = [f"{name}={value!r}" for name, value in options.items()]
    lines = [session.get("summary", ""), f"Session({', '.join(words)})" if words else ""]
    lines.append(f"given as objects, and not kept: {', '.join(missing)}" if missing else "")
    return tuple(filter(None, lines))
