"""What the answers of both generations of FEDn have in common: times, filters, refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from manta_nb.errors import UsageError
from manta_nb.fedn.api.records import COMBINER, RoundRecord
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.node import Node

__all__ = [
    "Json",
    "combined",
    "done",
    "http_date",
    "known_filters",
    "matching",
    "node_status",
    "page",
    "receiver",
    "refused",
    "round_config",
    "sender",
    "stamp",
    "trail_time",
]

Json = dict[str, Any]

_STATUSES = {"frozen": "available", "lost": "offline", "closed": "offline"}
#: names in Python of what is filtered by in MongoDB's words
_ALIASES = {
    "correlation_id": "correlationId",
    "log_level": "logLevel",
    "model_id": "modelId",
    "receiver_name": "receiver.name",
    "receiver_role": "receiver.role",
    "sender_name": "sender.name",
    "sender_role": "sender.role",
    "session_id": "sessionId",
}


def done(message: str) -> Json:
    """What worked."""
    return {"success": True, "message": message}


def refused(message: str) -> Json:
    """What did not."""
    return {"success": False, "message": message}


def http_date(at: datetime) -> str:
    """As Flask writes a time: `Fri, 09 Feb 2024 10:11:12 GMT`."""
    return format_datetime(at, usegmt=True)


def stamp(at: datetime) -> str:
    """As protobuf writes a time: `2024-02-09T10:11:12.345678Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def trail_time(at: datetime) -> str:
    """As Python writes a time, which is the local one: `2024-02-09 11:11:12.345678`."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")


def node_status(node: Node) -> str:
    """`online`, `available` (there, and stands still) or `offline`."""
    return _STATUSES.get(node.state, "online")


def sender(node: str) -> Json:
    """Who sent something."""
    return {"name": node, "role": "COMBINER" if node == COMBINER else "WORKER"}


def receiver() -> Json:
    """Who got it."""
    return {"name": COMBINER, "role": "COMBINER"}


def combined(record: RoundRecord) -> Json:
    """What the combiner tells of a round that it has finished."""
    return {
        "name": COMBINER,
        "round_id": record.id,
        "model_id": record.model,
        "status": "Success",
        "time_exec_training": record.seconds,
        "config": round_config(record),
        "data": {
            "nr_expected_updates": record.asked,
            "nr_required_updates": record.session["clients_required"],
            "timeout": float(record.session["round_timeout"]),
            "time_combination": 0.0,
            "aggregation_time": {
                "time_model_load": 0.0,
                "time_model_aggregation": 0.0,
                "nr_aggregated_models": record.updates,
            },
        },
    }


def round_config(record: RoundRecord) -> Json:
    """The options of a round: those of its session, and its own model."""
    own = {"rounds": 1, "round_id": record.id, "task": "training", "model_id": record.begins}
    return {**record.session, **own}


def page(rows: Sequence[Json], n_max: int | None = None) -> Json:
    """`{"count", "result"}`: all that there are, and the first `n_max` of them."""
    return {"count": len(rows), "result": list(rows[:n_max] if n_max else rows)}


def matching(documents: Iterable[Json], wanted: Mapping[str, Any]) -> list[Json]:
    """The documents that have these values; `"sender.name"` is the name in what `sender` holds; None: any value."""
    texts = {name: str(value) for name, value in wanted.items() if value is not None}
    return [row for row in documents if all(str(_field(row, name)) == text for name, text in texts.items())]


def known_filters(what: str, filters: Mapping[str, Any], known: Sequence[str]) -> Json:
    """The filters that a person gave, by the names of the fields that are stored.

    Raises:
        UsageError: there is no field of that name.
    """
    named = {_ALIASES.get(name, name): value for name, value in filters.items()}
    for name in named:
        if name not in known:
            near = did_you_mean(name, known)
            raise UsageError(
                one_line(f"{what} has no filter {shorten(name, 40)!r}{near}: there are {listed(known, 9)}")
            )
    return named


def _field(row: Json, name: str) -> object:
    value: object = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
