"""The digits of this node: in `../data`, or wherever FEDN_DATA_PATH says; run by itself it puts some there."""

import os
from pathlib import Path

import numpy as np
import torch

PATH = Path(os.environ.get("FEDN_DATA_PATH", "../data/digits.npz"))


def load(part):
    """Images and digits of `part`, which is "train" or "test"."""
    with np.load(PATH) as file:
        return torch.tensor(file[f"x_{part}"]), torch.tensor(file[f"y_{part}"])


if __name__ == "__main__":
    from sklearn.datasets import load_digits

    sample = load_digits()
    images, digits = sample.images.astype("float32") / 16, sample.target
    PATH.parent.mkdir(exist_ok=True)
    np.savez(PATH, x_train=images[:1400], y_train=digits[:1400], x_test=images[1400:], y_test=digits[1400:])
