"""Runs that fail in JupyterLab: the line is marked in the cell that it stands in, and the badges lead there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import cells
from tests.browser.cells import AGGREGATOR, WORKER, Gate
from tests.browser.cellview import CellView, apart, with_extension
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened, OpenNotebook
from tests.browser.oldest import python_of_the_oldest
from tests.browser.server import Serve

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

START, MODULE, COMBINE, RUN, NEXT = range(5)
#: fails on one node in the fourth iteration while there is no file `mended`
FAILING = WORKER.replace(
    '        print("line of"',
    """        if self.world.iteration == 3 and self.world.node_id == "node_1" and not gate.with_name("mended").exists():
            raise ValueError("the loss is nan")
        print("line of\"""",
)
FAILING_LINE = FAILING.splitlines().index('            raise ValueError("the loss is nan")')


def failing(opened: Opened, gate: Gate) -> OpenNotebook:
    """A notebook whose run of six iterations will fail when the gate lets it through; it has begun."""
    notebook = opened([cells.start(3), FAILING, AGGREGATOR, cells.swarm(gate, iterations=6)])
    notebook.run(START, timeout=90)
    for index in (MODULE, COMBINE, RUN):
        notebook.run(index)
    return notebook


def test_a_failure_is_shown_where_it_happened(opened: Opened, gate: Gate) -> None:
    """The line is marked in the module's cell, the swarm's badge leads there, and to its monitor; resuming ends it."""
    gate.open(2)
    notebook = failing(opened, gate)
    worker, run = CellView(notebook.page, MODULE), CellView(notebook.page, RUN)
    run.badge_is("running", "fl 2/6")
    shoot(run.root, "cell-running")
    gate.open()
    run.badge_is("failed", "fl failed · 3/6")
    run.badge.click()
    worker.badge_is("failed", f"failed on node_1, line {FAILING_LINE + 1}")
    expect(worker.failed_line).to_have_text('            raise ValueError("the loss is nan")')
    expect(worker.reason).to_contain_text("node_1: ValueError: the loss is nan")
    toolbar = worker.root.locator(".jp-cell-toolbar")
    toolbar.wait_for()
    shoot(worker.root, "cell-failed")
    at = worker.cursor()
    clear = apart(worker.badge, toolbar)
    gate.path.with_name("mended").touch()
    notebook.tell("get_ipython().run_line_magic('manta', 'resume fl')")
    expect(worker.failed_line).to_have_count(0)
    worker.badge_is("defined", "worker v1")
    run.badge_is("completed", "fl completed · 6/6")
    run.badge.click()
    expect(notebook.page.locator(".ms-monitor .manta-monitor")).to_be_visible()

    assert at == [MODULE, FAILING_LINE] and clear


def test_a_mark_goes_with_its_text_and_when_it_is_closed(opened: Opened, gate: Gate) -> None:
    """It goes when the text is edited, comes back when that is undone, and stays away once it was closed."""
    gate.open()
    notebook = failing(opened, gate)
    worker = CellView(notebook.page, MODULE)
    worker.show()
    expect(worker.reason).to_be_visible()
    worker.put(FAILING + "\n# edited")
    expect(worker.reason).to_have_count(0)
    worker.badge_is("differs", "differs from worker v1")
    worker.put(FAILING)
    expect(worker.reason).to_be_visible()
    worker.reason.get_by_role("button", name="Close this message").click()
    expect(worker.failed_line).to_have_count(0)
    worker.put(FAILING + "\n")
    worker.badge_is("failed", f"failed on node_1, line {FAILING_LINE + 1}")

    expect(worker.failed_line).to_have_count(0)


@pytest.mark.timeout(300)
def test_the_oldest_lab(opened: Opened, gate: Gate, serve: Serve, tmp_path: Path) -> None:
    """There, too: colours, brackets, completion, badges that outlive being out of sight, and marked lines."""
    with_extension(tmp_path / "server")
    server = serve(python=python_of_the_oldest())
    gate.open()
    fill = ["\n".join(f"line_{i} = {i}" for i in range(30))] * 12
    notebook = opened([cells.start(3), FAILING, AGGREGATOR, cells.swarm(gate, 6), "", *fill], server)
    for index in (START, MODULE, COMBINE, RUN):
        CellView(notebook.page, index).show()
        notebook.run(index, timeout=90)
    worker, cell = CellView(notebook.page, MODULE), CellView(notebook.page, NEXT)
    cell.type("%%module wor")
    offers = cell.offers()
    cell.type("%%module x\nf(1")
    typed = cell.source
    CellView(notebook.page, NEXT + len(fill)).show()
    worker.show()
    worker.badge_is("failed", f"failed on node_1, line {FAILING_LINE + 1}")
    expect(worker.reason).to_contain_text("node_1: ValueError: the loss is nan")
    shoot(worker.root, "cell-oldest")

    assert offers == [("worker", "module")] and typed == "%%module x\nf(1)"
    assert worker.parts("magic") == ["%%module"] and worker.parts("option") == ["--all"]
