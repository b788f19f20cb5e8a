"""A worker's outcome message as the engine's records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Batch, Failure, Quorum, Segment, ValueRef
from manta_nb.runtime.runners.segments import Place

__all__ = ["Told", "outcome_to_batch"]


@dataclass(frozen=True)
class Told:
    """What a worker told of a batch."""

    batch: Batch
    place: Place | None
    #: (kind, node id, text)
    notes: tuple[tuple[str, str, str], ...]
    #: segment that could not be read → nodes whose turn it ended
    lost: Mapping[str, tuple[str, ...]]
    #: keys of segments of which a child still holds views
    kept: tuple[str, ...] = ()


def outcome_to_batch(
    message: Mapping[str, Any], task: RunTask, node_ids: Sequence[str], worker_id: str
) -> Told:
    """Translate positions into node ids, and places into segments."""
    head = json.loads(message["head"])
    done = node_ids if head["done"] is None else [node_ids[position] for position in head["done"]]
    place = Place(*head["segment"]) if head["segment"] else None
    segment = Segment(place.key, worker_id, place.nbytes) if place is not None else None
    batch = Batch(
        iteration=task.iteration,
        task=task.alias,
        attempt=task.attempt,
        worker_id=worker_id,
        nodes=tuple(done),
        failures=tuple(_failure(raw, node_ids) for raw in head["failures"]),
        segment=segment,
        result_bytes=head["result_bytes"],
        partial_tags={
            tag: tuple(node_ids[p] for p in positions) for tag, positions in head["partial"].items()
        },
        globals=_globals(head["globals"], segment, node_ids),
        contested=tuple(head["contested"]),
        schedule={alias: tuple(ids) for alias, ids in head["schedule"].items()},
        stop=None if head["stop"] is None else node_ids[head["stop"]],
        quorum=None if head["quorum"] is None else Quorum(**head["quorum"]),
        stateful=tuple(node_ids[position] for position in head["stateful"]),
        bytes_out=_by_node(node_ids, np.frombuffer(message["bytes_out"], dtype=np.int64)),
        seconds=_by_node(node_ids, np.frombuffer(message["seconds"], dtype=np.float32)),
    )
    notes = tuple((note["kind"], node_ids[note["node"]], note["message"]) for note in head["notes"])
    lost: dict[str, tuple[str, ...]] = {}
    for position, key in head["lost"]:
        lost[key] = (*lost.get(key, ()), node_ids[position])
    return Told(batch, place, notes, lost, tuple(head["kept"]))


def _failure(raw: Mapping[str, Any], node_ids: Sequence[str]) -> Failure:
    return Failure(
        node_id=node_ids[raw["node"]],
        kind=raw["kind"],
        message=raw["message"],
        where=raw["where"],
        traceback=raw["traceback"],
        output=tuple(raw["output"]),
    )


def _globals(
    raw: Mapping[str, Sequence[int]], segment: Segment | None, node_ids: Sequence[str]
) -> dict[str, tuple[str, ValueRef]]:
    if segment is None:
        return {}
    return {
        tag: (node_ids[node], ValueRef(segment, offset, nbytes))
        for tag, (node, offset, nbytes) in raw.items()
    }


def _by_node(node_ids: Sequence[str], numbers: np.ndarray) -> dict[str, Any]:
    return dict(zip(node_ids, numbers.tolist(), strict=True))
