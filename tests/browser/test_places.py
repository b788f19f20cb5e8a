"""The monitor elsewhere: in Notebook 7, and in the oldest JupyterLab and ipykernel that are supported."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.browser import cells
from tests.browser.cells import AGGREGATOR, BUSY, WORKER, Gate
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened
from tests.browser.oldest import python_of_the_oldest
from tests.browser.screen import Monitor
from tests.browser.server import Serve

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(420)]

RUN = 3


@pytest.fixture
def oldest() -> str:
    """The Python of the oldest combination; without a package index its tests skip, on CI they fail."""
    try:
        return python_of_the_oldest()
    except subprocess.SubprocessError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the oldest JupyterLab cannot be installed here: {error}")


def test_notebook_7(opened: Opened, serve: Serve, gate: Gate) -> None:
    """In Notebook 7 the monitor draws, its numbers are those of the run, and Stop stops."""
    gate.open(2)
    server = serve(app="notebook")
    notebook = opened([cells.start(), WORKER, AGGREGATOR, cells.swarm(gate)], server, "notebooks")
    for index in range(RUN + 1):
        notebook.run(index)
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(status="running", iteration=2)
    shown = monitor.read("loss").mean
    shoot(monitor.root, "notebook-7")
    monitor.button("Stop").click()
    monitor.wait(status="stopped")

    assert notebook.ask("format(fl.metrics.last('loss').mean, '.4g')") == shown
    assert notebook.ask("fl.status") == "stopped"


def test_the_oldest_lab(opened: Opened, serve: Serve, gate: Gate, oldest: str) -> None:
    """There the monitor draws, says that its buttons wait for the running cell, and Stop acts when it has ended."""
    gate.open(2)
    server = serve(python=oldest)
    busy = BUSY.replace("SECONDS", "4")
    notebook = opened([cells.start(), WORKER, AGGREGATOR, cells.swarm(gate), busy], server)
    for index in range(RUN + 1):
        notebook.run(index)
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(status="running", iteration=2)
    shown = monitor.read("loss").mean
    told = monitor.root.inner_text()
    shoot(monitor.root, "lab-oldest")
    notebook.start(RUN + 1)
    notebook.output(RUN + 1).get_by_text("held").wait_for()
    monitor.button("Stop").click()
    at_once = monitor.status
    notebook.ended(RUN + 1)
    monitor.wait(status="stopped")

    assert "acts when the running cell ends" in told
    assert at_once in ("running", "stopping")
    assert notebook.ask("format(fl.metrics.last('loss').mean, '.4g')") == shown
    assert notebook.ask("[fl.status, fl.iteration]") == ["stopped", 2]
