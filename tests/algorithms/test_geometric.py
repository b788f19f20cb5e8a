"""The geometric median: by hand, against a search, and at the points where the method could trip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from manta_nb.algorithms import geometric_median
from manta_nb.algorithms.geometric import geometric_weights
from manta_nb.errors import ValueRefused


def total(points: Any, weights: Any, place: Any) -> float:
    """The sum that is to be least."""
    return float((np.asarray(weights) * np.linalg.norm(np.asarray(points) - place, axis=1)).sum())


@pytest.mark.parametrize(
    ("points", "weights", "expected"),
    [
        # the middle one of three on a line
        ([[0, 0], [1, 0], [9, 0]], None, [1, 0]),
        # the crossing of the diagonals of a square
        ([[0, 0], [2, 0], [2, 2], [0, 2]], None, [1, 1]),
        # two of equal weight: every point between is best, and the mean is where it starts
        ([[0, 0], [4, 2]], None, [2, 1]),
        # half of the weight or more at one point holds it there
        ([[0, 0], [4, 2]], [1, 2], [4, 2]),
        ([[0, 0], [4, 0], [0, 3]], [2, 1, 1], [0, 0]),
        # Fermat's point of a right triangle with sides 1: (3 - √3) / 6 each
        ([[0, 0], [1, 0], [0, 1]], None, [(3 - math.sqrt(3)) / 6] * 2),
        # an angle of 120° or more: its corner
        ([[0, 0], [10, 1], [-10, 1]], None, [0, 0]),
        # the mean, where it starts, is one of the points, and not the best
        ([[0, 0], [1, 1], [1, -1], [-4, 0], [2, 0]], None, None),
        ([[1, 2]], None, [1, 2]),
        ([[0, 0], [1, 0], [7, 7]], [1, 1, 0], [0.5, 0]),
        # two models that are alike count as one of their weights together
        ([[0, 0], [0, 0], [4, 0], [0, 4]], None, [0, 0]),
    ],
)
def test_medians_by_hand(points: list[list[float]], weights: Any, expected: list[float] | None) -> None:
    """Known places of the plane; without one, no place nearby is better."""
    found = geometric_median([np.array(point, float) for point in points], weights)

    if expected is not None:
        assert np.allclose(found, expected, atol=2e-6)
    shares = weights or [1] * len(points)
    least = total(points, shares, found)
    for angle in np.linspace(0, 6.28, 12):
        for step in (1e-3, 0.1):
            beside = found + step * np.array([math.cos(angle), math.sin(angle)])
            assert total(points, shares, beside) >= least - 1e-9


def test_a_point_that_is_best_is_returned_as_it_is() -> None:
    """Bit for bit: it is not approached, it is one of the models."""
    models = [np.array([0.1, 0.7], "f4"), np.array([0.2, 0.7], "f4"), np.array([9.3, 0.7], "f4")]

    assert geometric_median(models).tobytes() == models[1].tobytes()


def test_all_arrays_of_a_model_are_one_point() -> None:
    """The distance is over all of them: by itself, each array would have another median."""
    models = [
        {"a": np.array([0.0]), "b": [np.array(0.0)]},
        {"a": np.array([1.0]), "b": [np.array(0.0)]},
        {"a": np.array([0.0]), "b": [np.array(1.0)]},
    ]
    found = geometric_median(models)

    assert np.allclose([found["a"][0], found["b"][0]], (3 - math.sqrt(3)) / 6, atol=1e-6)


def test_counters_do_not_count_for_the_distance() -> None:
    """They are the mean with the weights of the end, rounded; truth is what more than half of these has."""
    models = [
        {"w": np.array([float(w)]), "steps": np.array(s), "on": np.array([o])}
        for w, s, o in [(0, 1000, False), (1, 7, True), (9, 90_000, False)]
    ]
    found = geometric_median(models)
    between = geometric_median(models[:2])

    assert (found["w"][0], found["steps"], found["on"][0]) == (1.0, 7, True)
    # (1000 + 7) / 2 is 503.5, and the even one is 504
    assert (between["w"][0], between["steps"], between["on"][0]) == (0.5, 504, False)
    assert between["steps"].dtype == models[0]["steps"].dtype


def test_models_of_integers_have_one_too() -> None:
    """Where there is nothing else, they count."""
    assert geometric_median([np.array([0]), np.array([1]), np.array([9])]).tolist() == [1]


def test_a_far_model_moves_it_little() -> None:
    """That is what it is for: however far it goes, the others hold it."""
    near = [np.array([x, y], float) for x, y in [(0, 0), (1, 0), (0, 1), (1, 1)]]
    far = [geometric_median([*near, np.array([d, 0.0])]) for d in (1e3, 1e6, 1e9)]

    assert all(np.linalg.norm(place) < 2 for place in far)


@settings(max_examples=50)
@given(
    arrays.arrays("f8", (5, 3), elements=st.floats(-100, 100)),
    st.lists(st.integers(1, 4), min_size=5, max_size=5),
    st.permutations(range(5)),
)
def test_no_mixture_of_the_models_is_better(points: np.ndarray, weights: list[int], order: list[int]) -> None:
    """Neither a model, nor their mean, nor a mixture; and the order of the nodes does not matter."""
    found = geometric_median(list(points), weights)
    again = geometric_median([points[k] for k in order], [weights[k] for k in order])
    least = total(points, weights, found)
    slack = 1e-6 + 1e-6 * float(np.abs(points).max())
    mixtures = np.random.default_rng(0).dirichlet(np.ones(5), 40) @ points

    for place in [*points, np.average(points, axis=0, weights=weights), *mixtures, again]:
        assert total(points, weights, place) >= least - slack
    assert abs(total(points, weights, again) - least) <= slack


@given(
    arrays.arrays("f4", 4, elements=st.floats(-1e6, 1e6, width=32)),
    st.lists(st.floats(0.1, 9), min_size=1, max_size=6),
)
def test_equal_models_are_their_own_median(model: np.ndarray, weights: list[float]) -> None:
    """Bit for bit, with any weights."""
    assert geometric_median([model] * len(weights), weights).tobytes() == model.tobytes()


def test_it_stops_at_the_last_step() -> None:
    """One step from the mean is Weiszfeld's formula; none is the mean."""
    points = [np.array([0.0, 0.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])]
    mean = np.array([1 / 3, 1 / 3])
    pulls = [1 / np.linalg.norm(point - mean) for point in points]
    stepped = sum(pull * point for pull, point in zip(pulls, points, strict=True)) / sum(pulls)

    assert np.allclose(geometric_median(points, max_iterations=0), mean)
    assert np.allclose(geometric_median(points, max_iterations=1), stepped)


def test_large_numbers_in_common_cost_no_digits() -> None:
    """Models that differ little from each other, and much from zero, are as good as any."""
    points = np.array([[0, 0], [1, 0], [0, 1]]) * 1e-4 + 1e6
    weights = geometric_weights({str(k): {"w": point} for k, point in enumerate(points)}, [1, 1, 1])

    side = (3 - math.sqrt(3)) / 6
    assert np.allclose(weights, [1 - 2 * side, side, side], atol=1e-3)


def test_nan_has_no_distance() -> None:
    """The node is named; one of weight 0 may hold what it likes."""
    good, bad = np.zeros(2), np.array([np.nan, 1])
    with pytest.raises(ValueRefused, match="the models of node_1 hold NaN or infinities"):
        geometric_median({"node_0": good, "node_1": bad})

    assert geometric_median({"node_0": good, "node_1": bad}, {"node_0": 1, "node_1": 0}).tolist() == [0, 0]
