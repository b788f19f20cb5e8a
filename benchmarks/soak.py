"""Soak: 2,000 iterations on 20 nodes under random SIGKILLs; the result is exact, and nothing grows.

The run counts on every node, in its results and in its `local.state`. Measured at a tenth of it and at the end: memory
of the kernel and of the nodes, open files of the kernel; and at the end the size of the database beside what its rows
should take.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import Figure, Say, machine, parser, save, table
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.run import Run
from manta_nb.session.session import Session

__all__ = ["run", "soak"]

ITERATIONS, NODES, WORKERS = 2000, 20, 4
#: iterations between two kills
KILL_EVERY = 25
#: a run that keeps everything grows by its history: so many MB of the kernel's memory are allowed
GROWTH_MB = 60.0
#: bytes of the database that an iteration is expected to take: two metrics a node as columns, one Global, 24 batches
#: and 20 log lines
PREDICTED = 2_600

WORKER = """
from manta_light.task import Task

class Worker(Task):
    def run(self):
        seen = self.local.state["seen"] = self.local.state.get("seen", 0) + 1
        counted = self.world.globals["counted"] + 1.0
        self.world.metric("seen", seen)
        self.world.metric("counted", counted)
        self.world.results.add("counted", counted)
"""
AGGREGATOR = """
from manta_light.task import Task

class Aggregator(Task):
    def run(self):
        values = self.world.results.select("counted").values()
        self.world.globals["counted"] = sum(values) / len(values)
        self.world.globals["turns"] = self.world.globals["turns"] + len(values)
"""


def _swarm() -> FlowSwarm:
    worker = Module.from_source(WORKER, name="worker", method="all")
    aggregator = Module.from_source(AGGREGATOR, name="aggregator")
    return FlowSwarm("soak", worker >> aggregator, {"counted": 0.0, "turns": 0})


def _sizes(session: Session) -> dict[str, float]:
    """Memory in MB and open files of the kernel, memory of the worker processes and their children."""
    kernel = psutil.Process()
    nodes = 0.0
    for pid in {node.pid for node in session.nodes.values()}:
        with suppress(psutil.NoSuchProcess):
            worker = psutil.Process(pid)
            for process in (worker, *worker.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    nodes += process.memory_info().rss / 1e6
    return {"kernel": kernel.memory_info().rss / 1e6, "nodes": nodes, "files": float(kernel.num_fds())}


def soak(session: Session, iterations: int, seed: int = 0) -> dict[str, Any]:
    """Run it, killing a random worker process every so many iterations; returns what was measured.

    Raises:
        AssertionError: the result is not exact.
    """
    dice, kills = random.Random(seed), [0]
    early = max(1, iterations // 10)
    sizes: dict[str, dict[str, float]] = {}
    reached, at = threading.Event(), [KILL_EVERY]
    fl = session.run(_swarm(), iterations=iterations, seed=0)

    def watch(run: Run) -> None:
        if run.finished or run.iteration >= at[0]:
            reached.set()

    fl.watch(watch)
    while reached.wait(600) and not fl.finished:
        reached.clear()
        if fl.iteration >= early:
            sizes.setdefault("early", _sizes(session))
        at[0] = fl.iteration + KILL_EVERY
        node = session.nodes[dice.choice(list(session.nodes))]
        # it may be on its way back already
        with suppress(ProcessLookupError):
            os.kill(node.pid, signal.SIGKILL)
            kills[0] += 1
    fl.wait(60)
    sizes["late"] = _sizes(session)
    told = fl.globals["counted"], fl.globals["turns"]
    if told != (float(iterations), iterations * len(session.nodes)):
        raise AssertionError(f"the run counted to {told}, not to {iterations} with every node each time")
    seen = {row.node: row.value for row in fl.metrics.rows("seen")}
    if set(seen.values()) != {float(iterations)}:
        raise AssertionError(f"local.state counted to {seen}")
    return {"sizes": sizes, "kills": kills[0], "run_id": fl.run_id, "seconds": fl.elapsed}


def run(quick: bool, say: Say) -> list[Figure]:
    """One soak."""
    iterations = 200 if quick else ITERATIONS
    with tempfile.TemporaryDirectory() as folder:
        with Session(nodes=NODES, workers=WORKERS, store=folder) as session:
            found = soak(session, iterations)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        database = sum(path.stat().st_size for path in files if path.name.startswith("runs.db"))
        everything = sum(path.stat().st_size for path in files)
    early, late = found["sizes"]["early"], found["sizes"]["late"]
    say(
        f"soak: {iterations} iterations under {found['kills']} kills in {found['seconds']:.0f} s, exact: {early} {late}"
    )
    name = f"soak of {iterations:,} × {NODES} under {found['kills']} kills"
    growth = {what: late[what] - early[what] for what in early}
    numbers = {"early": early, "late": late, "files": len(files), "bytes": everything}
    return [
        Figure(
            f"{name}: kernel memory",
            growth["kernel"],
            "MB more",
            GROWTH_MB,
            detail=f"{late['kernel']:.0f} MB",
            numbers=numbers,
        ),
        Figure(
            f"{name}: nodes' memory", growth["nodes"], "MB more", GROWTH_MB, detail=f"{late['nodes']:.0f} MB"
        ),
        Figure(f"{name}: open files", growth["files"], "more", 8, detail=f"{late['files']:.0f} open"),
        Figure(
            f"{name}: database",
            database / iterations / PREDICTED,
            bar=1.0,
            detail=f"{database / 1e6:.1f} MB, {database / iterations:.0f} bytes an iteration, predicted {PREDICTED}",
        ),
    ]


def main() -> None:
    """From the command line."""
    given = parser(str(__doc__).splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["soak"], before)


if __name__ == "__main__":
    main()
