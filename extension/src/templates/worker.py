# %% [code]
# %%module worker --all
import numpy as np
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes

LEARNING_RATE, STEPS, BATCH = 0.2, 20, 32


class Worker(Task):
    """On every node: measures the shared model, then trains it on the node's own data."""

    def run(self):
        data = self.local.get_numpy_data("digits")
        model = bytes_to_numpy(self.world.globals["global_model_params"])

        right = self.scores(model, data["x_test"]).argmax(axis=1) == data["y_test"]
        self.world.metric("accuracy", right.mean())
        self.world.results.add("accuracy", float(right.mean()))

        self.train(model, data["x_train"], data["y_train"])
        self.world.results.add("model_params", numpy_to_bytes(model))
        self.world.results.add("n_samples", len(data["y_train"]))

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
