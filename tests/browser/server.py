"""A Jupyter server of its own: private home and settings, loopback, a token, and nothing left when it has ended."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Self

import psutil
from jupyter_client.blocking.client import BlockingKernelClient

from tests.waiting import until

__all__ = ["App", "Serve", "Server"]

#: which program answers: JupyterLab, or Notebook 7
App = Literal["jupyterlab", "notebook"]
#: a variable that all processes of a server inherit: those that outlive it are found by it
MARK = "MANTA_NB_TEST_SERVER"
#: without it a news pop-up covers a corner of the page
QUIET = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


class Server:
    """`jupyter lab` (or `notebook`) of a Python, in a folder of its own.

    ```
    with Server(tmp_path) as server:
        page.goto(server.address("lab/tree/one.ipynb"))
    ```
    Leaving the block ends it with its kernels, and fails where one of their processes stays. `base` is where it stands
    behind a hub: `/user/lea/`.
    """

    def __init__(
        self, folder: Path, python: str = sys.executable, app: App = "jupyterlab", base: str = "/"
    ) -> None:
        self.folder = folder / "work"
        self.home = folder / "home"
        self._python, self._app, self._base = python, app, base
        self._mark = secrets.token_hex(16)
        self._token = secrets.token_hex(24)
        self._log = folder / "server.log"
        self._port = _free_port()
        #: what its pages are configured with
        self.quiet: dict[str, object] = {**QUIET}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        labconfig = self.home / "config" / "labconfig"
        labconfig.mkdir(parents=True)
        (labconfig / "page_config.json").write_text(json.dumps(self.quiet), encoding="utf-8")
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                self._command(),
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            until(self._answers, 60, f"the server does not answer: see {self._log}")
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        deadline = time.monotonic() + 15
        while (left := self.processes()) and time.monotonic() < deadline:
            psutil.wait_procs(left, timeout=0.2)
        names = [
            f"{process.pid} {' '.join(process.cmdline())[:150]}" for process in left if process.is_running()
        ]
        for process in left:
            process.kill()
        assert not names, f"processes outlive the server: {names}"

    @property
    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def address(self, path: str) -> str:
        """The address of a page, with the token that lets in."""
        return (
            f"http://127.0.0.1:{self._port}{self._base}{path}{'&' if '?' in path else '?'}token={self._token}"
        )

    def ask(self, path: str, method: str = "GET") -> Any:
        """What the server's own interface answers under `/api/`; None where it answers nothing."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{self._base}api/{path}",
            method=method,
            headers={"Authorization": f"token {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def client(self, kernel_id: str) -> BlockingKernelClient:
        """A line of our own to a kernel: what it holds can be read beside the page."""
        client = BlockingKernelClient()
        client.load_connection_file(str(self.home / "runtime" / f"kernel-{kernel_id}.json"))
        client.start_channels()
        return client

    def processes(self) -> list[psutil.Process]:
        """Its processes, those of its kernels and of their nodes."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _answers(self) -> bool:
        assert self._process.poll() is None, f"the server ended: {self.log[-2000:]}"
        try:
            self.ask("status")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _command(self) -> list[str]:
        lab = self._app == "jupyterlab"
        return [
            *(self._python, "-m", self._app, "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self._port}", "--ServerApp.port_retries=0"),
            f"--ServerApp.root_dir={self.folder}",
            f"--ServerApp.base_url={self._base}",
            "--ServerApp.terminals_enabled=False",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            f"--{'LabApp' if lab else 'JupyterNotebookApp'}.expose_app_in_browser=True",
        ]

    def _environment(self) -> dict[str, str]:
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("JUPYTER", "MANTA_", "IPYTHON", "PYTEST"))
        }
        return {
            **kept,
            MARK: self._mark,
            "HOME": str(self.home),
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces"),
            "IPYTHONDIR": str(self.home / "ipython"),
            # in the environment, where a command line would show it to everyone on the machine
            "JUPYTER_TOKEN": self._token,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }


#: starts another one: `serve(python=…)`, `serve(app="notebook")`
Serve = Callable[..., Server]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
