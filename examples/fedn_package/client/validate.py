"""`python validate.py IN OUT`: how good the shared model is on this node's digits."""

import sys

import data
import model
import torch
from fedn.utils.helpers.helpers import save_metrics
from torch.nn.functional import cross_entropy


def validate(in_path, out_path):
    net = model.load(in_path).eval()
    report = {}
    with torch.no_grad():
        for part, name in (("train", "training"), ("test", "test")):
            images, digits = data.load(part)
            scores = net(images)
            report[f"{name}_loss"] = cross_entropy(scores, digits).item()
            report[f"{name}_accuracy"] = (scores.argmax(1) == digits).float().mean().item()
    save_metrics(report, out_path)


if __name__ == "__main__":
    validate(sys.argv[1], sys.argv[2])
