"""A notebook that is open in the browser: its cells are run there, and its kernel can be asked beside it."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from playwright.sync_api import Locator, Page

from tests.browser.chromium import Complaints
from tests.browser.server import Server
from tests.waiting import until

__all__ = ["OpenNotebook", "Opened", "write"]

#: `[data-status=idle]` is true before there is a kernel, hence this
READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  const session = panel?.sessionContext;
  return panel?.content?.widgets?.length && session?.isReady && session.session?.kernel?.status === 'idle';
}"""
KERNEL_ID = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id"
#: Commands are started and not waited for: their promises have no deadline.
COMMAND = "([name, args]) => { window.jupyterapp.commands.execute(name, args); }"
ENDED = """index => {
  const cell = window.jupyterapp.shell.currentWidget.content.widgets[index].model;
  return cell.executionState === undefined ? cell.sharedModel.execution_count !== null
    : cell.executionState === 'idle' && cell.sharedModel.execution_count !== null;
}"""
#: makes it the active cell, and forgets that it was executed before
SELECT = """index => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = index;
  notebook.widgets[index].model.sharedModel.execution_count = null;
}"""
#: From a click on, looks in each frame whether the output says the word; measured in the page, as a person sees it.
STOPWATCH = """([index, word]) => {
  const cell = window.jupyterapp.shell.currentWidget.content.widgets[index].node;
  const watch = (window.mantaWatch = {clicked: null, seen: null});
  document.addEventListener('click', () => { watch.clicked = performance.now(); }, {capture: true, once: true});
  const look = () => {
    const output = cell.querySelector('.jp-Cell-outputWrapper');
    // the text of a live monitor holds its style sheet, too
    const live = output.querySelector('.manta-monitor');
    const shown = live ? live.querySelector(`.mm-pill[data-status="${word}"]`) : output.textContent.includes(word);
    if (watch.clicked !== null && shown) watch.seen = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}"""
SEEN = "() => window.mantaWatch.seen"
TOOK = "() => (window.mantaWatch.seen - window.mantaWatch.clicked) / 1000"
SAVED = "() => window.jupyterapp.shell.currentWidget.context.model.dirty === false"


def write(path: Path, cells: Sequence[str]) -> Path:
    """A notebook file of these cells of code."""
    made = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(cell, id=f"cell-{i}") for i, cell in enumerate(cells)],  # type: ignore[no-untyped-call]
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.write(made, path)  # type: ignore[no-untyped-call]
    return path


class OpenNotebook:
    """One notebook in one page.

    ```
    notebook.run(0)                  # a cell, and wait for its end
    notebook.start(1)                # without waiting
    notebook.ask("fl.iteration")     # what the kernel answers, beside the page
    ```
    """

    def __init__(self, page: Page, server: Server, path: Path, app: str = "lab/tree") -> None:
        self.page = page
        self.path = path
        self.complaints = Complaints(page)
        self._server = server
        self._app = app
        self._client: BlockingKernelClient | None = None

    def open(self, kernel: bool = True) -> None:
        """Go to its page and, unless told otherwise, wait until its kernel can run cells."""
        self.page.goto(self._server.address(f"{self._app}/{self.path.name}?reset"))
        self.ready(kernel)

    def reload(self) -> None:
        """What F5 does."""
        self.page.reload()
        self.ready(kernel=False)

    def ready(self, kernel: bool = True) -> None:
        """Wait for the notebook, and for its kernel to be idle if asked."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=40_000)
        if kernel:
            self.page.wait_for_function(READY, timeout=40_000)

    def command(self, name: str, **arguments: Any) -> None:
        """Start a command of JupyterLab."""
        self.page.evaluate(COMMAND, [name, arguments])

    def start(self, index: int) -> None:
        """Run a cell; the kernel may be busy with it for long."""
        self.page.evaluate(SELECT, index)
        self.command("notebook:run-cell")

    def run(self, index: int, timeout: float = 30) -> None:
        """Run a cell and wait for its end."""
        self.start(index)
        self.page.wait_for_function(ENDED, arg=index, timeout=timeout * 1000)

    def start_all(self) -> None:
        """Run All."""
        self.command("notebook:run-all-cells")

    def ended(self, index: int, timeout: float = 60) -> None:
        """Wait for the end of a cell."""
        count = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
        self.page.wait_for_function(ENDED, arg=index % count, timeout=timeout * 1000)

    def seconds_until(self, index: int, word: str, click: Callable[[], None], timeout: float = 20) -> float:
        """Seconds from a click until the output of a cell says `word`, as status or in its text."""
        self.page.evaluate(STOPWATCH, [index, word])
        click()
        self.page.wait_for_function(SEEN, timeout=timeout * 1000)
        return float(self.page.evaluate(TOOK))

    def executing(self, index: int) -> bool:
        """Whether a cell has not ended: `[*]`. The kernel's own status says idle after each message of a comm."""
        return "*" in self.cell(index).locator(".jp-InputPrompt").inner_text()

    def cell(self, index: int) -> Locator:
        """A cell on the page."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """What a cell shows."""
        return self.cell(index).locator(".jp-Cell-outputWrapper")

    def save(self) -> Any:
        """Save it, and read the file."""
        before = self.path.stat().st_mtime_ns
        self.command("docmanager:save")
        self.page.wait_for_function(SAVED, timeout=15_000)
        until(
            lambda: self.path.stat().st_mtime_ns != before and _whole(self.path),
            15,
            "the file was not written",
        )
        return nbformat.read(self.path, as_version=4)  # type: ignore[no-untyped-call]

    def ask(self, expression: str, timeout: float = 20) -> Any:
        """The value of an expression in the kernel, as JSON gives it; waits for a running cell."""
        answer = self._line().execute_interactive(
            "import json as _json",
            user_expressions={"it": f"_json.dumps({expression})"},
            store_history=False,
            silent=False,
            output_hook=lambda message: None,
            timeout=timeout,
        )
        told = answer["content"]["user_expressions"]["it"]
        assert told["status"] == "ok", told
        # the text/plain of a str is its repr
        return json.loads(ast.literal_eval(told["data"]["text/plain"]))

    def tell(self, code: str, timeout: float = 30) -> None:
        """Run code in the kernel that shows nothing on the page."""
        answer = self._line().execute_interactive(
            code, store_history=False, output_hook=lambda message: None, timeout=timeout
        )
        assert answer["content"]["status"] == "ok", answer["content"]

    def interrupt(self) -> None:
        """What the stop square of the toolbar does."""
        self.command("notebook:interrupt-kernel")

    def kill(self) -> None:
        """Kill its kernel, and wait until JupyterLab has started it again and its dialog is answered."""
        pid = int(self.ask("__import__('os').getpid()"))
        self._forget()
        os.kill(pid, signal.SIGKILL)
        self.page.locator(".jp-Dialog").get_by_role("button", name="Ok").click(timeout=30_000)
        self.ready()

    def _forget(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
            self._client = None

    def shut_down(self) -> None:
        """End its kernel; the page stays."""
        self._forget()
        for session in self._server.ask("sessions"):
            if session["path"] == self.path.name:
                with contextlib.suppress(OSError):
                    self._server.ask(f"sessions/{session['id']}", "DELETE")

    def _line(self) -> BlockingKernelClient:
        if self._client is None:
            self._client = self._server.client(self.page.evaluate(KERNEL_ID))
        return self._client


def _whole(path: Path) -> bool:
    """Whether the server has written all of it."""
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


#: makes a notebook of these cells and opens it: `opened(cells)`, `opened(cells, server, app)`
Opened = Callable[..., OpenNotebook]
