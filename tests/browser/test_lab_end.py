"""What a run leaves in JupyterLab: a static output that needs no kernel, and text that stays text."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser import cells
from tests.browser.cells import AGGREGATOR, WORKER, Gate
from tests.browser.chromium import Complaints, shoot
from tests.browser.notebook import Opened
from tests.browser.screen import Monitor
from tests.browser.server import Server

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
#: the index of the cell that starts the run
RUN = 3
#: opens a notebook without a kernel
OPEN_BARE = """path => { window.jupyterapp.commands.execute(
  'docmanager:open', {path, factory: 'Notebook', kernelPreference: {shouldStart: false, canStart: false}}); }"""
NO_KERNEL = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return panel?.content?.widgets?.length && !panel.sessionContext.session;
}"""


def test_after_the_end_the_numbers_need_no_kernel(
    opened: Opened, gate: Gate, context: BrowserContext, server: Server
) -> None:
    """The output becomes the static bundle; the file has no widget; opened without a kernel it shows the numbers."""
    gate.open()
    notebook = opened([cells.start(), WORKER, AGGREGATOR, cells.swarm(gate, iterations=4), "fl.wait();"])
    for index in range(RUN + 2):
        notebook.run(index)
    Monitor(notebook.output(RUN), kept=True).wait(status="completed")
    expected = notebook.ask("[f'{v:.4g}' for v in fl.metrics.by_iteration('loss').mean]")
    saved = notebook.save()
    bundle = saved.cells[RUN].outputs[-1].data
    text = json.dumps(saved)
    notebook.shut_down()
    page = context.new_page()
    complaints = Complaints(page)
    page.goto(server.address("lab?reset"))
    page.wait_for_function("() => window.jupyterapp?.restored && window.jupyterapp.shell.currentWidget")
    page.evaluate(OPEN_BARE, notebook.path.name)
    page.wait_for_function(NO_KERNEL)
    cell = page.locator(".jp-Notebook .jp-Cell").nth(RUN)
    cell.scroll_into_view_if_needed()
    output = cell.locator(".jp-Cell-outputWrapper")
    monitor = Monitor(output, kept=True)
    monitor.wait(status="completed")
    shoot(page, "lab-reopened-without-kernel")

    assert "widget-view" not in text and "widgets" not in saved.metadata
    assert {"text/html", "text/plain"} <= set(bundle)
    assert sum(len(json.dumps(form)) for form in bundle.values()) <= 100_000
    shown = []
    for iteration in range(4):
        monitor.root.get_by_role("slider", name="Committed iteration that is shown").fill(str(iteration))
        monitor.drawn()
        shown.append(monitor.read("loss").mean)
    assert shown == expected
    assert "model not found" not in page.locator(".jp-Notebook").inner_text().lower()
    assert complaints.texts == []


#: calls `window.pwned` if any of it is taken for markup or script
EVIL = "<img src=x onerror='window.pwned=1'><script>window.pwned=2</script>"
HOSTILE = f"""%%module worker --all
from manta_light.task import Task

EVIL = {EVIL!r}

class Worker(Task):
    def run(self):
        self.world.metric(EVIL, 1.0)
        self.world.results.add(EVIL, EVIL)
        self.world.globals["g" + EVIL] = EVIL
        print("printed", EVIL)
        self.logger.warning("warned %s", EVIL)
        if self.world.iteration == 2:
            raise ValueError(EVIL)
"""
HOSTILE_SWARM = """%%swarm fl --iterations 9 --seed 7
worker"""
NODE = "a<img src=x onerror='window.pwned=3'>"


def test_what_strangers_wrote_stays_text(opened: Opened, gate: Gate, server: Server) -> None:
    """Tags, metrics, values, log lines and errors full of markup are read as written, live and at the end."""
    gate.open(2)
    held = HOSTILE.replace(
        "EVIL =", f"from pathlib import Path\nimport time\nGATE = Path({str(gate.path)!r})\nEVIL =", 1
    )
    held = held.replace(
        "    def run(self):\n",
        "    def run(self):\n"
        "        while int(GATE.read_text()) <= self.world.iteration:\n"
        "            time.sleep(0.01)\n",
    )
    (server.folder / "hostile" / NODE).mkdir(parents=True)
    (server.folder / "hostile" / NODE / "data.txt").write_text("1", encoding="utf-8")
    notebook = opened([cells.start(data="./hostile"), held, HOSTILE_SWARM])
    for index in range(3):
        notebook.run(index)
    monitor = Monitor(notebook.output(2))
    monitor.wait(iteration=2)
    expect(monitor.tab("Results")).to_contain_text(EVIL)
    live = {name: monitor.tab(name).inner_text() for name in monitor.tabs}
    gate.open()
    Monitor(notebook.output(2), kept=True).wait(status="failed")
    ended = notebook.output(2).inner_text()
    shoot(notebook.page, "lab-hostile")

    assert notebook.page.evaluate("() => window.pwned") is None
    assert {name: EVIL in live[name] for name in ("Overview", "Results", "Logs")} == {
        "Overview": True,
        "Results": True,
        "Logs": True,
    }
    assert "<img src=x" in ended
    assert notebook.page.locator(".jp-Notebook img[src=x]").count() == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_run_all_of_the_first_notebook(opened: Opened, server: Server) -> None:
    """Run All of the course's first notebook: the swarm's cell shows the monitor, and at the end what stays."""
    course = nbformat.read(ROOT / "notebooks" / "01_first_swarm.ipynb", as_version=4)
    sources = [cell.source for cell in course.cells if cell.cell_type == "code"]
    swarm = next(index for index, source in enumerate(sources) if source.startswith("%%swarm"))
    notebook = opened(sources)
    notebook.start_all()
    monitor = Monitor(notebook.output(swarm))
    monitor.wait(timeout=120)
    shoot(monitor.root, "lab-first-notebook")
    notebook.ended(-1, 180)
    # a run is drawn where it is seen
    notebook.cell(swarm).scroll_into_view_if_needed()
    Monitor(notebook.output(swarm), kept=True).wait(status="completed")

    assert notebook.ask("[fl.status, few.status]") == ["completed", "completed"]
    saved = notebook.save()
    assert "widget-view" not in json.dumps(saved)
    assert [c.source for c in saved.cells if any(o.output_type == "error" for o in c.outputs)] == []
