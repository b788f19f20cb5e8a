"""Keras models: training scripts as processes of their own; TensorFlow never comes into this one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.shims.swarm.node import Attendant, Reply, echo, merged, program

Attend = Callable[[Sequence[Reply]], Attendant]
MARKER = "All peers and Swarm training rounds finished. Final Swarm model was loaded."

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed"),
]

START = """
import json
import numpy as np, tensorflow as tf
tf.keras.utils.set_random_seed(0)
x, y = np.random.rand(40, 3), np.random.randint(0, 2, 40)
model = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(4, activation="relu"),
    tf.keras.layers.BatchNormalization(), tf.keras.layers.Dropout(0.2), tf.keras.layers.Dense(2, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
"""

CLASSIC = f"""{START}
from swarm import SwarmCallback
from tensorflow.keras.callbacks import EarlyStopping
callback = SwarmCallback(sync_interval=3, min_peers=2, use_adaptive_sync=False, val_data=(x, y), val_batch_size=16,
    checkin_model_on_train_end="snapshot", node_weightage=0, ml_platform="TF", model_name="net")
callback.logger.info("ready")
stop = EarlyStopping(monitor="loss", min_delta=100, patience=1)
history = model.fit(x, y, batch_size=8, epochs=9, verbose=0, callbacks=[stop, callback])
print(isinstance(callback, SwarmCallback), isinstance(callback, tf.keras.callbacks.Callback), callback.mlCtx.model is model)
print(json.dumps([len(history.history["loss"]), float(sum(abs(w).sum() for w in model.get_weights()))]))
"""

LATER = f"""{START}
from swarmlearning.tf import SwarmCallback
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16).repeat()
callback = SwarmCallback(2, 2, adsValData=data, adsValBatchSize=16, mergeMethod="mean", totalEpochs=9)
history = model.fit(x, y, batch_size=8, epochs=9, verbose=0, callbacks=[callback])
print(json.dumps([len(history.history["loss"]), [float(w.max()) for w in model.get_weights()]]))
"""


def test_a_classic_script_with_early_stopping(attend: Attend, tmp_path: Path):
    """It merges every third batch, by the weights' paths; the node that stops early ends as a peer."""
    attendant = attend(echo(4))

    done = program(CLASSIC, tmp_path, attendant)
    attendant.close()

    assert 0 == done.returncode, done.stdout
    assert [("begin", 0), ("batch", 3), ("batch", 6), ("batch", 9), ("end", 10)] == [
        (header["kind"], header["step"]) for header in attendant.headers("check_in")
    ]
    assert ["KERAS", "swarm", 0, True] == [
        attendant.headers("hello")[0][name] for name in ("platform", "family", "weight", "validates")
    ]
    assert 8 == len(attendant.arrays("end")) and "sequential/dense/kernel" in attendant.arrays("end")
    assert all(
        header["loss"] > 0 and 0 <= header["metrics"]["accuracy"] <= 1
        for header in attendant.headers("loaded")
    )
    assert [(1, 9), (2, 9)] == [(header["done"], header["total"]) for header in attendant.headers("epochs")]
    assert MARKER in done.stdout
    *_, kinds, last = done.stdout.splitlines()
    assert "True True True" == kinds
    size = sum(float(np.abs(array).sum()) for array in attendant.arrays("end").values())
    assert [2, pytest.approx(size)] == json.loads(last)


def test_a_swarm_that_ends_first_stops_the_training(attend: Attend, tmp_path: Path):
    """`fit` ends after the batch of the last merge, and the model is the final one."""

    def final(
        message: tuple[dict[str, object], dict[str, np.ndarray]],
    ) -> tuple[dict[str, object], dict[str, np.ndarray]]:
        arrays = {name: np.full_like(array, 0.25) for name, array in message[1].items()}
        return {"op": "merged", "round": 1, "over": True, "interval": 0, "adopted": False}, arrays

    attendant = attend([merged(0), final])

    done = program(LATER, tmp_path, attendant)
    attendant.close()

    assert 0 == done.returncode, done.stdout
    assert ["hello", "begin", "loaded", "batch", "loaded"] == attendant.ops
    assert [1, [0.25] * 8] == json.loads(done.stdout.splitlines()[-1])
    assert all(header["loss"] > 0 for header in attendant.headers("loaded"))


ADAPTER = f"""{START}
import logging, os, sys
os.environ["SWARM_LOOPBACK"] = "1"
from swarm import SwarmCallback, SwarmError
from swarm._keras import KerasModel
from swarm._settings import Settings
found = {{}}

def adapter(model, data=None):
    settings = Settings("swarm", 1, 1, val_data=data, val_batch_size=16)
    return KerasModel(lambda: model, settings, logging.getLogger("test"))

# weights of one path are known by their index
twins = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(3, name="same")])
both = tf.keras.Sequential([tf.keras.layers.Input((3,)), twins, tf.keras.layers.Dense(2)])
for variable in both.weights[:2]:
    variable._path = "same"
found["twins"] = [*adapter(both).read()]

# what does not fit is refused, and changes nothing
before = model.get_weights()
arrays = adapter(model).read()
name = [*arrays][-1]
try:
    adapter(model).load({{**arrays, name: np.zeros(7)}})
except SwarmError as error:
    found["refused"] = str(error)
found["kept"] = all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))

# integers are rounded, weights are the same objects
count = tf.keras.layers.Normalization(axis=None)
count.adapt(np.array([1.0, 2.0]))
held = [*model.weights]
adapter(model).load({{name: array + 1.0 for name, array in arrays.items()}})
found["same"] = all(a is b for a, b in zip(held, model.weights))
found["loaded"] = float(np.abs(model.get_weights()[0] - before[0] - 1).max()) < 1e-6

# validation data of every form have the same loss, again and again
def batches():
    for start in (0, 16, 32):
        yield x[start:start + 16], y[start:start + 16]
expected = model.evaluate(x, y, verbose=0)[0]
forms = {{"pair": (x, y), "weighted": (x, y, np.ones(40)), "generator": batches(),
    "dataset": tf.data.Dataset.from_tensor_slices((x, y)).batch(8)}}
for form, data in forms.items():
    merging = adapter(model, data)
    losses = [merging.evaluate() for _ in range(2)]
    found[form] = all(abs(loss - expected) < 1e-4 and "accuracy" in metrics for loss, metrics in losses)
found["given up"] = [adapter(model, (x[:, :2], y)).evaluate()]

# trying the model in an epoch does not change what the epoch reports
class Trying(tf.keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        adapter(self.model, (x, y)).evaluate()
def trained(callbacks):
    tf.keras.utils.set_random_seed(1)
    made = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(2, activation="softmax")])
    made.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return made.fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=callbacks).history
plain, tried = trained([]), trained([Trying()])
found["history"] = all(np.allclose(plain[name], tried[name]) for name in plain) and plain.keys() == tried.keys()

# a model without a known input is waited for
later = tf.keras.Sequential([tf.keras.layers.Dense(2)])
found["ready"] = [adapter(later).ready(), later(np.ones((1, 3))) is not None and adapter(later).ready()]

# one class for both frameworks, and classes derived from it
class Mine(SwarmCallback):
    def on_epoch_end(self, epoch=None, logs=None):
        super().on_epoch_end(epoch, logs)
        found["mine"] = self.epochs_completed
mine = Mine(sync_interval=1, min_peers=1)
model.fit(x, y, verbose=0, callbacks=[mine])
found["kinds"] = [isinstance(mine, Mine), isinstance(mine, tf.keras.callbacks.Callback), mine.model is model]
for parameters in ({{"ml_platform": "KERAS"}}, {{"ml_platform": "tf"}}, {{"model": model}}):
    made = SwarmCallback(sync_interval=1, min_peers=1, **parameters)
    found["kinds"].append(made.mlPlatform == "KERAS" and isinstance(made, tf.keras.callbacks.Callback))
import torch
found["kinds"].append(SwarmCallback(sync_interval=1, min_peers=1, model=torch.nn.Linear(1, 1)).mlPlatform)
print(json.dumps(found))
"""


def test_keras_models_of_every_kind(tmp_path: Path):
    """Names, refusals, validation data in each form, undisturbed metrics, and one class for both frameworks."""
    done = program(ADAPTER, tmp_path)

    assert 0 == done.returncode, done.stdout
    found = json.loads(done.stdout.splitlines()[-1])
    assert ["0 same", "1 same"] == found.pop("twins")[:2]
    assert "of the merged model has the shape (7,), this node's has (2,)" in found.pop("refused")
    assert [[None, {}]] == found.pop("given up")
    assert [False, True] == found.pop("ready")
    assert [True, True, True, True, True, True, "PYTORCH"] == found.pop("kinds")
    assert 1 == found.pop("mine")
    assert {*found} == {name for name, right in found.items() if right is True}
