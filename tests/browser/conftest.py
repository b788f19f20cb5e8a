"""What the browser tests share: one server and one browser for all, one page and one kernel for each.

They end with this folder, not with the session: Playwright's loop runs in the main thread, where later tests may
want one of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser import chromium
from tests.browser.cells import Gate
from tests.browser.notebook import Opened, OpenNotebook, write
from tests.browser.server import Serve, Server

__all__: list[str] = []


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. Where there is none the tests skip; on CI they fail, so that nobody takes them for passed."""
    path = chromium.find()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.HOW_TO_GET_ONE)
        pytest.skip(chromium.HOW_TO_GET_ONE)
    with sync_playwright() as playwright:
        started = chromium.launch(playwright, path)
        yield started
        started.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab of this Python."""
    with Server(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate that is closed."""
    return Gate(tmp_path / "gate")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts another server: `serve(python, app)`."""
    with ExitStack() as servers:
        yield lambda **options: servers.enter_context(Server(tmp_path / "server", **options))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A window without a past, 1400 × 1000."""
    made = browser.new_context(viewport={"width": 1400, "height": 1000})
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def opened(
    request: pytest.FixtureRequest, context: BrowserContext, server: Server, serve: Serve
) -> Iterator[Opened]:
    """Opens a notebook of the given cells, with a kernel; what its page complains of fails the test.

    It ends before the servers of `serve` do.
    """
    made: list[OpenNotebook] = []

    def make(cells: Sequence[str], server: Server = server, app: str = "lab/tree") -> OpenNotebook:
        path = write(server.folder / f"{request.node.name[:60]}-{len(made)}.ipynb".replace("/", "-"), cells)
        notebook = OpenNotebook(context.new_page(), server, path, app)
        made.append(notebook)
        notebook.open()
        return notebook

    yield make
    for number, notebook in enumerate(made):
        chromium.shoot(notebook.page, f"{_plain(request.node.name)}-{number}-end")
        notebook.page.close()
        notebook.shut_down()
    assert [text for notebook in made for text in notebook.complaints.texts] == []


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Every test of this folder drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
