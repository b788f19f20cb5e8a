"""What a person does to nodes to see how a swarm takes it: killed, frozen, slowed down, restarted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from distributed import LocalCluster

from manta_nb import MantaError, Run, Session
from manta_nb.session.node import Node
from tests.cluster.parts import Gate, mean_swarm, module, same, waiting
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]

#: its task starts a process of its own, says which processes there are, and waits
WITH_A_CHILD = """
import subprocess
helper = subprocess.Popen(["sleep", "60"])
world.metric("pid", os.getpid())
world.metric("pid", helper.pid)
"""


def back(session: Session) -> None:
    """Wait until every node is there."""
    until(
        lambda: all(node.state != "lost" for node in session.nodes.values()), 20, "a node did not come back"
    )


def state_of(pid: int) -> str:
    """What the system says of a process; "gone" where there is none."""
    try:
        status: str = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return "gone"
    return "gone" if status == psutil.STATUS_ZOMBIE else status


def states(found: list[int]) -> set[str]:
    """What the system says of processes."""
    return set(map(state_of, found))


def started_by(run: Run, node_id: str) -> list[int]:
    """The processes that the task on a node named."""
    return [int(row.value) for row in run.metrics.rows() if (row.name, row.node) == ("pid", node_id)]


def quickly(action: Callable[[], Any]) -> str:
    """What an action of a node answered, from another thread, within a second."""
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(str(action())))
    began = time.monotonic()
    thread.start()
    thread.join(10)
    assert time.monotonic() - began < 1
    return told[0]


# kill


def test_a_killed_node_goes_with_its_task_and_comes_back(session: Session, gate: Gate) -> None:
    """Its worker and its child die; the run goes on by itself with the same numbers, and has an event."""
    back(session)
    body = f"world.metric('pid', os.getpid())\n{gate.wait}"
    run = session.run(module(body + "\nworld.results.add('x', np.random.normal())"), iterations=1, seed=1)
    until(lambda: len(waiting(run)) == 4)
    node = session.nodes["node_1"]
    [child] = started_by(run, "node_1")
    told = quickly(node.kill)
    until(lambda: states([node.pid, child]) == {"gone"}, 5)
    gate.open()
    run.wait(30)
    expected = session.run(module("world.results.add('x', np.random.normal())"), iterations=1, seed=1)

    assert told == f"killed process {node.pid} of node_1"
    assert [(event.node_id, event.message) for event in run.events if event.kind == "kill"] == [
        ("node_1", told)
    ]
    assert same(run.results.select("x"), expected.wait(30).results.select("x"))


def test_nodes_that_share_a_process_are_named() -> None:
    """Who goes with a killed node is said, some of many."""
    with Session(nodes=12, workers=2) as session:
        told = str(session.nodes["node_7"].kill())
        back(session)

    assert told.endswith("of node_7, and with it node_6, node_8, node_9, node_10, node_11")


def test_a_node_that_restarts_cannot_be_killed(session: Session) -> None:
    """That is one line; `restart` waits for it instead."""
    back(session)
    node = session.nodes["node_2"]
    node.kill()
    until(lambda: session.nodes["node_2"].state == "lost")
    with pytest.raises(MantaError, match="node_2 is being restarted: wait a moment"):
        node.kill()
    node.restart()

    assert session.nodes["node_2"].state == "idle"


# restart


def test_a_restarted_node_is_back(session: Session) -> None:
    """When it returns the node has a new process, and takes tasks."""
    back(session)
    before = session.nodes["node_0"].pid
    told = str(session.nodes["node_0"].restart())
    after = session.nodes["node_0"]
    run = session.run(module("world.results.add('x', 1)", specified_ids=["node_0"]), iterations=1)

    assert told == "restarted node_0"
    assert (after.state, after.pid != before) == ("idle", True)
    assert run.wait(30).results.select("x") == {"node_0": 1}


def test_a_restart_that_takes_too_long_is_an_error(session: Session) -> None:
    """One line says which node; it comes back all the same."""
    back(session)
    before = session.nodes["node_3"].pid
    with pytest.raises(MantaError, match="node_3 is not back after 0 s"):
        session.nodes["node_3"].restart(timeout=0)
    until(lambda: session.nodes["node_3"].pid != before, 20)
    back(session)


# freeze


def test_a_frozen_node_stands_still_with_all_it_started(session: Session, gate: Gate) -> None:
    """Worker, child and what the task started stop, and go on by themselves: nothing is lost."""
    back(session)
    run = session.run(module(f"{WITH_A_CHILD}{gate.wait}\nhelper.kill()"), iterations=1)
    until(lambda: len(waiting(run)) == 4)
    node = session.nodes["node_1"]
    processes = [node.pid, *started_by(run, "node_1")]
    told = quickly(lambda: node.freeze(1.5))
    frozen = states(processes)
    shown = session.nodes["node_1"].state
    gate.open()
    until(lambda: psutil.STATUS_STOPPED not in states(processes), 5)
    run.wait(30)

    assert told == "froze node_1 for 1.5 s"
    assert (len(processes), frozen, shown) == (3, {psutil.STATUS_STOPPED}, "frozen")
    assert [event.kind for event in run.events] == ["freeze"]
    until(lambda: session.nodes["node_1"].state == "idle", 5)


def test_a_frozen_node_can_be_killed(session: Session, gate: Gate) -> None:
    """It comes back, and nothing of it is left standing still."""
    back(session)
    run = session.run(module(f"{WITH_A_CHILD}{gate.wait}"), iterations=2)
    until(lambda: len(waiting(run)) == 4)
    node = session.nodes["node_1"]
    processes = [node.pid, *started_by(run, "node_1")]
    node.freeze(600)
    node.kill()
    until(lambda: psutil.STATUS_STOPPED not in states(processes), 5)
    # what it started dies with it, a moment later
    until(lambda: states(processes[:2]) == {"gone"}, 5)
    gone = states(processes[:2])
    run.stop()
    for pid in started_by(run, "node_1"):
        end(pid)
    back(session)

    assert gone == {"gone"}


def end(pid: int) -> None:
    """Kill what a task left behind."""
    if state_of(pid) != "gone":
        os.kill(pid, signal.SIGKILL)


def test_closing_the_session_wakes_its_nodes() -> None:
    """No process stands still, or stands at all, after the end."""
    with Session(nodes=2) as session:
        node = session.nodes["node_0"]
        processes = [node.pid, *(each.pid for each in psutil.Process(node.pid).children(recursive=True))]
        node.freeze(600)
        assert states(processes) == {psutil.STATUS_STOPPED}
        began = time.monotonic()
    took = time.monotonic() - began

    assert states(processes) == {"gone"}
    assert took < 10
    with pytest.raises(MantaError, match="this session is closed"):
        node.freeze(1)


SCRIPT = """
import sys, time
from manta_nb import Session
if __name__ == "__main__":
    session = Session(nodes=1)
    node = session.nodes["node_0"]
    node.freeze(600)
    print(node.pid, flush=True)
    time.sleep(600)
"""


def test_a_killed_kernel_leaves_nothing_that_stands_still(tmp_path: Any) -> None:
    """What is frozen does not notice that its kernel is gone: it is woken first."""
    script = tmp_path / "frozen.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as kernel:
        assert kernel.stdout is not None
        pid = int(kernel.stdout.readline())
        frozen = state_of(pid)
        family = [each.pid for each in psutil.Process(kernel.pid).children(recursive=True)]
        kernel.kill()
    until(lambda: states(family) == {"gone"}, 15, "processes of a killed kernel are left")

    assert frozen == psutil.STATUS_STOPPED
    assert pid in family


# slow


def test_a_slow_node_takes_so_many_times_as_long(session: Session) -> None:
    """That is seen in the seconds of its tasks, and the numbers are the same; 1 is normal again."""
    back(session)
    work = module("world.results.add('x', np.random.normal())\ntime.sleep(0.2)")
    expected = session.run(work, iterations=1, seed=3).wait(30).results.select("x")
    told = quickly(lambda: session.nodes["node_2"].slow(4))
    shown = str(session.nodes)
    slow = session.run(work, iterations=1, seed=3).wait(30)
    session.nodes["node_2"].slow(1)
    normal = session.run(work, iterations=1, seed=3).wait(30)

    assert told == "node_2 is slowed down: its tasks take 4 times as long, from the next one on"
    assert "idle, 4 times slower" in shown and "slower" not in str(session.nodes)
    assert slow.nodes.seconds["node_2"] >= 0.8 > slow.nodes.seconds["node_1"]
    assert normal.nodes.seconds["node_2"] < 0.8
    assert same(slow.results.select("x"), expected)


def test_a_slow_node_can_be_stopped_and_is_over_its_time(session: Session) -> None:
    """A stop ends it at once, and the time that a module has is the time it really takes."""
    back(session)
    session.nodes["node_2"].slow(1000)
    work = module("world.metric('here', 1)\ntime.sleep(0.1)", specified_ids=["node_2"])
    run = session.run(work, iterations=1)
    until(lambda: len(run.metrics) == 1)
    began = time.monotonic()
    run.stop()
    took = time.monotonic() - began
    late = session.run(work.with_options(timeout=0.5), iterations=1).wait(30, check=False)
    session.nodes["node_2"].slow(1)

    assert run.status == "stopped" and took < 3
    assert "over its time limit of 0.5 s" in late.error


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda node: node.freeze(601), "freeze takes seconds up to 600, got 601"),
        (lambda node: node.freeze(0), "freeze takes seconds up to 600, got 0"),
        (lambda node: node.freeze("long"), "freeze takes seconds up to 600, got 'long'"),
        (lambda node: node.slow(0.5), "slow takes a factor from 1 to 1000, got 0.5"),
        (lambda node: node.slow(float("nan")), "slow takes a factor from 1 to 1000, got nan"),
        (lambda node: node.slow(True), "slow takes a factor from 1 to 1000, got True"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    session: Session, act: Callable[[Node], Any], says: str
) -> None:
    """In one line, and nothing happens."""
    with pytest.raises(MantaError) as caught:
        act(session.nodes["node_0"])

    assert str(caught.value) == says


def test_a_node_without_a_session_can_do_nothing() -> None:
    """A description of a node is not the node."""
    with pytest.raises(MantaError, match=r"take it from session\.nodes"):
        Node("node_0", "idle", "worker-0", 1, ()).kill()


def test_workers_of_somebody_else_are_left_alone() -> None:
    """What cannot be done there is one line; their tasks can be slowed down."""
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Session(client=cluster, nodes=2) as session,
    ):
        node = session.nodes["node_1"]
        for act in (node.kill, lambda: node.freeze(1), node.restart):
            with pytest.raises(MantaError, match="node_1: somebody else started its cluster"):
                act()
        node.slow(3)
        run = session.run(module("time.sleep(0.2)"), iterations=1).wait(40)

    assert run.nodes.seconds["node_1"] >= 0.6 > run.nodes.seconds["node_0"]


def test_a_run_survives_all_of_it(session: Session) -> None:
    """Nodes are slowed down, frozen and killed while it goes on: the numbers are those of an undisturbed run."""
    back(session)
    expected = session.run(mean_swarm(), iterations=12, seed=6).wait(60).globals["at"]
    run = session.run(mean_swarm(), iterations=12, seed=6)
    for at, act in enumerate(
        [
            lambda: session.nodes["node_1"].slow(3),
            lambda: session.nodes["node_2"].freeze(0.3),
            lambda: session.nodes["node_3"].kill(),
            lambda: session.nodes["node_1"].slow(1),
        ]
    ):
        until(lambda at=at: run.finished or run.iteration >= 2 * at + 1, 30)
        act()
    run.wait(60)

    assert same(run.globals["at"], expected)
