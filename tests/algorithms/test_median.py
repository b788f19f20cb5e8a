"""The median of models, number by number: by hand, by definition, and whatever the order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from manta_nb.algorithms import coordinate_median
from manta_nb.algorithms.median import weighted_median
from manta_nb.algorithms.sorting import comparisons
from manta_nb.errors import ValueRefused

FLOATS = st.floats(-1e6, 1e6, width=32)
NAN, INF = float("nan"), float("inf")


def median(values: list[float], weights: list[float] | None = None, dtype: str = "f8") -> Any:
    """Of single numbers."""
    return coordinate_median([np.array([value], dtype) for value in values], weights)[0]


@pytest.mark.parametrize("count", range(1, 11))
def test_the_network_sorts_everything(count: int) -> None:
    """All rows of zeros and ones come into order, which is all there is to a network (Knuth's 0-1 principle)."""
    for row in itertools.product((0, 1), repeat=count):
        line = list(row)
        for low, high in comparisons(count):
            assert low < high
            line[low], line[high] = sorted((line[low], line[high]))
        assert line == sorted(row)


@pytest.mark.parametrize("count", [5, 8, 13])
def test_a_network_for_the_middle_is_smaller_and_right_there(count: int) -> None:
    """Comparisons that the wanted place does not need are left out."""
    pairs = comparisons(count, [count // 2])
    rows = np.random.default_rng(0).permuted(np.tile(np.arange(count), (50, 1)), axis=1)
    for row in rows:
        for low, high in pairs:
            row[low], row[high] = sorted((row[low], row[high]))

    assert len(pairs) < len(comparisons(count))
    assert (rows[:, count // 2] == count // 2).all()


@pytest.mark.parametrize(
    ("values", "weights", "expected"),
    [
        ([5, 1, 9], None, 5),
        ([5, 1, 9, 7], None, 6),
        ([4], None, 4),
        ([2, 8], None, 5),
        # more than half of the weight is at 9
        ([5, 1, 9], [1, 1, 3], 9),
        # exactly half of the weight is at 9: the middle of 5 and 9
        ([5, 1, 9], [1, 1, 2], 7),
        # 1 has weight 1 of 6, with 5 it is 3 of 6: the middle of 5 and 9
        ([5, 1, 9], [2, 1, 3], 7),
        ([5, 1, 9], [3, 1, 2], 5),
        ([1, 2, 3, 4], [1, 2, 3, 4], 3),
        ([1, 2, 3, 4], [4, 1, 1, 2], 1.5),
        # who weighs nothing does not count
        ([1, 2, 3, 100], [1, 1, 1, 0], 2),
        # 0.1 + 0.2 is not quite 0.3, and meant to be half of 0.6
        ([1, 2, 4], [0.1, 0.2, 0.3], 3),
        ([1, 2, 4], [1e-3, 2e-3, 2e-3], 2),
    ],
)
def test_medians_by_hand(values: list[float], weights: list[float] | None, expected: float) -> None:
    """The middle number, or the middle of the lower and the upper median."""
    assert median(values, weights) == expected


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], "i8", 2),
        ([2, 3], "i8", 2),
        ([-3, -2], "i8", -2),
        ([-2, -1], "i4", -2),
        ([2**62, 2**62 + 2], "i8", 2**62 + 1),
        ([2**63 - 1, -(2**63)], "i8", 0),
        ([2**64 - 1, 2**64 - 3], "u8", 2**64 - 2),
        ([254, 255], "u1", 254),
        ([True, True, False], "?", True),
        ([True, False], "?", False),
        ([1.5, 2.5], "f2", 2),
        ([3e38, 3.2e38], "f4", np.float32(3.1e38)),
        ([1.7e308, 1.7e308], "f8", 1.7e308),
        ([INF, INF], "f4", INF),
        ([5e-324, 5e-324], "f8", 5e-324),
    ],
)
def test_dtypes_stay_and_nothing_overflows(values: list[float], dtype: str, expected: float) -> None:
    """Halves between two integers go to the even one; truth needs a majority; sums never leave the dtype."""
    found = median(values, dtype=dtype)

    assert found == expected
    assert found.dtype == np.dtype(dtype)


@pytest.mark.parametrize("weights", [None, [1, 1, 1, 1, 1.5]])
def test_the_nan_of_a_minority_does_no_harm(weights: list[float] | None) -> None:
    """NaN counts as larger than any number; where most are NaN, so is the median."""
    few, many = [NAN, 1, 2, 3, NAN], [NAN, 1, 2, NAN, NAN]

    assert median(few, weights) == 3
    assert np.isnan(median(many, weights))


def test_forms_are_kept() -> None:
    """0-d, empty, Fortran-ordered and complex arrays, in dicts and lists."""
    models = [
        {
            "a": [np.array(n), np.zeros((0, 2), "f4")],
            "b": np.asfortranarray(np.full((2, 3), n, "f4")),
            "c": np.array([n + 2j * n]),
        }
        for n in (1, 5, 2)
    ]
    found = coordinate_median(models)

    assert found["a"][0].shape == () and found["a"][0] == 2 and found["a"][1].shape == (0, 2)
    assert found["b"].dtype == "f4" and (found["b"] == 2).all()
    assert found["c"].tolist() == [2 + 4j]


def test_long_arrays_are_the_same_as_short_ones() -> None:
    """Where blocks end nothing changes, with equal weights and with others, and for many models."""
    chance = np.random.default_rng(3)
    for count in (7, 8, 40):
        models = list(chance.integers(0, 9, (count, 70_001)).astype("f4"))
        weights = chance.integers(1, 4, count).tolist()
        repeated = [model for model, weight in zip(models, weights, strict=True) for _ in range(weight)]

        assert np.array_equal(coordinate_median(models), np.median(models, axis=0))
        assert np.array_equal(coordinate_median(models, weights), np.median(repeated, axis=0))


@given(st.lists(st.tuples(FLOATS, st.integers(0, 5)), min_size=1, max_size=9), st.randoms())
def test_a_weight_is_so_many_models(pairs: list[tuple[float, int]], chance: Any) -> None:
    """A model of weight 3 counts like three of weight 1, in any order."""
    if not any(weight for _, weight in pairs):
        pairs[0] = (pairs[0][0], 1)
    repeated = [np.float32(value) for value, weight in pairs for _ in range(weight)]
    shuffled = list(pairs)
    chance.shuffle(shuffled)
    found = median([value for value, _ in pairs], [weight for _, weight in pairs], "f4")

    assert found == np.median(np.array(repeated, "f4"))
    assert found == median([value for value, _ in shuffled], [weight for _, weight in shuffled], "f4")


@given(arrays.arrays("f4", 4, elements=FLOATS), st.lists(st.floats(0.1, 9), min_size=1, max_size=9))
def test_equal_models_are_their_own_median(model: np.ndarray, weights: list[float]) -> None:
    """Bit for bit, with any weights."""
    assert weighted_median([model] * len(weights), weights).tobytes() == model.tobytes()


def test_models_that_differ_are_refused() -> None:
    """As the mean refuses them."""
    with pytest.raises(ValueRefused, match=r"cannot take the median: model 1, model: expected shape \(2,\)"):
        coordinate_median([np.zeros(2), np.zeros(3)])
