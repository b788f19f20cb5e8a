"""A real browser with the monitor of a long run: how long its frames take, and how long its main thread is held."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.monitor_stream import stream
from tests.browser import chromium, harness
from tests.browser.screen import Monitor

__all__ = ["Frames", "measure"]

#: Started with the page: the time between frames, and the main thread's long tasks.
WATCH = """() => {
  const watch = (window.mantaFrames = {frames: [], tasks: []});
  const note = entry => watch.tasks.push([entry.startTime, entry.duration]);
  new PerformanceObserver(list => list.getEntries().forEach(note)).observe({type: 'longtask', buffered: true});
  let last = performance.now();
  const frame = now => { watch.frames.push([now, now - last]); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
READ = "() => window.mantaFrames"


@dataclass(frozen=True)
class Frames:
    """Milliseconds: of the slowest frame in twenty, of the longest task; and how many frames there were.

    `work` is what the longest task takes of a processor: on a busy machine a task also waits for one.
    """

    p95: float
    longest: float
    work: float
    count: int

    @classmethod
    def of(cls, told: dict[str, Any], trace: bytes) -> Frames:
        """From what the page noted, and Chromium's own trace of its main thread."""
        frames = [length for _, length in told["frames"]]
        tasks = [length for _, length in told["tasks"]]
        return cls(quantiles(frames, n=20)[-1], max(tasks, default=0.0), _work(trace), len(frames))


def _work(trace: bytes) -> float:
    events = json.loads(trace)["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [event for event in events if event["ph"] == "X" and (event["pid"], event["tid"]) in main]
    return max((event.get("tdur", 0) for event in tasks), default=0) / 1000


def measure(iterations: int = 1000, nodes: int = 100, seconds: float = 10, speed: float = 1) -> Frames:
    """Half of the run is there when the page opens, the rest comes in ten updates a second (`speed` 0: at once).

    Raises:
        RuntimeError: there is no browser.
        FileNotFoundError: there is no Node to build the page with.
    """
    path = chromium.find()
    if path is None:
        raise RuntimeError(chromium.HOW_TO_GET_ONE)
    harness.build()
    before, updates = iterations // 2, round(seconds * 10)
    messages = stream(iterations, nodes, before, max(1, (iterations - before) // updates), 0.1)
    with tempfile.TemporaryDirectory() as folder:
        dist = Path(shutil.copytree(harness.DIST, Path(folder) / "dist"))
        (dist / "fixtures").mkdir(exist_ok=True)
        (dist / "fixtures" / "long.json").write_text(json.dumps(messages), encoding="utf-8")
        with harness.Harness(dist) as serving, sync_playwright() as playwright:
            browser = chromium.launch(playwright, path)
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.add_init_script(f"({WATCH})()")
            browser.start_tracing(page=page, categories=["toplevel"])
            told = _replayed(page, serving, speed, seconds)
            trace = browser.stop_tracing()
            monitor = Monitor(page.locator("body"))
            monitor.wait(status="completed", iteration=iterations)
            if monitor.read("loss").n != nodes:
                raise RuntimeError(f"the screen does not show {nodes} nodes: {monitor.state()}")
            chromium.shoot(page, f"benchmark-{iterations}x{nodes}")
            browser.close()
    return Frames.of(told, trace)


def _replayed(page: Page, serving: harness.Harness, speed: float, seconds: float) -> dict[str, Any]:
    page.goto(serving.address("long", speed=speed))
    expect(page.locator("body")).to_have_attribute("data-ready", "true", timeout=(seconds * 4 + 60) * 1000)
    told: dict[str, Any] = page.evaluate(READ)
    return told
