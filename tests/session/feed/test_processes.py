"""The nodes from outside: real processes, looked at no more often than allowed, and killed under the eyes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from manta_nb import Session
from manta_nb.runtime.runners.request import NodeRecord
from manta_nb.sdk.context import Dataset
from manta_nb.session.feed import ProcessLook, RunFeed
from manta_nb.session.table import Node
from tests.cluster.parts import kill, module
from tests.session.feed.receiver import Receiver, drain
from tests.waiting import until

#: a worker with a child that holds 50 MB; each says when it is ready, and ends with its input
WORKER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "held = b'x' * 50_000_000; print(flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
for line in sys.stdin:
    total = sum(range(5_000_000))
    print("worked", flush=True)
"""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    """A process with a child."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.child = int(process.stdout.readline())
    yield process
    process.kill()
    process.communicate()


class FakeSession:
    """Nodes `a` and `b` on one worker, `c` on another one that is gone."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.looked = 0
        self._pid = pid
        self._folder = folder

    @property
    def nodes(self) -> dict[str, Node]:
        self.looked += 1
        table = {name: Node(name, "busy", "worker-0", self._pid, ()) for name in "ab"}
        return table | {"c": Node("c", "lost", "worker-1", 2**22 - 3, ())}

    def record(self, node_id: str) -> NodeRecord:
        arrays = self._folder / "x.npy"
        if not arrays.exists():
            np.save(arrays, np.zeros(1000))
        datasets = {"mnist": Dataset(arrays={"x": arrays}), "files": Dataset(path=self._folder)}
        return NodeRecord(self._folder, datasets)


def test_a_worker_counts_with_its_children(worker, tmp_path):
    """Memory is that of the worker and its child; nodes of one worker show the same."""
    look = ProcessLook(FakeSession(worker.pid, tmp_path), Clock())
    look.sample()
    alone = psutil.Process(worker.pid).memory_info().rss

    assert look.nodes["a"].rss == look.nodes["b"].rss
    assert look.nodes["a"].rss > alone + 45_000_000
    assert look.nodes["a"].worker == "worker-0"


def test_processor_time_is_that_since_the_last_look(worker, tmp_path):
    """The first look has no per cent; the second tells what was used in between."""
    clock = Clock()
    look = ProcessLook(FakeSession(worker.pid, tmp_path), clock)
    look.sample()
    assert look.nodes["a"].cpu is None

    worker.stdin.write("work\n")
    worker.stdin.flush()
    assert worker.stdout.readline() == "worked\n"
    clock.now += 2
    look.sample()
    assert 0.5 < look.nodes["a"].cpu < 1000


def test_it_looks_once_a_second(worker, tmp_path):
    """However often it is asked."""
    clock, session = Clock(), FakeSession(worker.pid, tmp_path)
    look = ProcessLook(session, clock)
    for _ in range(50):
        clock.now += 0.1
        look.sample()

    assert session.looked == 5


def test_killed_processes_have_no_numbers(worker, tmp_path):
    """A worker that is not there, and one that is killed between two looks, just have none."""
    clock = Clock()
    look = ProcessLook(FakeSession(worker.pid, tmp_path), clock)
    look.sample()
    assert (look.nodes["c"].state, look.nodes["c"].rss) == ("lost", None)

    psutil.Process(worker.child).kill()
    worker.kill()
    worker.wait()
    clock.now += 2
    look.sample()
    assert (look.nodes["a"].rss, look.nodes["a"].cpu) == (None, None)


def test_the_data_of_a_node_are_measured(worker, tmp_path):
    """Files and folders of a node's datasets, in bytes."""
    look = ProcessLook(FakeSession(worker.pid, tmp_path), Clock())
    look.sample()

    assert look.nodes["a"].data_bytes == 2 * (tmp_path / "x.npy").stat().st_size


def test_nodes_whose_data_nobody_knows_have_no_size(worker, tmp_path):
    """A session that cannot say is no error."""
    session = SimpleNamespace(nodes={"a": Node("a", "busy", "w", worker.pid, ())}, record=lambda node: None)
    look = ProcessLook(session, Clock())
    look.sample()

    assert look.nodes["a"].data_bytes is None


@pytest.mark.cluster
def test_a_real_run_is_followed_through_a_kill(session: Session) -> None:
    """Of a run on real nodes, one of which is killed, the browser has the curves, the values and the processes."""
    body = "world.metric('m', world.iteration)\nworld.results.add('x', np.ones(3))\nprint('hello')\ntime.sleep(0.05)"
    clock = Clock()
    look = ProcessLook(session, clock)
    run = session.run(module(body), iterations=12, seed=1)
    feed, receiver = RunFeed(run, look), Receiver()
    receiver.take(feed.full())
    until(lambda: run.iteration >= 2)
    feed.background()
    kill(session, "node_1")
    while not run.finished:
        clock.now += 1
        receiver.take(feed.delta())
        feed.background()
        run._leg.done.wait(0.02)
    clock.now += 2
    feed.background()
    drain(feed, receiver)

    assert receiver.one["run"]["status"] == "completed"
    assert len(receiver.points) == 12 * len(run.nodes)
    assert [row["iteration"] for row in receiver.listed["results"]] == list(range(12))
    assert all(row[4] > 1_000_000 for row in receiver.rows.values())
    assert receiver.output["0"] == ["hello"] * 5
    assert {"lost", "away"} & {cells[1] for cells in receiver.listed["events"]}
