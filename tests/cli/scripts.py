"""Training scripts of both import families, in the shape that people write them: a small net on `mnist.npz`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

__all__ = ["CLASSIC", "MEASURE", "MODERN", "shares"]

_COMMON = """
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from IMPORT import SwarmCallback

data_dir = os.getenv("DATA_DIR", "./data")
model_dir = os.getenv("MODEL_DIR", "./model")
scratch_dir = os.getenv("SCRATCH_DIR", "/platform/scratch")
max_epochs = int(os.getenv("MAX_EPOCHS", "5"))
min_peers = int(os.getenv("MIN_PEERS", "2"))


class MnistNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 32)
        self.norm = nn.BatchNorm1d(32)
        self.out = nn.Linear(32, 10)

    def forward(self, x):
        return F.log_softmax(self.out(F.relu(self.norm(self.hidden(torch.flatten(x, 1))))), dim=1)


def load_data(folder):
    with np.load(os.path.join(folder, "mnist.npz"), allow_pickle=True) as f:
        arrays = [torch.tensor(f[name]) for name in ("x_train", "y_train", "x_test", "y_test")]
    x_train, y_train, x_test, y_test = arrays
    sets = (x_train / 255.0, y_train.long()), (x_test / 255.0, y_test.long())
    return [torch.utils.data.TensorDataset(*each) for each in sets]


def main():
    train_set, test_set = load_data(data_dir)
    train = torch.utils.data.DataLoader(train_set, batch_size=32, shuffle=True)
    test = torch.utils.data.DataLoader(test_set, batch_size=64)
    model = MnistNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    callback = SwarmCallback(CALLBACK, model=model)
    callback.logger.info("ready")
    callback.on_train_begin()
    for epoch in range(1, max_epochs + 1):
        if os.environ["NODE_ID"] == os.getenv("BREAKS") and epoch == 2:
            raise ValueError("the scales are broken")
        model.train()
        for data, target in train:
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
            callback.on_batch_end()
        print(f"epoch {epoch}: loss {loss.item():.4f}")
        callback.on_epoch_end(epoch)
    callback.on_train_end()
    torch.save(model, os.path.join(SAVED))


if __name__ == "__main__":
    main()
"""

#: as for Swarm Learning 0.3
CLASSIC = (
    _COMMON.replace("IMPORT", "swarm")
    .replace(
        "CALLBACK",
        "sync_interval=8, min_peers=min_peers, val_data=test_set, val_batch_size=64, model_name='m'",
    )
    .replace("SAVED", "model_dir, 'saved_model.pt'")
)
#: as from 1.0 on
MODERN = (
    _COMMON.replace("IMPORT", "swarmlearning.pyt")
    .replace("CALLBACK", "syncFrequency=8, minPeers=min_peers, adsValData=test, adsValBatchSize=64, totalEpochs=max_epochs")
    .replace("SAVED", "scratch_dir, 'saved_model.pt'")
)  # fmt: skip

#: for `--evaluate`: the model was saved whole by a script called train.py
MEASURE = """
import os
import torch
from train import MnistNet, load_data


def accuracy(model_dir, data_dir):
    model = torch.load(os.path.join(model_dir, "saved_model.pt"), weights_only=False).eval()
    x, y = load_data(data_dir)[1].tensors
    with torch.no_grad():
        return {"accuracy": (model(x).argmax(1) == y).double().mean().item(), "examples": len(y)}
"""


def shares(folder: Path, nodes: int, size: int = 200) -> Path:
    """`folder/node_0/mnist.npz` and so on: pictures of digits, as that file has them, the test set on each."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    x = np.pad(np.kron(digits.images[order], np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))) / 16 * 255
    x, y = x.astype(np.uint8), digits.target[order].astype(np.uint8)
    for index in range(nodes):
        mine = slice(index * size, (index + 1) * size)
        (folder / f"node_{index}").mkdir(parents=True)
        np.savez(
            folder / f"node_{index}" / "mnist.npz",
            x_train=x[mine],
            y_train=y[mine],
            x_test=x[-300:],
            y_test=y[-300:],
        )
    return folder
