"""Modules written as a few lines, and runs on real nodes that other tests can hold on to."""

from __future__ import annotations

import os
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from manta_nb import Module, Run, Session
from manta_nb.sdk.flow import TaskSpec
from manta_nb.sdk.swarm import FlowSwarm
from tests.waiting import until

__all__ = ["Gate", "kill", "mean_swarm", "module", "pids", "same", "seven_tasks", "waiting"]

HEAD = """\
import os
import threading
import time
import numpy as np
from manta_light.task import Task


class Work(Task):
    def run(self):
        world, local = self.world, self.local
"""


def module(body: str, name: str = "work", **options: Any) -> Module:
    """A module whose `run` is `body`; it knows `world`, `local`, `np`, `os`, `threading` and `time`."""
    text = HEAD + textwrap.indent(textwrap.dedent(body).strip(), " " * 8) + "\n"
    return Module.from_source(text, name=name, **({"method": "all"} | options))


class Gate:
    """A task stands before it until the test opens it: nobody has to guess how long anything takes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "open"
        #: lines of a task that say that it has come this far, and wait
        self.wait = f"""
world.metric("waiting", 1)
while not os.path.exists({str(self.path)!r}):
    time.sleep(0.002)
"""

    def open(self) -> None:
        """Let the tasks go on."""
        self.path.touch()


def waiting(run: Run) -> set[str]:
    """The nodes whose task stands before a gate."""
    return {row.node for row in run.metrics.rows() if row.name == "waiting"}


def pids(session: Session) -> dict[str, int]:
    """Node → process that hosts it."""
    return {node_id: node.pid for node_id, node in session.nodes.items()}


def kill(session: Session, node_id: str) -> int:
    """SIGKILL the process that hosts a node, which is up; its pid."""
    until(lambda: _up(session, node_id), 20, f"{node_id} did not come back")
    pid = session.nodes[node_id].pid
    os.kill(pid, signal.SIGKILL)
    return pid


def _up(session: Session, node_id: str) -> bool:
    """Whether a node is there; one that was killed a moment ago may not be missed yet."""
    node = session.nodes[node_id]
    try:
        return node.state != "lost" and psutil.Process(node.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal, bit by bit, arrays of one dtype included."""
    if isinstance(left, np.ndarray):
        return bool(
            left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
        )
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def mean_swarm(first: float = 0.0) -> FlowSwarm:
    """Nodes move a vector by random numbers of their own, an aggregator takes the mean of it."""
    worker = module(
        """
        at = world.globals["at"]
        world.results.add("moved", at + np.random.normal(size=at.shape))
        world.metric("norm", float(np.abs(at).sum()))
        """,
        "worker",
    )
    aggregator = module(
        """
        world.globals["at"] = sum(world.results.select("moved").values()) / 4
        """,
        "aggregator",
        method="any",
    )
    return FlowSwarm("mean", worker >> aggregator, {"at": np.full(5, first)})


def seven_tasks(body: Callable[[str], str]) -> TaskSpec:
    """The figure of seed 001: one task, two branches of two and three, and one that waits for both."""
    a, b1, b2, c1, c2, c3, d = (
        module(body(name), name, method="any") for name in ("a", "b1", "b2", "c1", "c2", "c3", "d")
    )
    start = a()
    return d([b2(b1(start)), c3(c2(c1(start)))])
