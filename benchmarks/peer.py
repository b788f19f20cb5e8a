"""The peer: the loop a careful Dask user writes by hand, two stages, batched, chained, with TLS.

One task a worker makes the updates of its share of the nodes; one task takes all of them and averages. The mean
stays on the cluster and is the next iteration's input; the kernel waits once an iteration.
"""

from __future__ import annotations

import logging
import os
import time
from types import TracebackType
from typing import Any, Self

import dask
import numpy as np
from distributed import Client, LocalCluster, wait

from benchmarks.averaging import average

__all__ = ["PeerLoop"]

#: what helps our own workers helps these, too
SETTINGS: dict[str, Any] = {
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


def updates(model: np.ndarray, nodes: int) -> list[np.ndarray]:
    """The update of each node of a worker's share: the model it read, one number of it counted up."""
    made = []
    for _ in range(nodes):
        update = model.copy()
        update[0] += 1
        made.append(update)
    return made


def aggregate(*shares: list[np.ndarray]) -> np.ndarray:
    """The mean of all updates."""
    return average([update for share in shares for update in share])


class PeerLoop:
    """A plain `LocalCluster` with TLS and the loop on it; a context manager."""

    def __init__(self, workers: int) -> None:
        before = dict(os.environ)
        with dask.config.set(SETTINGS):
            self._cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                security=True,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
            self._client = Client(self._cluster, set_as_default=False)
        # Its nannies leave MALLOC_TRIM_THRESHOLD_=65536 behind in this process. Nodes that are started later would take
        # it over, give every freed array back to the system at once, and need 1.4 times as long for 1000 × 0.2 MB.
        os.environ.clear()
        os.environ.update(before)
        self._workers = list(self._client.scheduler_info(n_workers=-1)["workers"])

    def run(self, nodes: int, size: int, iterations: int) -> list[float]:
        """Seconds of each iteration; `size` float32 numbers a model. The values are checked at the end."""
        client, workers = self._client, self._workers
        shares = [nodes // len(workers) + (k < nodes % len(workers)) for k in range(len(workers))]
        model = client.scatter(np.zeros(size, dtype=np.float32), direct=True, hash=False)
        times = []
        for _ in range(iterations):
            start = time.perf_counter()
            made = [
                client.submit(updates, model, share, pure=False, workers=[worker])
                for worker, share in zip(workers, shares, strict=True)
                if share
            ]
            model = client.submit(aggregate, *made, pure=False)
            with client.as_current():
                wait(model)
            times.append(time.perf_counter() - start)
        counted = client.submit(lambda mean: float(mean[0]), model, pure=False).result()
        if abs(counted - iterations) > 1e-3 * iterations:
            raise AssertionError(f"the peer counted to {counted} in {iterations} iterations")
        return times

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._client.close()
        self._cluster.close()
