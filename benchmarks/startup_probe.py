"""One start of `benchmarks.startup`, in a process of its own: what it took, as JSON in the last line.

It imports what it starts inside functions: every worker imports this file again, which it would not in a notebook.

`python -m benchmarks.startup_probe ours|dask NODES IDLE_SECONDS`
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

__all__ = ["main"]

FIRST = """
import torch

def main():
    torch.zeros(1)
"""


def first_task() -> None:
    """What a bare Dask worker does first."""
    import torch  # noqa: PLC0415 - in the worker, not here

    torch.zeros(1)


def _state(idle: float) -> dict[str, float]:
    """MB of the cluster's processes and of this one (the kernel), and how busy all are when nothing runs."""
    own = psutil.Process()
    tree = own.children(recursive=True)
    told = {
        "processes": len(tree),
        "cluster MB": sum(_proportional(process.pid) for process in tree),
        "kernel MB": _proportional(own.pid),
    }
    if idle:
        before = _busy([own, *tree])
        time.sleep(idle)
        told["idle % of a core"] = 100 * (_busy([own, *tree]) - before) / idle
    return told


def _proportional(pid: int) -> float:
    """MB of a process; what it shares counts by its share (PSS)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def _busy(processes: list[psutil.Process]) -> float:
    """Seconds of processor time they have taken."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _ours(nodes: int, idle: float) -> dict[str, float]:
    from manta_nb.runtime import cluster  # noqa: F401, PLC0415 - imports are not measured
    from manta_nb.sdk.module import Module  # noqa: PLC0415
    from manta_nb.session.session import Session  # noqa: PLC0415

    start = time.perf_counter()
    with Session(nodes=nodes, store="off") as session:
        session.run(Module.from_source(FIRST, name="first", method="all"), iterations=1, wait=True)
        return {"seconds": time.perf_counter() - start, **_state(idle)}


def _dask(nodes: int, idle: float) -> dict[str, float]:
    from distributed import Client, LocalCluster  # noqa: PLC0415 - imports are not measured

    start = time.perf_counter()
    with (
        LocalCluster(n_workers=nodes, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
    ):
        workers = client.scheduler_info(n_workers=-1)["workers"]
        client.gather([client.submit(first_task, pure=False, workers=[worker]) for worker in workers])
        return {"seconds": time.perf_counter() - start, **_state(idle)}


def main() -> None:
    """From the command line."""
    who, nodes, idle = sys.argv[1:4]
    told = {"ours": _ours, "dask": _dask}[who](int(nodes), float(idle))
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
