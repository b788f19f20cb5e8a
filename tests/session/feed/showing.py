"""Runs for the tests of the feed, and how their browsers are told of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from manta_nb.session.feed import Message, RunFeed
from tests.monitor.stage import Stage
from tests.monitor.stagedlook import StagedLook
from tests.session.feed.receiver import Receiver, drain

NODES = [f"node_{number}" for number in range(4)]
MOST = 50_000


def stage_of(nodes: int = 4, **options: Any) -> Stage:
    stage = Stage(NODES[:nodes], {"model": {"w": np.zeros(3)}, "lr": 0.1}, **{"iterations": 5} | options)
    stage.at(1.0)
    return stage


def feed_of(stage: Stage, **options: Any) -> RunFeed:
    return RunFeed(stage.run, StagedLook(stage.nodes), clock=lambda: stage.run.elapsed, **options)


def iterate(stage: Stage) -> None:
    """One iteration with all that may be in it."""
    task = stage.task
    stage.measure(task, {"loss": {node: 0.5 + i + task.iteration for i, node in enumerate(task.node_ids)}})
    stage.say(task, *(("l", i, "stdout", f"hello from {node}") for i, node in enumerate(task.node_ids)))
    updates = {node: {"w": np.arange(3.0) + i} for i, node in enumerate(task.node_ids)}
    stage.done(task, results={"params": updates})
    stage.done(stage.task, globals={"model": {"w": np.ones(3) * task.iteration}})
    stage.done(stage.task)


def settle(stage: Stage, feed: RunFeed, receiver: Receiver) -> list[Message]:
    """Let time go by until there is nothing left to tell."""
    sent = []
    for _ in range(3):
        stage.at(stage.run.elapsed + 1)
        feed.background()
        sent += drain(feed, receiver)
    return sent
