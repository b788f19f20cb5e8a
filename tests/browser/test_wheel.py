"""The wheel, installed as anybody installs it, from the launcher to a stopped run: no checkout, no Node."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.cells import AGGREGATOR, WORKER, Gate, swarm
from tests.browser.chromium import Complaints, shoot
from tests.browser.installed import python_with_the_wheel
from tests.browser.notebook import OpenNotebook
from tests.browser.server import Server
from tests.browser.sidebar import Sidebar

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

APPEND = """sources => {
  const { sharedModel } = window.jupyterapp.shell.currentWidget.content.model;
  for (const source of sources)
    sharedModel.insertCell(sharedModel.cells.length, { cell_type: 'code', source, metadata: { trusted: true } });
}"""
COUNT = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment in which nothing but the wheel was asked for."""
    return python_with_the_wheel(tmp_path_factory.mktemp("wheel"))[0]


@pytest.fixture
def page(python: str, tmp_path: Path, context: BrowserContext) -> Iterator[tuple[Page, Server]]:
    """JupyterLab of that environment, which shows its launcher."""
    with Server(tmp_path / "server", python) as server:
        page = context.new_page()
        page.goto(server.address("lab?reset"))
        page.locator(".jp-LauncherCard").first.wait_for(timeout=60_000)
        yield page, server
        page.close()


def test_doctor_finds_the_extension(python: str, tmp_path: Path) -> None:
    """What pip installed is where JupyterLab looks for it, and of the same version."""
    program = str(Path(python).with_name("manta-nb"))
    told = subprocess.run(
        [program, "doctor"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    assert "✓ JupyterLab extension: " in told


def test_from_the_launcher_to_a_stopped_run(page: tuple[Page, Server], tmp_path: Path) -> None:
    """Nodes from a card; the sidebar follows the run, stops it, and shows all of it again after a reload."""
    lab, server = page
    complaints, gate = Complaints(lab), Gate(tmp_path / "gate", 2)
    lab.locator(".jp-LauncherCard").filter(has_text="Start Nodes…").click()
    dialog = lab.locator(".jp-Dialog")
    dialog.locator("input").first.fill("3")
    dialog.get_by_role("button", name="Start").click()
    lab.locator(".jp-Notebook").get_by_text("3 nodes").first.wait_for(timeout=90_000)
    notebook = OpenNotebook(lab, server, server.folder / "Untitled.ipynb")
    sidebar = Sidebar(lab)
    sidebar.wait_nodes(3)
    first = int(lab.evaluate(COUNT))
    lab.evaluate(APPEND, [WORKER, AGGREGATOR, swarm(gate)])
    for index in range(first, first + 3):
        notebook.run(index)
    sidebar.wait_run("fl", "running", "2 of 50")
    gate.open(4)
    sidebar.wait_run("fl", "running", "4 of 50")
    shoot(lab, "wheel-running")
    sidebar.button("Stop fl").click()
    lab.locator(".jp-Dialog").get_by_role("button", name="Stop", exact=True).click()
    sidebar.wait_run("fl", "stopped", "4 of 50")
    # looked at once a second
    expect(sidebar.root.locator(".ms-node[data-state=idle]")).to_have_count(3)
    stopped = sidebar.state()
    expect(notebook.output(first + 2)).to_contain_text("stopped")
    notebook.save()
    notebook.reload()
    again = Sidebar(lab)
    again.wait_nodes(3)
    again.wait_run("fl", "stopped", "4 of 50")
    after = again.state()
    shoot(lab, "wheel-reloaded")
    notebook.shut_down()

    assert after == stopped
    assert after["globals"] == ["model", "settings"]
    assert complaints.texts == []
