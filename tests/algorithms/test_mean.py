"""The mean of models: exact where it can be, and a clear refusal where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from manta_nb.algorithms import mean
from manta_nb.errors import ValueRefused
from manta_nb.sdk.bytes import numpy_to_bytes

FLOATS = st.floats(-1e6, 1e6, width=32)


def model(value: float, dtype: str = "f4") -> dict[str, Any]:
    """A small model all of whose parameters are `value`."""
    return {
        "layers": [np.full((2, 3), value, dtype), np.full(3, value, dtype)],
        "steps": np.array(value, "i8"),
    }


def refusal(*args: Any, **options: Any) -> str:
    """What is said of these arguments."""
    with pytest.raises(ValueRefused) as caught:
        mean(*args, **options)
    assert len(str(caught.value)) <= 200
    return str(caught.value)


def test_the_mean_keeps_structure_and_dtypes() -> None:
    """Dicts, lists, shapes and dtypes are those of the models; the arrays are new."""
    models = {"node_0": model(1), "node_1": model(2)}
    found = mean(models)

    assert list(found) == ["layers", "steps"] and isinstance(found["layers"], list)
    assert [array.dtype.str for array in (*found["layers"], found["steps"])] == ["<f4", "<f4", "<i8"]
    assert found["layers"][0].tolist() == [[1.5] * 3] * 2
    assert found["layers"][0].flags.writeable
    assert models["node_0"]["layers"][0][0, 0] == 1


def test_integers_are_rounded_to_even() -> None:
    """1.5 and 2.5 become 2; large 64-bit integers are not spoilt by a double."""
    found = mean([np.array([1, 2, 2**53 + 1]), np.array([2, 3, 2**53 + 1])])

    assert found.tolist() == [2, 2, 2**53 + 1]


def test_weights_count_by_name() -> None:
    """As `results.select` gives them: by node, in any order, also as arrays of one number."""
    models = {"node_0": model(0), "node_1": model(4)}

    assert mean(models, {"node_1": np.float64(1), "node_0": 3})["layers"][1].tolist() == [1.0] * 3
    assert mean([np.zeros(1), np.full(1, 4.0)], [0, 2]).tolist() == [4.0]


def test_npy_bytes_are_arrays() -> None:
    """What `numpy_to_bytes` made is averaged as it is."""
    models = {
        "node_0": numpy_to_bytes({"w": np.zeros(2, "f4")}),
        "node_1": numpy_to_bytes({"w": np.ones(2, "f4")}),
    }

    assert mean(models)["w"].tolist() == [0.5, 0.5]


def test_empty_and_0_d_arrays() -> None:
    """They stay what they are."""
    found = mean([{"a": np.zeros((0, 3), "f4"), "b": np.array(1.0)}] * 3)

    assert (found["a"].shape, found["a"].dtype, found["b"].shape, float(found["b"])) == (
        (0, 3),
        "f4",
        (),
        1.0,
    )


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "i1", "u8", ">f4", "g"])
def test_equal_models_are_their_own_mean(dtype: str) -> None:
    """Of every kind of number."""
    array = np.arange(7).astype(dtype)
    found = mean([array] * 4)

    assert found.dtype == array.dtype
    assert found.tolist() == array.tolist()


@given(st.lists(arrays.arrays("f4", 3, elements=FLOATS), min_size=1, max_size=6), st.randoms())
def test_it_is_the_mean(models: list[np.ndarray], chance: Any) -> None:
    """Near the one of double precision, inside the range of the models, and in any order the same."""
    found = mean(models)
    shuffled = list(models)
    chance.shuffle(shuffled)

    assert np.allclose(found, np.mean(np.array(models, "f8"), axis=0), rtol=1e-6, atol=1e-6)
    assert (found <= np.max(models, axis=0)).all() and (found >= np.min(models, axis=0)).all()
    assert np.allclose(mean(shuffled), found, rtol=1e-6, atol=1e-6)


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=5), st.floats(1e-3, 1e3))
def test_only_the_ratio_of_weights_matters(weights: list[float], factor: float) -> None:
    """All of them times a number is the same mean."""
    models = [np.array([float(index)]) for index in range(len(weights))]

    assert np.allclose(mean(models, weights), mean(models, [factor * weight for weight in weights]))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"w": np.zeros(3, "f4")}, 'node_1, model["w"]: expected shape (2,) as node_0, got (3,)'),
        ({"w": np.zeros(2, "f8")}, 'node_1, model["w"]: expected dtype float32 as node_0, got float64'),
        (
            {"_module.w": np.zeros(2, "f4")},
            'expected the array that node_0 has, got model["_module.w"] instead',
        ),
        ({}, 'model["w"]: expected the array that node_0 has, got none'),
        ({"w": np.zeros(2, "f4"), "b": np.zeros(1)}, 'model["b"]: expected no such array: node_0 has none'),
        ({"w": [np.zeros(2, "f4")]}, 'got model["w"][0] instead'),
        ({"w": "text"}, "expected an array or bytes of numpy_to_bytes, got str"),
        ({"w": np.zeros(2, bool)}, "expected an array of numbers, got dtype bool"),
    ],
)
def test_models_that_differ_are_refused(other: Any, says: str) -> None:
    """Node, path, what was expected and what came, in one line."""
    text = refusal({"node_0": {"w": np.zeros(2, "f4")}, "node_1": other})

    assert text.startswith("cannot take the mean: node_1, ")
    assert says in text


def test_like_is_the_model_all_must_resemble() -> None:
    """So that the first node cannot decide what is right."""
    text = refusal({"node_0": np.zeros(3), "node_1": np.zeros(2)}, like=np.zeros(2))

    assert text == "cannot take the mean: node_0, model: expected shape (2,) as like, got (3,)"


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"node_0": 0, "node_1": 0}, "the weights of all 2 models are 0"),
        ({"node_0": -1, "node_1": 2}, "the weight of node_0 must be a finite number ≥ 0, got -1"),
        ({"node_0": 1, "node_1": float("nan")}, "the weight of node_1 must be a finite number ≥ 0, got nan"),
        ({"node_0": 1, "node_1": float("inf")}, "got inf"),
        ({"node_0": 1, "node_1": "many"}, "got 'many'"),
        ({"node_0": 1}, "no weight for node_1"),
        ([1, 2, 3], "2 models and 3 weights"),
    ],
)
def test_weights_without_a_mean_are_refused(weights: Any, says: str) -> None:
    """Zero in total, negative, NaN, missing: an error, never a warning about a division."""
    assert says in refusal({"node_0": np.zeros(2), "node_1": np.zeros(2)}, weights)


def test_no_models_at_all() -> None:
    """Nobody has added one: that is said."""
    assert "there are no models" in refusal({})


def test_long_names_keep_to_one_line() -> None:
    """Odd names of nodes and arrays do not break the line."""
    refusal({"n" * 300: {"k\n" * 300: np.zeros(2)}, "m" * 300: {"k\n" * 300: np.zeros(3)}})


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c16", "i4", "i8", "u8"])
@pytest.mark.parametrize("count", [3, 7])
def test_equal_models_stay_bit_for_bit(dtype: str, count: int) -> None:
    """Also where the weights cannot be divided exactly, and for the largest integers."""
    numbers = np.random.default_rng(count).normal(size=70_000) * 1e3
    model = np.abs(numbers).astype(dtype) if dtype[0] == "u" else numbers.astype(dtype)
    if dtype[1:] == "8" and dtype[0] in "iu":
        model[:2] = np.iinfo(dtype).max, np.iinfo(dtype).min + 1
    weights = [0.1 * (index + 1) for index in range(count)]

    assert mean([model] * count, weights).tobytes() == model.tobytes()


def test_a_model_of_weight_0_is_not_looked_at() -> None:
    """The NaN of a node that does not count spoils nothing."""
    assert mean([np.array([2.0]), np.array([np.nan])], [1, 0]).tolist() == [2.0]


def test_large_weights_and_numbers_do_not_overflow() -> None:
    """No sum on the way leaves the range of a double."""
    top = np.finfo("f8").max

    assert mean([np.array([top]), np.array([top])], [1e308, 1e308]).tolist() == [top]
    assert mean([np.array([1.0]), np.array([3.0])], [5e-324, 5e-324]).tolist() == [2.0]


@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_leave_no_seam(order: Any) -> None:
    """Arrays longer than a block are what short ones are, in either order of memory."""
    chance = np.random.default_rng(0)
    models = [np.array(chance.normal(size=(3, 90_000)).astype("f4"), order=order) for _ in range(3)]
    found = mean(models, [1, 2, 3])
    exact = sum(weight * model.astype("f8") for weight, model in zip((1, 2, 3), models, strict=True)) / 6

    assert found.tobytes() == exact.astype("f4").tobytes()
