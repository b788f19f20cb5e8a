"""The monitor in JupyterLab, on a real run: what it shows, what its buttons do, what comes back."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from tests.browser import cells
from tests.browser.cells import AGGREGATOR, BUSY, WORKER, Gate
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened, OpenNotebook
from tests.browser.screen import Monitor

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

#: the index of the cell that starts the run
RUN = 3
#: a run that goes on in the background has committed three
WAIT_FOR_3 = """from threading import Event
three = Event()
unwatch = fl.watch(lambda run: three.set() if run.iteration >= 3 else None)
assert fl.iteration >= 3 or three.wait(20)"""
#: as the monitor writes numbers below 10,000
LAST = """{name: [*(f"{value:.4g}" for value in (last.mean, last.low, last.high)), int(last.n)]
  for name in ("loss", "accuracy") for last in [fl.metrics.last(name)]}"""
FIRST = """[f"{series[0]:.4g}" for name in ("loss",) for curve in [fl.metrics.mean_series(name)]
  for series in (curve.mean, curve.low, curve.high)]"""


def running(opened: Opened, gate: Gate, *more: str, until: int = 0, nodes: int = 3) -> OpenNotebook:
    """A notebook whose run stands after `until` iterations; `more` cells follow, not yet run."""
    notebook = opened([cells.start(nodes), WORKER, AGGREGATOR, cells.swarm(gate), *more])
    gate.open(until)
    for index in range(RUN + 1):
        notebook.run(index)
    return notebook


def test_the_numbers_are_those_of_the_run(opened: Opened, gate: Gate) -> None:
    """After three iterations each chart says mean, lowest, highest and how many nodes as `run.metrics` has them."""
    notebook = running(opened, gate, until=3)
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(status="running", iteration=3)
    expected = notebook.ask(LAST)
    shoot(monitor.root, "lab-running")

    assert {name: list(astuple(monitor.read(name))[:4]) for name in ("loss", "accuracy")} == expected


def test_stop_acts_while_a_cell_is_busy(opened: Opened, gate: Gate) -> None:
    """Within a second after the click the run is over, though the kernel executes a cell that sleeps."""
    notebook = running(opened, gate, BUSY.replace("SECONDS", "60"), until=2)
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(iteration=2)
    notebook.start(RUN + 1)
    notebook.output(RUN + 1).get_by_text("held").wait_for()
    took = notebook.seconds_until(RUN, "stopped", lambda: monitor.button("Stop").click())
    busy = notebook.executing(RUN + 1)
    notebook.interrupt()
    notebook.ended(RUN + 1)

    assert busy and took < 1
    assert notebook.ask("[fl.status, fl.iteration]") == ["stopped", 2]


def test_a_reload_brings_everything_back(opened: Opened, gate: Gate) -> None:
    """After F5 the monitor shows the same status, iteration, tasks and charts, and goes on from there."""
    notebook = running(opened, gate, until=3)
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(iteration=3)
    before = (monitor.state(), monitor.read("loss", "Home"))
    notebook.save()
    notebook.reload()
    monitor.wait(iteration=3)
    after = (monitor.state(), monitor.read("loss", "Home"))
    gate.open(4)
    monitor.wait(iteration=4)

    assert before == after


def test_two_views_show_the_same(opened: Opened, gate: Gate) -> None:
    """A second monitor of a run, opened later, has all that the first has, now and afterwards."""
    notebook = running(opened, gate, "fl.monitor();", until=3)
    one, two = Monitor(notebook.output(RUN)), Monitor(notebook.output(RUN + 1))
    one.wait(iteration=3)
    notebook.run(RUN + 1)
    two.wait(iteration=3)
    early = (one.state(), two.state())
    gate.open(5)
    one.wait(iteration=5)
    two.wait(iteration=5)

    assert early[0] == early[1]
    assert one.state() == two.state()
    assert one.read("loss", "Home") == two.read("loss", "Home")


def test_opened_late_it_shows_everything(opened: Opened, gate: Gate) -> None:
    """A monitor of a run that nobody watched has the first step of the first iteration, and the last of the newest."""
    gate.open(3)
    notebook = opened([cells.start(), WORKER, AGGREGATOR, cells.late(gate), WAIT_FOR_3, "fl.monitor();"])
    for index in range(RUN + 3):
        notebook.run(index)
    monitor = Monitor(notebook.output(RUN + 2))
    monitor.wait(iteration=3)
    last, first = monitor.read("loss"), monitor.read("loss", "Home")

    assert list(astuple(last)[:4]) == notebook.ask(LAST)["loss"]
    assert [first.mean, first.low, first.high] == notebook.ask(FIRST)
    assert first.at == 0


def test_a_node_killed_from_the_menu(opened: Opened, gate: Gate) -> None:
    """Its loss is among the events, and the run goes on to the next iterations with that node again."""
    notebook = running(opened, gate, until=2)
    monitor = Monitor(notebook.output(RUN))
    monitor.wait(iteration=2)
    nodes = monitor.tab("Nodes")
    nodes.get_by_role("row").filter(has_text="node_1").get_by_role("gridcell").last.click()
    notebook.page.get_by_role("menuitem", name="Kill").click()
    notebook.page.get_by_role("button", name="Kill", exact=True).click()
    events = monitor.tab("Events")
    events.get_by_role("row").filter(has_text="node_1").first.wait_for()
    shoot(monitor.root, "lab-killed")
    gate.open(4)
    monitor.wait(iteration=4)

    assert [
        kind for kind in notebook.ask("[row.kind for row in fl.events]") if kind in ("lost", "retry")
    ] != []
    assert notebook.ask("sorted({r.node for r in fl.metrics if r.iteration == 3})") == [
        "node_0",
        "node_1",
        "node_2",
    ]
