"""The live monitor: what it costs the kernel and the run, and how smooth it is in a real browser.

Three things: the kernel's time an update, with a comm that writes to nowhere and in a real JupyterLab; the run with
and without a monitor in turn; and the screen of 1000 iterations × 100 nodes at ten updates a second.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import comm
import numpy as np
from comm.base_comm import BaseComm
from playwright.sync_api import sync_playwright

from benchmarks import monitor_page
from benchmarks.monitor_costs import Costs
from benchmarks.report import Figure, Say, machine, parser, save, table
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.run import Run
from manta_nb.session.session import Session
from manta_nb.ui.monitor.making import make_monitor
from manta_nb.ui.monitor.monitor import Monitor
from tests.browser import chromium
from tests.browser.notebook import OpenNotebook, write
from tests.browser.server import Server

__all__ = ["run"]

ROOT = Path(__file__).parent.parent
NODES = 100
UPDATE_BAR, RUN_BAR, FRAME_BAR, TASK_BAR = 0.2, 2.0, 50.0, 200.0

#: some milliseconds of work a node, three steps of a metric, an array and a line
WORKER = """
import numpy as np
from manta_light.task import Task

class Worker(Task):
    def run(self):
        random = np.random.default_rng(self.world.iteration)
        for step in range(3):
            matrix = random.random((120, 120))
            for _ in range(6):
                matrix = matrix @ matrix / 120
            self.world.metric("loss", 1 / (1 + self.world.iteration + step / 3), step=step)
        self.world.results.add("update", matrix[:16].astype(np.float32))
        print("iteration", self.world.iteration)
"""
AGGREGATOR = """
import numpy as np
from manta_light.task import Task

class Aggregator(Task):
    def run(self):
        updates = self.world.results.select("update")
        self.world.globals["model"] = np.mean(list(updates.values()), axis=0)
"""
#: a notebook with the same run, whose monitor notes what each of its updates takes the kernel
CELLS = (
    """%load_ext manta_nb
import sys
sys.path.append(ROOT)
from benchmarks.monitor_costs import Costs
costs = Costs().__enter__()
s = %manta start --nodes NODES --workers 2""",
    f"%%module worker --all{WORKER}",
    f"%%module aggregator{AGGREGATOR}",
    "%%swarm fl --iterations ITERATIONS --seed 7\nworker >> aggregator",
    "fl.wait();",
)


class Wire(BaseComm):
    """A comm that turns messages into JSON, as a kernel does, and writes them to nowhere."""

    def publish_msg(self, msg_type: str, data: Any = None, *more: Any, **others: Any) -> None:
        """What goes to the browser."""
        json.dumps(data)


def _iterations(session: Session, count: int, monitored: bool) -> list[float]:
    """Seconds of each iteration but the first, from commit to commit."""
    files: dict[str, str] = {}
    worker = Module.from_source(WORKER, name="worker", files=files, method="all")
    aggregator = Module.from_source(AGGREGATOR, name="aggregator", files=files)
    swarm = FlowSwarm("watched", worker >> aggregator, {"model": np.zeros((16, 120), np.float32)})
    ends: dict[int, float] = {}
    run = session.run(swarm, iterations=count, seed=0)
    monitor = _attached(run, session) if monitored else None
    run.watch(lambda run: ends.setdefault(run.iteration, time.perf_counter()))
    run.wait(600)
    if monitor is not None:
        monitor.close()
        monitor.join(10)
    return [ends[k] - ends[k - 1] for k in range(2, count + 1) if k in ends and k - 1 in ends]


def _attached(run: Run, session: Session) -> Monitor:
    """A monitor that a screen listens to."""
    monitor = make_monitor(run, lambda: session, lambda watched: None, "live", lambda: False)
    monitor._commands.handle({"op": "hello", "view": "benchmark"})
    return monitor


def _in_turn(quick: bool, say: Say) -> list[Figure]:
    """The run with and without a monitor; and what the updates took on the way."""
    count, repeats = (8, 3) if quick else (12, 12)
    turns: list[dict[bool, float]] = []
    made, comm.create_comm = comm.create_comm, Wire
    try:
        with Session(nodes=NODES, workers=2, store="off") as session, Costs() as costs:
            _iterations(session, 3, monitored=True)
            costs.updates.clear()
            costs.beside.clear()
            for turn in range(repeats):
                order = (False, True) if turn % 2 else (True, False)
                turns.append(
                    {monitored: median(_iterations(session, count, monitored)) for monitored in order}
                )
                say(f"monitor: {turns[-1][True]:.3f} s an iteration, {turns[-1][False]:.3f} s without")
    finally:
        comm.create_comm = made
    # of each turn by itself: what else the machine does changes slowly
    beyond = median(turn[True] / turn[False] - 1 for turn in turns)
    watched, bare = (median(turn[monitored] for turn in turns) for monitored in (True, False))
    return [
        Figure(
            f"monitor's cost to the run, {NODES} nodes",
            beyond * 100,
            "%",
            RUN_BAR,
            detail=f"{watched:.3f} s an iteration, {bare:.3f} s without, {len(turns)} turns",
            numbers={"with s": [turn[True] for turn in turns], "without s": [turn[False] for turn in turns]},
        ),
        *_costs("without a front end", costs.updates, costs.beside),
    ]


def _costs(where: str, updates: list[float], beside: list[float]) -> list[Figure]:
    found = []
    for what, seconds, bar in (("update", updates, UPDATE_BAR), ("work beside an update", beside, None)):
        ordered = sorted(seconds)
        late = ordered[int(len(ordered) * 0.95)] * 1000
        detail = f"kernel time, median of {len(ordered)}, {NODES} nodes; p95 {late:.2f} ms"
        name = f"monitor's {what}, {where}"
        found.append(
            Figure(name, median(ordered) * 1000, "ms", bar, detail=detail, numbers={"seconds": ordered})
        )
    return found


def _in_lab(path: str, quick: bool) -> list[Figure]:
    """The same in a kernel of JupyterLab, with a browser that draws."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "lab") as server,
        sync_playwright() as playwright,
    ):
        browser = chromium.launch(playwright, path)
        words = {"ROOT": repr(str(ROOT)), "NODES": str(NODES), "ITERATIONS": "12" if quick else "40"}
        cells = [re.sub("ROOT|NODES|ITERATIONS", lambda word: words[word[0]], cell) for cell in CELLS]
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        notebook = OpenNotebook(page, server, write(server.folder / "monitor.ipynb", cells))
        notebook.open()
        for index in range(len(cells)):
            notebook.run(index, 300)
        updates, beside = notebook.ask("[costs.updates, costs.beside]")
        notebook.shut_down()
        browser.close()
    return _costs("JupyterLab and browser", updates, beside)


def _smooth(quick: bool, say: Say) -> list[Figure]:
    seconds = 4.0 if quick else 10.0
    found = monitor_page.measure(seconds=seconds)
    say(
        f"monitor: p95 frame {found.p95:.0f} ms, longest task {found.longest:.0f} ms ({found.work:.0f} at work)"
    )
    name = "monitor in the browser, 1000 iterations × 100 nodes"
    detail = f"{found.count} frames in {seconds:g} s at 10 updates a second"
    return [
        Figure(f"{name}, p95 frame", found.p95, "ms", FRAME_BAR, detail=detail),
        Figure(
            f"{name}, longest task",
            found.longest,
            "ms",
            TASK_BAR,
            detail=f"of the main thread, the first draw too; {found.work:.0f} ms of it at work",
        ),
    ]


def run(quick: bool, say: Say) -> list[Figure]:
    """All of it; without a browser, what needs none."""
    figures = _in_turn(quick, say)
    path = chromium.find()
    if path is None:
        say(f"monitor: {chromium.HOW_TO_GET_ONE}")
        return figures
    parts: list[Callable[[], list[Figure]]] = [lambda: _in_lab(path, quick), lambda: _smooth(quick, say)]
    for part in parts:
        try:
            figures += part()
        except FileNotFoundError as error:
            say(f"monitor: {error}")
    return figures


def main() -> None:
    """From the command line."""
    given = parser(str(__doc__).splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["monitor"], before)


if __name__ == "__main__":
    main()
