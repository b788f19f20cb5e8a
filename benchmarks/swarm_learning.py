"""A merge of HPE Swarm Learning scripts: 8 nodes with a model of 100 MB, against the raw transfer and mean on Dask.

Our side are real scripts with a `SwarmCallback`, each a process of its own: a merge takes from the moment the last of
them has its batch done to the moment the last of them goes on with the merged model. The peer is what a careful Dask
user writes by hand, with TLS: 8 workers that hold an array each, one of them takes all and averages, and each gets the
mean. Both in turn; all means are checked.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

import dask
import numpy as np
import psutil
from distributed import Client, LocalCluster, wait

from benchmarks.averaging import average
from benchmarks.peer import SETTINGS
from benchmarks.report import Figure, Say, machine, parser, save, table
from manta_nb import swarm_learning
from manta_nb.compat.swarm_learning.merging.methods import METHODS, merge
from manta_nb.session.session import Session

__all__ = ["SCRIPT", "run"]

NODES, MB = 8, 100
SIZE = MB * 1_000_000 // 4
BAR, MEAN_BAR = 1.5, 0.25
#: GB of memory that scripts, Dask's workers and models on the way take together
NEEDS = 12
SCRIPT = """
import json
import os
import time

import torch
from swarm import SwarmCallback

NODE, NODES = int(os.environ["NODE_ID"].rpartition("_")[2]), int(os.environ["MIN_PEERS"])


def main():
    layer = torch.nn.Linear(int(os.environ["SIZE"]) // 1000, 1000, bias=False)
    callback = SwarmCallback(
        sync_interval=1, min_peers=NODES, node_weightage=1, ml_platform="PYTORCH", model=layer
    )
    callback.on_train_begin()
    times = []
    for number in range(int(os.environ["MERGES"])):
        with torch.no_grad():
            layer.weight.fill_(NODE + number)
        begin = time.monotonic()
        callback.on_batch_end()
        times.append((begin, time.monotonic()))
        mean, expected = float(layer.weight.mean()), (NODES - 1) / 2 + number
        assert abs(mean - expected) < 1e-4, (mean, expected)
    callback.on_epoch_end()
    callback.on_train_end()
    print(json.dumps({"times": times}), flush=True)


if __name__ == "__main__":
    main()
"""


class Peer:
    """A plain `LocalCluster` with a worker a node; a context manager."""

    def __init__(self, nodes: int) -> None:
        with dask.config.set(SETTINGS):
            self._cluster = LocalCluster(
                n_workers=nodes,
                threads_per_worker=1,
                processes=True,
                security=True,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
            self._client = Client(self._cluster, set_as_default=False)
        self._workers = list(self._client.scheduler_info(n_workers=-1)["workers"])

    def merges(self, size: int, count: int) -> list[float]:
        """Seconds of each gather, mean and way back; the values are checked."""
        client, workers, times = self._client, self._workers, []
        for number in range(count):
            held = [
                client.submit(np.full, size, float(k + number), "f4", pure=False, workers=[worker])
                for k, worker in enumerate(workers)
            ]
            with client.as_current():
                wait(held)
                begin = time.perf_counter()
                mean = client.submit(_average, *held, pure=False, workers=[workers[0]])
                back = [client.submit(_first, mean, pure=False, workers=[worker]) for worker in workers]
                wait(back)
                times.append(time.perf_counter() - begin)
            found = client.gather(back)
            assert np.allclose(found, (len(workers) - 1) / 2 + number), found
        return times

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._client.close()
        self._cluster.close()


def _average(*arrays: np.ndarray) -> np.ndarray:
    return average(arrays)


def _first(mean: np.ndarray) -> float:
    return float(mean[0])


def merges(session: Session, script: Path, size: int, count: int, seed: int = 0) -> list[float]:
    """Seconds of each merge of the scripts, the one at the begin left out."""
    made = swarm_learning.run(
        script,
        session=session,
        min_peers=len(session.nodes),
        env={"SIZE": size, "MERGES": count},
        seed=seed,
        wait=True,
        say=lambda line: None,
    )
    found = [json.loads(row["tail"][-1])["times"] for row in made.scripts]
    assert len(found) == len(session.nodes), found
    # the last to arrive opens a merge, the last to go on closes it; one clock for all processes
    return [
        max(end for _, end in each) - max(begin for begin, _ in each) for each in zip(*found, strict=True)
    ]


def run(quick: bool, say: Say) -> list[Figure]:
    """The merge in memory, and whole merges in turn with the peer's."""
    figures = [_in_memory(quick, say)]
    free = psutil.virtual_memory().available / 1e9
    if free < NEEDS:
        say(f"swarm_learning: whole merges not run, they take {NEEDS} GB, {free:.0f} are free")
        return figures
    count, turns = (3, 1) if quick else (6, 3)
    ours: list[list[float]] = []
    peers: list[list[float]] = []
    with tempfile.TemporaryDirectory() as root:
        script = Path(root) / "train" / "bench.py"
        script.parent.mkdir()
        script.write_text(SCRIPT, encoding="utf-8")
        for turn in range(turns):
            # one side at a time: the processes of the other would take its memory and its cache
            with Session(nodes=NODES, store="off") as session:
                ours.append(merges(session, script, SIZE, count))
            with Peer(NODES) as peer:
                peers.append(peer.merges(SIZE, count))
            say(f"swarm_learning: turn {turn + 1}: ours {_text(ours[-1])} s, Dask {_text(peers[-1])} s")
    return [*figures, _ratio(ours, peers)]


def _ratio(ours: Sequence[Sequence[float]], peers: Sequence[Sequence[float]]) -> Figure:
    mine, theirs = (median([s for turn in side for s in turn[1:]]) for side in (ours, peers))
    each = [median(a[1:]) / median(b[1:]) for a, b in zip(ours, peers, strict=True)]
    return Figure(
        f"Swarm Learning, a merge of {NODES} × {MB} MB",
        mine / theirs,
        bar=BAR,
        detail=f"{mine:.2f} s from batch to batch, transfer and mean on Dask {theirs:.2f} s",
        numbers={"ours s": ours, "peer s": peers, "ratio of each turn": each},
    )


def _in_memory(quick: bool, say: Say) -> Figure:
    """The three methods on models that are there already."""
    chance = np.random.default_rng(0)
    models = {f"node_{k}": {"w": chance.random(SIZE, np.float32)} for k in range(NODES)}
    weights = dict.fromkeys(models, 1.0)
    times: dict[str, list[float]] = {method: [] for method in METHODS}
    for _ in range(2 if quick else 6):
        for method, taken in times.items():
            begin = time.perf_counter()
            merge(method, models, weights)
            taken.append(time.perf_counter() - begin)
    middle = {method: median(taken[1:]) for method, taken in times.items()}
    say(f"swarm_learning: in memory: {', '.join(f'{name} {s:.2f} s' for name, s in middle.items())}")
    others = ", ".join(f"{name} {middle[name]:.2f} s" for name in METHODS[1:])
    return Figure(
        f"Swarm Learning, the mean of {NODES} × {MB} MB in memory",
        middle["mean"],
        "s",
        MEAN_BAR,
        detail=others,
        numbers={"seconds": times},
    )


def _text(seconds: Sequence[float]) -> str:
    return " ".join(f"{each:.2f}" for each in seconds)


def main() -> None:
    """From the command line."""
    given: Any = parser(str(__doc__).splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["swarm_learning"], before)


if __name__ == "__main__":
    main()
