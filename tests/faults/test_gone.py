"""Nodes that never come back, and those that held what a run needs next (faults.md §4, rows 4, 5 and 7)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from distributed import Status

from manta_nb import Session
from manta_nb.runtime.cluster import SETTINGS
from manta_nb.sdk.swarm import FlowSwarm
from tests.cluster.parts import Gate, kill, module, waiting
from tests.faults.parts import adding, back, told
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(90)]


@pytest.fixture
def losing(nothing_left: None) -> Iterator[Session]:
    """Three nodes, which get two seconds to come back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "distributed.scheduler.no-workers-timeout", "2s")
        with Session(nodes=3) as started:
            yield started


def bury(session: Session, node_id: str) -> None:
    """Kill a node that will not be started again."""
    # Dask's own word for a Nanny that does not start another worker
    session.cluster.workers[session.nodes[node_id].worker].status = Status.closing_gracefully
    kill(session, node_id)


def test_a_node_that_never_returns(losing: Session, gate: Gate) -> None:
    """With `min_nodes` the run goes on without it; by default the next one fails and names it: neither hangs."""
    body = f"if world.iteration == 1:\n{indented(gate.wait)}"
    run = losing.run(adding(body, min_nodes=2), iterations=3)
    until(lambda: len(waiting(run)) == 3, 30)
    bury(losing, "node_2")
    gate.open()
    run.wait(40)
    failed = losing.run(adding(), iterations=3).wait(40, check=False)

    assert run.globals["nodes"] == [3, 2, 2]
    assert told(run, "away", "lost", "gone") == [("away", "node_2"), ("lost", "node_2"), ("gone", "node_2")]
    assert failed.status == "failed" and failed.iteration == 0
    assert "worker was lost on node_2: worker-2 did not come back within" in failed.error
    assert len(failed.error) <= 200


def test_the_aggregators_node(session: Session, gate: Gate) -> None:
    """Killed while it reads: it reads again when it is back, once; until then the Globals are as they were."""
    total = module(
        f"""
        found = world.results.select("one")
        if world.iteration == 1:
{indented(gate.wait, 12)}
        world.globals["total"] = world.globals["total"] + sum(found.values())
        """,
        "total",
        specified_ids=["node_0"],
    )
    worker = module("world.results.add('one', 1.0)", "worker")
    run = session.run(FlowSwarm("sum", worker >> total, {"total": 0.0}), iterations=3)
    until(lambda: waiting(run) == {"node_0"}, 30)
    kill(session, "node_0")
    until(lambda: told(run, "lost"), 20)
    before = run.globals["total"]
    gate.open()
    run.wait(40)

    assert before == 3.0
    assert run.globals["total"] == 9.0
    assert told(run, "lost", "retry", "failure") == [("lost", "node_0")]
    assert [event.task for event in run.events if event.kind == "lost"] == ["total"]


@pytest.mark.parametrize("way", ["shared", "transfer"])
def test_the_holder_of_a_global(way: str, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wrote is with the kernel: others read it, and no error of Dask's is seen."""
    monkeypatch.setenv("MANTA_NB_VALUES", way)
    writer = module("world.globals['big'] = np.arange(200_000)", "writer", specified_ids=["node_0"])
    hold = module(gate.wait, "hold", specified_ids=["node_1"])
    reader = module(
        "world.results.add('sum', int(world.globals['big'].sum()))",
        "reader",
        specified_ids=["node_1", "node_2"],
    )
    with Session(nodes=3) as session:
        run = session.run(writer >> hold >> reader, iterations=1)
        until(lambda: waiting(run), 30)
        kill(session, "node_0")
        until(lambda: session.nodes["node_0"].state == "lost")
        gate.open()
        run.wait(40)
        back(session)

        assert set(run.results.select("sum").values()) == {int(np.arange(200_000).sum())}
        assert told(run, "lost", "retry", "failure") == []
        # what was committed outlives every process
        for node_id in session.nodes:
            kill(session, node_id)
        began = time.monotonic()
        assert int(run.globals["big"][-1]) == 199_999
        assert time.monotonic() - began < 5
        back(session)


def indented(text: str, by: int = 4) -> str:
    """So much deeper."""
    return "\n".join(" " * by + line for line in text.strip().splitlines())
