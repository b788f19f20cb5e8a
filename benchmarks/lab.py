"""The JupyterLab extension: from `jupyter lab` to a sidebar that can be used, against Lab without it; and sizes.

Each turn starts a server and a page of its own, the one with the extension and the one without in turn.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import Figure, Say, machine, parser, save, table
from tests.browser import chromium, server
from tests.browser.notebook import COMMAND

__all__ = ["run"]

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "manta_nb" / "labextension" / "static"


def _seconds(browser: Browser, without: bool) -> float:
    """From the server's start to a sidebar that says something; without the extension: to the launcher."""
    with tempfile.TemporaryDirectory() as folder:
        lab = server.Server(Path(folder))
        disabled = {"disabledExtensions": {"manta-nb": True}} if without else {}
        lab.quiet = server.QUIET | disabled
        began = time.perf_counter()
        with lab:
            page = browser.new_page()
            page.goto(lab.address("lab?reset"))
            page.locator(".jp-LauncherCard").first.wait_for(timeout=60_000)
            if not without:
                page.evaluate(COMMAND, ["manta-nb:show-sidebar", {}])
                page.locator(".manta-sidebar").wait_for(timeout=60_000)
            took = time.perf_counter() - began
            page.close()
    return took


def _start(repeats: int, say: Say) -> list[Figure]:
    path = chromium.find()
    if path is None:
        say(f"lab: {chromium.HOW_TO_GET_ONE}")
        return []
    there, bare = [], []
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright, path)
        for _ in range(repeats):
            bare.append(_seconds(browser, without=True))
            there.append(_seconds(browser, without=False))
            say(
                f"lab: {there[-1]:.1f} s to the sidebar, {bare[-1]:.1f} s to the launcher without the extension"
            )
        browser.close()
    more = [1e3 * (a - b) for a, b in zip(there, bare, strict=True)]
    detail = f"Lab without the extension shows its launcher after {median(bare):.1f} s"
    return [
        Figure("jupyter lab to a usable sidebar", median(there), "s", detail=detail),
        Figure("what the extension adds to that", median(more), "ms", detail=f"median of {repeats}"),
    ]


def _sizes() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(ROOT)]
        subprocess.run(pip, check=True, timeout=300)
        wheel = next(Path(folder).glob("*.whl")).stat().st_size
    packed = {path.name.partition(".")[0]: len(gzip.compress(path.read_bytes())) for path in STATIC.iterdir()}
    plain = {path.name.partition(".")[0]: path.stat().st_size for path in STATIC.iterdir()}
    detail = ", ".join(
        f"{name} {size / 1e3:.0f} kB ({packed[name] / 1e3:.0f} packed)" for name, size in plain.items()
    )
    always = sum(size for name, size in plain.items() if name != "viewer")
    return [
        Figure("the wheel", wheel / 1e6, "MB"),
        Figure("extension, loaded with the page", always / 1e3, "kB", detail=detail),
    ]


def run(quick: bool, say: Say) -> list[Figure]:
    """Starts in turn, and what there is to load."""
    return [*_start(2 if quick else 5, say), *_sizes()]


def main() -> None:
    """From the command line."""
    given = parser(str(__doc__).splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["lab"], before)


if __name__ == "__main__":
    main()
