"""What a browser adds up from the messages is the run, whatever happened in between."""

from __future__ import annotations

from manta_nb.engine.records import Failure
from manta_nb.session.feed import Buttons
from manta_nb.session.logs import LogRow
from tests.session.feed.receiver import Receiver, drain, points_of, size_of
from tests.session.feed.showing import MOST, NODES, feed_of, iterate, settle, stage_of


def test_nothing_is_sent_while_nothing_changes():
    """After all is told, a delta is None, and the numbers of the messages stay in line."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    stage.start()
    iterate(stage)
    settle(stage, feed, receiver)

    assert [feed.delta() for _ in range(5)] == [None] * 5

    iterate(stage)
    receiver.take(feed.delta())
    assert receiver.one["run"]["iteration"] == 2


def test_the_clock_alone_is_no_change():
    """Elapsed time is computed in the browser: it makes no message."""
    stage = stage_of()
    feed = feed_of(stage)
    feed.full()
    stage.at(100.0)

    assert feed.delta() is None


def test_an_iteration_is_told_in_all_its_sections():
    """Run, tasks, nodes, Globals, results, disagreement, lines and points of an iteration come over."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    feed.background()
    receiver.take(feed.full())
    stage.start()
    iterate(stage)
    settle(stage, feed, receiver)
    run, tasks = receiver.one["run"], {task["alias"]: task for task in receiver.one["tasks"]}

    assert (run["status"], run["iteration"], run["running_iteration"], run["nodes_alive"]) == (
        "running",
        1,
        1,
        4,
    )
    assert run["bytes_iteration"] == run["bytes_moved"] == sum(stage.run.bytes_moved.values()) > 0
    assert tasks["worker"]["where"] == "worker-0 ×1, worker-1 ×1, worker-2 ×1, worker-3 ×1"
    assert (tasks["worker"]["state"], tasks["aggregator"]["state"]) == ("running", "pending")
    assert tasks["aggregator"]["seconds"] == 0.1
    changes = [
        (change["tag"], change["iteration"], change["version"]) for change in receiver.listed["globals"]
    ]
    assert changes == [("model", None, 1), ("lr", None, 1), ("model", 0, 2)]
    assert receiver.listed["globals"][1]["preview"] == "0.1"
    assert receiver.listed["results"] == [
        {"tag": "params", "iteration": 0, "nodes": [0, 1, 2, 3], "nbytes": 4 * 88, "type": "dict of 1"}
    ]
    (entry, numbers) = receiver.disagreement[0]
    assert (entry["tag"], entry["n"], [row[0] for row in numbers]) == ("params", 4, [0, 1, 2, 3])
    assert receiver.output["2"] == ["hello from node_2"]
    assert receiver.rows["1"][0:2] == ["running", "worker"]
    assert receiver.rows["1"][10] == "worker-1"


def test_a_failed_run_says_why():
    """The error of a failed run has node, task, place, traceback and last output; before it is None."""
    stage = stage_of(retries=0)
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    assert receiver.one["error"] is None
    stage.start()
    failure = Failure(
        "node_2", "error", "ValueError: no", "Cell In[3], line 4", "Traceback …\n  1 / 0", ("last words",)
    )
    stage.done(stage.task, NODES[:2] + NODES[3:], failures=[failure])
    settle(stage, feed, receiver)

    error = receiver.one["error"]
    assert receiver.one["run"]["status"] == "failed"
    assert receiver.one["run"]["finished"] is True
    assert (error["node"], error["task"], error["where"]) == ("node_2", "worker", "Cell In[3], line 4")
    assert error["traceback"].endswith("1 / 0")
    assert error["output"] == ["last words"]
    assert "ValueError: no" in error["message"]


def test_what_was_not_committed_is_taken_back_at_the_end():
    """Points of the iteration that a stop gave up disappear from the browser."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    stage.start()
    iterate(stage)
    stage.measure(stage.task, {"loss": dict.fromkeys(NODES, 9.0)})
    drain(feed, receiver)
    assert len(receiver.points) == 8

    stage.finish("stopped", "stopped by the user")
    settle(stage, feed, receiver)
    assert receiver.named_points() == points_of(stage.run)
    assert len(receiver.points) == 4
    assert {row[0] for row in receiver.rows.values()} == {"idle"}


def test_buttons_are_part_of_the_run():
    """What a person may do, as the user interface knows it, is told with the run."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    feed.buttons = Buttons("after-cell", can_resume=True, note="old ipykernel")
    receiver.take(feed.delta())

    run = receiver.one["run"]
    assert (run["controls"], run["can_resume"], run["note"]) == ("after-cell", True, "old ipykernel")


def test_the_second_task_with_a_metric_is_told_apart():
    """A metric that two tasks record has two entries; the second one's label names its task."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    stage.run.metrics.extend(
        [(0, "node_0", "worker", "loss", None, 1.0), (0, "node_0", "aggregator", "loss", None, 2.0)]
    )
    receiver.take(feed.full())

    assert [metric["label"] for metric in receiver.metrics] == ["worker/loss", "aggregator/loss"]
    assert [metric["lower"] for metric in receiver.metrics] == [True, True]


def test_a_flood_of_lines_is_skipped_to_the_newest():
    """Of 10,000 lines the newest come, with the number of the first one and how many were left out."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    stage.run.logs.extend([LogRow(0, "node_0", "worker", "stdout", f"line {i}") for i in range(10_000)])
    sent = settle(stage, feed, receiver)

    assert receiver.logs[-1][4] == "line 9999"
    (logs, *_) = [message.content["logs"] for message in sent if "logs" in message.content]
    assert logs["skipped"] == logs["first"] == 9_500
    assert receiver.output["0"] == [f"line {i}" for i in range(9_995, 10_000)]


def test_turns_on_a_shared_worker_go_one_after_another():
    """Of the nodes of one worker one runs and the others wait; a line says whose turn it is."""
    stage = stage_of(4, per_worker=4)
    feed, receiver = feed_of(stage), Receiver()
    stage.start()
    receiver.take(feed.full())
    assert [receiver.rows[str(i)][0] for i in range(4)] == ["running", "waiting", "waiting", "waiting"]

    stage.say(stage.task, ("l", 2, "stdout", "my turn"))
    settle(stage, feed, receiver)
    assert [receiver.rows[str(i)][0] for i in range(4)] == ["done", "done", "running", "waiting"]
    assert [receiver.rows[str(i)][2] for i in range(4)] == [1, 1, None, 0]


def test_a_killed_worker_is_seen_until_it_is_back():
    """The node of a worker that was killed is lost, keeps the reason, and runs again when it is back."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    stage.start()
    task = stage.task
    from manta_nb.engine.events import NodesLost

    stage.step(NodesLost(("node_1",), "the worker process was killed"))
    receiver.take(feed.full())
    assert (receiver.rows["1"][0], receiver.one["run"]["nodes_alive"]) == ("lost", 3)

    stage.lose(task, ["node_1"])
    settle(stage, feed, receiver)
    assert (receiver.rows["1"][0], receiver.one["run"]["nodes_alive"]) == ("running", 4)
    assert receiver.rows["1"][9] == "worker: the worker process was killed"


def test_a_new_metric_with_a_long_name_comes_over_in_pieces():
    """Thousands of metrics with names of hundreds of letters still make no delta above 50 kB."""
    stage = stage_of()
    feed, receiver = feed_of(stage), Receiver()
    receiver.take(feed.full())
    stage.run.metrics.extend([(0, "node_0", "worker", f"{'metric ' * 60}{i}", None, 1.0) for i in range(800)])
    sent = drain(feed, receiver)

    assert receiver.named_points() == points_of(stage.run)
    assert max(map(size_of, sent)) <= MOST
    assert len(sent) > 5
