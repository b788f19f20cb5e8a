"""Workers that are killed, and messages that make no sense: the run goes on, exactly, and stays stoppable."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from manta_nb import Session
from manta_nb.runtime.worker import TOPIC
from tests.cluster.parts import Gate, mean_swarm, module, same, waiting
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """Two nodes."""
    with Session(nodes=2) as started:
        yield started


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate that is closed."""
    return Gate(tmp_path)


def kill(session: Session, node_id: str) -> int:
    """SIGKILL whatever process hosts a node now; its pid."""
    pid = session.nodes[node_id].pid
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return pid


def test_kills_where_values_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory is not shared: kills at any moment, also of a worker that is just given a Global, change nothing."""
    monkeypatch.setenv("MANTA_NB_VALUES", "transfer")
    with Session(nodes=4) as session:
        expected = session.run(mean_swarm(), iterations=14, seed=4).wait(40).globals["at"]
        run = session.run(mean_swarm(), iterations=14, seed=4)
        for iteration in (1, 3, 8):
            until(lambda at=iteration: run.iteration >= at or run.finished, 30)
            kill(session, f"node_{iteration % 4}")
        run.wait(40)

    assert same(run.globals["at"], expected)


def test_a_node_killed_twice_in_a_row_can_be_stopped(session: Session) -> None:
    """A worker that dies again before anybody has met it is met at last: a stop reaches it, its child is gone."""
    first = kill(session, "node_0")
    until(
        lambda: (
            session.nodes["node_0"].pid not in (first, None)
            and psutil.pid_exists(session.nodes["node_0"].pid)
        )
    )
    kill(session, "node_0")
    until(lambda: session.nodes["node_0"].state == "idle", 20)
    run = session.run(
        module("world.metric('pid', os.getpid())\nwhile True: pass"), iterations=1, nodes=["node_0"]
    )
    until(lambda: len(run.metrics), 20)
    [row] = run.metrics.rows()
    run.stop()

    until(lambda: not _alive(int(row.value)), 2, "the stopped task goes on")
    assert run.status == "stopped"


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    "nonsense",
    [
        {"head": "no JSON"},
        {"head": "{}"},
        {"head": '{"done": [99], "segment": null}', "seconds": b"", "bytes_out": b""},
        {"lines": "no JSON"},
        {"lines": '[["m", 0, "x"]]'},
        {"lines": "[5]"},
        {"refused": None},
    ],
    ids=str,
)
def test_a_message_without_sense_does_no_harm(
    session: Session, gate: Gate, nonsense: dict[str, object]
) -> None:
    """What a worker, or a task of somebody else's on the same cluster, posts about a batch cannot hang the run."""
    run = session.run(module(f"{gate.wait}world.results.add('x', world.node_id)"), iterations=1)
    until(lambda: len(waiting(run)) == 2)
    for batch in (0, 1, 77):
        session.client.log_event(
            TOPIC, {"session": session._fleet.session, "batch": f"{run.run_id}/{batch}", **nonsense}
        )
    gate.open()
    run.wait(30)

    assert run.results.select("x") == {"node_0": "node_0", "node_1": "node_1"}
