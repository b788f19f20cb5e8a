"""Memory that is used again: never under the eyes of somebody who still looks at it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from manta_nb import Module, Run, Session
from manta_nb.sdk.swarm import FlowSwarm

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

WORKER = """
import numpy as np
from manta_light.task import Task

class Worker(Task):
    def run(self):
        self.world.results.add("values", np.full(100_000, float(self.world.iteration), dtype=np.float32))
"""

KEEPER = """
import numpy as np
from manta_light.task import Task

KEPT = []      # the process lives as long as the run

class Keeper(Task):
    def run(self):
        values = self.world.results.select("values")
        if self.world.iteration % 3 == 0:
            KEPT.append((self.world.iteration, list(values.values())))
        for iteration, arrays in KEPT:
            for array in arrays:
                assert array.min() == array.max() == iteration, (iteration, array[:3])
        self.world.globals["kept"] = len(KEPT)
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """Four nodes in two processes."""
    with Session(nodes=4, workers=2) as session:
        yield session


def test_what_a_task_keeps_never_changes(session: Session) -> None:
    """Arrays that a task holds on to over iterations keep their values, while memory is used again around them."""
    worker = Module.from_source(WORKER, name="worker", method="all")
    keeper = Module.from_source(KEEPER, name="keeper", specified_ids=["node_0"])
    run = session.run(FlowSwarm("keep", worker >> keeper), iterations=15).wait()

    assert run.status == "completed"
    assert run.globals["kept"] == 5


def test_descriptors_and_memory_stay_flat(session: Session) -> None:
    """After forty iterations kernel and workers have no more files open than after ten."""
    worker = Module.from_source(WORKER, name="worker", method="all")
    swarm = FlowSwarm("flat", worker)
    pids = {node.pid for node in session.nodes.values()}

    def opened() -> list[int]:
        return [psutil.Process(pid).num_fds() for pid in (os.getpid(), *sorted(pids))]

    session.run(swarm, iterations=10).wait()
    before = opened()
    session.run(swarm, iterations=40).wait()
    after = opened()

    assert all(later <= earlier + 10 for earlier, later in zip(before, after, strict=True)), (before, after)


def test_what_the_notebook_keeps_never_changes(session: Session) -> None:
    """Results read in the kernel while the run goes on keep their values to its end."""
    worker = Module.from_source(WORKER, name="worker", method="all")
    run = session.run(FlowSwarm("look", worker), iterations=30)
    seen: list[tuple[float, np.ndarray]] = []
    # each look holds a file open for as long as its arrays are kept
    while not run.finished and len(seen) < 4000:
        if run.results.tags():
            values = run.results.select("values")
            seen += [(float(array[0]), array) for array in values.values()]
    run.wait(60)

    assert seen
    assert all(array.min() == array.max() == first for first, array in seen)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="descriptors can be counted on Linux alone")
def test_finished_runs_leave_nothing_in_their_workers(session: Session) -> None:
    """The kernel holds what they show, and can be asked for it; a worker frees its own at the next batch it gets."""

    def files() -> int:
        return sum(psutil.Process(pid).num_fds() for pid in {node.pid for node in session.nodes.values()})

    def finished() -> Run:
        worker = Module.from_source(WORKER, name="worker", method="all")
        return session.run(FlowSwarm("often", worker(), {"b": np.ones(10)}), iterations=2).wait()

    first = [finished(), finished()][0]
    before = files()
    for _ in range(6):
        finished()

    # four of each run's segments would be left without that, and a socket comes and goes
    assert files() < before + 6
    assert [values[0] for values in first.results.select("values").values()] == [1.0] * 4
