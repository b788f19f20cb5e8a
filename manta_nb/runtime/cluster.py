"""`NodeCluster`: our own Dask cluster on this machine, whose workers host the nodes.

Mutual TLS with certificates made for the session, loopback only, no dashboard, no spilling, Dask's own
retries off: the driver decides what is tried again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Nanny, Scheduler, Security, SpecCluster
from distributed.utils import get_mp_context

from manta_nb.errors import UsageError
from manta_nb.runtime.promptness import make_prompt
from manta_nb.runtime.settings import QUIET, ProcessSettings
from manta_nb.runtime.worker import SETUP_VARIABLE, NodeWorker, resource_of
from manta_nb.runtime.workplace import WorkerSetup

__all__ = ["NodeCluster"]

#: seconds a lost node may take to come back before its tasks count as failed
RETURN_DEADLINE = 60

SETTINGS: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.no-workers-timeout": f"{RETURN_DEADLINE}s",
    # users' code runs in children, so a worker that is silent for so long is frozen
    "distributed.scheduler.worker-ttl": "30s",
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.blocked-handlers": ["run_function"],
    "distributed.worker.http.routes": [],
    "distributed.worker.blocked-handlers": ["run", "run_coroutine"],
    "distributed.worker.profile.enabled": False,
    # 50 idle workers take 76 % of a core without these, 9 % with them; each Nanny ticks in the kernel, too
    "distributed.admin.tick.interval": "10s",
    "distributed.admin.tick.cycle": "10s",
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.system-monitor.interval": "10s",
    # the scheduler keeps so many events a topic, our outcomes among them: 1 MB an iteration with 10,000 nodes
    "distributed.admin.low-level-log-length": 10,
    "distributed.comm.timeouts.connect": "10s",
}
#: imported once, before the first worker is forked; every torch optimizer imports torch._dynamo, 1.4 s,
#: when first made
PRELOAD = [
    "manta_nb.runtime.orphans",
    "distributed",
    "manta_nb.runtime.worker",
    "numpy",
    "torch",
    "torch._dynamo",
    # what every worker or child would import by itself, at 10 MB and 50 ms each
    "manta_nb.sdk.bytes",
    "manta_nb.sdk.task",
    "manta_nb.sdk.torchmodel",
    "multiprocessing.popen_forkserver",
    "multiprocessing.synchronize",
    "numpy.ma",
    "threadpoolctl",
    "tornado.platform.asyncio",
    "manta_nb.runtime.forkserver",
]


class _NodeNanny(Nanny):
    """A Nanny that leaves the kernel's own environment as it was."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # it would set OMP_NUM_THREADS=1 in the kernel, and every later torch in the notebook would obey
        self.pre_spawn_env = {}


class NodeCluster:
    """Workers that host nodes; started by a `Session`, closed with it.

    Args:
        setups: worker id → its setup, saved as a file in `folder`.
        folder: the session's private folder.
    """

    def __init__(self, setups: Mapping[str, WorkerSetup], folder: Path) -> None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise UsageError(
                "a script that starts nodes needs `if __name__ == '__main__':` around its main part (multiprocessing)"
            )
        self._whole = ProcessSettings(_method(setups))
        _preload()
        try:
            with dask.config.set({**SETTINGS, "temporary-directory": str(folder)}):
                self.security = Security.temporary()
                self.dask = SpecCluster(
                    scheduler={
                        "cls": Scheduler,
                        "options": self._options(dashboard=False, dashboard_address="127.0.0.1:0"),
                    },
                    workers={
                        worker_id: {"cls": _NodeNanny, "options": self._worker(worker_id, folder)}
                        for worker_id in setups
                    },
                    security=self.security,
                    silence_logs=False,
                )
                self.client = Client(
                    self.dask, security=self.security, set_as_default=False, direct_to_workers=True
                )
                make_prompt(self.client, self.dask.scheduler)
        except BaseException:
            self._whole.restore()
            raise

    def _options(self, **more: Any) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": 0, "protocol": "tls://", "security": self.security, **more}

    def _worker(self, worker_id: str, folder: Path) -> dict[str, Any]:
        return self._options(
            name=worker_id,
            nthreads=1,
            resources={resource_of(worker_id): 1},
            env={SETUP_VARIABLE: str(folder / f"{worker_id}.json")},
            worker_class=NodeWorker,
            memory_limit=0,
            dashboard=False,
            silence_logs=QUIET,
            local_directory=str(folder),
        )

    def pids(self) -> dict[str, int | None]:
        """Worker id → pid of its process; None while it is being restarted."""
        # a copy: it may be asked for on another thread while nodes come and go
        nannies = list(self.dask.workers.items())
        return {str(name): getattr(nanny.process, "pid", None) for name, nanny in nannies}

    def close(self) -> None:
        """End client, workers and scheduler."""
        with contextlib.suppress(TimeoutError, OSError):
            self.client.close(timeout=5)
        self.dask.close(timeout=10)
        self._whole.restore()


def _method(setups: Mapping[str, WorkerSetup]) -> str:
    """The template is forked in a worker that a forkserver made; elsewhere workers are spawned."""
    forked = all(setup.start == "fork" for setup in setups.values())
    return "forkserver" if forked and "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _preload() -> None:
    context = get_mp_context()
    if context.get_start_method() == "forkserver":
        # after Dask's own list, which would replace ours
        context.set_forkserver_preload(PRELOAD)
