"""The browser: where it is found, how it is started, and what a page of it complained about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright

__all__ = ["HOW_TO_GET_ONE", "SHOTS", "Complaints", "find", "launch", "shoot"]

#: pictures are kept here, for people and for CI
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
HOW_TO_GET_ONE = "no browser: `apt install chromium` (or CHROMIUM=/path/to/chromium) runs these tests"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: What JupyterLab, Jupyter's server and the widget manager say of themselves; anything else is ours.
NOISE = (
    "Comm not found",
    "Comm promise not found",
    "shared module",
    "Unsatisfied version",
    "No version specified",
    "favicon",
    "WebSocket is closed before the connection is established",
    "ResizeObserver loop",
    # JupyterLab's debugger, now and then when a kernel is started anew
    "Could not restore the debugger state",
    # the widget manager, in a notebook that has no kernel
    "Cannot read properties of null (reading 'kernel')",
    # Notebook 7, of the settings of a plugin that it has not
    "Cannot read properties of undefined (reading 'schema')",
)


def find(environ: Mapping[str, str] = os.environ) -> str | None:
    """The path of the browser that `CHROMIUM` names, else of the first that is installed; None where there is none."""
    named = environ.get("CHROMIUM")
    paths = (shutil.which(name, path=environ.get("PATH")) for name in ([named] if named else NAMES))
    return next((path for path in paths if path), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """A browser without a window."""
    return playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)


def shoot(what: Page | Locator, name: str) -> Path:
    """Keep a picture of the page, or of a part of it, as `build/screenshots/<name>.png`."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    what.screenshot(path=path)
    return path


class Complaints:
    """What a page wrote to its console as an error, and the exceptions that nobody caught."""

    def __init__(self, page: Page, noise: Sequence[str] = NOISE) -> None:
        self._noise = noise
        self.texts: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._add(f"pageerror: {error.stack or error.message}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._add(f"console: {message.text} ({message.location.get('url', '')})")

    def _add(self, text: str) -> None:
        if not any(noise in text for noise in self._noise):
            self.texts.append(text[:600])
