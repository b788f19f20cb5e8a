"""Efficiency: FedAvg on 100 nodes × 600 samples against the plain torch loop of the same work in one process.

The bar is on the wall time: the plain loop's, divided by the cores. One torch thread on both sides, an MLP
784-64-32-10, one epoch in mini-batches an iteration; the averaged model is evaluated nowhere.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, median

import numpy as np
import torch

from benchmarks import training
from benchmarks.report import Figure, Say, machine, parser, save, table
from benchmarks.training import average, mlp, train
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.run import Run
from manta_nb.session.session import Session

__all__ = ["federated", "first_weights", "folder_of", "run", "samples"]

NODES, SAMPLES, BATCH, RATE = 100, 600, 32, 0.1
BAR = 1.15

WORKER = """
from manta_light.task import Task
from .training import train

class Worker(Task):
    def run(self):
        data = self.local.get_numpy_data("data")
        settings = self.world.globals["settings"]
        weights = self.world.globals["model"]
        update = train(weights, data["x_train"], data["y_train"], settings["batch"], settings["rate"])
        self.world.results.add("update", update)
"""
AGGREGATOR = """
from manta_light.task import Task
from .training import average

class Aggregator(Task):
    def run(self):
        updates = self.world.results.select("update")
        self.world.globals["model"] = average([updates[node] for node in sorted(updates)])
"""

Weights = Mapping[str, np.ndarray]
Data = dict[str, np.ndarray]


def _plain(data: Mapping[str, Data], first: Weights, iterations: int) -> tuple[list[float], Weights]:
    """Seconds of each iteration of the plain loop, and the model it ends with."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    weights, times = first, []
    for _ in range(iterations):
        start = time.perf_counter()
        copies = [{name: array.copy() for name, array in weights.items()} for _ in data]
        weights = average(
            [
                train(copy, data[node]["x_train"], data[node]["y_train"], BATCH, RATE)
                for copy, node in zip(copies, sorted(data), strict=True)
            ]
        )
        times.append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    return times, weights


def federated(session: Session, first: Weights, iterations: int) -> tuple[list[float], Weights]:
    """Seconds of each iteration on the nodes, from commit to commit, and the model it ends with."""
    files = {"training.py": Path(training.__file__).read_text(encoding="utf-8")}
    worker = Module.from_source(WORKER, name="worker", files=files, method="all")
    aggregator = Module.from_source(AGGREGATOR, name="aggregator", files=files)
    settings = {"batch": BATCH, "rate": RATE}
    swarm = FlowSwarm("fedavg", worker >> aggregator, {"model": dict(first), "settings": settings})
    ends: dict[int, float] = {}

    def watch(run: Run) -> None:
        # a store may pass over iterations
        for number in range(len(ends) + 1, run.iteration + 1):
            ends.setdefault(number, time.perf_counter())

    start = time.perf_counter()
    run = session.run(swarm, iterations=iterations, seed=0)
    run.watch(watch)
    run.wait(600)
    ends[0] = start
    return [ends[k] - ends[k - 1] for k in range(1, iterations + 1)], run.globals["model"]


def samples() -> dict[str, Data]:
    """600 samples for each node: ten blurred classes of 28 × 28, the same everywhere."""
    random = np.random.default_rng(0)
    centres = random.random((10, 28, 28), dtype=np.float32)
    made: dict[str, Data] = {}
    for node in range(NODES):
        y = random.integers(0, 10, SAMPLES)
        x = centres[y] + 0.3 * random.random((SAMPLES, 28, 28), dtype=np.float32)
        made[f"node_{node:03}"] = {"x_train": x.astype(np.float32), "y_train": y.astype(np.int64)}
    return made


def folder_of(data: Mapping[str, Data], root: Path) -> Path:
    """The same as a folder with one folder a node."""
    for node, arrays in data.items():
        (root / node).mkdir()
        np.savez(root / node / "data.npz", **arrays)  # type: ignore[arg-type]
    return root


def first_weights() -> Weights:
    """The model both sides begin with."""
    torch.manual_seed(0)
    return {name: tensor.numpy().copy() for name, tensor in mlp().state_dict().items()}


def run(quick: bool, say: Say) -> list[Figure]:
    """The plain loop and the nodes in turn; the models they end with must be equal."""
    cores = len(os.sched_getaffinity(0))
    iterations, repeats = (4, 2) if quick else (8, 5)
    data, first = samples(), first_weights()
    plain: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        source = folder_of(data, Path(folder))
        with Session(data=str(source), workers=cores) as session:
            for _ in range(repeats):
                times, expected = _plain(data, first, iterations)
                plain.append(mean(times[1:]))
                times, model = federated(session, first, iterations)
                # a commit is seen when the store has it, which can be late: only their sum says how long it took
                ours.append(mean(times[1:]))
                for name, array in expected.items():
                    np.testing.assert_allclose(model[name], array, rtol=1e-4, atol=1e-5)
                say(f"efficiency: plain {median(plain):.3f} s an iteration, nodes {median(ours):.3f} s")
    mine, theirs = median(ours), median(plain)
    detail = f"{mine:.3f} s an iteration, plain loop {theirs:.3f} s ÷ {cores} cores"
    numbers = {"ours s": ours, "plain s": plain}
    name = f"FedAvg efficiency, {NODES} nodes × {SAMPLES} samples"
    return [Figure(name, mine * cores / theirs, bar=BAR, detail=detail, numbers=numbers)]


def main() -> None:
    """From the command line."""
    given = parser(__doc__.splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["efficiency"], before)


if __name__ == "__main__":
    main()
