"""The way in: cards, menu, palette, cells to insert and files to open, in a JupyterLab as a hub serves it.

The hub is its address: everything is below `/user/lea/`, and nothing is answered elsewhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.chromium import shoot
from tests.browser.desk import Desk
from tests.browser.notebook import write
from tests.browser.server import Server
from tests.ui.test_templates import cells

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(360)]

ROOT = Path(__file__).parents[2]
COURSE = sorted((ROOT / "notebooks").glob("*.ipynb"))
TWO = """from manta.swarm import Swarm


class First(Swarm):
    pass


class Élève(First):
    pass
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab below `/user/lea/`."""
    with Server(tmp_path_factory.mktemp("hub"), base="/user/lea/") as started:
        yield started


@pytest.fixture
def desk(request: pytest.FixtureRequest, context: BrowserContext, hub: Server) -> Iterator[Desk]:
    """A page with the launcher."""
    made = Desk(context.new_page(), hub, request.node.name[:40])
    yield made
    shoot(made.page, f"{request.node.name[:60]}-end")
    made.close()


def test_cards_menu_and_palette(desk: Desk) -> None:
    """All ways in are there; what cannot be done now is grey, and a line above it says why."""
    cards = desk.page.locator('.jp-LauncherCard[data-category="Manta"]')
    names = [" ".join(str(text).split()) for text in cards.all_inner_texts()]
    shoot(desk.page, "launcher-light")
    desk.menu("Insert Cell")
    inserted = desk.page.locator(".lm-Menu").last
    expect(inserted).to_contain_text("FedProx")
    insert_entries = desk.entries()
    shoot(desk.page, "menu-light")
    enabled = inserted.locator(".lm-Menu-item:not(.lm-mod-disabled):not([data-type=separator])")
    can_insert = enabled.count()
    runs = desk.page.locator(".lm-Menu").first
    runs_text = runs.inner_text()
    desk.close_menus()
    desk.page.keyboard.press("Control+Shift+C")
    desk.page.locator(".lm-CommandPalette-input").fill("manta")
    palette = desk.page.locator(".lm-CommandPalette-content")
    expect(palette).to_contain_text("Insert Cell: Robust Mean")
    entries = palette.inner_text()
    shoot(desk.page, "palette-light")
    desk.page.keyboard.press("Escape")
    desk.theme("JupyterLab Dark", light=False)
    desk.menu("Insert Cell")
    expect(desk.page.locator(".lm-Menu").last).to_contain_text("FedProx")
    shoot(desk.page, "menu-dark")
    desk.close_menus()
    shoot(desk.page, "launcher-dark")
    # the server keeps it for the pages to come
    desk.theme("JupyterLab Light", light=True)

    assert names == ["New Swarm Notebook", "Manta Course", "Start Nodes…"]
    assert insert_entries == [
        *("Open a notebook first", "Worker", "Aggregator", "Scheduler", "Swarm"),
        *("FedAvg", "FedProx", "Robust Mean"),
    ]
    assert can_insert == 0
    for label in ("Open Manta Course", "No notebook is open", "Stop Run", "Resume Run", "Show Run Monitor"):
        assert label in runs_text
    for label in ("New Swarm Notebook", "Open Manta Course", "Start Nodes…", "Show Manta Sidebar"):
        assert label in entries


def test_a_new_swarm_notebook_runs(desk: Desk) -> None:
    """The card makes a notebook in the launcher's folder and opens it with a kernel; Run All learns to read digits."""
    desk.card("New Swarm Notebook").click()
    notebook = desk.notebook("Untitled.ipynb")
    made = desk.sources()
    notebook.start_all()
    last = max(index for index, (kind, _) in enumerate(made) if kind == "code")
    # on a busy machine torch alone takes half a minute
    notebook.ended(last, timeout=240)
    shoot(desk.page, "new-swarm-notebook")
    saved = notebook.save()
    accuracy = float(notebook.output(last).inner_text().split()[-1])

    assert made == cells("notebook")
    assert accuracy > 0.9
    assert notebook.ask("[fl.status, len(fl.nodes)]") == ["completed", 4]
    assert saved.metadata.kernelspec.name == "python3"
    nbformat.validate(saved)
    assert desk.page.locator(".jp-LauncherCard").count() == 0


def test_the_course_is_copied_once(desk: Desk) -> None:
    """The notebooks come into a folder of their own and the first opens; the second time a learner's text stays."""
    desk.card("Manta Course").click()
    desk.told(f"{len(COURSE)} notebooks of the course copied to manta-course")
    desk.notebook(COURSE[0].name)
    copies = {path.name: path for path in (desk.folder / "manta-course").glob("*.ipynb")}
    same = [texts(path) == texts(copies[path.name]) for path in COURSE]
    copies[COURSE[0].name].write_text('{"mine": 1}', encoding="utf-8")
    copies[COURSE[1].name].unlink()
    desk.menu("Open Manta Course").click()
    desk.told("1 notebook of the course copied to manta-course; kept 01_first_swarm.ipynb and 03_")
    kept = copies[COURSE[0].name].read_text(encoding="utf-8")

    assert same == [True] * len(COURSE)
    assert desk.files() == [f"manta-course/{path.name}" for path in COURSE]
    assert kept == '{"mine": 1}'


def texts(path: Path) -> list[str]:
    """The cells of a notebook file."""
    return [str(cell.source) for cell in nbformat.read(path, as_version=4).cells]


def test_a_file_in_the_way_of_the_course(desk: Desk) -> None:
    """Where a file has the name of the folder, that is said, and the file stays."""
    (desk.folder / "manta-course").write_text("notes", encoding="utf-8")
    desk.card("Manta Course").click()
    told = desk.told("The course was not copied")

    assert "manta-course is a file: rename it first" in told.first.inner_text()
    assert (desk.folder / "manta-course").read_text(encoding="utf-8") == "notes"


def test_nodes_are_started_from_the_launcher(desk: Desk) -> None:
    """The card asks how many, makes a notebook with the cell that starts them, and runs it."""
    desk.card("Start Nodes…").click()
    dialog = desk.page.locator(".jp-Dialog")
    dialog.locator("input").first.fill("3")
    shoot(desk.page, "start-nodes-dialog")
    dialog.get_by_role("button", name="Start").click()
    notebook = desk.notebook("Untitled.ipynb")
    expect(desk.page.locator(".jp-Notebook")).to_contain_text("3 nodes", timeout=60_000)

    assert any("%manta start --nodes 3 --data digits" in source for _, source in desk.sources())
    assert notebook.path.exists()


def test_cells_are_inserted_below_the_active_one(desk: Desk) -> None:
    """From the menu, the palette and the menu of a cell: below the active cell, under names that are free."""
    path = write(desk.folder / "mine.ipynb", ["%load_ext manta_nb", "1 + 1"])
    desk.page.goto(desk.server.address(f"lab/tree/{desk.folder.name}/mine.ipynb?reset"))
    notebook = desk.notebook(path.name)
    notebook.cell(0).locator(".cm-content").click()
    desk.menu("Insert Cell", "FedAvg").click()
    expect(notebook.cell(1)).to_contain_text("fedavg_worker")
    expect(notebook.cell(1)).to_contain_class("jp-mod-active")
    shoot(desk.page, "inserted")
    first = [source for _, source in desk.sources()]
    desk.context_menu(notebook.cell(1).locator(".jp-InputPrompt"), "Insert Manta Cell")
    shoot(desk.page, "cell-menu")
    desk.point(("Worker",)).click()
    expect(notebook.cell(2)).to_contain_text("%%module worker --all")
    desk.page.keyboard.press("Control+Shift+C")
    desk.page.locator(".lm-CommandPalette-input").fill("insert cell: fedavg")
    desk.page.keyboard.press("Enter")
    expect(notebook.cell(3)).to_contain_text("fedavg_worker_2")
    after = [source.split("\n")[0] for _, source in desk.sources()]

    assert first == ["%load_ext manta_nb", *(source for _, source in cells("fedavg")), "1 + 1"]
    assert after[1:8] == [
        *("%%module fedavg_worker --all", "%%module worker --all", "%%module fedavg_worker_2 --all"),
        *("%%module fedavg_aggregator_2", "%%swarm fedavg_2 --iterations 10", "fedavg_2.wait()"),
        "%%module fedavg_aggregator",
    ]


def test_a_python_file_is_opened_as_a_notebook(desk: Desk) -> None:
    """On a file with a swarm: a notebook beside it runs that swarm, whatever the file is called."""
    shutil.copytree(ROOT / "examples" / "fedavg_digits", desk.folder, dirs_exist_ok=True)
    (desk.folder / "swarm.py").rename(desk.folder / "l'été #1.py")
    (desk.folder / "l'été #1.ipynb").write_text("mine", encoding="utf-8")
    desk.page.locator("[data-command='filebrowser:refresh']").click()
    desk.context_menu(desk.listed("README.md"))
    of_a_text = desk.entries()
    desk.close_menus()
    item = desk.context_menu(desk.listed("l'été #1.py"), "Open as Swarm Notebook")
    shoot(desk.page, "file-menu")
    item.click()
    notebook = desk.notebook("l'été #1-1.ipynb")
    made = [source for kind, source in desk.sources() if kind == "code"]
    notebook.start_all()
    notebook.ended(len(desk.sources()) - 1, timeout=120)
    shoot(desk.page, "opened-as-notebook")

    assert "Open as Swarm Notebook" not in of_a_text
    assert made[:2] == ["%load_ext manta_nb", "%manta start --nodes 4 --data digits"]
    assert made[2] == """run = %manta run "l'été #1.py:FedAvgDigits" --iterations 20\nrun"""
    assert notebook.ask("run.status") == "completed"
    assert notebook.ask("run.metrics.last('shared_acc').mean") > 0.9
    assert (desk.folder / "l'été #1.ipynb").read_text(encoding="utf-8") == "mine"


def test_which_swarm_of_a_file(desk: Desk) -> None:
    """A file with two swarms asks which; one with none says so, and nothing is made."""
    (desk.folder / "two.py").write_text(TWO, encoding="utf-8")
    (desk.folder / "none.py").write_text('"""class A(Swarm): no"""\n', encoding="utf-8")
    desk.page.locator("[data-command='filebrowser:refresh']").click()
    desk.context_menu(desk.listed("none.py"), "Open as Swarm Notebook").click()
    told = desk.told("none.py has no Swarm class").first.inner_text()
    files = desk.files()
    desk.context_menu(desk.listed("two.py"), "Open as Swarm Notebook").click()
    dialog = desk.page.locator(".jp-Dialog")
    dialog.locator("select").select_option("Élève")
    choices = dialog.locator("option").all_inner_texts()
    shoot(desk.page, "which-swarm")
    dialog.get_by_role("button", name="Open").click()
    desk.notebook("two.ipynb")

    assert "class MySwarm(Swarm)" in told
    assert files == ["none.py", "two.py"]
    assert choices == ["First", "Élève"]
    assert "run = %manta run two.py:Élève --iterations 20\nrun" in [source for _, source in desk.sources()]
