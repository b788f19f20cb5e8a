"""`Courier`: carries segments between workers and the kernel, and says which ones can be freed."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
from distributed import CancelledError, Client, Future

from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.capabilities import HostTag, host_tag
from manta_nb.runtime.entry import Entry
from manta_nb.runtime.worker import export_segment, hold, resource_of

__all__ = ["SHARE", "Courier", "Host"]

#: a share so small that Dask never makes one task wait for another because of it
SHARE = 0.001
#: seconds until a worker must have answered
ANSWER_DEADLINE = 60
#: seconds until a worker must have taken what it is given, if it is there; more for what is large
HAND_OVER_DEADLINE = 1.0
#: bytes a second that a worker takes at least
SLOWEST = 50 << 20
#: above so many bytes Dask warns whoever submits a task
LARGE = "distributed.admin.large-graph-warning-threshold"


@dataclass
class Host:
    """One worker process and the nodes it hosts."""

    worker_id: str
    node_ids: tuple[str, ...]
    tag: HostTag
    pid: int
    address: str = ""
    alive: bool = True


class Courier:
    """Shared by all runs of a session."""

    def __init__(self, client: Client, shared_values: bool) -> None:
        self._client = client
        #: where every segment lies
        self.book = SegmentBook(host_tag(shared_values), self._fetch, self._let_go)
        self._release: dict[str, list[str]] = defaultdict(list)
        self._reuse: dict[str, list[str]] = defaultdict(list)
        self._lock = threading.Lock()

    def drop(self, keys: Iterable[str], again: bool) -> None:
        """Nobody needs these segments any more; their memory may be written over at once, or `again` is false."""
        dropped = tuple(key for key in keys if not self.book.still_shared(key))
        for entry in filter(None, map(self.book.entry, dropped)):
            if again and entry.fd >= 0 and not entry.viewed:
                self.reuse(entry)
            else:
                self.release(entry)
            self.release_copies(entry)
        self.book.drop(dropped)

    def release(self, entry: Entry) -> None:
        """Let the holder free a segment, together with the next batch it gets."""
        if entry.segment.holder:
            with self._lock:
                self._release[entry.segment.holder].append(entry.segment.key)

    def _let_go(self, entry: Entry) -> None:
        """Let everybody else free a segment that the kernel has."""
        self.release(entry)
        self.release_copies(entry)

    def forsake(self, worker_id: str, key: str) -> None:
        """Let a worker free a segment that nobody has heard of: it came too late."""
        with self._lock:
            self._release[worker_id].append(key)

    def reuse(self, entry: Entry) -> None:
        """Let the holder write its next values over a segment that nobody can read any more."""
        with self._lock:
            self._reuse[entry.segment.holder].append(entry.segment.key)

    def to_release(self, worker_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a worker may free now, and what it may write over."""
        with self._lock:
            return tuple(self._release.pop(worker_id, ())), tuple(self._reuse.pop(worker_id, ()))

    def release_copies(self, entry: Entry) -> None:
        """Let every worker free its copy of a segment."""
        with self._lock:
            for worker_id, key in entry.copies:
                self._release[worker_id].append(key)

    def copy_for(
        self, entry: Entry, host: Host, key: str, tags: tuple[str, ...] | None
    ) -> Future[Any] | None:
        """A future of the segment's bytes (with those result tags) for a worker; None where it has them."""
        if (host.worker_id, key) in entry.copies:
            return None
        if entry.data is not None or entry.fd >= 0:
            future = self._hand_over(self.book.read_bytes(entry.segment.key), host)
        else:
            future = self._export(entry, key, tags)
        entry.copies[host.worker_id, key] = future
        return future

    def _hand_over(self, data: memoryview, host: Host) -> Future[Any]:
        """Bytes of the kernel's on their way to a worker."""
        array = np.frombuffer(data, dtype=np.uint8)
        if host.alive:
            with contextlib.suppress(OSError):
                return self._scatter(array, host)
        # it is restarting, or stands still: what is sent with a task waits for it. That it is large is meant
        with dask.config.set({LARGE: array.nbytes + (1 << 20)}):
            return self._client.submit(
                hold,
                array,
                key=f"hold-{uuid.uuid4().hex[:16]}",
                pure=False,
                resources={resource_of(host.worker_id): SHARE},
            )

    def _scatter(self, array: np.ndarray, host: Host) -> Future[Any]:
        """An `OSError` where the worker does not take it in time: Dask's own timeout ends before the bytes go out."""
        deadline = HAND_OVER_DEADLINE + array.nbytes / SLOWEST

        async def scatter() -> Any:
            return await self._client.scatter(
                [array], workers=[host.address], direct=True, hash=False, timeout=deadline, asynchronous=True
            )

        (future,) = self._client.sync(scatter, callback_timeout=deadline)
        return future  # type: ignore[no-any-return]

    def _export(self, entry: Entry, key: str, tags: tuple[str, ...] | None) -> Future[Any]:
        return self._client.submit(
            export_segment,
            entry.segment.key,
            key,
            tags,
            key=f"export-{entry.segment.key[:8]}-{uuid.uuid4().hex[:8]}",
            pure=False,
            resources={resource_of(entry.segment.holder): SHARE},
        )

    def _fetch(self, entry: Entry) -> memoryview | None:
        """The bytes of a segment, into the kernel; None where they are gone with their holder."""
        array = _result(self._export(entry, entry.segment.key, None))
        return None if array is None else memoryview(array)


def _result(future: Future[Any]) -> Any:
    """What a task of ours returned; None where its worker is gone."""
    # waits, and does not raise what became of it
    with contextlib.suppress(OSError, CancelledError):
        future.exception(timeout=ANSWER_DEADLINE)
    return future.result() if future.status == "finished" else None
