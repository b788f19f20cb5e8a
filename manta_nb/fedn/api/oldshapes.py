"""The JSON of FEDn up to 0.8."""

from __future__ import annotations

from collections.abc import Iterable

from manta_nb.fedn.api.records import (
    COMBINER,
    EventRecord,
    ModelRecord,
    PackageRecord,
    RoundRecord,
    ValidationRecord,
)
from manta_nb.fedn.api.shapes import (
    Json,
    combined,
    http_date,
    node_status,
    receiver,
    sender,
    stamp,
    trail_time,
)
from manta_nb.fedn.api.training import Training
from manta_nb.session.node import Node

__all__ = [
    "EVENT_FILTERS",
    "VALIDATION_FILTERS",
    "combiner",
    "event",
    "model",
    "node",
    "package",
    "round_",
    "rounds",
    "session",
    "trail",
    "validation",
    "validation_document",
]

#: what is stored of a validation can be filtered by
VALIDATION_FILTERS = (
    "modelId",
    "correlationId",
    "sessionId",
    "sender.name",
    "sender.role",
    "receiver.name",
    "receiver.role",
    "timestamp",
    "data",
    "meta",
)
EVENT_FILTERS = (
    "type",
    "status",
    "correlationId",
    "sessionId",
    "sender.name",
    "sender.role",
    "logLevel",
    "timestamp",
)


def package(record: PackageRecord) -> Json:
    """A package."""
    return {
        "id": record.id,
        "file_name": record.file_name,
        "helper": record.helper,
        "committed_at": http_date(record.committed),
        "storage_file_name": record.storage_file_name,
        "name": record.name,
        "description": record.description,
    }


def model(record: ModelRecord) -> Json:
    """A model."""
    return {
        "committed_at": http_date(record.committed),
        "model": record.id,
        "session_id": record.session_id,
    }


def trail(records: Iterable[ModelRecord]) -> dict[str, str]:
    """Models and when they came; the order is kept, which FEDn sorts by id."""
    return {record.id: trail_time(record.committed) for record in records}


def node(of: Node, seen: str) -> Json:
    """A client."""
    return {
        "id": of.node_id,
        "combiner": COMBINER,
        "combiner_preferred": None,
        "ip": "127.0.0.1",
        "status": node_status(of),
        "last_seen": seen,
    }


def combiner(since: str) -> Json:
    """What is told of the combiner."""
    return {
        "address": "localhost",
        "fqdn": None,
        "parent_reducer": "reducer",
        "port": 0,
        "updated_at": since,
    }


def session(training: Training) -> Json:
    """A session."""
    return {training.id: dict(training.config), "status": training.status}


def round_(record: RoundRecord) -> Json:
    """A round."""
    return {"round_id": record.id, "combiners": _combiners(record) or []}


def rounds(records: Iterable[RoundRecord]) -> Json:
    """Rounds by their ids."""
    return {record.id: {"reducer": None, "combiners": _combiners(record)} for record in records}


def validation_document(record: ValidationRecord) -> Json:
    """A validation as it is stored: what filters look at."""
    return {
        "id": record.id,
        "modelId": record.model_id,
        "data": record.data,
        "timestamp": stamp(record.at),
        "meta": "",
        "sender": sender(record.node),
        "receiver": receiver(),
        "correlationId": record.correlation_id,
        "sessionId": record.session_id,
    }


def validation(document: Json) -> Json:
    """A validation as it is shown."""
    names = {"model_id": "modelId"} | {
        name: name for name in ("data", "timestamp", "meta", "sender", "receiver")
    }
    return {name: document[stored] for name, stored in names.items()}


def event(record: EventRecord) -> Json:
    """An event."""
    return {
        "sender": sender(record.sender),
        "status": record.status,
        "logLevel": record.level,
        "data": record.data,
        "correlationId": record.correlation_id,
        "timestamp": stamp(record.at),
        "type": record.type,
        "extra": "",
        "sessionId": record.session_id,
    }


def _combiners(record: RoundRecord) -> list[Json] | None:
    return [combined(record)] if record.model else None
