"""Many nodes are told of in aggregates."""

from __future__ import annotations

import numpy as np
import pytest

from tests.monitor.stage import Stage
from tests.session.feed.receiver import Receiver, drain, size_of
from tests.session.feed.showing import MOST, feed_of, settle


def many_stage(nodes: int = 10_000) -> Stage:
    from tests.monitor import large, training

    return Stage(
        training.names(nodes), {"w": np.zeros(4)}, per_worker=nodes // 2, iterations=9, plans=large.patient()
    )


def test_ten_thousand_nodes_are_told_in_aggregates():
    """Of 10,000 nodes come bands, extremes and a crowd, in messages of at most 50 kB, and never a row a node."""
    stage = many_stage()
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    stage.start()
    values = np.random.default_rng(0).normal(size=10_000)
    sent = []
    for iteration in range(2):
        task = stage.task
        stage.measure(task, {"acc": dict(zip(stage.nodes, (values + iteration).tolist(), strict=True))})
        sent += drain(feed, receiver)
        stage.done(task, results={"x": dict.fromkeys(stage.nodes, np.ones(2))}, seconds=lambda node: 0.25)
        stage.done(stage.task)
        sent += settle(stage, feed, receiver)

    assert max(map(size_of, sent)) <= MOST
    assert not receiver.points
    assert not receiver.rows
    count, mean, low, high, p10, p90 = receiver.bands[0, 1]
    assert (count, low, high) == (10_000, values.min() + 1, values.max() + 1)
    assert (mean, p10, p90) == pytest.approx((values.mean() + 1, *(np.percentile(values, (10, 90)) + 1)))
    lowest, highest = receiver.one["extremes"]["0"][0], receiver.one["extremes"]["0"][-1]
    assert (lowest[0], highest[0]) == (f"node_{values.argmin()}", f"node_{values.argmax()}")
    assert len(receiver.one["extremes"]["0"]) == 10
    crowd = receiver.one["crowd"]
    assert sum(crowd["states"].values()) == 10_000
    assert (crowd["states"]["running"], crowd["states"]["waiting"]) == (2, 9_998)
    assert crowd["seconds"]["median"] == 0.5
    assert receiver.listed["results"][0]["nodes"] == 10_000
    entry, numbers = receiver.disagreement[0]
    assert len(numbers) <= 128
    assert "10,000 nodes" in entry["note"]


def test_bands_are_the_curves_of_the_metrics():
    """Each band has mean, range and number of nodes of `by_iteration`, also after rows were taken back."""
    stage = many_stage(200)
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    chance = np.random.default_rng(1)
    for iteration in range(6):
        some = [
            (iteration, node, "worker", "loss", float(step), float(chance.normal()))
            for node in stage.nodes[:150]
            for step in range(2)
        ]
        stage.run.metrics.extend(some)
        drain(feed, receiver)
    stage.run.metrics.discard(4, "worker", stage.nodes[:20])
    stage.run.metrics.discard(5)
    settle(stage, feed, receiver)
    curve = stage.run.metrics.by_iteration("loss")

    truth = zip(
        curve.x.tolist(),
        curve.n.tolist(),
        curve.mean.tolist(),
        curve.low.tolist(),
        curve.high.tolist(),
        strict=True,
    )
    assert [(i, *receiver.bands[0, i][:4]) for i in range(5)] == [pytest.approx(each) for each in truth]
    assert len(receiver.bands) == 5


def test_values_that_are_no_numbers_make_no_invalid_message():
    """NaN and infinities travel in buffers and stay out of the JSON."""
    stage = many_stage(200)
    feed, receiver = feed_of(stage), Receiver()
    nan, inf = float("nan"), float("inf")
    stage.run.metrics.extend(
        [
            (0, node, "worker", "loss", None, value)
            for node, value in zip(stage.nodes, [nan, inf, -inf, 1.0], strict=False)
        ]
    )
    stage.run.metrics.extend([(0, node, "worker", "only nan", None, nan) for node in stage.nodes])
    receiver.take(feed.full())

    assert receiver.one["extremes"]["0"] == [["node_3", 1.0]]
    assert receiver.bands[0, 0][0] == 3
    assert receiver.bands[1, 0][0] == 0
    assert np.isnan(receiver.bands[1, 0][1])
