"""The harness page: the monitor without Jupyter, on recorded runs, served from `extension/harness/dist`."""

from __future__ import annotations

import functools
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.browser.screen import Monitor

__all__ = ["DIST", "Harness", "build", "violations"]

EXTENSION = Path(__file__).parents[2] / "extension"
DIST = EXTENSION / "harness" / "dist"
#: what a person who reads WCAG 2.1 A and AA expects
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
AXE = """async rules => (await axe.run(document, rules)).violations.map(found =>
  `${found.id} (${found.impact}): ${found.help}: `
  + found.nodes.slice(0, 4).map(node => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 200)}`).join(' | '))"""


def build() -> None:
    """Bundle the page; takes Node and the packages of `extension/`.

    Raises:
        FileNotFoundError: they are not there.
    """
    node = shutil.which("node")
    if node is None or not (EXTENSION / "node_modules" / "esbuild").exists():
        raise FileNotFoundError("the harness page needs Node: `make build` installs what extension/ needs")
    done = subprocess.run(
        [node, "build.mjs", "--harness"],
        cwd=EXTENSION,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class _Quiet(SimpleHTTPRequestHandler):
    """A server of files that writes no log."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Harness:
    """Serves the page while its block lasts.

    ```
    with Harness() as harness:
        monitor = harness.open(page, "running", theme="dark")
    ```
    """

    def __init__(self, folder: Path = DIST) -> None:
        handler = functools.partial(_Quiet, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="harness", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def address(self, fixture: str, theme: str = "light", **options: object) -> str:
        """The page that replays a recorded run."""
        query = urlencode({"fixture": fixture, "theme": theme, **options})
        return f"http://127.0.0.1:{self._server.server_port}/index.html?{query}"

    def open(self, page: Page, fixture: str, theme: str = "light", **options: object) -> Monitor:
        """Replay a recorded run at once, and wait until it is drawn."""
        page.goto(self.address(fixture, theme, **{"speed": 0, **options}))
        expect(page.locator("body")).to_have_attribute("data-ready", "true", timeout=30_000)
        monitor = Monitor(page.locator("body"))
        monitor.wait()
        return monitor


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page, one line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=EXTENSION / "node_modules" / "axe-core" / "axe.min.js")
    return [str(found) for found in page.evaluate(AXE, RULES)]
