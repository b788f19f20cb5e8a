"""A kernel that is flooded, blocked, or gets another time; metrics that are NaN (faults.md §4, rows 26, 41, 43)."""

from __future__ import annotations

import ctypes
import math
import threading
import time
from collections import Counter

import pytest

from manta_nb import Session
from manta_nb.runtime.inbox import Inbox
from tests.cluster.parts import Gate, module, pids, waiting
from tests.faults.parts import adding, told
from tests.waiting import until

RATE, SECONDS = 10_000, 2.0


class Ticker:
    """A thread of the kernel that wants to do something every 10 ms, and how late it was at worst."""

    def __init__(self) -> None:
        self.late = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Ticker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        before = time.monotonic()
        while not self._over.wait(0.01):
            now = time.monotonic()
            self.late, before = max(self.late, now - before - 0.01), now


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_a_flood_of_metrics(session: Session) -> None:
    """30,000 a second from three nodes: none is lost, in order, and the kernel has time for other things."""
    body = f"""
    begin = time.monotonic()
    for number in range({int(RATE * SECONDS)}):
        world.metric("m", number, step=number)
        if number % 100 == 0:
            time.sleep(max(0, begin + number / {RATE} - time.monotonic()))
    """
    with Ticker() as ticker:
        run = session.run(module(body), iterations=1).wait(45)
    values: dict[str, list[float]] = {}
    for row in run.metrics.rows():
        values.setdefault(row.node, []).append(row.value)

    assert {node: len(found) for node, found in values.items()} == dict.fromkeys(session.nodes, 20_000)
    assert all(found == sorted(found) for found in values.values())
    assert ticker.late < 1.0


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_metrics_that_are_no_number(session: Session) -> None:
    """NaN stays a gap in the curve, and is an event that names node, task and metric: once, however often it comes."""
    body = """
    for step in range(50):
        world.metric("loss", float("nan") if world.node_id == "node_1" and step > 20 else 1.0, step=step)
    if world.node_id == "node_2":
        world.results.add("metrics", {"acc": float("inf")})
    """
    run = session.run(module(body), iterations=2).wait(30)
    loss = [row.value for row in run.metrics.rows() if (row.name, row.node) == ("loss", "node_1")]
    found = [(e.iteration, e.node_id, e.task, e.message) for e in run.events if e.kind == "nan"]

    assert sum(map(math.isnan, loss)) == 2 * 29 and len(loss) == 100
    assert sorted(found) == [
        (iteration, node, "work", f"NaN or inf in metric {name!r}")
        for iteration in range(2)
        for node, name in (("node_1", "loss"), ("node_2", "acc"))
    ]
    assert run.status == "completed"


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_many_metrics_that_are_no_number_are_few_events(session: Session) -> None:
    """A task that names a metric anew in every step does not drown the other events."""
    body = "for number in range(500): world.metric(f'm{number}', float('nan'))"
    run = session.run(module(body), iterations=1).wait(30)

    assert Counter(told(run, "nan")) == {("nan", node): 8 for node in session.nodes}
    assert len(run.metrics) == 1500


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_a_cell_that_holds_the_gil(session: Session, gate: Gate) -> None:
    """Five seconds in C without letting go: the run is late, no node is lost or said to be silent."""
    before = pids(session)
    run = session.run(adding(gate.wait, timeout=30), iterations=2)
    until(lambda: len(waiting(run)) == 3, 20)
    began = time.monotonic()
    ctypes.PyDLL(None).usleep(5_000_000)
    blocked = time.monotonic() - began
    gate.open()
    run.wait(30)

    assert blocked >= 5
    assert run.globals["nodes"] == [3, 3]
    assert told(run, "away", "back", "lost", "failure", "gone") == []
    assert pids(session) == before


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_a_clock_that_jumps(session: Session, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour back, then a day ahead, while a run with time limits goes on: nothing is lost, late or out of order."""
    before, offset, real = pids(session), [0.0], time.time
    # this process: the scheduler, the driver, and all that counts time for them
    monkeypatch.setattr(time, "time", lambda: real() + offset[0])
    monkeypatch.setattr("distributed.scheduler.time", lambda: real() + offset[0])
    run = session.run(adding(f"world.metric('at', world.iteration)\n{gate.wait}", timeout=20), iterations=6)
    for jump in (-3600.0, 86_400.0):
        until(lambda: len(waiting(run)) == 3, 20)
        offset[0] = jump
        began = time.monotonic()
        # as long as heartbeats need to come with the new time
        until(lambda began=began: time.monotonic() - began > 1)
    gate.open()
    run.wait(30)
    at = [row.value for row in run.metrics.rows() if (row.name, row.node) == ("at", "node_0")]

    assert run.globals["nodes"] == [3] * 6
    assert at == sorted(at) == [float(number) for number in range(6)]
    assert 0 < run.elapsed < 60
    assert told(run, "away", "lost", "failure", "gone", "late") == []
    assert pids(session) == before


def test_what_is_overdue_is_looked_at_in_a_flood() -> None:
    """Messages that never cease, from one node, do not hide that another one's outcome is overdue."""
    looked = threading.Event()
    inbox = Inbox("flood", lambda batch, message: None, looked.set)
    deadline = time.monotonic() + 10
    while not looked.is_set() and time.monotonic() < deadline:
        inbox.put("a", {"lines": ""})
    inbox.close()

    assert looked.is_set()
