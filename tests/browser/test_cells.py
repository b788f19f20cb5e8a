"""Cells in JupyterLab: their colours, brackets, completion and badges; where runs fail is in `test_cells_failed`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby

import pytest
from playwright.sync_api import expect

from tests.browser import cells
from tests.browser.cells import AGGREGATOR, BUSY, WORKER, Gate
from tests.browser.cellview import CellView
from tests.browser.chromium import shoot
from tests.browser.notebook import Opened, OpenNotebook
from tests.browser.server import Server

pytestmark = [pytest.mark.timeout(180)]

ACTIVE = re.compile(r"\bjp-mod-active\b")
START, MODULE, COMBINE, RUN, NEXT = range(5)
RESTART = "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"


def defined(opened: Opened, *more: str) -> OpenNotebook:
    """A notebook whose nodes are started and whose modules are defined; `more` cells follow, not yet run."""
    notebook = opened([cells.start(3), WORKER, AGGREGATOR, *more])
    notebook.run(START, timeout=90)
    for index in (MODULE, COMBINE):
        notebook.run(index)
    return notebook


def test_a_magic_line_has_the_colours_of_code(opened: Opened) -> None:
    """Its words have the theme's colours; the Python below it has its own, whatever the line holds."""
    body = 'import numpy as np\nclass W(Task):\n    x = "text"  # why'
    notebook = opened(
        [f"%%module worker --all --needs digits  # it's \"open\n{body}", body, "s = %manta start"]
    )
    first, plain, line = (CellView(notebook.page, index) for index in range(3))
    expect(first.root.locator(".mc-magic")).to_have_text("%%module")
    expect(line.root.locator(".mc-magic")).to_have_text("%manta")
    # a word may be several pieces of text
    seen = [colour for colour, _ in groupby(colour for _, colour in first.colours()[0])]
    names = ("keyword", "def", "operator", "string", "comment")

    assert seen == [first.theme(name) for name in names]
    assert first.colours()[1:] == plain.colours()
    assert [first.parts(role) for role in ("name", "option", "value")] == [
        ["worker"],
        ["--all", "--needs"],
        ["digits"],
    ]
    assert plain.parts("magic") == []


def test_a_cell_becomes_and_ceases_to_be_one_while_it_is_typed(opened: Opened) -> None:
    """Colours and closing brackets come with the magic and go with it; other cells stay without."""
    notebook = opened(["", ""])
    cell, other = CellView(notebook.page, 0), CellView(notebook.page, 1)
    cell.type("%%swarm f\nset_global('a', (1")
    ours = cell.source
    expect(cell.root.locator(".mc-name")).to_have_text("f")
    cell.page.keyboard.press("Backspace")
    cell.page.keyboard.press("Backspace")
    emptied = cell.source
    cell.page.keyboard.press("ControlOrMeta+Home")
    cell.page.keyboard.type("#")
    expect(cell.root.locator(".mc-magic")).to_have_count(0)
    cell.page.keyboard.press("ControlOrMeta+End")
    cell.page.keyboard.type("(")
    other.type("f(x")

    assert ours == "%%swarm f\nset_global('a', (1))"
    assert emptied == "%%swarm f\nset_global('a', )"
    assert cell.source == f"#{emptied}("
    assert other.source == "f(x"


@pytest.fixture
def all_off(server: Server) -> Iterator[None]:
    """The settings of somebody who wants neither badges nor closing brackets."""
    path = server.home / "settings" / "manta-nb" / "settings.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"badges": False, "closeBrackets": False}), encoding="utf-8")
    yield
    path.unlink()


@pytest.mark.cluster
def test_what_is_switched_off_is_not_there(opened: Opened, all_off: None) -> None:
    """Without badges and closing brackets, by the settings, a cell keeps its colours."""
    notebook = defined(opened, "")
    module, cell = CellView(notebook.page, MODULE), CellView(notebook.page, RUN)
    cell.type("%%module worker\nf(1")
    # the kernel has told of the module: it is offered
    cell.type("%%module wor")
    offers = cell.offers()

    assert cell.source == "%%module wor" and offers[0] == ("worker", "module")
    assert module.parts("name") == ["worker"]
    module.no_badge()


@pytest.mark.cluster
def test_tab_offers_what_the_kernel_knows(opened: Opened, gate: Gate) -> None:
    """Options, modules, nodes, tags and runs: on the magic line, in strings, on lines of %manta, each only once."""
    gate.open(1)
    notebook = defined(opened, cells.swarm(gate), BUSY.replace("SECONDS", "60"), "")
    notebook.run(RUN)
    cell = CellView(notebook.page, NEXT + 1)
    texts = {
        "%%module wor": [("worker", "module")],
        "%%swarm fl --it": [("--iterations", "option")],
        "%%swarm fl --nodes ": [("node_0", "node"), ("node_1", "node"), ("node_2", "node")],
        '%%module other\nself.world.globals["': [("model", "tag"), ("settings", "tag")],
        "s = %manta stop ": [("fl", "run")],
        'fl.globals["mo': [("model", "tag")],
    }
    offered = {}
    for text, expected in texts.items():
        cell.type(text)
        offered[text] = cell.offers()[: len(expected)]
    cell.type("%%swarm fl --see")
    offered_once = cell.offers()

    assert offered == texts
    assert offered_once == [("--seed", "option")]


@pytest.mark.cluster
def test_tab_answers_while_a_cell_is_busy(opened: Opened) -> None:
    """The options are offered though the kernel executes a cell that sleeps."""
    notebook = defined(opened, BUSY.replace("SECONDS", "60"), "")
    notebook.start(RUN)
    notebook.output(RUN).get_by_text("held").wait_for()
    cell = CellView(notebook.page, RUN + 1)
    cell.type("%%module new --need")
    offers = cell.offers()
    busy = notebook.executing(RUN)
    notebook.interrupt()
    notebook.ended(RUN)

    assert busy and offers == [("--needs", "option")]


@pytest.mark.cluster
def test_a_badge_says_what_became_of_the_text(opened: Opened) -> None:
    """Defined, differs while it is edited, defined again when that is undone, another version when it is run."""
    copy = WORKER.replace("line of", "the line of")
    notebook = defined(opened, copy)
    worker, other = CellView(notebook.page, MODULE), CellView(notebook.page, RUN)
    worker.badge_is("defined", "worker v1")
    other.no_badge()
    worker.put(WORKER.replace("range(3)", "range(4)"))
    worker.badge_is("differs", "differs from worker v1")
    shoot(worker.root, "cell-differs")
    worker.put(WORKER)
    worker.badge_is("defined", "worker v1")
    notebook.run(RUN)
    other.badge_is("defined", "worker v2")
    worker.badge_is("replaced", "replaced by In[4]")
    worker.badge.click()
    expect(other.root).to_have_class(ACTIVE)
    other.put(copy.replace("import time", "import time, nowhere_to_be_found; nope"))
    notebook.start(RUN)
    other.badge_is("refused", "worker refused")

    assert worker.cursor()[0] == RUN


@pytest.mark.cluster
def test_badges_come_back_with_the_page_and_go_with_the_kernel(opened: Opened) -> None:
    """After a reload every badge is there again; after a restart of the kernel there is none."""
    notebook = defined(opened)
    worker = CellView(notebook.page, MODULE)
    worker.badge_is("defined", "worker v1")
    notebook.save()
    notebook.reload()
    worker.badge_is("defined", "worker v1")
    notebook.page.evaluate(RESTART)
    worker.no_badge()
    notebook.ready()
    # JupyterLab's debugger had a question under way
    complaints = notebook.complaints.texts
    complaints[:] = [text for text in complaints if "debugger state" not in text]

    worker.no_badge()
