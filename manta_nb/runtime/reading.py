"""What a task may read, as one worker sees it: which segments it opens itself, and which have to be brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Segment
from manta_nb.runtime.courier import Host
from manta_nb.runtime.entry import Entry
from manta_nb.runtime.fleet import Fleet
from manta_nb.runtime.runners.segments import Place

__all__ = ["Reading", "read_by", "reading_for"]


@dataclass(frozen=True)
class Reading:
    """The segments of a request and where they are."""

    places: tuple[Place, ...]
    globals: Mapping[str, tuple[int, int, int]]
    results: tuple[tuple[int, int, tuple[str, ...]], ...]
    #: segments whose bytes come with this batch, and the futures of them
    imports: tuple[str, ...] = ()
    futures: tuple[Any, ...] = ()
    #: all segments that are read as bytes
    needs: tuple[str, ...] = ()
    #: segments that cannot be read any more
    lost: tuple[str, ...] = ()


def reading_for(fleet: Fleet, host: Host, task: RunTask, selects: tuple[str, ...] | None) -> Reading:
    """What the nodes of `host` read for `task`; `selects` are the result tags it can ask for (None: any)."""
    found = _Finder(fleet, host)
    globals_ = {
        tag: (found.number(ref.segment, None), ref.offset, ref.nbytes) for tag, ref in task.globals.items()
    }
    results = []
    for batch in task.results.batches:
        if batch.segment is not None and (
            selects is None or any(tag in batch.result_bytes for tag in selects)
        ):
            results.append((batch.iteration, found.number(batch.segment, selects), tuple(batch.result_bytes)))
    return Reading(
        places=tuple(found.places),
        globals=globals_,
        results=tuple(results),
        imports=tuple(found.imports),
        futures=tuple(found.imports.values()),
        needs=tuple(found.needs),
        lost=tuple(found.lost),
    )


def read_by(task: RunTask) -> set[str]:
    """Keys of all segments that a task can read."""
    keys = {ref.segment.key for ref in task.globals.values()}
    keys.update(batch.segment.key for batch in task.results.batches if batch.segment is not None)
    return keys


class _Finder:
    """Collects the places of segments, each once, and what has to be brought for them."""

    def __init__(self, fleet: Fleet, host: Host) -> None:
        self._fleet, self._host = fleet, host
        self._numbers: dict[str, int] = {}
        self.places: list[Place] = []
        self.imports: dict[str, Any] = {}
        self.needs: list[str] = []
        self.lost: list[str] = []

    def number(self, segment: Segment, tags: tuple[str, ...] | None) -> int:
        """The position of the segment in the request."""
        place = self._place(segment, tags)
        if place.key not in self._numbers:
            self._numbers[place.key] = len(self.places)
            self.places.append(place)
        return self._numbers[place.key]

    def _place(self, segment: Segment, tags: tuple[str, ...] | None) -> Place:
        if segment.key in self._numbers:
            return self.places[self._numbers[segment.key]]
        entry = self._fleet.book.entry(segment.key)
        if entry is None or not entry.held:
            self.lost.append(segment.key)
            return Place(segment.key, 0, -1, segment.nbytes)
        place = self._fleet.book.place_for(entry, self._host.tag)
        return place if place is not None else self._bring(entry, tags)

    def _bring(self, entry: Entry, tags: tuple[str, ...] | None) -> Place:
        """The segment's bytes have to come with the request, if the worker does not have them."""
        key = entry.segment.key
        elsewhere = entry.left or entry.segment.holder != self._host.worker_id
        whole = tags is None or not elsewhere or entry.data is not None or entry.fd >= 0
        if not whole:
            # a copy with some tags only is a segment of its own
            key = blake2b(json.dumps([key, tags]).encode(), digest_size=16).hexdigest()
        if key not in self.needs:
            self.needs.append(key)
        if elsewhere:
            future = self._fleet.courier.copy_for(entry, self._host, key, None if whole else tags)
            if future is not None:
                self.imports[key] = future
        return Place(key, 0, -1, entry.segment.nbytes)
