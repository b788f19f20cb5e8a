# D. Yin, Y. Chen, K. Ramchandran and P. Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical
# Rates", ICML 2018.

# %% [code]
# %%module robust_worker --all
# Some nodes lie: those named in the Global "liars" send noise instead of a model.
import numpy as np
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes

LEARNING_RATE, STEPS, BATCH = 0.2, 20, 32


class RobustWorker(Task):
    def run(self):
        data = self.local.get_numpy_data("digits")
        model = bytes_to_numpy(self.world.globals["robust_model"])
        right = self.scores(model, data["x_test"]).argmax(axis=1) == data["y_test"]
        self.world.metric("accuracy", right.mean())

        self.train(model, data["x_train"], data["y_train"])
        if self.world.node_id in self.world.globals["liars"]:
            model = {name: np.random.normal(scale=10, size=array.shape) for name, array in model.items()}
        self.world.results.add("robust_model", numpy_to_bytes(model))

    def scores(self, model, x):
        return x.reshape(len(x), -1) @ model["weights"] + model["bias"]

    def train(self, model, x, y):
        """Softmax regression: steps down the gradient, each by a batch."""
        for _ in range(STEPS):
            rows = np.random.choice(len(x), BATCH)
            scores = self.scores(model, x[rows])
            chances = np.exp(scores - scores.max(axis=1, keepdims=True))
            error = chances / chances.sum(axis=1, keepdims=True) - np.eye(len(model["bias"]))[y[rows]]
            model["weights"] -= LEARNING_RATE * x[rows].reshape(BATCH, -1).T @ error / BATCH
            model["bias"] -= LEARNING_RATE * error.mean(axis=0)


# %% [code]
# %%module robust_aggregator
# The median, number by number (Yin et al., 2018): fewer than half of the nodes can lie. geometric_median is another
# way; with mean a single liar is enough to ruin the model.
from manta_light.task import Task
from manta_light.utils import numpy_to_bytes
from manta_nb.algorithms import coordinate_median


class RobustAggregator(Task):
    def run(self):
        models = self.world.results.select("robust_model")
        self.world.globals["robust_model"] = numpy_to_bytes(coordinate_median(models))


# %% [code]
# %%swarm robust --iterations 10
import numpy as np

first_model = {"weights": np.zeros((64, 10)), "bias": np.zeros(10)}
set_global("robust_model", numpy_to_bytes(first_model))
set_global("liars", ["node_0"])  # [] where all are honest
robust_worker >> robust_aggregator

# %% [code]
robust.wait()
robust.metrics.plot("accuracy")
