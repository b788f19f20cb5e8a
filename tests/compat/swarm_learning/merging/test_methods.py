"""Merges of models against numbers worked out by hand, and what cannot be merged."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from manta_nb.compat.swarm_learning.merging.methods import METHODS, merge
from manta_nb.errors import MantaError, PackageError, UsageError, ValueRefused

FLOATS = arrays.arrays("f4", 3, elements=st.floats(-1e4, 1e4, width=32))


def model(weight: float, steps: int = 0, on: bool = True) -> dict[str, Any]:
    """A layer, a counter without a dimension, and a switch."""
    return {
        "fc.weight": np.full((2, 2), weight, "f4"),
        "bn.num_batches_tracked": np.array(steps, "i8"),
        "mask": np.array([on]),
    }


def values(merged: dict[str, Any]) -> tuple[float, int, bool]:
    """The three numbers of such a model, whose form is looked at."""
    like = model(0)
    assert list(merged) == list(like)
    assert [(a.dtype, a.shape, a.flags.writeable) for a in merged.values()] == [
        (a.dtype, a.shape, True) for a in like.values()
    ]
    assert len(set(merged["fc.weight"].flat)) == 1
    return float(merged["fc.weight"][0, 0]), int(merged["bn.num_batches_tracked"]), bool(merged["mask"][0])


THREE = {"a": model(1, 10, True), "b": model(2, 21, False), "c": model(9, 30, False)}


@pytest.mark.parametrize(
    ("method", "weights", "expected"),
    [
        ("mean", (1, 1, 1), (4.0, 20, False)),  # 61 / 3 = 20.33
        ("mean", (2, 1, 1), (3.25, 18, False)),  # 71 / 4 = 17.75; half of the switches are on
        ("mean", (3, 1, 1), (2.8, 16, True)),  # 81 / 5 = 16.2
        ("mean", (1, 0, 3), (7.0, 25, False)),
        ("mean", (0, 5, 0), (2.0, 21, False)),
        ("mean", (0.5, 0.5, 0), (1.5, 16, False)),  # 15.5 to the even one
        ("coordmedian", (1, 1, 1), (2.0, 21, False)),
        ("coordmedian", (1, 1, 2), (5.5, 26, False)),  # 25.5 to the even one
        ("coordmedian", (3, 1, 1), (1.0, 10, True)),
        ("coordmedian", (1, 1, 0), (1.5, 16, False)),
        ("geomedian", (1, 1, 1), (2.0, 21, False)),
        ("geomedian", (1, 1, 3), (9.0, 30, False)),
        ("geomedian", (1, 0, 1), (5.0, 20, False)),
    ],
)
def test_merges_by_hand(method: str, weights: tuple[float, ...], expected: tuple[float, int, bool]) -> None:
    """Each method with equal weights, with others, and with nodes that weigh nothing."""
    merged = merge(method, THREE, dict(zip("abc", weights, strict=True)))

    assert values(merged) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("method", METHODS)
@given(found=FLOATS, weights=st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_equal_models_stay_as_they_are(method: str, found: np.ndarray, weights: list[int]) -> None:
    """Bit for bit, with any weights; one node alone, too."""
    nodes = {f"node_{k}": weight for k, weight in enumerate(weights)}
    merged = merge(method, {node: {"w": found} for node in nodes}, nodes)

    assert merged["w"].tobytes() == found.tobytes()
    assert not np.shares_memory(merged["w"], found)


@pytest.mark.parametrize("method", METHODS)
@given(
    found=st.lists(st.tuples(FLOATS, st.integers(1, 9)), min_size=2, max_size=6),
    factor=st.sampled_from([0.25, 3, 1000]),
    chance=st.randoms(use_true_random=False),
)
def test_neither_order_nor_scale_of_weights_matters(
    method: str, found: list[tuple[np.ndarray, int]], factor: float, chance: Any
) -> None:
    """Nodes in another order, and all weights times a number, make the same model; it lies between the models."""
    models = {f"node_{k}": {"w": each} for k, (each, _) in enumerate(found)}
    weights = {f"node_{k}": weight for k, (_, weight) in enumerate(found)}
    order = list(models)
    chance.shuffle(order)
    one = merge(method, models, weights)["w"]
    other = merge(method, {k: models[k] for k in order}, {k: factor * weights[k] for k in order})["w"]
    every = np.array([each for each, _ in found])

    assert (one >= every.min(axis=0)).all() and (one <= every.max(axis=0)).all()
    if method != "geomedian":
        assert np.allclose(one, other, rtol=1e-6, atol=1e-6 * np.abs(every).max())
    else:
        # where several points are best, the sums are the same
        sums = [sum(w * np.linalg.norm(e.astype("f8") - p) for e, w in found) for p in (one, other)]
        assert np.isclose(*sums, rtol=1e-5)


def test_a_large_mean_takes_no_room_beside_its_result() -> None:
    """Models are read block by block, and are not changed."""
    models = {f"node_{k}": {"w": np.full(4_000_000, k, "f4")} for k in range(4)}
    for each in models.values():
        each["w"].flags.writeable = False
    for method in ("mean", "coordmedian"):
        tracemalloc.start()
        merged = merge(method, models, dict.fromkeys(models, 1))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (merged["w"] == 1.5).all()
        assert peak < 1.5 * merged["w"].nbytes


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"a": 0, "b": 0}, "the weights of all nodes are 0 (a, b)"),
        ({"a": 1, "b": -1}, "the weight of b must be a number ≥ 0, got -1"),
        ({"a": float("nan"), "b": 1}, "the weight of a must be a number ≥ 0, got nan"),
        ({"a": 1, "b": float("inf")}, "the weight of b must be a number ≥ 0, got inf"),
        ({"a": 1, "b": "2"}, "the weight of b must be a number ≥ 0, got '2'"),
        ({"a": 1, "b": True}, "the weight of b must be a number ≥ 0, got True"),
        ({"a": 1}, "the weight of b must be a number ≥ 0, got None"),
    ],
)
def test_weights_that_are_none(weights: Any, says: str) -> None:
    """The node is named."""
    with pytest.raises(UsageError) as caught:
        merge("mean", {"a": model(1), "b": model(2)}, weights)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"w": np.zeros(3, "f4")}, "b: 'w' has shape (3,), on a (2,)"),
        ({"w": np.zeros(2, "f8")}, "b: 'w' is float64, on a float32"),
        ({}, "b: has no 'w', which a has"),
        ({"module.w": np.zeros(2, "f4")}, "b: has no 'w', which a has (it has 'module.w' instead)"),
        ({"w": np.zeros(2, "f4"), "b": np.zeros(1)}, "b: has 'b', which a has not"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_models_that_differ(method: str, other: Any, says: str) -> None:
    """Node, array and both shapes are named."""
    with pytest.raises(PackageError) as caught:
        merge(method, {"a": {"w": np.zeros(2, "f4")}, "b": other}, {"a": 1, "b": 1})

    assert str(caught.value) == f"models cannot be merged: {says}"


def test_long_names_keep_to_one_line() -> None:
    """Names from outside do not break the line."""
    for other in ({"k\n" * 300: np.zeros(3)}, {"x" * 300: np.zeros(2)}):
        with pytest.raises(MantaError) as caught:
            merge(
                "mean",
                {"n" * 300: {"k\n" * 300: np.zeros(2)}, "m" * 300: other},
                {"n" * 300: 1, "m" * 300: 1},
            )
        assert len(str(caught.value)) <= 200 and "\n" not in str(caught.value)


def test_what_is_no_merge() -> None:
    """No model, an unknown method, arrays of text, and the NaN that only the coordinate median bears."""
    with pytest.raises(PackageError, match="no models to merge"):
        merge("mean", {}, {})
    with pytest.raises(UsageError, match=r"no merge method 'geomed' \(did you mean 'geomedian'\?\)"):
        merge("geomed", THREE, dict.fromkeys("abc", 1))
    with pytest.raises(PackageError, match="a: 'w' holds no numbers"):
        merge("mean", {"a": {"w": np.array(["x"])}}, {"a": 1})
    spoilt = {**THREE, "b": {**THREE["b"], "fc.weight": np.full((2, 2), np.nan, "f4")}}
    with pytest.raises(ValueRefused, match="the models of b hold NaN"):
        merge("geomedian", spoilt, dict.fromkeys("abc", 1))
    assert values(merge("coordmedian", spoilt, dict.fromkeys("abc", 1))) == (9.0, 21, False)
