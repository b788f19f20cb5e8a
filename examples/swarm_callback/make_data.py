"""Few digits for each node: `python make_data.py FOLDER` makes FOLDER/node_0/digits.npz and so on."""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def shares(nodes, images, seed):
    """What each node gets: images of its own to learn from, and the same 360 to be tested with."""
    digits = load_digits()
    x = (digits.images / 16).astype("float32")
    train_x, test_x, train_y, test_y = train_test_split(
        x, digits.target, test_size=360, stratify=digits.target, random_state=0
    )
    drawn = np.random.default_rng(seed).permutation(len(train_y))[: nodes * images]
    return [
        {"x_train": train_x[own], "y_train": train_y[own], "x_test": test_x, "y_test": test_y}
        for own in np.split(drawn, nodes)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--images", type=int, default=30, help="to learn from, of each node")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for number, share in enumerate(shares(options.nodes, options.images, options.seed)):
        folder = options.folder / f"node_{number}"
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "digits.npz", **share)
        print(f"{folder}: {len(share['y_train'])} images to learn from")
