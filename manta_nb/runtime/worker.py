"""What runs inside a Dask worker: the functions that are submitted, and how a worker becomes a host of nodes.

* our own workers are `NodeWorker`s, which have a `Workplace` before anything runs;
* workers of a cluster that somebody else started get it through `HostPlugin`.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Worker, WorkerPlugin, get_worker

from manta_nb.runtime.promptness import make_worker_prompt
from manta_nb.runtime.runners.request import BatchRequest
from manta_nb.runtime.workplace import Refused, WorkerSetup, Workplace

__all__ = [
    "SETUP_VARIABLE",
    "TOPIC",
    "HostPlugin",
    "NodeWorker",
    "describe",
    "execute_batch",
    "export_segment",
    "hold",
    "resource_of",
]

#: Dask's event topic on which metrics, logs and outcomes reach the kernel
TOPIC = "manta-nb"
SETUP_VARIABLE = "MANTA_NB_WORKER"
ATTRIBUTE = "manta_nb_workplace"


def resource_of(worker_id: str) -> str:
    """The Dask resource that pins a task to a worker; unlike its name it is never taken for a host's name."""
    return f"worker:{worker_id}"


def _workplace(worker: Worker) -> Workplace:
    workplace = getattr(worker, ATTRIBUTE, None)
    if workplace is None:
        raise Refused(f"the Dask worker {worker.name!r} hosts no nodes")
    return workplace  # type: ignore[no-any-return]


def describe(session: str) -> dict[str, Any]:
    """Who this worker is; the same is posted as an event, so that the kernel knows its subscription works."""
    worker = get_worker()
    told = _workplace(worker).describe()
    worker.log_event(TOPIC, {"session": session, "hello": told["worker_id"], "pid": told["pid"]})
    return told


def execute_batch(session: str, batch_id: str, request: BatchRequest, *arrays: Any) -> str:
    """Run a batch. Its outcome is posted as an event, behind the metrics of the batch: one way, one order."""
    worker = get_worker()

    def emit(lines: list[list[Any]]) -> None:
        worker.log_event(TOPIC, {"session": session, "batch": batch_id, "lines": json.dumps(lines)})

    try:
        outcome = _workplace(worker).execute(request, arrays, emit)
    except Refused as refused:
        outcome = {"refused": str(refused)}
    worker.log_event(TOPIC, {"session": session, "batch": batch_id, **outcome})
    return batch_id


def export_segment(key: str, copy: str, tags: tuple[str, ...] | None) -> np.ndarray | None:
    """The bytes of a segment as a flat array, which Dask moves from worker to worker without a copy."""
    data = _workplace(get_worker()).export(key, copy, tags)
    return None if data is None else np.frombuffer(data, dtype=np.uint8)


def hold(array: np.ndarray) -> np.ndarray:
    """Bytes that are a worker's from now on."""
    return array


def _adopt(worker: Worker, workplace: Workplace) -> None:
    setattr(worker, ATTRIBUTE, workplace)

    async def stop(run_id: str) -> str:
        workplace.stop(run_id)
        return "ok"

    async def release(run_id: str, batches: list[tuple[int, str, int, list[str]]]) -> str:
        workplace.release(
            (run_id, iteration, task, attempt, tuple(nodes)) for iteration, task, attempt, nodes in batches
        )
        return "ok"

    async def forget(run_id: str, keys: list[str]) -> str:
        # ending a child can take half a second: not on the event loop
        threading.Thread(target=workplace.forget, args=(run_id, tuple(keys)), daemon=True).start()
        return "ok"

    worker.handlers["manta_nb_stop"] = stop
    worker.handlers["manta_nb_release"] = release
    worker.handlers["manta_nb_forget"] = forget


def _abandon(worker: Worker) -> None:
    workplace = getattr(worker, ATTRIBUTE, None)
    if workplace is not None:
        delattr(worker, ATTRIBUTE)
        workplace.close()


class NodeWorker(Worker):
    """One of our own workers; its arguments are Dask's.

    Its workplace comes before all else: what the worker changes in its memory before it forks the template stays in
    memory twice.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Jupyter's interrupt goes to the whole process group and must not end a node
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        workplace = Workplace(WorkerSetup.load(Path(os.environ[SETUP_VARIABLE])))
        super().__init__(*args, **kwargs)
        make_worker_prompt(self)
        _adopt(self, workplace)

    # Dask's own differs from those of its bases, too
    async def close(self, *args: Any, **kwargs: Any) -> str | None:  # type: ignore[override]
        """See `Worker.close`; it waits for its threads, and these for their batches."""
        _abandon(self)
        return await super().close(*args, **kwargs)


class HostPlugin(WorkerPlugin):
    """Makes workers of a foreign cluster hosts of nodes, at every (re)start.

    Args:
        setups: Dask worker name → setup; other workers are left alone.
    """

    name = "manta-nb-host"

    def __init__(self, setups: dict[str, WorkerSetup]) -> None:
        self._setups = setups

    async def setup(self, worker: Worker) -> None:
        """See `WorkerPlugin.setup`."""
        setup = self._setups.get(str(worker.name))
        if setup is None:
            return
        if not Path(setup.nodes).exists():  # noqa: ASYNC240 - one look, once a worker
            raise FileNotFoundError(
                f"worker {worker.name!r} does not see {setup.nodes}: give it the same file system"
            )
        _abandon(worker)
        _adopt(worker, Workplace(setup))
        await worker.set_resources(**{resource_of(setup.worker_id): 1})

    def teardown(self, worker: Worker) -> None:
        """See `WorkerPlugin.teardown`."""
        _abandon(worker)
