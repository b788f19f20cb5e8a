"""Runs that are over, in saved notebooks: opened without a kernel and untrusted they are looked into as if live."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from manta_nb.session.summary import MIME, bundle
from tests.browser.chromium import Complaints, shoot
from tests.browser.oldest import python_of_the_oldest
from tests.browser.screen import Monitor
from tests.browser.server import QUIET, Serve, Server
from tests.monitor.savedruns import HARM, RUNS
from tests.session.fake_run import FakeRun

pytestmark = pytest.mark.timeout(150)

#: opens a notebook without a kernel
OPEN_BARE = """path => { window.jupyterapp.commands.execute(
  'docmanager:open', {path, factory: 'Notebook', kernelPreference: {shouldStart: false, canStart: false}}); }"""
READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return panel?.content?.widgets?.length && !panel.sessionContext.session;
}"""
#: whether the cells are trusted, and what their outputs hold
HELD = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(
  cell => [cell.trusted, cell.toJSON().outputs ?? []])"""
#: brings a cell into sight, also one that JupyterLab draws anew meanwhile
IN_SIGHT = """index => {
  const cell = document.querySelectorAll('.jp-Notebook .jp-CodeCell')[index];
  cell?.scrollIntoView({block: 'nearest'});
  const box = cell?.getBoundingClientRect();
  return box && box.height > 0 && box.bottom > 0 && box.top < window.innerHeight;
}"""
#: moves the notebook to another place of the window, for which its nodes leave the page and come back
MOVE = """() => {
  const {shell} = window.jupyterapp;
  shell.add(shell.currentWidget, 'main', {mode: 'split-right', ref: [...shell.widgets('main')][0].id});
}"""
DARK = "() => { window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'}); }"
PLUGINS = """() => window.jupyterapp.listPlugins().filter(id => id.startsWith('manta-nb:'))"""
TIP = ".mm-chart[data-metric='loss'] .mm-tip"

Look = Callable[..., Page]


def write(path: Path, outputs: Sequence[Mapping[str, Any]]) -> Path:
    """A notebook of one cell for each output; nobody has signed it, so it is not trusted."""
    cells = []
    for index, data in enumerate(outputs):
        cell = nbformat.v4.new_code_cell(f"# cell {index}", id=f"cell-{index}", execution_count=1)  # type: ignore[no-untyped-call]
        cell.outputs = [nbformat.v4.new_output("display_data", data=dict(data))]  # type: ignore[no-untyped-call]
        cells.append(cell)
    spec = {"name": "gone", "display_name": "A kernel that is not here", "language": "python"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})  # type: ignore[no-untyped-call]
    nbformat.write(made, path)  # type: ignore[no-untyped-call]
    return path


@pytest.fixture
def look(context: BrowserContext, server: Server) -> Iterator[Look]:
    """Opens a file in a page without a kernel; what the page complains of fails the test."""
    complaints = []

    def open_(path: Path, server: Server = server, app: str = "lab") -> Page:
        page = context.new_page()
        complaints.append(Complaints(page))
        if app == "lab":
            _open_bare(page, server, path)
        else:
            page.goto(server.address(f"{app}/{path.name}"))
            page.locator(".jp-Dialog").get_by_role("button", name="No Kernel", exact=True).click()
        page.wait_for_function(READY)
        return page

    yield open_
    assert [text for each in complaints for text in each.texts] == []


def _open_bare(page: Page, server: Server, path: Path) -> None:
    page.goto(server.address("lab?reset"))
    page.wait_for_function("() => window.jupyterapp?.restored && window.jupyterapp.shell.currentWidget")
    page.evaluate(OPEN_BARE, path.name)
    page.wait_for_function(READY)


def output(page: Page, index: int) -> Locator:
    """What a cell shows, in sight."""
    page.wait_for_function(IN_SIGHT, arg=index)
    return page.locator(".jp-Notebook .jp-CodeCell").nth(index).locator(".jp-Cell-outputWrapper")


def mean(run: FakeRun, metric: str, index: int) -> str:
    """The mean over the nodes of the recorded values at a place, as it is shown."""
    values = np.mean([y[index] for _, y in run.metrics.series(metric).values()])
    return f"{float(f'{values:.4g}'):g}"


def test_its_numbers_are_those_of_the_run(look: Look, server: Server) -> None:
    """Chart, hover, keyboard and slider say what was recorded; untrusted, without a kernel, without any button."""
    run = RUNS["eight"]()
    path = write(server.folder / "numbers.ipynb", [bundle(run)])
    page = look(path)
    monitor = Monitor(output(page, 0))
    monitor.wait(status="completed", iteration=20)
    last = run.metrics.last("loss")
    newest, first, second = (
        monitor.read("loss"),
        monitor.read("loss", "Home"),
        monitor.read("loss", "ArrowRight"),
    )
    page.keyboard.press("Escape")
    monitor.root.locator(".mm-chart[data-metric='loss'] .u-over").hover()
    told = page.locator(TIP).inner_text()
    at = float(re.search(r"iteration ([\d.]+)", told)[1])  # type: ignore[index]
    shoot(page, "saved-hover")
    trusted, outputs = zip(*page.evaluate(HELD), strict=True)

    assert (newest.mean, newest.n, newest.at) == (f"{last.mean:.4g}", 8, None)
    assert (first.mean, first.at, second.at) == (mean(run, "loss", 0), 0, 0.33)
    assert second.mean == mean(run, "loss", 1)
    assert f"mean {mean(run, 'loss', round(at * 3))}" in told
    assert monitor.tabs == ["Overview", "Nodes", "Globals", "Results", "Logs", "Events"]
    assert monitor.root.get_by_role("button", name=re.compile("Stop|Resume")).count() == 0
    assert "waiting for the kernel" not in monitor.root.inner_text().lower()
    assert "%manta monitor fl opens the run itself" in monitor.root.inner_text()
    assert trusted == (False,)
    assert outputs[0][0]["data"][MIME] == json.loads(path.read_text())["cells"][0]["outputs"][0]["data"][MIME]


def test_it_is_looked_into_as_if_it_were_live(look: Look, server: Server) -> None:
    """Zoom, metrics, nodes, an earlier iteration, table and tabs; and looking changes nothing in the file."""
    run = RUNS["eight"]()
    path = write(server.folder / "looked.ipynb", [bundle(run)])
    before = path.read_bytes()
    page = look(path)
    monitor = Monitor(output(page, 0))
    monitor.wait(status="completed")
    chart = monitor.root.locator(".mm-chart[data-metric='loss']")
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(chart.get_by_role("button", name="Reset zoom")).to_be_visible()
    chart.get_by_role("button", name="Reset zoom").click()
    monitor.root.get_by_role("button", name="val_acc").click()
    expect(monitor.root.locator(".mm-chart")).to_have_count(1)
    monitor.root.get_by_role("button", name="All 8 nodes").click()
    monitor.root.get_by_role("checkbox", name="node_3").check()
    expect(monitor.root.locator(".mm-legend")).to_contain_text("node_3")
    page.keyboard.press("Escape")
    slider = monitor.root.get_by_role("slider", name="Committed iteration that is shown")
    slider.fill("4")
    monitor.drawn()
    fourth = monitor.read("loss").mean
    monitor.root.get_by_role("button", name="Table").click()
    rows = monitor.root.locator(".mm-table").inner_text()
    shoot(page, "saved-looked-into")
    monitor.tab("Globals").get_by_role("row", name=re.compile("learning_rate")).click()
    value = monitor.root.get_by_role("tabpanel", name="Globals").locator(".mp-value").inner_text()
    logs, events = monitor.tab("Logs").inner_text(), monitor.tab("Events").inner_text()

    assert fourth == f"{run.metrics.by_iteration('loss').mean[4]:.4g}"
    assert fourth in rows
    assert 'manta_nb.runs["fl"].globals["learning_rate"]' in value
    assert "60 earlier lines are with the run, not in this notebook." in logs
    assert "epoch 19: 149 images" in logs and "Load earlier" not in logs
    assert "the worker of node_5 was lost" in events
    assert path.read_bytes() == before


def test_its_numbers_and_pictures_can_be_saved(look: Look, server: Server) -> None:
    """A chart gives a CSV with the values that were recorded, and a PNG; of a crowd the band."""
    run, crowd = RUNS["eight"](), RUNS["many"]()
    page = look(write(server.folder / "exported.ipynb", [bundle(run), bundle(crowd)]))
    Monitor(output(page, 0)).wait()
    rows = list(csv.DictReader(_saved(page, 0, "CSV").read_text().splitlines()))
    picture = _saved(page, 0, "PNG").read_bytes()
    Monitor(output(page, 1)).wait()
    band = list(csv.DictReader(_saved(page, 1, "CSV").read_text().splitlines()))
    x, y = run.metrics.series("loss")["node_7"]

    assert [float(row["value"]) for row in rows if row["node"] == "node_7"] == pytest.approx(y, rel=1e-4)
    assert [float(row["x"]) for row in rows if row["node"] == "node_7"] == pytest.approx(x, abs=1e-5)
    assert picture.startswith(b"\x89PNG")
    assert [*band[0]] == ["iteration", "nodes", "mean", "low", "high"]
    assert (len(band), band[-1]["nodes"]) == (30, "200")


def _saved(page: Page, index: int, kind: str) -> Path:
    """The file that the menu of the chart of `loss` gives."""
    chart = output(page, index).locator(".mm-chart[data-metric='loss']")
    chart.get_by_role("button", name="More about this chart").click()
    with page.expect_download() as download:
        chart.get_by_role("menuitem", name=f"Save as {kind}").click()
    return Path(download.value.path())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_strangers_wrote_stays_text(look: Look, server: Server, theme: str) -> None:
    """Markup in names, logs, events, values and errors is read as written; numbers that are none are said."""
    page = look(write(server.folder / f"harm-{theme}.ipynb", [bundle(RUNS["failed"]())]))
    if theme == "dark":
        page.evaluate(DARK)
        page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    monitor = Monitor(output(page, 0))
    monitor.wait(status="failed", iteration=5)
    expect(monitor.root).to_have_attribute("data-mode", theme)
    seen = {}
    for name in monitor.tabs:
        seen[name] = monitor.tab(name).inner_text()
        shoot(monitor.root, f"saved-harm-{theme}-{name.lower()}")

    assert [name for name, text in seen.items() if HARM not in text] == []
    assert page.evaluate("() => window.harmed") is None
    assert page.locator(".jp-Notebook img[src=x], .jp-Notebook script").count() == 0
    assert "∞" in seen["Overview"]


def test_what_cannot_be_drawn_says_so(look: Look, server: Server) -> None:
    """A newer form, nonsense and half a run: one line and what can be read, never an empty box."""
    whole = json.loads(json.dumps(bundle(RUNS["eight"]())[MIME]))
    kinds: list[Any] = [
        whole | {"version": 2},
        {},
        {"version": 1, "run": "x" * 10_000, "metrics": [[]] * 1_000},
        whole | {"graph": {"tasks": 7}, "metrics": [{"name": "loss"}]},
    ]
    page = look(write(server.folder / "broken.ipynb", [{MIME: kind} for kind in kinds]))
    said = []
    for index in range(len(kinds)):
        expect(output(page, index)).to_contain_text(re.compile("read|newer"))
        said.append(output(page, index).inner_text())
    shoot(page, "saved-broken")

    assert (
        "newer manta_nb (version 2" in said[0] and "epoch 19" in said[0] and "iteration 20 of 20" in said[0]
    )
    assert "cannot be read" in said[1] and "cannot be read" in said[2]
    assert "Could not be read here: graph, metrics." in said[3]
    assert "The metrics of this run cannot be read." in said[3]


def test_without_its_viewer_the_run_is_text(context: BrowserContext, server: Server) -> None:
    """Where the viewer cannot be loaded, one line says so, and the run is there in words."""
    path = write(server.folder / "unreachable.ipynb", [bundle(RUNS["eight"]())])
    page = context.new_page()
    page.route("**/viewer.*.js", lambda route: route.abort())
    _open_bare(page, server, path)
    place = output(page, 0)
    expect(place).to_contain_text("could not be loaded: reload the page")
    shoot(page, "saved-without-viewer")

    assert re.search(r"completed · iteration 20 of 20", place.inner_text())
    assert re.search(r"loss 0\.\d+ \(0\.\d+ to 0\.\d+\)", place.inner_text())


def test_many_runs_in_one_notebook(look: Look, server: Server) -> None:
    """One style sheet for all; what is far below waits until it is near; what left the page comes back whole."""
    run = RUNS["eight"]()
    page = look(write(server.folder / "twenty.ipynb", [bundle(run)] * 20))
    Monitor(output(page, 0)).wait(status="completed")
    early = page.locator(".manta-monitor").count()
    last = Monitor(output(page, 19))
    last.wait(status="completed")
    page.evaluate(MOVE)
    again = Monitor(output(page, 19))
    again.wait(status="completed")
    again.root.scroll_into_view_if_needed()
    expect(again.root.locator(".mm-legend")).to_contain_text("each node")
    expect(again.root.locator(".mm-chart canvas")).to_have_count(2)
    shoot(page, "saved-moved")

    assert 0 < early < 10
    assert page.locator("#manta-nb-style-saved").count() == 1
    assert page.locator(".manta-monitor style").count() == 0
    assert again.read("loss").mean == f"{run.metrics.last('loss').mean:.4g}"


@pytest.mark.slow
def test_it_needs_none_of_our_other_plugins(look: Look, serve: Serve) -> None:
    """With the sidebar and all other plugins of ours switched off, saved runs are drawn."""
    server = serve()
    path = write(server.folder / "alone.ipynb", [bundle(RUNS["eight"]())])
    names = look(path, server).evaluate(PLUGINS)
    others = {name: True for name in [*names, "manta-nb:sidebar"] if name != "manta-nb:saved-runs"}
    config = {"disabledExtensions": {**QUIET["disabledExtensions"], **others}}
    (server.home / "config" / "labconfig" / "page_config.json").write_text(json.dumps(config))
    page = look(path, server)
    Monitor(output(page, 0)).wait(status="completed")

    assert page.evaluate(PLUGINS) == ["manta-nb:saved-runs"]


@pytest.mark.slow
def test_in_notebook_7(look: Look, serve: Serve) -> None:
    """In Notebook 7 it is drawn, and says what the run said."""
    server, run = serve(app="notebook"), RUNS["eight"]()
    page = look(write(server.folder / "seven.ipynb", [bundle(run)]), server, "notebooks")
    monitor = Monitor(output(page, 0))
    monitor.wait(status="completed", iteration=20)
    shoot(page, "saved-notebook-7")

    assert monitor.read("loss").mean == f"{run.metrics.last('loss').mean:.4g}"


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_in_the_oldest_lab(look: Look, serve: Serve) -> None:
    """In the oldest JupyterLab that is supported it is drawn, and says what the run said."""
    try:
        python = python_of_the_oldest()
    except subprocess.SubprocessError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the oldest JupyterLab cannot be installed here: {error}")
    server, run = serve(python=python), RUNS["eight"]()
    page = look(write(server.folder / "oldest.ipynb", [bundle(run)]), server, "lab/tree")
    monitor = Monitor(output(page, 0))
    monitor.wait(status="completed", iteration=20)
    shoot(page, "saved-lab-oldest")

    assert monitor.read("loss").mean == f"{run.metrics.last('loss').mean:.4g}"
