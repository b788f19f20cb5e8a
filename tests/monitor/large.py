"""Plays that are large: ten thousand nodes, and a thousand iterations."""

from __future__ import annotations

import numpy as np

from manta_nb.engine.records import Failure, TaskPlan
from tests.monitor.stage import Stage
from tests.monitor.stagedlook import StagedLook
from tests.monitor.training import MakeRecorder, Records, names

__all__ = ["long", "patient", "ten_thousand"]


def ten_thousand(make: MakeRecorder) -> Records:
    """10,000 nodes on two workers, ten iterations, two metrics, some failures; opened in iteration 3."""
    nodes = names(10_000)
    stage = Stage(nodes, {"w": np.zeros(16, "float32")}, per_worker=5_000, iterations=12, plans=patient())
    look = StagedLook(nodes, 5_000)
    recorder, chance = make(stage, look), np.random.default_rng(1)
    stage.start()
    for iteration in range(10):
        task, at = stage.task, 0.4 * iteration
        if iteration == 3:
            recorder.full(at)
        said = recorder.delta if iteration >= 3 else lambda at: recorder.background()
        values = chance.normal(0.9 - 0.6 * 0.8**iteration, 0.05, 10_000).tolist()
        losses = chance.lognormal(0.5 - 0.2 * iteration, 0.3, 10_000).tolist()
        half = dict(list(zip(nodes, values, strict=True))[:4_000])
        stage.measure(task, {"val_acc": half})
        said(at + 0.1)
        stage.measure(
            task,
            {
                "val_acc": dict(list(zip(nodes, values, strict=True))[4_000:]),
                "loss": dict(zip(nodes, losses, strict=True)),
            },
        )
        bad = {nodes[int(i)] for i in chance.integers(0, 10_000, 3)}
        failures = [
            Failure(node, "error", f"ValueError: bad sample on {node}", "Cell In[2], line 9")
            for node in sorted(bad)
        ]
        good = [node for node in nodes if node not in bad]
        weights = chance.normal(size=(len(good), 16)).astype("float32")
        results = {"update": dict(zip(good, weights, strict=True))}
        stage.done(
            task,
            good,
            results=results,
            failures=failures,
            seconds=lambda node: 0.01 + 0.001 * (hash_of(node) % 17),
        )
        said(at + 0.25)
        stage.done(stage.task, globals={"w": weights.mean(axis=0)}, seconds=lambda node: 0.03)
        said(at + 0.35)
    return recorder.records


def patient() -> list[TaskPlan]:
    return [TaskPlan("worker", method="all", min_nodes=9_000), TaskPlan("aggregator", inputs=("worker",))]


def hash_of(node: str) -> int:
    """A number that looks like chance."""
    return int(node.partition("_")[2]) * 2654435761 % 2**32


def long(make: MakeRecorder) -> Records:
    """1000 iterations of 100 nodes with one metric: 100,000 points, half of them in the first message."""
    stage = Stage(names(100), {"w": np.zeros(4)}, iterations=1000, tasks=("worker", "aggregator"))
    look = StagedLook(stage.nodes)
    recorder, chance = make(stage, look), np.random.default_rng(1)
    stage.start()
    for iteration in range(1000):
        task = stage.task
        values = chance.normal(0.95 - 0.8 * 0.99**iteration, 0.02, 100).tolist()
        stage.measure(task, {"val_acc": dict(zip(stage.nodes, values, strict=True))})
        stage.done(task, seconds=lambda node: 0.05)
        stage.done(stage.task, globals={"w": np.full(4, iteration / 10)}, seconds=lambda node: 0.01)
        if iteration == 500:
            recorder.full(0.1 * iteration)
        elif iteration > 500:
            recorder.delta(0.1 * iteration)
        else:
            recorder.background()
    recorder.rest(100.0)
    return recorder.records
