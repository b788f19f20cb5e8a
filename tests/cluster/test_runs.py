"""Runs on real nodes: two at once, branches, many nodes in a process, seeds, state, what is seen while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from manta_nb import MantaError, Session
from manta_nb.session.run import Run
from tests.cluster.parts import Gate, kill, mean_swarm, module, same, seven_tasks, waiting
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def crowd(nothing_left: None) -> Iterator[Session]:
    """A hundred nodes in two processes."""
    with Session(nodes=100, workers=2) as started:
        yield started


def test_two_runs_at_once_never_mix(session: Session) -> None:
    """On the same nodes, with the same tags: each reads its own values only."""
    worker = module("world.results.add('x', world.globals['mine'])", "worker")
    check = module(
        """
        found = set(world.results.select("x").values())
        assert found == {world.globals["mine"]}, found
        world.metric("checked", 1)
        """,
        "check",
        method="any",
    )
    set_one = module("world.globals['mine'] = 'one'", "first", method="any")
    set_two = module("world.globals['mine'] = 'two'", "first", method="any")
    runs = [session.run(first >> worker >> check, iterations=20) for first in (set_one, set_two)]
    both_ran = [run.wait(60) for run in runs]

    assert [len(run.metrics) for run in both_ran] == [20, 20]
    assert [run.globals["mine"] for run in both_ran] == ["one", "two"]
    assert both_ran[0].started < both_ran[1].started < (both_ran[0].ended or 0)


def test_seven_tasks_in_two_branches(session: Session, gate: Gate) -> None:
    """The figure of seed 001: the branches overlap in time, each task sees exactly what its inputs wrote."""
    inputs = {"a": "", "b1": "a", "b2": "b1", "c1": "a", "c2": "c1", "c3": "c2", "d": "b2 c3"}

    def body(name: str) -> str:
        # the two branches wait for each other: neither could go on if they did not overlap
        meet = {"b1": "c1", "c1": "b1"}.get(name)
        wait = (
            f"""
open({str(gate.path)!r} + "{name}" + str(world.iteration), "w").close()
while not os.path.exists({str(gate.path)!r} + "{meet}" + str(world.iteration)):
    time.sleep(0.002)
"""
            if meet
            else ""
        )
        return f"""
seen = []
for name in {inputs[name].split()!r}:
    (value,) = world.results.select(name).values()
    assert value["iteration"] == world.iteration, (name, value)
    assert world.globals[name] == value["seen"]
    seen += value["seen"] + [name]
{wait}
world.globals["{name}"] = seen
world.results.add("{name}", {{"iteration": world.iteration, "seen": seen}})
"""

    run = session.run(seven_tasks(body), iterations=3).wait(60)

    assert run.globals["d"] == ["a", "b1", "b2", "a", "c1", "c2", "c3"]
    assert run.iteration == 3
    assert [event for event in run.events if event.kind == "conflict"] == []


def test_a_hundred_nodes_in_two_processes(crowd: Session) -> None:
    """Each is a node of its own: folder, seed, values."""
    body = """
    world.results.add("who", [world.node_id, os.getcwd(), float(np.random.random()), os.getppid()])
    os.environ["LEFT"] = "behind"
    os.chdir("/")
    """
    found = crowd.run(module("assert 'LEFT' not in os.environ\n" + unindented(body)), iterations=2).wait(30)
    told = found.results.select("who")

    assert list(told) == [f"node_{index}" for index in range(100)]
    assert all(node_id == who[0] for node_id, who in told.items())
    assert len({who[1] for who in told.values()}) == len({who[2] for who in told.values()}) == 100
    assert len({who[3] for who in told.values()}) == 2


@pytest.mark.parametrize(
    ("bad", "timeout", "kind"),
    [("1 / 0", None, "error"), ("os._exit(3)", None, "died"), ("time.sleep(1e6)", 0.3, "timeout")],
    ids=["error", "death", "timeout"],
)
def test_one_bad_node_of_a_batch_keeps_the_others(
    crowd: Session, bad: str, timeout: float | None, kind: str
) -> None:
    """What the nodes before and after it in the same process have finished, counts; nobody runs twice."""
    body = f"world.metric('turn', 1)\nif world.node_id == 'node_37':\n    {bad}\nworld.results.add('x', 1)"
    run = crowd.run(module(body, timeout=timeout, min_nodes=99), iterations=1).wait(30)
    failures = [event for event in run.events if event.kind == "failure"]

    assert set(run.results.select("x")) == set(crowd.nodes) - {"node_37"}
    assert [event.node_id for event in failures] == ["node_37"] and f"({kind}" in failures[0].message
    assert len([row for row in run.metrics.rows() if row.node != "node_37"]) == 99


def test_too_few_nodes_fail_the_run(crowd: Session) -> None:
    """By default all must succeed; the reason names node, line and how many."""
    body = "if world.node_id in ('node_3', 'node_60'): raise ValueError('no')"
    run = crowd.run(module(body, min_nodes=99), iterations=1).wait(30, check=False)

    assert run.status == "failed"
    assert "line 11: ValueError: no" in run.error and "(2 of 100 nodes failed, 99 must succeed)" in run.error


def test_retries_run_the_failed_nodes_only(session: Session, tmp_path: Any) -> None:
    """A node that fails twice succeeds in its third turn, with the seed of the first."""
    body = f"""
    note = {str(tmp_path)!r} + "/" + world.node_id
    with open(note, "a") as file:
        file.write("x")
    if world.node_id == "node_1" and os.path.getsize(note) < 3:
        raise ValueError("not yet")
    world.results.add("x", float(np.random.random()))
    """
    run = session.run(module(body, retries=2), iterations=1, seed=8).wait(30)
    plain = session.run(
        module("world.results.add('x', float(np.random.random()))"), iterations=1, seed=8
    ).wait(30)

    assert [(tmp_path / node_id).stat().st_size for node_id in session.nodes] == [1, 3, 1, 1]
    assert same(run.results.select("x"), plain.results.select("x"))
    assert len([event for event in run.events if event.kind == "retry"]) == 2


def test_the_scheduler_chooses_nodes_and_ends_the_run(session: Session) -> None:
    """`schedule_next_iter` restricts the next iteration only, `stop_swarm` ends the run after this one."""
    worker = module("world.results.add('x', world.iteration)", "worker")
    scheduler = module(
        """
        if world.iteration == 0:
            world.schedule_next_iter(["node_2", "node_0"], "worker")
        if world.iteration == 2:
            world.stop_swarm()
        """,
        "scheduler",
        method="any",
    )
    keep = worker.with_options(keep_results="all")
    run = session.run(keep >> scheduler).wait(30)
    ran = [list(run.results.select("x", iteration=at)) for at in range(3)]

    assert ran == [list(session.nodes), ["node_0", "node_2"], list(session.nodes)]
    assert (run.status, run.iteration) == ("completed", 3)
    assert "stop_swarm() by scheduler" in run.reason


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("world.schedule_next_iter(['node_9'], 'work')", "no node 'node_9'"),
        ("world.schedule_next_iter(['node_1'], 'worker')", "no task 'worker'"),
        ("world.schedule_next_iter([], 'work')", "got no node for 'work'"),
    ],
)
def test_a_wrong_schedule_is_an_error_in_the_task(session: Session, call: str, says: str) -> None:
    """At the call, with its line."""
    run = session.run(module(call, method="any"), iterations=1).wait(30, check=False)

    assert says in run.error and "line 11" in run.error


def test_state_is_committed_with_the_iteration(session: Session) -> None:
    """A failed turn and a killed node leave none of theirs behind."""
    body = """
    state = local.state
    state["n"] = state.get("n", 0) + 1
    state.setdefault("seen", []).append(world.iteration)
    world.results.add("n", dict(state))
    time.sleep(0.05)
    if world.node_id == "node_1" and world.iteration == 2 and not os.path.exists("failed"):
        open("failed", "w").close()
        raise ValueError("once")
    """
    run = session.run(module(body, retries=1), iterations=12)
    for at in (4, 7):
        until(partial(_committed, run, at))
        kill(session, "node_2")
    found = run.wait(60).results.select("n")

    assert found == {node_id: {"n": 12, "seen": list(range(12))} for node_id in session.nodes}


def test_state_is_of_one_run(session: Session) -> None:
    """The next run begins without."""
    task = module("world.results.add('n', len(local.state))\nlocal.state['n'] = 1")
    session.run(task, iterations=1).wait(30)
    run = session.run(task, iterations=1).wait(30)

    assert set(run.results.select("n").values()) == {0}


def test_the_same_seed_gives_the_same_bits(session: Session) -> None:
    """Globals and metrics, run after run, and however many processes host the nodes."""
    first, second = (session.run(mean_swarm(), iterations=5, seed=7).wait(30) for _ in range(2))
    other = session.run(mean_swarm(), iterations=5, seed=8).wait(30)
    with Session(nodes=4, workers=1) as small:
        packed = small.run(mean_swarm(), iterations=5, seed=7).wait(30)

    assert same(first.globals["at"], second.globals["at"])
    assert same(first.globals["at"], packed.globals["at"])
    assert not same(first.globals["at"], other.globals["at"])
    assert sorted(first.metrics.rows()) == sorted(packed.metrics.rows())


def test_metrics_and_logs_arrive_while_the_task_runs(session: Session, gate: Gate) -> None:
    """The task ends only after its first metric and line have been seen."""
    run = session.run(module(f"print('begun')\n{gate.wait}\nprint('over')"), iterations=1)
    until(lambda: waiting(run) == set(session.nodes))
    until(lambda: len(run.logs.filter(contains="begun")) == 4)
    seen = run.status, len(run.logs)
    gate.open()
    run.wait(30)

    assert seen == ("running", 4)
    assert len(run.logs) == 8


def test_the_last_line_of_a_flood_arrives_too(session: Session, gate: Gate) -> None:
    """Lines that are bundled do not wait for the next one, or for the end of the task."""
    body = f"for number in range(1000):\n    print(number)\n    world.metric('n', number)\n{gate.wait}"
    run = session.run(module(body), iterations=1)
    until(lambda: waiting(run) == set(session.nodes))
    seen = len(run.metrics), len(run.logs)
    gate.open()
    run.wait(30)

    assert seen == (4004, 4000)


def test_stop_gives_up_the_iteration(session: Session, gate: Gate) -> None:
    """In the middle of a task, within two seconds; what was committed stays; the next run works at once."""
    body = f"if world.iteration == 2:\n    {gate.wait.strip().replace(chr(10), chr(10) + '    ')}\nworld.globals['at'] = world.iteration"
    run = session.run(module(body, method="any"), iterations=5)
    until(lambda: waiting(run))
    start = time.monotonic()
    run.stop()
    took = time.monotonic() - start
    after = session.run(module("world.metric('m', 1)"), iterations=1).wait(10)

    assert took < 2
    assert (run.status, run.iteration, run.globals["at"]) == ("stopped", 2, 1)
    assert len(run.metrics.rows(since=2)) == 0
    assert len(after.metrics) == 4
    assert run.stop().status == "stopped"


def test_only_the_nodes_that_are_named(session: Session) -> None:
    """`run(nodes=[…])` keeps to them; an unknown one is refused."""
    run = session.run(module("world.results.add('x', 1)"), iterations=1, nodes=["node_3", "node_1"]).wait(30)
    with pytest.raises(MantaError, match="no node 'node_7'"):
        session.run(module("pass"), iterations=1, nodes=["node_7"])

    assert list(run.results.select("x")) == ["node_1", "node_3"]


def test_threads_are_shared_out(session: Session) -> None:
    """In a task: cores / workers, at least one; the environment of this process is as it was."""
    before = dict(os.environ)
    with Session(nodes=2, workers=1) as small:
        task = module("import torch\nworld.metric('threads', torch.get_num_threads())")
        alone = small.run(task, iterations=1).wait(30).metrics.last("threads")
        shared = session.run(task, iterations=1).wait(30).metrics.last("threads")
    cores = os.cpu_count() or 1

    assert (alone.low, alone.high) == (cores, cores)
    assert (shared.low, shared.high) == (max(1, cores // 4), max(1, cores // 4))
    assert dict(os.environ) == before


def test_a_finished_run_can_be_read_after_the_session(session: Session) -> None:
    """Globals, results, metrics, logs and its pictures are there when the nodes are gone."""
    with Session(nodes=2) as small:
        body = "print('x')\nworld.metric('m', 1)\nworld.results.add('big', np.ones(100_000))\nworld.globals['g'] = 2"
        run: Run = small.run(module(body, method="any"), iterations=3).wait(30)
    (big,) = run.results.select("big").values()

    assert small.closed
    assert {node.state for node in small.nodes.values()} == {"closed"}
    assert run.globals["g"] == 2 and big.sum() == 100_000
    assert len(run.metrics) == len(run.logs) == 3
    assert "completed" in str(run) and run._repr_mimebundle_()
    with pytest.raises(MantaError, match="closed"):
        small.run(module("pass"), iterations=1)


def test_what_a_task_reads_is_its_own(session: Session) -> None:
    """Arrays are writable; what one node or task changes in them nobody else sees."""
    first = module("world.results.add('x', np.zeros(100_000))", "first")
    spoil = module(
        """
        for value in world.results.select("x").values():
            assert value.sum() == 0
            value += 1
        world.globals["h"]["n"] = 5
        assert world.globals["h"]["n"] == 0
        """,
        "spoil",
    )
    last = module(
        "world.globals['sum'] = float(sum(v.sum() for v in world.results.select('x').values()))", "last"
    )
    flow = module("world.globals['h'] = {'n': 0}", "begin", method="any") >> first >> spoil
    run = session.run(flow >> last.with_options(method="any"), iterations=2).wait(30)

    assert run.globals["sum"] == 0
    assert np.array_equal(next(iter(run.results.select("x").values())), np.zeros(100_000))


def _committed(run: Run, iterations: int) -> bool:
    return run.iteration >= iterations


def unindented(text: str) -> str:
    """Without the blanks of this file."""
    return "\n".join(line.strip() for line in text.splitlines())
