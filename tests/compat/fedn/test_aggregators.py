"""fedavg, fedopt and aggregators of one's own: models, dtypes, state, options, mistakes; test_oracle.py has numbers."""

from __future__ import annotations

import numpy as np
import pytest

from manta_nb.compat.fedn.server.aggregators import check_aggregator, combine
from manta_nb.errors import MantaError, PackageError, UsageError
from manta_nb.sdk.codec import decode, encode

MODEL = {"w": np.zeros(2, np.float32), "n": np.array(10)}
UPDATES = {
    "node_1": ({"w": np.array([1, 2], np.float32), "n": np.array(11)}, 1),
    "node_0": ({"n": np.array(15), "w": np.array([5, 2], np.float32)}, 3),
}


def test_fedavg_is_weighted_by_examples():
    """The mean counts each node as often as it has examples, keeps dtypes, and rounds integers."""
    model, state = combine("fedavg", None, MODEL, UPDATES)

    assert isinstance(model, dict)
    assert [4.0, 2.0] == model["w"].tolist()
    assert 14 == model["n"]
    assert [np.dtype("f4"), np.dtype("i8")] == [array.dtype for array in model.values()]
    assert state is None


def test_lists_stay_lists():
    """A list of arrays gives a list of arrays, and FEDn's capitals are no matter."""
    updates = {"a": ([np.array([1.0])], 1), "b": ([np.array([4.0])], 2)}

    assert [[3.0]] == [array.tolist() for array in combine("FedAvg", {}, [np.zeros(1)], updates)[0]]


def test_updates_decide_on_the_dtype():
    """A first model of whole numbers does not round what nodes have learnt; of two floats the wider one is kept."""
    updates = {"a": ([np.array([0.5], np.float32)], 1), "b": ([np.array([1.0])], 1)}
    model, _ = combine("fedavg", None, [np.array([0])], updates)

    assert [0.75] == model[0].tolist()
    assert np.dtype("f8") == model[0].dtype


def test_truth_is_counted():
    """Masks stay masks: the majority of examples decides."""
    updates = {
        "a": ([np.array([True, False])], 1),
        "b": ([np.array([False, False])], 3),
        "c": ([np.array([True, False])], 3),
    }
    model, _ = combine("fedavg", None, [np.array([True, True])], updates)

    assert [True, False] == model[0].tolist()
    assert np.dtype(bool) == model[0].dtype


def test_the_order_of_nodes_is_the_order_of_sums():
    """The same updates in the same order give the same bits."""
    generator = np.random.default_rng(0)
    updates = {f"node_{i}": ([generator.normal(size=100).astype("f4")], i + 1) for i in range(8)}

    assert (
        combine("fedavg", None, [np.zeros(100)], updates)[0][0]
        == combine("fedavg", None, [np.zeros(100)], dict(updates))[0][0]
    ).all()


@pytest.mark.parametrize("serveropt", ["adam", "yogi", "adagrad"])
def test_fedopt_moves_where_the_updates_go(serveropt: str):
    """Each optimizer moves the model towards the updates, keeps dtypes, and its state may travel between rounds."""
    options = {"serveropt": serveropt, "learning_rate": 0.1}
    model, state = combine("fedopt", options, MODEL, UPDATES)
    carried = decode(memoryview(b"".join(encode(state).buffers)))
    second, _ = combine("fedopt", options, MODEL, UPDATES, carried)
    direct, _ = combine("fedopt", options, MODEL, UPDATES, state)
    fresh, _ = combine("fedopt", options, MODEL, UPDATES)

    assert isinstance(model, dict)
    assert (model["w"] > 0).all()
    assert [np.dtype("f4"), np.dtype("i8")] == [array.dtype for array in model.values()]
    assert all((second[key] == direct[key]).all() for key in MODEL)
    assert (fresh["w"] == model["w"]).all()
    assert (second["w"] != fresh["w"]).any()


def test_an_aggregator_of_ones_own():
    """A function gets the model, the updates and its options, and returns the next model."""

    def median(
        model: object, updates: dict[str, tuple[dict[str, np.ndarray], int]], shift: float = 0
    ) -> object:
        return {"w": np.median([update["w"] for update, _ in updates.values()], axis=0) + shift}

    model, state = combine(median, {"shift": 1}, MODEL, UPDATES, {"kept": 1})

    assert [4.0, 3.0] == model["w"].tolist()
    assert {"kept": 1} == state


def test_an_aggregator_of_ones_own_returns_a_model():
    """A function that returns nothing is named."""

    def forgetful(model: object, updates: object) -> None:
        return None

    with pytest.raises(
        PackageError, match="the result of forgetful: it must be a list or dict of arrays, got NoneType"
    ):
        combine(forgetful, None, MODEL, UPDATES)  # type: ignore[arg-type]


def test_defaults_are_those_of_fedn():
    """What is not given has FEDn's value; fedavg ignores options, as FEDn does; whole numbers are numbers."""
    assert {
        "serveropt": "adam",
        "learning_rate": 1.0,
        "beta1": 0.9,
        "beta2": 0.99,
        "tau": 1e-4,
    } == check_aggregator("fedopt", {"learning_rate": 1})
    assert {} == check_aggregator("fedavg", {"learning_rate": 1})


@pytest.mark.parametrize(
    ("name", "kwargs", "text"),
    [
        (
            "fedavgg",
            {},
            "aggregator must be fedavg, fedopt or a function, got 'fedavgg' (did you mean 'fedavg'?)",
        ),
        (None, {}, "aggregator must be fedavg, fedopt or a function, got None"),
        (
            "fedopt",
            {"learningrate": 1.0},
            "fedopt has no option 'learningrate' (did you mean 'learning_rate'?)",
        ),
        ("fedopt", {"learning_rate": "1"}, "learning_rate of fedopt must be a number, got '1'"),
        ("fedopt", {"tau": True}, "tau of fedopt must be a number, got True"),
        ("fedopt", {"tau": 0}, "tau of fedopt must be above 0, got 0"),
        ("fedopt", {"beta1": 1}, "beta1 of fedopt must be at least 0 and below 1, got 1"),
        ("fedopt", {"learning_rate": float("nan")}, "learning_rate of fedopt must be a number, got nan"),
        ("fedopt", {"serveropt": "sgd"}, "serveropt must be adam, yogi or adagrad, got 'sgd'"),
        ("fedopt", {"serveropt": ["adam"]}, "serveropt must be adam, yogi or adagrad, got ['adam']"),
    ],
)
def test_wrong_options_are_one_line(name: str, kwargs: dict[str, object], text: str):
    """An option that is not known, or of another kind, is named with what would be right."""
    with pytest.raises(UsageError) as caught:
        check_aggregator(name, kwargs)
    assert text == str(caught.value)


@pytest.mark.parametrize(
    ("updates", "text"),
    [
        ({}, "there are no updates to combine"),
        (
            {"node_2": ({"w": np.zeros(3), "n": np.array(1)}, 1)},
            "the update of node_2: layer w has shape (3,)",
        ),
        ({"node_2": (MODEL, 0)}, "the weights of all 1 models are 0"),
        ({"node_2": (MODEL, -1)}, "the weight of node_2 must be a finite number"),
    ],
)
@pytest.mark.parametrize("name", ["fedavg", "fedopt"])
def test_updates_that_have_no_mean(name: str, updates: dict[str, tuple[object, int]], text: str):
    """Updates that cannot be combined are one line that names the node."""
    with pytest.raises(MantaError) as caught:
        combine(name, None, MODEL, updates)  # type: ignore[arg-type]
    assert text in str(caught.value)
