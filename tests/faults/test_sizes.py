"""Values that are too large are refused before they travel, and what travels is counted (faults.md §4, rows 24, 25)."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from manta_nb import MantaError, Session
from manta_nb.sdk.swarm import FlowSwarm
from tests.cluster.parts import module

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]

#: nothing of it is in memory
TOO_LARGE = "{'w': np.broadcast_to(np.zeros(1, 'u1'), 2**31 + 1)}"


@pytest.mark.parametrize("where", ["results.add('x', value)", "globals['x'] = value"])
def test_a_task_cannot_send_it(session: Session, where: str) -> None:
    """One byte over: refused on the node, whose memory grows by less than a fifth of it; nothing leaves it."""
    body = f"""
    import resource
    value = {TOO_LARGE}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        world.{where}
    finally:
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 2**31)
    """
    run = session.run(module(body), iterations=1).wait(30, check=False)
    grown = [float(line.text) for line in run.logs]

    assert run.status == "failed" and "the limit is 2.15 GB" in run.error
    assert len(grown) == 3 and max(grown) < 0.2
    assert sum(run.bytes_moved.values()) == 0


def test_the_notebook_cannot_send_it(session: Session) -> None:
    """A first Global of one byte too many is refused where it is given: one line, no memory, no run."""
    value = {"w": np.broadcast_to(np.zeros(1, "u1"), 2**31 + 1)}
    runs = len(session.runs)
    tracemalloc.start()
    try:
        with pytest.raises(MantaError) as caught:
            session.run(FlowSwarm("large", module("pass"), {"big": value}), iterations=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert "big" in str(caught.value) and "limit" in str(caught.value)
    assert len(str(caught.value)) <= 200
    assert peak < 0.2 * 2**31
    assert len(session.runs) == runs


def test_what_is_sent_is_in_memory_once(session: Session) -> None:
    """Sending 100 MB takes the node less than 1.2 times as much beside the array itself."""
    body = """
    import resource
    value = np.ones(100_000_000 // 8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    world.results.add("x", value)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / value.nbytes)
    """
    run = session.run(module(body, specified_ids=["node_0"]), iterations=1).wait(30)
    [grown] = [float(line.text) for line in run.logs]

    assert grown < 1.2
    assert run.results.select("x")["node_0"].sum() == 12_500_000


def test_raw_data_that_leave_a_node_are_counted(session: Session) -> None:
    """By node, iteration and in all; what stays in `local.state` is not."""
    body = """
    world.results.add("raw", np.zeros(1000) if world.node_id == "node_0" else np.zeros(10))
    local.state["raw"] = np.zeros(5000)
    """
    run = session.run(module(body), iterations=2).wait(30)
    out = run.nodes.bytes_out

    assert 16_000 < out["node_0"] < 18_000
    assert 160 < out["node_1"] == out["node_2"] < 2_000
    assert list(run.bytes_moved) == [0, 1]
    assert sum(run.bytes_moved.values()) == sum(out.values())
