"""How good a node's final model is, measured once its script is over."""

from pathlib import Path

import numpy as np


def accuracy(model_dir, data_dir):
    """The share of the test images of this node that its model reads as it should."""
    with np.load(Path(data_dir) / "digits.npz") as data, np.load(Path(model_dir) / "model.npz") as model:
        images, digits = data["x_test"].reshape(-1, 64), data["y_test"]
        hidden = np.maximum(images @ model["1.weight"].T + model["1.bias"], 0)
        scores = hidden @ model["3.weight"].T + model["3.bias"]
    return {"accuracy": float((scores.argmax(1) == digits).mean())}
