"""The sidebar in JupyterLab, on real nodes and runs: what it shows, what its buttons do, what comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import cells
from tests.browser.cells import AGGREGATOR, BUSY, WORKER, Gate
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened, OpenNotebook, write
from tests.browser.oldest import python_of_the_oldest
from tests.browser.screen import Monitor
from tests.browser.server import Serve, Server
from tests.browser.sidebar import Sidebar
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

#: the index of the cell that starts the run
RUN = 3
TABS = "() => [...window.jupyterapp.shell.widgets('main')].map(tab => tab.title.label)"
SOURCES = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.sharedModel.getSource())"
#: the active notebook is the one of that name, and its kernel can run cells
READY_AT = """name => {
  const panel = window.jupyterapp.shell.currentWidget, session = panel?.sessionContext;
  return panel?.title.label === name && session?.isReady && session.session?.kernel?.status === 'idle';
}"""
#: the first cell of the active notebook
EXECUTING = "() => window.jupyterapp.shell.currentWidget.node.querySelector('.jp-InputPrompt').textContent.includes('*')"
TRUST = "() => { for (const { model } of window.jupyterapp.shell.currentWidget.content.widgets) model.trusted = true; }"
IMPORTED = "'manta_nb' in __import__('sys').modules"
OPEN = "path => { window.jupyterapp.commands.execute('docmanager:open', {path}); }"
ACTIVATE = """name => {
  const found = [...window.jupyterapp.shell.widgets('main')].find(tab => tab.title.label === name);
  window.jupyterapp.shell.activateById(found.id);
}"""


def running(
    opened: Opened, gate: Gate, name: str, *more: str, until: int = 0, server: Server | None = None
) -> OpenNotebook:
    """A notebook with three nodes and a run of that name which stands after `until` iterations."""
    sources = [cells.start(3), WORKER, AGGREGATOR, cells.swarm(gate, name=name), *more]
    notebook = opened(sources, server) if server else opened(sources)
    gate.open(until)
    for index in range(RUN + 1):
        notebook.run(index)
    return notebook


def restart(notebook: OpenNotebook) -> None:
    """Restart the kernel as a person does, and wait until it is there again."""
    notebook.command("kernelmenu:restart")
    notebook.page.get_by_role("button", name="Confirm Kernel Restart").click()
    notebook.ready()


def test_it_follows_the_run_and_comes_back_after_a_reload(opened: Opened, gate: Gate) -> None:
    """Nodes, run, Globals and Results are those of the kernel, go on with it, and are there again after F5."""
    notebook = running(opened, gate, "reloaded", until=2)
    sidebar = Sidebar(notebook.page)
    sidebar.wait_nodes(3)
    sidebar.wait_run("reloaded", "running", "2 of 50")
    gate.open(3)
    sidebar.wait_run("reloaded", "running", "3 of 50")
    best = notebook.ask("format(reloaded.metrics.last('accuracy').mean, '.4g')")
    # it is looked for twice a second
    expect(sidebar.run("reloaded").locator(".ms-run-best")).to_have_text(f"accuracy {best} (highest)")
    sidebar.wait_results("update")
    before = sidebar.state()
    shoot(notebook.page, "sidebar-running")
    notebook.save()
    notebook.reload()
    again = Sidebar(notebook.page)
    again.wait_nodes(3)
    again.wait_run("reloaded", "running", "3 of 50")
    again.wait_results("update")
    after = again.state()

    assert before["nodes"] == [[f"node_{i}", "busy"] for i in range(3)]
    assert before["runs"][0] == ["reloaded", "running", f"accuracy {best} (highest)", "3 of 50 iterations"]
    assert [before["globals"], before["results"]] == [["model", "settings"], ["update"]]
    assert after == before
    expect(notebook.page.locator(".ms-status")).to_have_text("3 nodes · reloaded 3/50")


def test_stop_acts_while_a_cell_is_busy(opened: Opened, gate: Gate) -> None:
    """Stop, confirmed, ends the run though the kernel executes a cell; Resume takes its place, also in the cell."""
    notebook = running(opened, gate, "held", BUSY.replace("SECONDS", "60"), until=2)
    sidebar = Sidebar(notebook.page)
    sidebar.wait_run("held", "running", "2 of 50")
    notebook.start(RUN + 1)
    notebook.output(RUN + 1).get_by_text("held").wait_for()
    sidebar.button("Stop held").click()
    notebook.page.locator(".jp-Dialog").get_by_role("button", name="Stop", exact=True).click()
    sidebar.wait_run("held", "stopped", "2 of 50")
    busy = notebook.executing(RUN + 1)
    notebook.interrupt()
    notebook.ended(RUN + 1)
    gate.open(3)
    sidebar.button("Resume held").click()
    sidebar.wait_run("held", "running", "3 of 50")
    expect(notebook.output(RUN)).to_contain_text("iteration 3 of 50")

    assert busy
    assert notebook.ask("[held.status, held.iteration]") == ["running", 3]


def test_it_follows_the_active_notebook(opened: Opened, server: Server, gate: Gate) -> None:
    """Of two notebooks with kernels of their own it shows the active one, while the other one's run goes on."""
    notebook = running(opened, gate, "first", until=1)
    sidebar = Sidebar(notebook.page)
    sidebar.wait_run("first", "running", "1 of 50")
    other = write(server.folder / "second.ipynb", ["x = 1"])
    notebook.page.evaluate(OPEN, other.name)
    notebook.page.wait_for_function(READY_AT, arg=other.name, timeout=40_000)
    expect(sidebar.root).to_contain_text("This kernel has no Manta yet")
    gate.open(2)
    elsewhere = sidebar.state()
    untouched = notebook.page.evaluate(SOURCES)
    notebook.page.evaluate(ACTIVATE, notebook.path.name)
    sidebar.wait_nodes(3)
    sidebar.wait_run("first", "running", "2 of 50")

    assert [elsewhere["notebook"], elsewhere["nodes"], untouched] == ["second.ipynb", [], ["x = 1"]]


def test_a_notebook_without_manta_is_left_alone(opened: Opened) -> None:
    """Only the kernel of a trusted notebook that mentions manta_nb imports it, and no name is left in it."""
    plain, strange, ours = opened(["x = 1"]), opened(["%load_ext manta_nb"]), opened(["%load_ext manta_nb"])
    for quiet in (plain, strange):
        expect(Sidebar(quiet.page).root).to_contain_text("This kernel has no Manta yet")
    ours.page.evaluate(TRUST)
    told = Sidebar(ours.page)
    expect(told.root).to_contain_text("No nodes yet")

    assert plain.ask(IMPORTED) is strange.ask(IMPORTED) is False
    assert ours.ask("[name for name in dir() if 'manta' in name]") == []
    assert ours.ask("get_ipython().execution_count") == plain.ask("get_ipython().execution_count")


def test_a_restart_leaves_the_past_runs_and_a_way_to_start(opened: Opened, gate: Gate) -> None:
    """After a kernel restart there are no nodes, the run is as the store has it, and Start runs the notebook's cell."""
    notebook = running(opened, gate, "past", until=2)
    sidebar = Sidebar(notebook.page)
    sidebar.wait_run("past", "running", "2 of 50")
    sidebar.run("past").get_by_role("button", name="Open the monitor of past").click()
    tab = Monitor(notebook.page.locator(".ms-monitor"))
    tab.wait(status="running", iteration=2)
    notebook.page.evaluate(ACTIVATE, notebook.path.name)
    restart(notebook)
    sidebar.wait_run("past", "interrupted", "2 of 50")
    nodes = sidebar.state()["nodes"]
    kept = notebook.page.locator(".ms-monitor").inner_text()
    shoot(notebook.page, "sidebar-restarted")
    sidebar.button("Start nodes").click()
    notebook.page.wait_for_function(EXECUTING)
    notebook.ended(0)
    sidebar.wait_nodes(3)
    # JupyterLab's own, of the kernel that has gone
    notebook.complaints.texts[:] = [
        text for text in notebook.complaints.texts if "debugger state" not in text
    ]

    assert nodes == []
    assert "this is what was drawn last" in kept and "2 of 50" in kept
    assert notebook.page.evaluate(SOURCES)[0] == cells.start(3)


def test_it_comes_back_after_the_kernel_has_died(opened: Opened, gate: Gate) -> None:
    """When JupyterLab has started a killed kernel again, the past run is shown."""
    notebook = running(opened, gate, "killed", until=2)
    sidebar = Sidebar(notebook.page)
    sidebar.wait_run("killed", "running", "2 of 50")
    notebook.kill()
    sidebar.wait_run("killed", "interrupted", "2 of 50")

    assert sidebar.state()["nodes"] == []


def test_two_pages_show_one_kernel(opened: Opened, server: Server, gate: Gate) -> None:
    """A second page on the same notebook shows the same, and what is stopped there is stopped here."""
    notebook = running(opened, gate, "shared", until=2)
    here = Sidebar(notebook.page)
    here.wait_run("shared", "running", "2 of 50")
    second = OpenNotebook(notebook.page.context.new_page(), server, notebook.path, "lab/workspaces/two/tree")
    second.open()
    there = Sidebar(second.page)
    there.wait_nodes(3)
    there.wait_run("shared", "running", "2 of 50")
    same = here.state() == there.state()
    there.button("Stop shared").click()
    second.page.locator(".jp-Dialog").get_by_role("button", name="Stop", exact=True).click()
    there.wait_run("shared", "stopped")
    here.wait_run("shared", "stopped")
    second.page.close()

    assert same
    assert second.complaints.texts == []


def test_values_are_looked_at_and_their_code_used(opened: Opened, gate: Gate) -> None:
    """A Global and a node's Result are previewed while a cell is busy; their code is copied, and put into a cell."""
    notebook = running(opened, gate, "looked", BUSY.replace("SECONDS", "60"), until=2)
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sidebar = Sidebar(notebook.page)
    sidebar.wait_run("looked", "running", "2 of 50")
    notebook.start(RUN + 1)
    notebook.output(RUN + 1).get_by_text("held").wait_for()
    model, update = sidebar.value("model"), sidebar.value("update")
    first = update.inner_text()
    update.get_by_label("Of which node").fill("node_2")
    update.get_by_label("Of which node").press("Enter")
    expect(update).to_contain_text("[5. 5. 5. 5.]")
    model.get_by_role("button", name="Copy this code").click()
    copied = notebook.page.evaluate("() => navigator.clipboard.readText()")
    model.get_by_role("button", name="Insert this code in a cell below").click()
    shoot(notebook.page, "sidebar-values")
    notebook.interrupt()
    notebook.ended(RUN + 1)

    assert "float32 (8, 4)" in model.inner_text() and "[4. 4. 4. 4.]" in model.inner_text()
    assert "[3. 3. 3. 3.]" in first
    assert copied == 'looked.globals["model"]'
    assert notebook.page.evaluate(SOURCES)[-1] == copied


def test_the_monitor_stands_beside_the_notebook(opened: Opened, gate: Gate) -> None:
    """It opens once in a tab, goes on with the run, and when the tab is closed the kernel lets it go."""
    notebook = running(opened, gate, "beside", until=2)
    sidebar = Sidebar(notebook.page)
    sidebar.wait_run("beside", "running", "2 of 50")
    button = sidebar.button("Open the monitor of beside")
    button.click()
    monitor = Monitor(notebook.page.locator(".ms-monitor"))
    monitor.wait(status="running", iteration=2)
    gate.open(3)
    monitor.wait(iteration=3)
    button.click()
    tabs = notebook.page.evaluate(TABS)
    shoot(notebook.page, "sidebar-monitor")
    notebook.page.evaluate(ACTIVATE, notebook.path.name)
    models = "len(__import__('comm').get_comm_manager().comms)"
    before, run = notebook.ask(models), notebook.ask("beside.run_id")
    notebook.page.locator("[title^='Close beside ']").click()
    expect(notebook.page.locator(".ms-monitor")).to_have_count(0)
    until(lambda: notebook.ask(models) < before, 10, "the monitor's comms are still open")

    # with the beginning of its id: other runs may have that name
    assert [name for name in tabs if name.startswith("beside ")] == [f"beside {run[:4]}"]


def test_behind_a_hub(opened: Opened, serve: Serve, gate: Gate) -> None:
    """Where the server stands below a path, as behind JupyterHub, the sidebar shows the kernel just so."""
    notebook = running(opened, gate, "hub", until=2, server=serve(base="/user/lea/"))
    sidebar = Sidebar(notebook.page)
    sidebar.wait_nodes(3)
    sidebar.wait_run("hub", "running", "2 of 50")

    assert "/user/lea/" in notebook.page.url


def test_nodes_are_started_by_a_cell_that_is_seen(opened: Opened) -> None:
    """Where the notebook has no start cell, the dialog writes one and runs it."""
    notebook = opened(["x = 1"])
    sidebar = Sidebar(notebook.page)
    sidebar.button("Start nodes…").click()
    dialog = notebook.page.locator(".jp-Dialog")
    dialog.get_by_label("Nodes", exact=True).fill("2")
    line = dialog.locator(".ms-start-line").inner_text()
    shoot(notebook.page, "sidebar-dialog")
    dialog.get_by_role("button", name="Start").click()
    sidebar.wait_nodes(2)

    assert line == "%manta start --nodes 2 --data digits"
    assert notebook.page.evaluate(SOURCES) == [f"%load_ext manta_nb\n{line}", "x = 1"]


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_oldest_lab(opened: Opened, serve: Serve, gate: Gate) -> None:
    """There the sidebar shows nodes and run, and what is asked while a cell is busy is done when that has ended."""
    busy = BUSY.replace("SECONDS", "5")
    notebook = running(opened, gate, "old", busy, until=2, server=serve(python=python_of_the_oldest()))
    sidebar = Sidebar(notebook.page)
    sidebar.wait_nodes(3)
    sidebar.wait_run("old", "running", "2 of 50")
    notebook.start(RUN + 1)
    notebook.output(RUN + 1).get_by_text("held").wait_for()
    sidebar.button("Stop old").click()
    notebook.page.locator(".jp-Dialog").get_by_role("button", name="Stop", exact=True).click()
    expect(sidebar.root.locator(".ms-toast")).to_contain_text("answers when its cell has ended")
    held = sidebar.run("old").get_attribute("data-status")
    shoot(notebook.page, "sidebar-oldest")
    notebook.ended(RUN + 1)
    sidebar.wait_run("old", "stopped", "2 of 50")
    sidebar.value("model")
    sidebar.button("Open the monitor of old").click()
    Monitor(notebook.page.locator(".ms-monitor")).wait(status="stopped", iteration=2)

    assert held == "running"
