"""Values in a few words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from manta_nb.sdk.bytes import dict_to_bytes, numpy_to_bytes
from manta_nb.sdk.describe import describe
from tests.sdk.arrays import values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.zeros((64, 784), "f4"), "float32 (64, 784)"),
        (numpy_to_bytes(np.zeros((64, 784), "f4")), "float32 (64, 784)"),
        (torch.zeros(3), "float32 (3,)"),
        (np.float32(0.5), "float32 0.5"),
        ({"fc1.weight": numpy_to_bytes(np.zeros(2)), "n": 7}, "dict of 2: fc1.weight float64 (2,), n 7"),
        (dict_to_bytes({"lr": 0.1}), "dict of 1: lr 0.1"),
        ({"a": {"b": 1}, "c": [1, 2]}, "dict of 2: a dict of 1, c list of 2"),
        ([1, 2, 3, 4, 5], "list of 5: 1, 2, 3, 4, …"),
        ((), "tuple of 0"),
        (b"\x93NUMPY", "bytes, 6 B"),
        (bytes(20_000), "bytes, 20 kB"),
        (None, "None"),
        ("Élève", "'Élève'"),
        (10**4000, "an int of 13288 bits"),
        (object(), "object"),
    ],
)
def test_descriptions(value: Any, expected: str) -> None:
    """Arrays show dtype and shape, also inside bytes; containers show their first items."""
    text = describe(value)

    assert text == expected


@given(values)
@settings(max_examples=50, deadline=None)
def test_descriptions_are_short(value: Any) -> None:
    """Whatever the value: at most four items of 80 characters, and no error."""
    text = describe({"value": value})

    assert len(text) < 110
