"""`python train.py IN OUT`: two passes over the node's digits."""

import sys

import data
import model
import torch
from fedn.utils.helpers.helpers import save_metadata
from torch.nn.functional import cross_entropy

EPOCHS, BATCH, RATE = 2, 32, 0.1


def train(in_path, out_path):
    images, digits = data.load("train")
    net = model.load(in_path)
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9)
    for epoch in range(EPOCHS):
        for batch in torch.randperm(len(digits)).split(BATCH):
            optimizer.zero_grad()
            loss = cross_entropy(net(images[batch]), digits[batch])
            loss.backward()
            optimizer.step()
        print(f"Epoch {epoch + 1}/{EPOCHS} | Loss: {loss.item():.4f}")

    # a node counts in the average as much as it has examples
    save_metadata({"num_examples": len(digits), "epochs": EPOCHS, "lr": RATE}, out_path)
    model.save(net, out_path)


if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2])
