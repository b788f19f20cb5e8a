"""What is left of a run's display in a notebook that is saved, converted, or put on GitHub."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from manta_nb.session.summary import MIME
from tests.session.test_runjson import SCHEMA

jsonschema = pytest.importorskip("jsonschema")

#: nothing of nbconvert's own template is what we look at
pytestmark = [pytest.mark.notebook, pytest.mark.timeout(120)]

WIDGET = "application/vnd.jupyter.widget-view+json"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"

SHOW = """
import threading
from manta_nb.engine.records import Event
from manta_nb.session.logs import EventTable, LogRow, LogTable
from manta_nb.session.metrics import MetricTable
from manta_nb.ui.live import RunDisplay
from tests.session.fake_run import FakeRun, learning_curves
HOSTILE = {hostile!r}
display = RunDisplay()
run = FakeRun(metrics=MetricTable(learning_curves(4, 4)), name={name!r})
run.logs.extend([LogRow(3, HOSTILE, "worker", "stdout", HOSTILE)])
run.events.extend([Event(2, "nan", HOSTILE, "node_1")])
display.show(run)
"""
WAIT = """
thread = threading.Thread(target=run.end)
thread.start()
thread.join()
display.settle(run)
"""
MONITOR = "display.monitor(run)"

#: what GitHub lets through, roughly: its own list is longer, and has neither style nor script nor handlers
_TAGS = {
    "div",
    "b",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "img",
    "pre",
    "details",
    "summary",
    "br",
}
_ATTRIBUTES = {"src", "alt", "title", "colspan", "open"}
_SILENT = {"script", "style", "svg", "iframe", "object"}


class GitHub(HTMLParser):
    """HTML after a sanitiser like GitHub's: `kept` is what is left of it, `text` what a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.kept: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.silent = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.silent += tag in _SILENT
        if tag in _TAGS and not self.silent:
            self.kept.append((tag, {name: value for name, value in attrs if name in _ATTRIBUTES}))

    def handle_endtag(self, tag):
        self.silent -= tag in _SILENT

    def handle_data(self, data):
        if not self.silent:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def execute(*cells: str, name: str = "fl"):
    """A notebook of these cells after the first, as nbclient leaves it."""
    first = SHOW.format(hostile=HOSTILE, name=name)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (first, *cells)])
    NotebookClient(notebook, timeout=60).execute()
    nbformat.validate(notebook)
    return notebook


@pytest.fixture(scope="module")
def saved():
    """A notebook whose run has ended, as it is written to a file and read again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MANTA_NB_LIVE", raising=False)
        notebook = execute(WAIT, name=f"fl {HOSTILE}")
    return nbformat.reads(nbformat.writes(notebook), as_version=4)


@pytest.mark.parametrize("mode", ["widget", "static", "auto"])
def test_the_waiting_cell_finalises(monkeypatch, mode):
    """Under nbclient the cell that showed the run holds the end: no view of a widget, no state of one."""
    monkeypatch.setenv("MANTA_NB_LIVE", mode)
    notebook = execute(WAIT)
    (output,) = notebook.cells[0].outputs

    assert set(output["data"]) == {"text/plain", "text/html", "image/png", MIME}
    assert "completed" in output["data"]["text/plain"]
    assert notebook.cells[1].outputs == []
    assert "widgets" not in notebook.metadata
    assert "widget" not in nbformat.writes(notebook)


@pytest.mark.parametrize("mode", ["widget", "static"])
def test_a_monitor_of_a_run_that_is_over_is_static_too(monkeypatch, mode):
    """Where nobody looks `run.monitor()` shows what stays."""
    monkeypatch.setenv("MANTA_NB_LIVE", mode)
    notebook = execute(WAIT, MONITOR)
    shown = [output["data"] for output in notebook.cells[2].outputs if "data" in output]

    assert MIME in shown[0]
    assert all(WIDGET not in data for data in shown)


def test_saved_in_mid_run_it_says_where_it_stood(monkeypatch):
    """A notebook whose run goes on names the iteration and the way back."""
    monkeypatch.delenv("MANTA_NB_LIVE", raising=False)
    notebook = execute()
    (output,) = notebook.cells[0].outputs
    told = "was running at iteration 3; %manta monitor fl shows the rest"

    assert told in output["data"]["text/plain"]
    assert told in GitHub(output["data"]["text/html"]).text
    assert WIDGET not in output["data"]


def test_the_data_for_viewers_comes_back(saved):
    """Written to a file and read again, the own MIME type is what its schema says, in 100 kB with all others."""
    data = saved.cells[0].outputs[0]["data"]
    jsonschema.validate(json.loads(json.dumps(data[MIME])), SCHEMA)

    assert data[MIME]["run"]["status"] == "completed"
    assert len(nbformat.writes(saved)) <= 100_000


def test_the_numbers_are_visible_as_html(saved):
    """`nbconvert --to html` shows status, iterations and the mean of each metric."""
    page, _ = HTMLExporter().from_notebook_node(saved)
    body = page[page.index("<body") :]
    accuracy = re.search(r"val_acc ([\d.]+)", saved.cells[0].outputs[0]["data"]["text/plain"])
    assert accuracy is not None

    for word in ("completed", "iteration 20 of 20", "val_acc", accuracy[1]):
        assert word in body
    assert "<img src=x" not in body
    assert "<script>alert" not in body


def test_the_numbers_are_visible_on_github(saved):
    """Without any style, script or handler the header, the table and the picture are there; hostile text is text."""
    data = saved.cells[0].outputs[0]["data"]
    seen = GitHub(data["text/html"])
    accuracy = re.search(r"val_acc ([\d.]+)", data["text/plain"])
    assert accuracy is not None
    pictures = [attrs for tag, attrs in seen.kept if tag == "img"]

    for word in ("completed", "iteration 20 of 20", "val_acc", accuracy[1], HOSTILE):
        assert word in seen.text
    assert [attrs["src"][:22] for attrs in pictures] == ["data:image/png;base64,"]
