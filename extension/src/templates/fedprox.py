# T. Li, A. K. Sahu, M. Zaheer, M. Sanjabi, A. Talwalkar and V. Smith, "Federated Optimization in Heterogeneous
# Networks", MLSys 2020.

# %% [code]
# %%module fedprox_worker --all
# FedProx (Li et al., 2020): a node's loss has the term mu/2 * ||w - w_t||^2 (their equation 2), which keeps its
# model w near the shared one, w_t. It matters where the nodes' data are unlike: --partition dirichlet --alpha 0.1
import numpy as np
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes

LEARNING_RATE, EPOCHS, BATCH = 0.2, 5, 10


class FedProxWorker(Task):
    def run(self):
        data = self.local.get_numpy_data("digits")
        shared = bytes_to_numpy(self.world.globals["fedprox_model"])
        right = self.scores(shared, data["x_test"]).argmax(axis=1) == data["y_test"]
        self.world.metric("accuracy", right.mean())

        model = self.train(shared, data["x_train"], data["y_train"])
        distance = sum(((model[name] - shared[name]) ** 2).sum() for name in model) ** 0.5
        self.world.metric("distance", distance)
        self.world.results.add("fedprox_model", numpy_to_bytes(model))
        self.world.results.add("fedprox_samples", len(data["y_train"]))

    def scores(self, model, x):
        return x.reshape(len(x), -1) @ model["weights"] + model["bias"]

    def train(self, shared, x, y):
        mu = self.world.globals["mu"]
        model = {name: array.copy() for name, array in shared.items()}
        for _ in range(EPOCHS):
            order = np.random.permutation(len(x))
            for start in range(0, len(x), BATCH):
                rows = order[start : start + BATCH]
                for name, gradient in self.gradients(model, x[rows], y[rows]).items():
                    # the gradient of mu/2 * ||w - w_t||^2 is mu * (w - w_t)
                    model[name] -= LEARNING_RATE * (gradient + mu * (model[name] - shared[name]))
        return model

    def gradients(self, model, x, y):
        """Of the cross-entropy of softmax regression."""
        scores = self.scores(model, x)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = chances / chances.sum(axis=1, keepdims=True) - np.eye(len(model["bias"]))[y]
        return {"weights": x.reshape(len(x), -1).T @ error / len(x), "bias": error.mean(axis=0)}


# %% [code]
# %%module fedprox_aggregator
from manta_light.task import Task
from manta_light.utils import numpy_to_bytes
from manta_nb.algorithms import mean


class FedProxAggregator(Task):
    def run(self):
        models = self.world.results.select("fedprox_model")
        samples = self.world.results.select("fedprox_samples")
        self.world.globals["fedprox_model"] = numpy_to_bytes(mean(models, samples))


# %% [code]
# %%swarm fedprox --iterations 10
import numpy as np

first_model = {"weights": np.zeros((64, 10)), "bias": np.zeros(10)}
set_global("fedprox_model", numpy_to_bytes(first_model))
set_global("mu", 0.1)  # 0 is FedAvg
fedprox_worker >> fedprox_aggregator

# %% [code]
fedprox.wait()
fedprox.metrics.plot("accuracy")
