"""What happened in a session, as FEDn's events tell it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from manta_nb.fedn import outcome
from manta_nb.fedn.api.records import COMBINER, EventRecord, correlation, now
from manta_nb.fedn.api.training import Training

__all__ = ["events_of"]

#: entry point → the type of the event when it was called
_TYPES = {"train": "MODEL_UPDATE", "validate": "MODEL_VALIDATION"}


def events_of(training: Training) -> list[EventRecord]:
    """Everything that happened in a session, oldest first."""
    found = [_told(training, "Session started.", training.started, training.config)]
    for number in range(1, training.run.iteration + 1):
        found += _of_round(training, number)
    found += _failures(training)
    found.sort(key=lambda event: event.at)
    if training.over:
        last = {"rounds": training.run.iteration, "reason": training.run.reason}
        found.append(_told(training, f"Session {training.status.lower()}.", _end(training), last))
    return found


def _of_round(training: Training, number: int) -> Iterator[EventRecord]:
    """Updates, the new model, validations."""
    at, name = training.committed(number), str(training.round_id(number))
    before, model = training.model_id(number - 1), training.model_id(number)
    seconds = training.train_seconds().get(number, {})
    for node, took in seconds.items():
        data = {"model_id": before, "round_id": name, "exec_training": took}
        yield _event(training, "train", "Model update completed.", data, at, node, before)
    made = {"model_id": model, "round_id": name, "nr_aggregated_models": len(seconds)}
    yield _told(training, f"Round {name} finished.", at, made)
    for report in training.reports(number):
        data = {"model_id": model, "round_id": name, "data": report.data}
        yield _event(training, "validate", "Model validation completed.", data, at, report.node, model)


def _failures(training: Training) -> Iterator[EventRecord]:
    """Calls that failed, and why."""
    for failure in outcome.failures(training.run):
        number, point = failure["round"], failure["entry_point"]
        at = training.committed(number) if number <= training.run.iteration else _end(training)
        data = {"round_id": str(training.round_id(number)), **failure}
        model = training.model_id(number if point == "validate" else number - 1)
        status = f"{point} failed: {failure['message']}"
        yield _event(training, point, status, data, at, failure["node"], model, "ERROR")


def _event(
    training: Training,
    point: str,
    status: str,
    data: object,
    at: datetime,
    node: str,
    model: str,
    level: str = "INFO",
) -> EventRecord:
    kind = _TYPES.get(point, "LOG")
    text = json.dumps(data)
    return EventRecord(kind, status, text, training.id, correlation(point, model, node), at, node, level)


def _told(training: Training, status: str, at: datetime, data: object) -> EventRecord:
    asked = correlation("session", training.id, status)
    return EventRecord("LOG", status, json.dumps(data), training.id, asked, at, COMBINER)


def _end(training: Training) -> datetime:
    ended = training.run.ended
    return now() if ended is None else datetime.fromtimestamp(ended, training.started.tzinfo)
