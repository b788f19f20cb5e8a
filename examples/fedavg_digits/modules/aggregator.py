"""Runs on one node: the average of all weights, each node counting as much as it has samples."""

from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes


class Aggregator(Task):
    def run(self):
        weights = bytes_to_numpy(self.world.results.select("weights"))
        samples = self.world.results.select("samples")
        total = sum(samples.values())
        layers = next(iter(weights.values()))
        average = {
            layer: sum(weights[node][layer] * (samples[node] / total) for node in weights) for layer in layers
        }
        self.world.globals["model"] = numpy_to_bytes(average)
