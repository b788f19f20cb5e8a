# %% [code]
# %%module aggregator
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes


class Aggregator(Task):
    """On one node: the mean of the models, each as heavy as the samples it was trained on."""

    def run(self):
        models = bytes_to_numpy(self.world.results.select("model_params"))
        samples = self.world.results.select("n_samples")
        total = sum(samples.values())

        mean = {
            name: sum(models[node][name] * samples[node] / total for node in models)
            for name in next(iter(models.values()))
        }
        self.world.globals["global_model_params"] = numpy_to_bytes(mean)
