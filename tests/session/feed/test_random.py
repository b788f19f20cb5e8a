"""Whatever happens between the messages, in the end the browser has the run."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from manta_nb.engine.records import Event, Failure
from manta_nb.session.feed import RunFeed
from manta_nb.session.logs import LogRow
from tests.monitor.stagedlook import StagedLook
from tests.session.feed.receiver import Receiver, points_of, size_of
from tests.session.feed.showing import MOST, NODES, feed_of, settle, stage_of

rows = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["node_0", "node_1", "late one"]),
        st.sampled_from(["worker", "aggregator"]),
        st.sampled_from(["loss", "acc"]),
        st.sampled_from([None, 0.0, 1.0]),
        st.floats(allow_nan=False),
    ),
    max_size=5,
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("rows"), rows),
        st.tuples(st.just("burst"), st.integers(500, 3000)),
        st.tuples(
            st.just("discard"),
            st.integers(0, 4),
            st.sampled_from([None, "worker"]),
            st.sampled_from([None, "node_1"]),
        ),
        st.tuples(st.just("lines"), st.integers(1, 40)),
        st.tuples(st.just("event")),
        st.tuples(st.just("delta")),
        st.tuples(st.just("full")),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_receiver_has_the_rows_of_the_run(script):
    """Rows that come and are taken back, at any moment between messages: in the end the browser has the same ones."""
    stage = stage_of(2)
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    run, numbers = stage.run, itertools.count()
    for step in script:
        match step:
            case ("rows", some):
                run.metrics.extend(some)
            case ("burst", count):
                run.metrics.extend(
                    [(i % 5, "node_0", "worker", "loss", float(next(numbers)), 0.5) for i in range(count)]
                )
            case ("discard", iteration, task, node):
                run.metrics.discard(iteration, task, node)
            case ("lines", count):
                run.logs.extend(
                    [LogRow(0, "node_1", "worker", "stdout", f"line {next(numbers)}") for _ in range(count)]
                )
            case ("event",):
                run.events.extend([Event(0, "nan", f"NaN number {next(numbers)}", "node_0", "worker")])
            case ("delta",):
                message = feed.delta()
                receiver.take(message)
                assert message is None or size_of(message) <= MOST
            case _:
                receiver.take(feed.full())
    sent = settle(stage, feed, receiver)

    assert receiver.named_points() == points_of(run)
    assert receiver.logs == [list(row) for row in run.logs][-len(receiver.logs) or len(run.logs) :]
    assert [cells[2] for cells in receiver.listed["events"]] == [event.message for event in run.events]
    assert all(size_of(message) <= MOST for message in sent)


moves = st.lists(
    st.tuples(
        st.sampled_from(["measure", "done", "fail", "lose", "delta", "delta", "full", "background"]),
        st.integers(0, 3),
    ),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(moves)
def test_whoever_comes_late_sees_what_the_first_one_sees(script):
    """A run with failures and killed workers: one browser from the start, one at the end, and both see the run."""
    stage = stage_of(4, iterations=3, retries=100)
    feed, receiver = feed_of(stage), Receiver()
    feed.background()
    receiver.take(feed.full())
    stage.start()
    open_turns: dict[int, list[str]] = {}
    for what, which in script:
        if stage.run.finished:
            break
        for index, task in enumerate(stage.sent):
            open_turns.setdefault(index, list(task.node_ids))
        index = max(i for i, nodes in open_turns.items() if nodes)
        task, nodes = stage.sent[index], open_turns[index]
        node = nodes[which % len(nodes)]
        match what:
            case "measure":
                stage.measure(task, {"loss": {node: float(which)}})
            case "done":
                nodes.remove(node)
                wrote = {"w": np.ones(3) * which} if task.alias == "worker" else {"w": np.zeros(3)}
                stage.done(task, [node], results={"params": {node: wrote}}, globals={"best": which})
            case "fail":
                nodes.remove(node)
                stage.done(task, [], failures=[Failure(node, "error", f"ValueError: {which}")])
            case "lose":
                nodes.remove(node)
                stage.lose(task, [node])
            case "delta":
                stage.at(stage.run.elapsed + 0.1)
                receiver.take(feed.delta())
            case "full":
                receiver.take(feed.full())
            case _:
                feed.background()
    settle(stage, feed, receiver)
    late = Receiver()
    late.take(RunFeed(stage.run, StagedLook(stage.nodes)).full())

    assert receiver.named_points() == points_of(stage.run)
    assert receiver.state() == late.state()
    assert {node: row[6] for node, row in receiver.state()["rows"].items()} == {
        node: stage.history.work.bytes_last.get(node, 0) for node in NODES
    }
