"""`Released`: the batches of a run that nobody waits for any more, while they may still be under way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from manta_nb.runtime.batches import OpenBatch
from manta_nb.runtime.courier import Host
from manta_nb.runtime.decoding import outcome_to_batch
from manta_nb.runtime.fleet import Fleet

__all__ = ["Lines", "Released"]

#: what is done with streamed lines: (iteration, task, node ids of the batch, lines)
Lines = Callable[[int, str, Sequence[str], list[list[Any]]], None]


class Released:
    """What a turn that was released still prints is shown; what else comes of it goes.

    Used by the driver's thread, the run's inbox and Dask's own thread: locked.

    Args:
        fleet: the workers.
        run_id: the name of this execution of the run.
        lines: is given what tasks stream.
    """

    def __init__(self, fleet: Fleet, run_id: str, lines: Lines) -> None:
        self._fleet = fleet
        self._run_id = run_id
        self._lines = lines
        self._batches: dict[str, OpenBatch] = {}
        self._lock = threading.Lock()

    def add(self, batches: Mapping[str, OpenBatch]) -> None:
        """Let the turns of these know, and take back what has not begun."""
        with self._lock:
            self._batches.update({key: batch for key, batch in batches.items() if batch.host.alive})
        self._tell(batches.values())
        self._fleet.cancel([batch.future for batch in batches.values() if batch.future is not None])

    def _tell(self, batches: Iterable[OpenBatch]) -> None:
        fences = [
            [batch.task.iteration, batch.task.alias, batch.task.attempt, list(batch.node_ids)]
            for batch in batches
        ]
        workers = {batch.host.worker_id for batch in batches}
        self._fleet.broadcast("manta_nb_release", workers, run_id=self._run_id, batches=fences)

    def workers(self) -> set[str]:
        """The workers that may have one of these under way, and so read what it was given."""
        with self._lock:
            return {batch.host.worker_id for batch in self._batches.values()}

    def joined(self, host: Host) -> None:
        """A worker answers again: it may have missed what it was told."""
        if mine := self._on(host):
            self._tell(mine.values())

    def lost(self, host: Host) -> None:
        """A worker is gone, and all it had under way."""
        self._forget(self._on(host))

    def ended(self, host: Host, batch_id: str) -> None:
        """A batch of this worker is over, and so are those it was given before: it runs one after the other."""
        self._forget(key for key in self._on(host) if _number(key) <= _number(batch_id))

    def hear(self, batch_id: str, message: Mapping[str, Any]) -> bool:
        """Take in what came of one of these; False where it is none of them."""
        with self._lock:
            batch = self._batches.get(batch_id)
        if batch is None:
            return False
        if "lines" in message:
            task = batch.task
            self._lines(task.iteration, task.alias, batch.node_ids, json.loads(message["lines"]))
        elif "head" in message:
            self.ended(batch.host, batch_id)
            told = outcome_to_batch(message, batch.task, batch.node_ids, batch.host.worker_id)
            self._fleet.book.view(told.kept)
            if told.place is not None:
                self._fleet.courier.forsake(batch.host.worker_id, told.place.key)
        elif "refused" in message:
            self._forget([batch_id])
        # else Dask's word that it was taken back: what had begun goes on all the same
        return True

    def _on(self, host: Host) -> dict[str, OpenBatch]:
        with self._lock:
            return {key: batch for key, batch in self._batches.items() if batch.host is host}

    def _forget(self, batch_ids: Iterable[str]) -> None:
        with self._lock:
            for batch_id in batch_ids:
                self._batches.pop(batch_id, None)


def _number(batch_id: str) -> int:
    return int(batch_id.rpartition("/")[2])
