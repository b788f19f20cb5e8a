"""Nodes that learn a small model together, and what plays are written for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from manta_nb.engine.instructions import RunTask
from tests.monitor.stage import Stage
from tests.monitor.stagedlook import StagedLook

__all__ = ["Listener", "MakeRecorder", "Records", "Training", "iterate", "model", "names", "start_globals"]

Records = list[dict[str, Any]]
Model = dict[str, Any]


class Listener(Protocol):
    records: Records

    def background(self) -> None: ...
    def full(self, at: float) -> None: ...
    def delta(self, at: float) -> None: ...
    def rest(self, at: float) -> None: ...


MakeRecorder = Callable[[Stage, StagedLook], Listener]


class Training:
    """Eight nodes (or so) that learn a small model together."""

    def __init__(self, stage: Stage, seed: int = 7) -> None:
        self.stage = stage
        self.chance = np.random.default_rng(seed)
        self.skill = {node: 0.9 + 0.08 * self.chance.random() for node in stage.nodes}
        self.model: Model = model()

    def numbers(self, iteration: int, node: str) -> dict[str, float]:
        """Loss, accuracy and time of one node."""
        noise = self.chance.normal(size=3)
        return {
            "loss": float(0.15 + 2 * 0.82**iteration + 0.03 * noise[0]),
            "val_acc": float(self.skill[node] * (1 - 0.68 * 0.8**iteration) + 0.006 * noise[1]),
            "grad_norm": float(3 * 0.9**iteration + 0.2 * abs(noise[2])),
        }

    def measure(self, task: RunTask, steps: int = 1) -> None:
        """The numbers of all nodes; the loss at every step."""
        lines: list[tuple[Any, ...]] = []
        for index, node in enumerate(task.node_ids):
            for step in range(steps):
                at = self.numbers(task.iteration, node)
                lines.append(("m", index, "loss", at["loss"] - 0.05 * step, step if steps > 1 else None))
            lines += [("m", index, name, at[name], None) for name in ("val_acc", "grad_norm")]
            lines.append(("l", index, "stdout", f"iteration {task.iteration}: loss {at['loss']:.3f}"))
        self.stage.say(task, *lines)

    def updates(self, nodes: tuple[str, ...], iteration: int) -> dict[str, Model]:
        """The models that nodes have trained; the last one pulls the other way."""
        shared = {key: self.chance.normal(size=part.shape) for key, part in self.model.items()}
        made: dict[str, Model] = {}
        for node in nodes:
            sign = -0.6 if node == self.stage.nodes[-1] and iteration % 3 else 1.0
            size = 0.1 * 0.9**iteration * (1 + 0.3 * self.chance.random())
            made[node] = {
                key: (part + size * (sign * shared[key] + 0.5 * self.chance.normal(size=part.shape))).astype(
                    "float32"
                )
                for key, part in self.model.items()
            }
        return made

    def average(self, made: Mapping[str, Model]) -> Model:
        """Their mean, which is the next model."""
        self.model = {
            key: np.mean([one[key] for one in made.values()], axis=0).astype("float32") for key in self.model
        }
        return self.model

    def seconds(self, node: str) -> float:
        """How long a turn takes; the third node is slow."""
        return float(
            (0.62 if node == self.stage.nodes[2 % len(self.stage.nodes)] else 0.2)
            + 0.05 * self.chance.random()
        )


def model() -> Model:
    """Zeros, in the shapes of a small network."""
    return {
        "fc1.weight": np.zeros((16, 64), "float32"),
        "fc1.bias": np.zeros(16, "float32"),
        "fc2.weight": np.zeros((10, 16), "float32"),
    }


def names(count: int) -> list[str]:
    """`node_0`, `node_1`, …"""
    return [f"node_{number}" for number in range(count)]


def start_globals() -> dict[str, Any]:
    return {"model": model(), "hyperparameters": {"lr": 0.1, "batch": 32, "decay": 0.9}, "best": 0.0}


def iterate(
    stage: Stage, training: Training, look: StagedLook, delta: Callable[[float], None], at: float
) -> None:
    """One iteration of worker, aggregator and scheduler, told in three messages."""
    task, iteration = stage.task, stage.task.iteration
    look.set(lambda i: 60 + 20 * math.sin(i + iteration) + (30 if i == 2 else 0), 0.2 + 0.002 * iteration)
    training.measure(task, steps=4)
    delta(at + 0.3)
    made = training.updates(task.node_ids, iteration)
    sizes = {node: 160 + 3 * i for i, node in enumerate(task.node_ids)}
    stage.done(task, results={"params": made, "samples": sizes}, seconds=training.seconds)
    delta(at + 0.7)
    stage.say(stage.task, ("l", 0, "INFO", f"averaging {len(made)} models"))
    stage.done(stage.task, globals={"model": training.average(made)}, seconds=lambda node: 0.02)
    best = round(0.9 - 0.7 * 0.8**iteration, 4)
    changed = {"best": best} if iteration % 2 == 0 else {}
    if iteration and iteration % 5 == 0:
        changed = {
            **changed,
            "hyperparameters": {"lr": round(0.1 * 0.9**iteration, 4), "batch": 32, "decay": 0.9},
        }
    stage.done(stage.task, globals=changed, seconds=lambda node: 0.004)
    delta(at + 1.1)
