"""Nodes that are killed: what they owed is done again, by themselves, and counts once (faults.md §4, rows 1-3, 6)."""

from __future__ import annotations

import os
import random
import signal
from functools import partial

import pytest

from manta_nb import Run, Session
from tests.cluster.parts import Gate, kill, mean_swarm, module, pids, same, waiting
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

#: its task says which processes it descends from
ANCESTRY = """
import psutil
chain = [process.pid for process in psutil.Process().parents()]
world.results.add("chain", chain)
"""


def test_a_killed_node_does_its_turn_again(session: Session, gate: Gate) -> None:
    """In the middle of a task: the same node runs it again, and the run's numbers are those of an undisturbed one."""
    body = f"x = np.random.normal(size=3)\nif world.node_id == 'node_1':\n{indented(gate.wait)}\nworld.results.add('x', x)"
    undisturbed = session.run(
        module("world.results.add('x', np.random.normal(size=3))"), iterations=1, seed=5
    )
    expected = undisturbed.wait(30).results.select("x")
    run = session.run(module(body), iterations=1, seed=5)
    until(lambda: waiting(run) == {"node_1"})
    gone = kill(session, "node_1")
    gate.open()
    run.wait(30)

    assert same(run.results.select("x"), expected)
    assert session.nodes["node_1"].pid != gone
    assert [event.node_id for event in run.events if event.kind == "lost"] == ["node_1"]


def test_eleven_kills_in_thirty_iterations(session: Session) -> None:
    """Every value is counted exactly once, whatever is killed and whenever."""
    worker = module("time.sleep(0.2)\nworld.results.add('one', 1.0)", "worker")
    total = module(
        """
        found = world.results.select("one")
        world.globals["total"] = world.globals.get("total", 0.0) + sum(found.values()) / len(found)
        world.globals["nodes"] = world.globals.get("nodes", 0) + len(found)
        """,
        "total",
        method="any",
    )
    chance = random.Random(11)
    when = sorted(chance.sample(range(29), 11))
    run = session.run(worker >> total, iterations=30)
    killed = []
    for iteration in when:
        until(partial(_reached, run, iteration), 60)
        killed.append(kill(session, chance.choice(list(session.nodes))))
    run.wait(60)

    assert len(set(killed)) == 11
    assert (run.globals["total"], run.globals["nodes"]) == (30.0, 120)


def test_no_other_node_takes_the_place_of_one_that_restarts(session: Session) -> None:
    """What is sent right after a kill waits for the node and runs in its own process."""
    for _ in range(10):
        gone = kill(session, "node_2")
        run = session.run(module(ANCESTRY, specified_ids=["node_2"]), iterations=1).wait(30)
        chains = run.results.select("chain")
        until(lambda: session.nodes["node_2"].state != "lost")

        assert list(chains) == ["node_2"]
        assert gone not in chains["node_2"]
        assert set(chains["node_2"]) & set(pids(session).values()) == {session.nodes["node_2"].pid}


def swarm_with_a_gate(gate: Gate) -> object:
    """Every node adds a value and one writes a Global; a task holds the run up; one on node_3 reads all."""
    worker = module("world.results.add('x', np.random.normal(size=1000))", "worker")
    hold = module(f"world.globals['g'] = np.arange(4)\n{gate.wait}", "hold", specified_ids=["node_3"])
    reader = module(
        "world.globals['sum'] = sum(world.results.select('x').values())", "reader", specified_ids=["node_3"]
    )
    return worker >> hold >> reader


def test_a_finished_value_outlives_its_node(session: Session, gate: Gate) -> None:
    """In shared memory: the node that made it is killed, nothing has to be done again."""
    gate.open()
    expected = session.run(swarm_with_a_gate(gate), iterations=1, seed=3).wait(30).globals["sum"]
    gate.path.unlink()
    run = session.run(swarm_with_a_gate(gate), iterations=1, seed=3)
    until(lambda: waiting(run))
    kill(session, "node_0")
    until(lambda: session.nodes["node_0"].state == "lost")
    gate.open()
    run.wait(30)

    assert same(run.globals["sum"], expected)
    assert [event for event in run.events if event.kind == "lost"] == []


def test_a_value_that_went_with_its_node_is_made_again(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory is not shared, the node runs its turn again, with the same numbers."""
    monkeypatch.setenv("MANTA_NB_VALUES", "transfer")
    with Session(nodes=4) as session:
        gate.open()
        expected = session.run(swarm_with_a_gate(gate), iterations=1, seed=3).wait(30).globals["sum"]
        gate.path.unlink()
        run = session.run(swarm_with_a_gate(gate), iterations=1, seed=3)
        until(lambda: waiting(run))
        kill(session, "node_0")
        until(lambda: session.nodes["node_0"].state == "lost")
        gate.open()
        run.wait(30)

    assert same(run.globals["sum"], expected)
    assert [(event.task, event.node_id) for event in run.events if event.kind == "lost"] == [
        ("worker", "node_0")
    ]


def test_all_nodes_at_once(session: Session) -> None:
    """Every process is killed in the same moment: the run goes on when they are back."""
    until(lambda: all(node.state != "lost" for node in session.nodes.values()))
    expected = session.run(mean_swarm(), iterations=10, seed=4).wait(60).globals["at"]
    run = session.run(mean_swarm(), iterations=10, seed=4)
    until(lambda: run.iteration >= 3)
    for pid in pids(session).values():
        os.kill(pid, signal.SIGKILL)
    run.wait(60)

    assert same(run.globals["at"], expected)


def _reached(run: Run, iteration: int) -> bool:
    return run.finished or run.iteration >= iteration


def indented(text: str) -> str:
    """One level deeper."""
    return "\n".join(f"    {line}" for line in text.splitlines())
