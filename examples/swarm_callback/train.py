"""A small network learns to read digits, as a training script for HPE Swarm Learning in the classic form.

It reads `digits.npz` in DATA_DIR and leaves its model in MODEL_DIR. All that makes it a swarm are the calls of `swarm`.
"""

import os
from pathlib import Path

import numpy as np
import torch
from swarm import SwarmCallback
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

data_dir = Path(os.getenv("DATA_DIR", "./data"))
model_dir = Path(os.getenv("MODEL_DIR", "./model"))
epochs = int(os.getenv("MAX_EPOCHS", "4"))
min_peers = int(os.getenv("MIN_PEERS", "2"))
interval = int(os.getenv("SYNC_INTERVAL", "10"))
weight = int(os.getenv("NODE_WEIGHT", "1"))


def load(part):
    """The images and digits of this node, `train` or `test`."""
    with np.load(data_dir / "digits.npz") as arrays:
        return TensorDataset(
            torch.tensor(arrays[f"x_{part}"], dtype=torch.float32),
            torch.tensor(arrays[f"y_{part}"], dtype=torch.int64),
        )


def accuracy(model, images, digits):
    """The share of the images that are read as they should be."""
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(1) == digits).float().mean().item()
    model.train()
    return right


def main():
    train, test = load("train"), load("test")
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.15, momentum=0.8)
    print(f"{len(train)} images to learn from")

    swarm = SwarmCallback(
        sync_interval=interval,
        min_peers=min_peers,
        val_data=test,
        val_batch_size=len(test),
        node_weightage=weight,
        model=model,
    )
    swarm.on_train_begin()
    for epoch in range(1, epochs + 1):
        for images, digits in DataLoader(train, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), digits).backward()
            optimizer.step()
            swarm.on_batch_end()
        print(f"epoch {epoch}: accuracy {accuracy(model, *test.tensors):.3f}")
        swarm.on_epoch_end(epoch)
    swarm.on_train_end()

    print(f"at the end: accuracy {accuracy(model, *test.tensors):.3f}")
    model_dir.mkdir(parents=True, exist_ok=True)
    np.savez(model_dir / "model.npz", **{name: tensor.numpy() for name, tensor in model.state_dict().items()})


if __name__ == "__main__":
    main()
