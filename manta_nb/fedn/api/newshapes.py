"""The JSON of FEDn from 0.9 on; keys that came later are there, too."""

from __future__ import annotations

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
    round_config,
    sender,
    stamp,
)
from manta_nb.fedn.api.training import Training
from manta_nb.session.node import Node

__all__ = ["combiner", "missing", "model", "node", "package", "round_", "session", "status", "validation"]


def missing(key: object) -> Json:
    """There is no such thing."""
    return {"message": f"Entity with id: {key} not found"}


def node(of: Node, seen: str) -> Json:
    """A client."""
    return {
        "id": of.node_id,
        "client_id": of.node_id,
        "name": of.node_id,
        "combiner": COMBINER,
        "combiner_preferred": None,
        "ip": "127.0.0.1",
        "status": node_status(of),
        "updated_at": seen,
        "last_seen": seen,
    }


def combiner(since: str) -> Json:
    """The combiner."""
    return {
        "id": COMBINER,
        "name": COMBINER,
        "address": "localhost",
        "fqdn": None,
        "ip": "127.0.0.1",
        "port": 0,
        "parent": {"name": "reducer"},
        "certificate": None,
        "key": None,
        "config": {},
        "status": "active",
        "updated_at": since,
    }


def package(record: PackageRecord, active: bool) -> Json:
    """A package."""
    return {
        "id": record.id,
        "key": "active" if active else "package_trail",
        "active": active,
        "committed_at": http_date(record.committed),
        "description": record.description,
        "file_name": record.file_name,
        "helper": record.helper,
        "name": record.name,
        "storage_file_name": record.storage_file_name,
    }


def model(record: ModelRecord) -> Json:
    """A model."""
    return {
        "id": record.id,
        "key": "models",
        "model": record.id,
        "model_id": record.id,
        "name": None,
        "parent_model": record.parent,
        "session_id": record.session_id,
        "committed_at": http_date(record.committed),
    }


def session(training: Training) -> Json:
    """A session."""
    return {
        "id": training.id,
        "session_id": training.id,
        "name": training.name or None,
        "status": training.status,
        "session_config": {**training.config, **training.further},
        "committed_at": http_date(training.started),
    }


def round_(record: RoundRecord) -> Json:
    """A round; one that goes on has no `combiners` yet."""
    shown: Json = {
        "id": record.id,
        "round_id": record.id,
        "status": record.status,
        "round_config": round_config(record),
    }
    if record.model:
        shown["combiners"] = [combined(record)]
        shown["round_data"] = {
            "reduce": {"time_fetch_model": 0.0, "time_load_model": 0.0, "time_aggregate_model": 0.0},
            "time_commit": 0.0,
        }
    return shown


def validation(record: ValidationRecord) -> Json:
    """A validation."""
    return {
        "id": record.id,
        "model_id": record.model_id,
        "data": record.data,
        "correlation_id": record.correlation_id,
        "timestamp": stamp(record.at),
        "session_id": record.session_id,
        "meta": "",
        "sender": sender(record.node),
        "receiver": receiver(),
    }


def status(record: EventRecord) -> Json:
    """An event."""
    return {
        "id": record.id,
        "status": record.status,
        "timestamp": stamp(record.at),
        "log_level": record.level,
        "data": record.data,
        "correlation_id": record.correlation_id,
        "type": record.type,
        "extra": "",
        "session_id": record.session_id,
        "sender": sender(record.sender),
    }
