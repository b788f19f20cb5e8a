"""`Silence`: notices workers that do not answer, long before Dask takes them for dead.

A machine that stands still (frozen, swapping, behind a cable that was pulled) closes no connection. The worker itself
keeps the time of its tasks, but one that stands still cannot; then the kernel does it for it.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from distributed.scheduler import heartbeat_interval

from manta_nb.runtime.courier import Host
from manta_nb.runtime.runners.outcome import Story, settle_batch
from manta_nb.runtime.runners.request import BatchRequest

__all__ = ["Expected", "Hearer", "Silence", "local_scheduler", "over_its_time"]

#: seconds without a word after which a worker is said to be silent; more where workers speak more seldom
SILENT = 5.0
#: seconds between two looks, and the most that one look counts: while the kernel itself stands still (a cell that
#: holds the GIL, a laptop that sleeps) nobody can tell who is silent
TICK = 0.5
LONGEST_TICK = 1.0
#: seconds that the watching thread gets to end
CLOSING = 5.0

NO_ROWS = np.empty((0, 6), dtype=np.int64)


class Hearer(Protocol):
    """Who is told."""

    def silent(self, host: Host, seconds: float) -> None:
        """Nothing has come from a worker for so long."""

    def heard(self, host: Host) -> None:
        """A worker that was silent speaks again."""

    def over(self, expected: Expected, seconds: float) -> None:
        """A batch with a time limit lies at a worker that has been silent for longer than that."""


@dataclass
class Expected:
    """A batch with a time limit that a worker has."""

    batch_id: str
    host: Host
    request: BatchRequest
    timeout: float
    #: seconds since it was sent
    waited: float = 0.0


@dataclass
class _Pulse:
    """What is known of one worker."""

    address: str
    seen: float
    silent: float = 0.0
    told: bool = False


class Silence:
    """Looks at all workers of a session twice a second; made by its `Fleet`, closed with it.

    Args:
        scheduler: Dask's, in this process; None: it is elsewhere, and nothing can be noticed.
        hosts: the workers as they are now.
        hearer: is told.
    """

    def __init__(self, scheduler: Any, hosts: Callable[[], Iterable[Host]], hearer: Hearer) -> None:
        self._scheduler = scheduler
        self._hosts = hosts
        self._hearer = hearer
        self._pulses: dict[str, _Pulse] = {}
        self._expected: dict[str, Expected] = {}
        #: batch → worker, as long as its outcome may come after all
        self._given_up: dict[str, str] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="manta-silence", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        if self._scheduler is not None:
            self._thread.start()

    def expect(self, batch_id: str, host: Host, request: BatchRequest, timeout: float) -> None:
        """A batch whose turns have a time limit was sent to a worker."""
        with self._lock:
            self._expected[batch_id] = Expected(batch_id, host, request, timeout)

    def settled(self, batch_id: str) -> None:
        """Nothing is expected of it any more."""
        with self._lock:
            self._expected.pop(batch_id, None)

    def left_behind(self, batch_id: str, message: Mapping[str, Any]) -> tuple[str, str] | None:
        """The worker and the key of a segment that came with the outcome of a batch that was given up before."""
        if "head" not in message or (worker_id := self._given_up.pop(batch_id, None)) is None:
            return None
        # what a worker sends is not believed: one that makes no sense leaves nothing
        with contextlib.suppress(ValueError, LookupError, TypeError):
            if segment := json.loads(message["head"])["segment"]:
                return worker_id, str(segment[0])
        return None

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(CLOSING)

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._over.wait(TICK):
            now = time.monotonic()
            self.look(min(now - before, LONGEST_TICK))
            before = now

    def look(self, elapsed: float) -> None:
        """Look at every worker once, `elapsed` seconds after the last time."""
        hosts = {host.worker_id: host for host in self._hosts() if host.alive}
        limit = max(SILENT, 6 * heartbeat_interval(len(hosts)))
        for worker_id in self._pulses.keys() - hosts.keys():
            # it is gone: that is told by others
            del self._pulses[worker_id]
        for host in hosts.values():
            self._feel(host, elapsed, limit)
        with self._lock:
            expected = list(self._expected.values())
        for each in expected:
            each.waited += elapsed
            pulse = self._pulses.get(each.host.worker_id)
            if pulse is not None and min(pulse.silent, each.waited) >= max(each.timeout, limit):
                self.settled(each.batch_id)
                self._given_up[each.batch_id] = each.host.worker_id
                self._hearer.over(each, pulse.silent)

    def _feel(self, host: Host, elapsed: float, limit: float) -> None:
        state = self._scheduler.workers.get(host.address)
        if state is None:
            return
        pulse = self._pulses.get(host.worker_id)
        if pulse is None or pulse.address != host.address:
            self._pulses[host.worker_id] = _Pulse(host.address, state.last_seen)
        elif pulse.seen != state.last_seen:
            # the number only says that something came: it is of a clock that may be set
            pulse.seen, pulse.silent = state.last_seen, 0.0
            if pulse.told:
                pulse.told = False
                self._hearer.heard(host)
        else:
            pulse.silent += elapsed
            if pulse.silent >= limit and not pulse.told:
                pulse.told = True
                self._hearer.silent(host, pulse.silent)


def local_scheduler(client: Any) -> Any:
    """Dask's scheduler where it lives in this process, else None."""
    scheduler = getattr(getattr(client, "cluster", None), "scheduler", None)
    return scheduler if hasattr(scheduler, "workers") else None


def over_its_time(request: BatchRequest, timeout: float, silent: float) -> dict[str, Any]:
    """The message of a batch whose worker cannot send one: the turns of all its nodes took too long."""
    text = f"over its time limit of {timeout:g} s; its process has not answered for {silent:.0f} s"
    failed = {"kind": "timeout", "message": text, "where": "", "traceback": "", "output": []}
    story = Story(failures={at: {"node": at, **failed} for at in range(len(request.node_ids))})
    return settle_batch(request, NO_ROWS, story, None).message()
