"""`OpenBatches`: what one run has sent to workers and not heard the end of."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from distributed import Future

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Event
from manta_nb.engine.wording import name_some
from manta_nb.runtime.courier import Host

__all__ = ["OpenBatch", "OpenBatches"]

#: seconds an outcome may come after Dask's word that the batch is over
LATE = 5.0


@dataclass
class OpenBatch:
    """A batch under way."""

    task: RunTask
    host: Host
    node_ids: tuple[str, ...]
    future: Future[Any] | None = None
    #: when Dask called it finished
    ended: float = math.inf

    @property
    def label(self) -> str:
        """What Dask's own pages call it: task, iteration, first node and how many more."""
        more = f"+{len(self.node_ids) - 1}" if len(self.node_ids) > 1 else ""
        return f"{self.task.alias}-{self.task.iteration}-{self.node_ids[0]}{more}"


class OpenBatches:
    """Batches by id. Used by the run's threads and by Dask's: locked."""

    def __init__(self) -> None:
        self._open: dict[str, OpenBatch] = {}
        self._given_up: dict[str, OpenBatch] = {}
        self._lock = threading.Lock()
        #: batches that Dask has not called over yet, whether their outcome has come or not
        self._unsettled = 0
        self._settled = threading.Condition()

    def add(self, batch_id: str, opened: OpenBatch) -> None:
        """A batch is about to be sent."""
        with self._settled:
            self._unsettled += 1
        with self._lock:
            self._open[batch_id] = opened

    def get(self, batch_id: str) -> OpenBatch | None:
        """The batch, as long as nothing was heard of its end."""
        with self._lock:
            return self._open.get(batch_id)

    def close(self, batch_id: str) -> None:
        """Its end was heard."""
        with self._lock:
            self._open.pop(batch_id, None)

    def give_up(self, batch_id: str) -> None:
        """Nobody waits for its outcome any more."""
        with self._lock:
            if opened := self._open.pop(batch_id, None):
                self._given_up[batch_id] = opened

    def given_up(self, batch_id: str) -> Event | None:
        """What to say of an outcome that came after its batch was given up; None where that is known already."""
        with self._lock:
            opened = self._given_up.pop(batch_id, None)
        if opened is None:
            return None
        task, names = opened.task, name_some(opened.node_ids, 3)
        text = f"{task.alias} on {names}: the outcome of attempt {task.attempt} came too late, and does not count"
        return Event(task.iteration, "late", text, opened.node_ids[0], task.alias)

    def of(self, iteration: int, alias: str, node_ids: Iterable[str]) -> dict[str, OpenBatch]:
        """The batches that these nodes' turns of a task are in."""
        names = frozenset(node_ids)
        with self._lock:
            return {
                key: opened
                for key, opened in self._open.items()
                if (opened.task.iteration, opened.task.alias) == (iteration, alias)
                and not names.isdisjoint(opened.node_ids)
            }

    def all(self) -> list[OpenBatch]:
        """Those under way."""
        with self._lock:
            return list(self._open.values())

    def on(self, host: Host) -> list[str]:
        """Ids of those that a worker has."""
        with self._lock:
            return [key for key, opened in self._open.items() if opened.host is host and opened.future]

    def late(self, now: float) -> list[str]:
        """Ids of those that Dask called over, and whose outcome did not come."""
        with self._lock:
            return [key for key, opened in self._open.items() if opened.ended + LATE < now]

    def settle(self) -> None:
        """Dask called one over."""
        with self._settled:
            self._unsettled -= 1
            self._settled.notify_all()

    def wait_settled(self, timeout: float) -> None:
        """Wait until Dask has called all of them over."""
        with self._settled:
            self._settled.wait_for(lambda: not self._unsettled, timeout=timeout)
