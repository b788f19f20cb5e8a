# Algorithm 1 of H. B. McMahan, E. Moore, D. Ramage, S. Hampson and B. Agüera y Arcas, "Communication-Efficient
# Learning of Deep Networks from Decentralized Data", AISTATS 2017.

# %% [code]
# %%module fedavg_worker --all
# FedAvg (McMahan et al., 2017). --all is their C = 1; --maximum 0.5 takes half of the nodes, others each time.
import numpy as np
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes

LEARNING_RATE, E, B = 0.2, 5, 10  # epochs over the node's data, samples in a batch


class FedAvgWorker(Task):
    def run(self):
        data = self.local.get_numpy_data("digits")
        model = bytes_to_numpy(self.world.globals["fedavg_model"])
        right = self.scores(model, data["x_test"]).argmax(axis=1) == data["y_test"]
        self.world.metric("accuracy", right.mean())

        x, y = data["x_train"], data["y_train"]
        for _ in range(E):
            order = np.random.permutation(len(x))
            for start in range(0, len(x), B):
                rows = order[start : start + B]
                self.step(model, x[rows], y[rows])
        self.world.results.add("fedavg_model", numpy_to_bytes(model))
        self.world.results.add("fedavg_samples", len(x))

    def scores(self, model, x):
        return x.reshape(len(x), -1) @ model["weights"] + model["bias"]

    def step(self, model, x, y):
        """Down the gradient of the cross-entropy of softmax regression."""
        scores = self.scores(model, x)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = chances / chances.sum(axis=1, keepdims=True) - np.eye(len(model["bias"]))[y]
        model["weights"] -= LEARNING_RATE * x.reshape(len(x), -1).T @ error / len(x)
        model["bias"] -= LEARNING_RATE * error.mean(axis=0)


# %% [code]
# %%module fedavg_aggregator
from manta_light.task import Task
from manta_light.utils import numpy_to_bytes
from manta_nb.algorithms import mean


class FedAvgAggregator(Task):
    def run(self):
        models = self.world.results.select("fedavg_model")
        samples = self.world.results.select("fedavg_samples")
        self.world.globals["fedavg_model"] = numpy_to_bytes(mean(models, samples))


# %% [code]
# %%swarm fedavg --iterations 10
import numpy as np

first_model = {"weights": np.zeros((64, 10)), "bias": np.zeros(10)}
set_global("fedavg_model", numpy_to_bytes(first_model))
fedavg_worker >> fedavg_aggregator

# %% [code]
fedavg.wait()
fedavg.metrics.plot("accuracy")
