"""Runs on every node: train the shared model on the node's own digits."""

import torch
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes

from .model import DigitNet


class Worker(Task):
    def __init__(self):
        super().__init__()
        self.settings = self.world.globals["settings"]
        self.data = self.local.get_numpy_data("digits")
        self.model = DigitNet()

    def run(self):
        self.model.set_weights(bytes_to_numpy(self.world.globals["model"]))
        shared = self.accuracy()
        loss = self.train()
        self.logger.info("loss %.3f after %d samples", loss, len(self.data["y_train"]))
        self.world.results.add("metrics", {"shared_acc": shared, "own_acc": self.accuracy(), "loss": loss})
        self.world.results.add("samples", len(self.data["y_train"]))
        self.world.results.add("weights", numpy_to_bytes(self.model.get_weights()))

    def train(self) -> float:
        """Some epochs over the node's own images; the loss of the last batch."""
        images, digits = torch.tensor(self.data["x_train"]), torch.tensor(self.data["y_train"])
        optimizer = torch.optim.SGD(self.model.parameters(), lr=self.settings["lr"], momentum=0.9)
        criterion = torch.nn.CrossEntropyLoss()
        for _ in range(self.settings["epochs"]):
            for batch in torch.randperm(len(digits)).split(self.settings["batch_size"]):
                optimizer.zero_grad()
                loss = criterion(self.model(images[batch]), digits[batch])
                loss.backward()
                optimizer.step()
        return loss.item()

    def accuracy(self) -> float:
        """The part of the test digits that the model reads right."""
        with torch.no_grad():
            guesses = self.model(torch.tensor(self.data["x_test"])).argmax(1).numpy()
        return float((guesses == self.data["y_test"]).mean())
