"""A kernel dies in the middle of a run, in JupyterLab: what is shown of the run, and going on with it."""

from __future__ import annotations

import pytest

from tests.browser import cells
from tests.browser.cells import AGGREGATOR, WORKER, Gate
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened, OpenNotebook
from tests.browser.screen import Monitor

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(150)]

#: the index of the cell that starts the run, and of the first one after it
RUN, AFTER = 3, 4
LOAD = "%load_ext manta_nb"
CALM = """calm.wait()
import numpy as np
same = [bool(np.array_equal(fl.globals["model"], calm.globals["model"])),
  sorted(map(str, fl.metrics.rows())) == sorted(map(str, calm.metrics.rows()))]"""


def interrupted(opened: Opened, gate: Gate, *more: str) -> OpenNotebook:
    """A notebook whose kernel was killed after three iterations of six, and is there again."""
    swarm = cells.swarm(gate, iterations=6)
    notebook = opened([cells.start(2), WORKER, AGGREGATOR, swarm, LOAD, *more])
    gate.open(3)
    for index in range(RUN + 1):
        notebook.run(index)
    Monitor(notebook.output(RUN)).wait(iteration=3)
    notebook.kill()
    notebook.run(AFTER)
    return notebook


def test_one_line_goes_on_with_the_run(opened: Opened, gate: Gate) -> None:
    """The table names the run and the line; its monitor has the iterations before the crash; the end is the same."""
    calm = cells.swarm(gate, iterations=6, name="calm")
    notebook = interrupted(opened, gate, "%manta runs", "%manta resume fl", WORKER, AGGREGATOR, calm, CALM)
    notebook.run(AFTER + 1)
    table = notebook.output(AFTER + 1).inner_text()
    shoot(notebook.cell(AFTER + 1), "durable-runs")
    gate.open(4)
    notebook.start(AFTER + 2)
    notebook.output(AFTER + 2).get_by_text("3 of 6 iterations are kept").wait_for()
    monitor = Monitor(notebook.output(AFTER + 2))
    monitor.wait(status="running", iteration=4, timeout=40)
    first = monitor.read("loss", "Home")
    shoot(monitor.root, "durable-resumed")
    gate.open()
    Monitor(notebook.output(AFTER + 2), kept=True).wait(status="completed", timeout=30)
    for index in range(AFTER + 3, AFTER + 7):
        notebook.run(index)

    assert "interrupted" in table and "3 of 6" in table and "%manta resume fl" in table
    assert first.at == 0 and first.n == 2
    assert notebook.ask("[fl.status, fl.iteration, same]") == ["completed", 6, [True, True]]


def test_its_monitor_shows_everything_and_resumes(opened: Opened, gate: Gate) -> None:
    """From the store alone: curves, Globals, Results, lines; its button starts the nodes and goes on."""
    notebook = interrupted(opened, gate, "%manta monitor fl")
    notebook.run(AFTER + 1)
    monitor = Monitor(notebook.output(AFTER + 1))
    monitor.wait(status="interrupted", iteration=3)
    shoot(monitor.root, "durable-interrupted")
    shown = {name: monitor.tab(name).inner_text() for name in ("Globals", "Results", "Logs")}
    shoot(monitor.root, "durable-interrupted-logs")
    gate.open(4)
    monitor.button("Resume").click()
    monitor.wait(status="running", iteration=4, timeout=40)
    nodes = monitor.tab("Nodes")
    nodes.get_by_text("worker-0").first.wait_for()
    shoot(monitor.root, "durable-resumed-nodes")
    gate.open()
    Monitor(notebook.output(AFTER + 1), kept=True).wait(status="completed", timeout=30)

    assert "float32 (8, 4)" in shown["Globals"]
    assert "2 nodes, iterations 0 to 2" in shown["Results"]
    assert "line of node_1 in iteration 2" in shown["Logs"]
    assert notebook.ask("[fl.status, fl.iteration]") == ["completed", 6]
