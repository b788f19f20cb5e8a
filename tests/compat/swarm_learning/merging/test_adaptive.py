"""Adaptive sync: the interval by the numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.compat.swarm_learning.merging.adaptive import Adaptive
from manta_nb.sdk.codec import decode, encode


def intervals(start: int, merges: list[Any]) -> list[int]:
    """The interval after each merge."""
    state, found = Adaptive.start_at(start), []
    for losses in merges:
        state = state.next(losses)
        found.append(state.interval)
    return found


@pytest.mark.parametrize(
    ("merges", "expected"),
    [
        # the first sets the mark; less than 1 % below it is not yet better
        ([[1.0], [0.995], [0.98], [0.5]], [128, 64, 128, 256]),
        # small gains add up: the mark stays where it is until it is passed by 1 %
        ([[1.0], [0.995], [0.992], [0.989]], [128, 64, 32, 64]),
        # judged on the mean of the nodes
        ([[1.0, 3.0], [0.5, 3.0], [2.0, 1.75]], [128, 256, 128]),
        # a better one must be below the best so far, not below the last one
        ([[1.0], [5.0], [4.0], [3.0]], [128, 64, 32, 16]),
        # an eighth of it at the least, eight times it at the most
        ([[1.0]] * 8, [128, 64, 32, 16, 16, 16, 16, 16]),
        ([[2.0**-k] for k in range(7)], [128, 256, 512, 1024, 1024, 1024, 1024]),
        # nodes without a loss do not count; no loss at all, or one that is none, changes nothing
        ([[1.0, None], [None, 0.5], [None], [], [math.nan, 0.1], [math.inf]], [128, 256, 256, 256, 256, 256]),
        # losses may be below 0
        ([[-1.0], [-2.0], [-1.5]], [128, 256, 128]),
        ([[0.0], [0.0], [-1.0]], [128, 64, 128]),
    ],
)
def test_intervals_by_hand(merges: list[Any], expected: list[int]) -> None:
    """Doubled where the mean loss falls, halved where it does not."""
    assert intervals(128, merges) == expected


def test_small_intervals_end_at_one() -> None:
    """There is nothing more often than every batch."""
    assert intervals(5, [[1.0]] * 5) == [5, 2, 1, 1, 1]
    assert intervals(1, [[1.0], [1.0], [0.5], [0.1], [0.01], [0.001]]) == [1, 1, 2, 4, 8, 8]


def test_the_reason_says_the_numbers() -> None:
    """One line for the log."""
    state = Adaptive.start_at(8).next([0.5, 1.0])
    assert state.reason == "the mean validation loss of 2 nodes is 0.75, the first"
    assert state.next([0.25]).reason == "the mean validation loss of 1 node fell from 0.75 to 0.25"
    assert state.next([0.8]).reason == (
        "the mean validation loss of 1 node is 0.8, not 1 % below the best, 0.75"
    )
    assert state.next([None]).reason == "no node has a validation loss"
    assert state.next([math.nan]).reason == "a validation loss is not finite"


@given(st.integers(1, 10_000), st.lists(st.lists(st.none() | st.floats(), max_size=3), max_size=30))
def test_it_stays_in_bounds_and_travels(start: int, merges: list[Any]) -> None:
    """Whatever the losses: from an eighth to eight times, never below 1; a state is a value like any other."""
    state = Adaptive.start_at(start)
    for losses in merges:
        state = state.next(losses)
        assert max(1, start // 8) <= state.interval <= 8 * start
    wire = b"".join(bytes(part) for part in encode(state.as_value()).buffers)
    assert Adaptive.of(decode(memoryview(wire))) == state
