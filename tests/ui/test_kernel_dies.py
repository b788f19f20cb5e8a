"""A kernel is killed in the middle of a run: the next one shows it, goes on with it, and comes to the same numbers."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from tests.cluster.test_kernel import Kernel
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(150)]

ROOT = Path(__file__).parents[2]
START = "%load_ext manta_nb\n%manta start --nodes 2"
#: iterations as long as a test needs them: up to the number in the file `gate`
WORKER = """%%module worker --all
import time
from pathlib import Path
import numpy as np
from manta_light.task import Task

class Worker(Task):
    def run(self):
        while int(Path(self.world.globals["gate"]).read_text() or 0) <= self.world.iteration:
            time.sleep(0.005)
        self.local.state["turns"] = self.local.state.get("turns", 0) + 1
        noise = np.random.normal(size=8) / self.local.state["turns"]
        self.world.metric("norm", float(np.abs(noise).sum()))
        self.world.results.add("update", self.world.globals["model"] + noise)
"""
AGGREGATOR = """%%module aggregator
import numpy as np
from manta_light.task import Task

class Aggregator(Task):
    def run(self):
        self.world.globals["model"] = np.mean(list(self.world.results.select("update").values()), axis=0)
"""
SWARM = """%%swarm {name} --iterations 6 --seed 7
import numpy as np
set_global("model", np.zeros(8))
set_global("gate", {gate!r})
worker >> aggregator"""
SAME = """import numpy as np
print(np.array_equal(fl.globals["model"], calm.globals["model"]),
  sorted(map(str, fl.metrics.rows())) == sorted(map(str, calm.metrics.rows())))"""

Start = Callable[[], Kernel]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts kernels in one folder."""
    ended: list[Callable[[], None]] = []

    def started() -> Kernel:
        environment = {name: value for name, value in os.environ.items() if name != "MANTA_HOME"}
        environment |= {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
        manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path), env=environment)
        ended.extend([client.stop_channels, lambda: manager.shutdown_kernel(now=True)])
        return Kernel(manager, client)

    yield started
    for end in ended:
        end()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """The file that lets iterations through."""
    path = tmp_path / "gate"
    path.write_text("3")
    return path


def interrupted(start: Start, gate: Path) -> None:
    """A kernel that is killed after three iterations of `fl`."""
    kernel = start()
    for cell in (START, WORKER, AGGREGATOR, SWARM.format(name="fl", gate=str(gate))):
        kernel.cell(cell)
    kernel.cell("import time\nwhile fl.iteration < 3: time.sleep(0.01)")
    family = kernel.family()
    os.kill(kernel.pid, signal.SIGKILL)
    until(lambda: not any(each.is_running() for each in family[1:]), 10)


def test_the_next_kernel_goes_on_with_the_run(start: Start, gate: Path) -> None:
    """One line starts the nodes and goes on; the name is bound, and the numbers are those of a calm run."""
    interrupted(start, gate)
    gate.write_text("99")
    kernel = start()
    kernel.cell("%load_ext manta_nb\nfl = 3")
    table = kernel.cell("%manta runs")
    resumed = kernel.cell("%manta resume fl")
    ended = kernel.cell("print(fl.wait().status, fl.iteration)")
    for cell in (START, WORKER, AGGREGATOR, SWARM.format(name="calm", gate=str(gate)), "calm.wait();"):
        kernel.cell(cell)

    assert "interrupted" in table and "3 of 6" in table and "%manta resume fl" in table
    assert "3 of 6 iterations are kept" in resumed and "starting 2 nodes" in resumed
    assert "fl was an int of the notebook; it is the run fl now" in resumed
    assert ended.splitlines()[-1].endswith("completed 6")
    assert kernel.cell(SAME) == "True True\n"


def test_everything_is_shown_without_nodes_and_a_fork_starts_some(start: Start, gate: Path) -> None:
    """What is looked at comes from the store alone; what goes on from it has the notebook's nodes and displays."""
    interrupted(start, gate)
    kernel = start()
    kernel.cell("%load_ext manta_nb")
    shown = kernel.cell("%manta monitor fl")
    values = kernel.cell(
        "print(fl.iteration, len(fl.metrics), fl.results.select('update').keys(), fl.held())"
    )
    changes = kernel.cell(
        "print(sorted({c.type for c in fl._history.findings.changes.since(0)[1] if c.tag == 'model'}))"
    )
    nothing = kernel.told(kernel.send("%manta nodes"))
    gate.write_text("99")
    fork = kernel.cell("fork = fl.fork(iteration=1); fork")
    ended = kernel.cell("print(fork.wait().status, fork.iteration)\n%manta nodes")

    assert "its kernel died after 3 iterations" in shown
    assert "3 6 dict_keys(['node_0', 'node_1']) [0, 1, 2]" in values
    assert "['float64 (8,)']" in changes
    assert nothing[0] == "NodeError"
    assert "starting 2 nodes" in fork and "fl@1" in fork
    assert "completed 6" in ended
