"""How far the nodes disagree: against the definition, at the edges, and never at any price."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from manta_nb.sdk.bytes import dict_to_bytes, numpy_to_bytes
from manta_nb.session.feed import RunFeed, study
from manta_nb.session.feed.disagreement import leaves, spread
from tests.monitor.stage import Stage
from tests.session.feed.receiver import Receiver, drain

NODES = ["a", "b", "c"]


def parts(*values: object):
    found = [leaves(value) for value in values]
    assert all(part is not None for part in found)
    return found


@settings(deadline=None)
@given(hnp.arrays(np.float64, (4, 6), elements=st.floats(-1e6, 1e6)))
def test_norm_and_cosine_are_those_of_the_definition(updates):
    """Norm of each update and cosine to the mean update, as numpy computes them on whole vectors."""
    base = np.arange(6.0)
    values = parts(
        *({"w": (base + update)[:4].reshape(2, 2), "b": (base + update)[4:]} for update in updates)
    )
    (start,) = parts({"w": base[:4].reshape(2, 2), "b": base[4:]})
    found = spread(values, start)
    exact = np.array([(base + update) - base for update in updates])
    mean = exact.mean(axis=0)
    norms = np.linalg.norm(exact, axis=1)

    assert found.norm == pytest.approx(norms)
    for row, norm, cosine in zip(exact, norms, found.cosine, strict=True):
        if norm > 1e-3 and np.linalg.norm(mean) > 1e-3:
            assert cosine == pytest.approx(row @ mean / norm / np.linalg.norm(mean), abs=1e-6)


def test_without_a_base_the_result_itself_is_the_update():
    """Two equal vectors and their opposite."""
    found = spread(parts(np.array([3.0, 4.0]), np.array([3.0, 4.0]), np.array([-3.0, -4.0])), None)

    assert found.norm.tolist() == [5.0, 5.0, 5.0]
    assert found.cosine == pytest.approx([1, 1, -1])


def test_zeros_and_values_that_are_no_numbers_are_not_defined():
    """A zero update has norm 0 and no cosine; one with NaN has neither, and does not touch the others."""
    found = spread(parts(np.zeros(2), np.array([np.nan, 1]), np.array([1.0, 0]), np.array([np.inf, 0])), None)

    assert found.norm[0] == 0
    assert np.isnan(found.norm[1])
    assert np.isinf(found.norm[3])
    assert np.isnan(found.cosine[[0, 1, 3]]).all()
    assert found.cosine[2] == pytest.approx(1)


def test_all_zero_has_no_direction():
    """Where nobody moved, there is no cosine and no warning."""
    assert np.isnan(spread(parts(np.zeros(3), np.zeros(3)), None).cosine).all()


@pytest.mark.parametrize(
    "value",
    [
        {"w": np.ones((2, 3)), "b": np.ones(3)},
        {"b": np.ones(3), "w": np.ones((2, 3))},
        numpy_to_bytes({"w": np.ones((2, 3)), "b": np.ones(3)}),
        dict_to_bytes({"w": np.ones((2, 3)), "b": np.ones(3)}),
        {"params": {"w": np.ones((2, 3)), "b": np.ones(3)}, "n": 12, "name": "x"},
        ({"w": np.ones((2, 3)), "b": np.ones(3)}, 12),
    ],
)
def test_one_structure_in_many_forms(value):
    """Order, bytes, and what stands beside the arrays make no difference."""
    assert leaves(value).structure == ((("b",), (3,)), (("w",), (2, 3)))


@pytest.mark.parametrize(
    "value", [1.5, "text", {"acc": 0.9, "n": 3}, [], b"bytes", np.float64(3), np.array(["x"])]
)
def test_what_has_no_arrays_is_left_out(value):
    """Numbers and texts are no models."""
    assert leaves(value) is None


# in a run


def run_once(updates: dict[str, object], globals: dict[str, object]) -> list[tuple[dict, list]]:
    """One iteration in which the nodes write `updates`; what the browser hears of it."""
    stage = Stage(NODES, globals, iterations=2)
    feed, receiver = RunFeed(stage.run), Receiver()
    feed.background()
    receiver.take(feed.full())
    stage.start()
    stage.done(stage.task, results={"update": updates})
    stage.done(stage.task, globals={"model": np.full(2, 99.0)})
    stage.done(stage.task)
    feed.background()
    drain(feed, receiver)
    return receiver.disagreement


def test_the_global_is_the_one_the_iteration_began_with():
    """The update is the result less the Global of its shape as it was before the iteration changed it."""
    updates = {"a": np.array([11.0, 10]), "b": np.array([10.0, 12]), "c": np.array([10.0, 10])}
    [(entry, rows)] = run_once(updates, {"model": np.full(2, 10.0), "lr": 0.1})

    assert (entry["tag"], entry["iteration"]) == ("update", 0)
    assert [row[1] for row in rows] == [1.0, 2.0, 0.0]


def test_two_globals_of_one_shape_are_none():
    """Where it is not clear what the nodes began with, the results themselves are compared."""
    [(_, rows)] = run_once(
        dict.fromkeys(NODES, np.array([3.0, 4])), {"model": np.ones(2), "momentum": np.ones(2)}
    )

    assert [row[1] for row in rows] == [5.0] * 3


def test_results_of_different_shapes_are_not_compared():
    """Nothing is said of results that cannot be subtracted."""
    assert run_once({"a": np.ones(2), "b": np.ones(3), "c": np.ones(2)}, {}) == []


def test_results_of_one_node_are_not_compared():
    """One node agrees with itself."""
    assert run_once({"a": np.ones(2)}, {}) == []


def test_an_iteration_that_nobody_saw_begin_is_left_out():
    """Where the Global was replaced before anybody looked, there is no entry rather than a wrong one."""
    stage = Stage(NODES, {"model": np.zeros(2)}, iterations=3)
    feed, receiver = RunFeed(stage.run), Receiver()
    receiver.take(feed.full())
    stage.start()
    for _ in range(2):
        stage.done(stage.task, results={"update": dict.fromkeys(NODES, np.ones(2))})
        stage.done(stage.task, globals={"model": np.ones(2)})
        stage.done(stage.task)
        feed.background()
    drain(feed, receiver)

    assert [entry["iteration"] for entry, _ in receiver.disagreement] == [1]


def test_too_much_is_not_read_and_says_what_it_would_cost(monkeypatch):
    """Above the limit one note says how much would be read an iteration, once."""
    monkeypatch.setattr(study, "LIMIT", 1000)
    stage = Stage(NODES, iterations=3)
    feed, receiver = RunFeed(stage.run), Receiver()
    receiver.take(feed.full())
    stage.start()
    for _ in range(2):
        stage.done(stage.task, results={"update": dict.fromkeys(NODES, np.ones(100))})
        stage.done(stage.task)
        stage.done(stage.task)
        feed.background()
    drain(feed, receiver)
    [(entry, rows)] = receiver.disagreement

    assert rows == []
    assert entry["note"].startswith("not computed: 2.59 kB of results")
