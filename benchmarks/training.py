"""The training of `benchmarks.efficiency`: this very text runs on nodes and in the plain loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

__all__ = ["average", "mlp", "train"]


def mlp() -> nn.Sequential:
    """An MLP 784-64-32-10."""
    return nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def train(
    weights: Mapping[str, np.ndarray], x: np.ndarray, y: np.ndarray, batch: int, rate: float
) -> dict[str, np.ndarray]:
    """One epoch of SGD from `weights` on images `x` (n, 28, 28) with labels `y`; returns the new weights."""
    model = mlp()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    loss_of = nn.CrossEntropyLoss()
    images, labels = torch.from_numpy(x).reshape(-1, 784), torch.from_numpy(y)
    for start in range(0, len(images), batch):
        optimiser.zero_grad()
        loss_of(model(images[start : start + batch]), labels[start : start + batch]).backward()
        optimiser.step()
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def average(updates: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The mean of the weights."""
    return {name: np.mean([update[name] for update in updates], axis=0) for name in updates[0]}
