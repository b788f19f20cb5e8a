"""Real nodes and a quorum: who is late is released, who is away is not waited for, who is missing is named."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import get_worker

from manta_nb import RunFailed, Session
from manta_nb.sdk.flow import TaskSpec
from manta_nb.session.run import Run
from tests.cluster.parts import Gate, kill, module, waiting
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

#: what a late turn does: says that it waits, until the run has gone on without it
RELEASED = """
world.metric("waiting", 1)
while not world.released:
    time.sleep(0.002)
world.metric("released", 1)
"""


@pytest.fixture(scope="module")
def session(nothing_left: None) -> Iterator[Session]:
    """Three nodes, a process each."""
    with Session(nodes=3) as started:
        yield started


@pytest.fixture(autouse=True)
def all_there(session: Session) -> None:
    """Every node is up when a test begins."""
    until(lambda: all(node.state != "lost" for node in session.nodes.values()), 20)


def swarm(late: str, patience: float, there: Path | None = None) -> TaskSpec:
    """node_2 does `late` in the first iteration; all say a quorum of two; the Global `took` is who took part when.

    With `there` the first iteration's patience begins when node_2 has begun, and that of the others is long.
    """
    marked = f"open({str(there)!r}, 'w').close()" if there else "pass"
    wait = f"while not os.path.exists({str(there)!r}): time.sleep(0.002)" if there else "pass"
    train = module(
        f"if world.node_id == 'node_2' and world.iteration == 0:\n    {marked}\n{textwrap.indent(late, '    ')}\n"
        f"else:\n    {wait}\n"
        f"world.quorum(2, patience={patience} if world.iteration == 0 or {there is None} else 60, deadline=60)\n"
        "world.results.add('w', np.ones(100_000))",
        "train",
    )
    merge = module(
        "took = world.globals.get('took', [])\n"
        "world.globals['took'] = [*took, sorted(world.results.select('w'))]\n"
        "if len(took) > 3 and len(world.results.select('w')) == 3: world.stop_swarm()",
        "merge",
        specified_ids=["node_0"],
    )
    return train >> merge


def left_out(run: Run) -> list[tuple[int, str, str]]:
    """(iteration, node, line) of who was left out."""
    return [
        (event.iteration, event.node_id, event.message) for event in run.events if event.kind == "left_out"
    ]


def test_a_late_node_is_released_and_takes_part_again(session: Session, tmp_path: Path) -> None:
    """It sees that nobody waits for it, ends its turn, and is asked again; what it wrote too late counts nowhere."""
    run = session.run(swarm(RELEASED, 0.2, tmp_path / "there"), iterations=3).wait(60)

    assert run.globals["took"] == [
        ["node_0", "node_1"],
        ["node_0", "node_1", "node_2"],
        ["node_0", "node_1", "node_2"],
    ]
    assert left_out(run) == [(0, "node_2", "train goes on without node_2: not done 0.2 s after 2 others")]
    assert [(row.iteration, row.node) for row in run.metrics.rows() if row.name == "released"] == [
        (0, "node_2")
    ]
    assert {event.kind for event in run.events} == {"left_out"}


def held(session: Session, node_id: str) -> int:
    """How many segments the worker of a node holds."""
    worker = session.nodes[node_id].worker
    address = next(
        address
        for address, told in session.client.scheduler_info(n_workers=-1)["workers"].items()
        if told["name"] == worker
    )
    counting = session.client.submit(
        lambda: len(get_worker().manta_nb_workplace.shelf._segments), workers=[address], pure=False
    )
    return int(counting.result(timeout=10))


def test_what_a_released_turn_wrote_is_freed(session: Session, tmp_path: Path) -> None:
    """Its worker holds no more than that of a node that took part: nobody would ever ask for it."""
    for number in range(3):
        session.run(swarm(RELEASED, 0.05, tmp_path / str(number)), iterations=4).wait(60)
    # a worker is told with the next batch
    session.run(module("pass"), iterations=1).wait(30)

    assert held(session, "node_2") == held(session, "node_1")


def test_a_turn_that_never_looks_keeps_its_own_node_only(session: Session, gate: Gate) -> None:
    """Its node is left out of every iteration until it is through; what was sent to it meanwhile never starts."""
    run = session.run(swarm(gate.wait, patience=0.05), iterations=None, name="deaf")
    until(lambda: run.iteration >= 4)
    gate.open()
    run.wait(60)
    took = run.globals["took"]

    assert took[:4] == [["node_0", "node_1"]] * 4
    assert took[-1] == ["node_0", "node_1", "node_2"]
    assert waiting(run) == {"node_2"}
    assert all(node == "node_2" for _, node, _ in left_out(run))


def test_a_killed_node_is_not_waited_for_and_comes_back(session: Session, gate: Gate) -> None:
    """However much patience there is: two are done, the third is away; when it is back it takes part."""
    run = session.run(swarm(gate.wait, patience=60), iterations=None)
    until(lambda: waiting(run) == {"node_2"})
    began = time.monotonic()
    kill(session, "node_2")
    run.wait(60)
    took = run.globals["took"]

    assert time.monotonic() - began < 40
    assert took[0] == ["node_0", "node_1"]
    assert took[-1] == ["node_0", "node_1", "node_2"]
    assert left_out(run)[0] == (0, "node_2", "train goes on without node_2: away when 2 others had done it")
    assert [event for event in run.events if event.kind in ("lost", "late", "failure")] == []


def test_a_node_that_stands_still_hears_it_when_it_goes_on(session: Session) -> None:
    """Frozen in its turn, it is taken for away after a while; the turn knows when it goes on, and the node is back."""
    run = session.run(swarm(RELEASED, patience=60), iterations=None)
    until(lambda: waiting(run) == {"node_2"})
    session.nodes["node_2"].freeze(12)
    run.wait(60)

    assert run.globals["took"][0] == ["node_0", "node_1"]
    assert run.globals["took"][-1] == ["node_0", "node_1", "node_2"]
    assert [row.iteration for row in run.metrics.rows() if row.name == "released"] == [0]


def test_a_deadline_names_who_is_missing(session: Session, gate: Gate) -> None:
    """Only one of two is done: the run fails in time, and says who and why."""
    body = f"if world.node_id == 'node_1': 1 / 0\nif world.node_id == 'node_2':\n{textwrap.indent(gate.wait, '    ')}\n"
    run = session.run(module(body + "world.quorum(2, patience=9, deadline=0.3)", "train"), iterations=1)
    with pytest.raises(RunFailed) as failed:
        run.wait(30)

    assert run.reason == (
        "train: 1 of 2 nodes done 0.3 s after the first (node_0); "
        "missing: node_1 failed: ZeroDivisionError: division by zero, node_2 still runs"
    )
    assert len(str(failed.value).splitlines()[0]) <= 200


def test_a_run_that_ends_ends_what_it_left_behind(session: Session, tmp_path: Path) -> None:
    """A turn that was released and goes on is stopped with the run, and its node is free."""
    told = tmp_path / "pid"
    body = f"""
    if world.node_id == "node_2":
        with open({str(told)!r} + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(file.name, {str(told)!r})
        time.sleep(600)
    while not os.path.exists({str(told)!r}):
        time.sleep(0.002)
    world.quorum(2, patience=0.05, deadline=60)
    """
    run = session.run(module(body), iterations=1).wait(30)
    until(lambda: not psutil.pid_exists(int(told.read_text())), 5)
    after = session.run(module("world.results.add('x', 1)"), iterations=1).wait(10)

    assert run.status == "completed"
    assert after.results.select("x") == {"node_0": 1, "node_1": 1, "node_2": 1}


def test_objects_live_until_their_node_is_killed(session: Session, gate: Gate) -> None:
    """A counter in `local.live` goes on from iteration to iteration, and begins again on the node that was killed."""
    body = f"""
    local.live["turns"] = local.live.get("turns", 0) + 1
    world.results.add("turns", local.live["turns"])
    world.metric("turns", local.live["turns"])
    if world.iteration == 2:
        world.metric("waiting", 1)
        while not os.path.exists({str(gate.path)!r}):
            time.sleep(0.002)
    """
    run = session.run(module(body, keep_results="all"), iterations=4)
    until(lambda: len(waiting(run)) == 3)
    kill(session, "node_1")
    gate.open()
    run.wait(60)
    turns = [run.results.select("turns", iteration=number) for number in range(4)]

    assert [found["node_0"] for found in turns] == [1, 2, 3, 4]
    assert [found["node_1"] for found in turns] == [1, 2, 1, 2]
