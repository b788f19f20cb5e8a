"""Federated averaging of digits: `manta-nb run swarm.py --nodes 4 --data digits --iterations 20`."""

from pathlib import Path

from manta.module import Module
from manta.swarm import Swarm
from manta_light.utils import numpy_to_bytes
from modules.worker.model import DigitNet


class FedAvgDigits(Swarm):
    """worker (on up to `n_workers` nodes) → aggregator → scheduler, until the model is good enough."""

    def __init__(self, n_workers: int = 4, lr: float = 0.1, good_enough: float = 0.94):
        super().__init__()
        self.worker = Module(Path("modules/worker"), maximum=n_workers, datasets=["digits"], alias="worker")
        self.aggregator = Module(Path("modules/aggregator.py"), alias="aggregator")
        self.scheduler = Module(Path("modules/scheduler.py"), alias="scheduler")
        self.set_global("settings", {"lr": lr, "epochs": 2, "batch_size": 32, "good_enough": good_enough})
        self.set_global("model", numpy_to_bytes(DigitNet().get_weights()))

    def execute(self):
        trained = self.worker()
        averaged = self.aggregator(trained)
        return self.scheduler(averaged)
