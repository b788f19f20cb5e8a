"""The sentences of the engine: one line of at most 200 characters each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from manta_nb.engine.records import Event, Failure, TaskPlan
from manta_nb.engine.roster import Roster

__all__ = ["LIMIT", "about_nodes", "failed_task", "fit", "name_some", "nobody_eligible", "one_line"]

LIMIT = 200
_NAMED = 8


def one_line(text: str, limit: int = LIMIT) -> str:
    """`text` without line breaks, cut with `…` where it is longer than `limit` characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def name_some(names: Sequence[str], limit: int = _NAMED) -> str:
    """`"node_0, node_1 and 998 more"`: the first `limit` names and how many are left."""
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def about_nodes(iteration: int, kind: str, nodes: Sequence[str], text: str) -> Event:
    """The event that something holds for these nodes."""
    node = nodes[0] if len(nodes) == 1 else ""
    return Event(iteration, kind, one_line(f"{name_some(nodes)} {text}"), node)


def failed_task(task: str, failure: Failure, failed: int, placed: int, needed: int) -> str:
    """Why a run failed: the task, the node, where in whose code, the message; then how many others failed."""
    where = f" at {failure.where}" if failure.where else ""
    verb = {"timeout": "ran out of time", "lost": "was lost"}.get(failure.kind, "failed")
    head = f"{task} {verb} on {failure.node_id}{where}: "
    tail = f" ({failed} of {placed} nodes failed, {needed} must succeed)" if placed > 1 else ""
    whole = head + one_line(failure.message, limit=2 * LIMIT)
    if len(whole) <= LIMIT:
        # what to do stands at the end of a message: how many others failed is worth less than that
        return whole + tail if len(whole) + len(tail) <= LIMIT else whole
    return one_line(head + one_line(failure.message, max(20, LIMIT - len(head) - len(tail))) + tail)


def nobody_eligible(
    task: TaskPlan, roster: Roster, scheduled: Sequence[str] | None, fixed: Sequence[str] | None
) -> str:
    """Why no node can run `task`, node by node: at most eight of them, and no more than a line holds."""
    asked = next(
        (names for names in (scheduled, fixed, task.specified_ids) if names is not None), roster.holding()
    )
    needs = (
        f"it needs the dataset{'s' * (len(task.datasets) > 1)} {_quoted(task.datasets)}; "
        if task.datasets
        else ""
    )
    head = f"no node can run {task.alias!r}: "
    if not asked:
        return one_line(head + needs + "there are no nodes")
    return head + needs + fit(list(_obstacles(task, roster, asked)), LIMIT - len(head) - len(needs))


def _obstacles(task: TaskPlan, roster: Roster, asked: Iterable[str]) -> Iterator[str]:
    for name in asked:
        node = roster.nodes.get(name)
        if name in roster.gone:
            yield f"{name} is gone"
        elif node is None:
            yield f"{name} is unknown"
        elif name in task.excepted_ids:
            yield f"{name} is excepted"
        elif task.specified_ids is not None and name not in task.specified_ids:
            yield f"{name} is not among its specified nodes"
        elif set(task.datasets) <= node.datasets:
            yield f"{name} is not its fixed node"
        else:
            yield f"{name} has {', '.join(sorted(node.datasets)) or 'none'}"


def fit(parts: list[str], room: int) -> str:
    """As many parts as fit, at least one, at most eight, and how many are left."""
    for shown in range(min(len(parts), _NAMED), 1, -1):
        text = name_some(parts, shown)
        if len(text) <= room:
            return text
    return one_line(name_some(parts, 1), max(room, 20))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
