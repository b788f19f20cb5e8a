"""Faults: 30 iterations of 0.2 s on 4 nodes under 11 random SIGKILLs of nodes, against the same undisturbed."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from statistics import median

from benchmarks.report import Figure, Say, machine, parser, save, table
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.run import Run
from manta_nb.session.session import Session

__all__ = ["run"]

ITERATIONS, NODES, KILLS = 30, 4, 11
BAR = 1.5
WORKER = """
import time
from manta_light.task import Task

class Worker(Task):
    def run(self):
        time.sleep(0.2)
        self.world.results.add("counted", self.world.globals["counted"] + 1.0)
"""
AGGREGATOR = """
from manta_light.task import Task

class Aggregator(Task):
    def run(self):
        values = self.world.results.select("counted").values()
        self.world.globals["counted"] = sum(values) / len(values)
        self.world.globals["nodes"] = self.world.globals["nodes"] + len(values)
"""


def _start(session: Session, name: str) -> Run:
    worker = Module.from_source(WORKER, name="worker", method="all")
    aggregator = Module.from_source(AGGREGATOR, name="aggregator")
    swarm = FlowSwarm(name, worker >> aggregator, {"counted": 0.0, "nodes": 0})
    return session.run(swarm, iterations=ITERATIONS, seed=0)


def _check(run: Run) -> None:
    told = run.globals["counted"], run.globals["nodes"]
    if told != (float(ITERATIONS), ITERATIONS * NODES):
        raise AssertionError(f"the run counted to {told}, not to {ITERATIONS} with every node each time")


def _disturb(session: Session, run: Run, expected: float, seed: int) -> int:
    """Kill the worker process of a random node at random moments of the run; returns how often."""
    dice = random.Random(seed)
    start = time.monotonic()
    moments = sorted(dice.uniform(0.02, 0.9) * expected for _ in range(KILLS))
    killed = 0
    for moment in moments:
        time.sleep(max(0.0, start + moment - time.monotonic()))
        if run.finished:
            break
        node = session.nodes[dice.choice(list(session.nodes))]
        # it may be dead already, and on its way back
        with suppress(ProcessLookupError):
            os.kill(node.pid, signal.SIGKILL)
            killed += 1
    return killed


def run(quick: bool, say: Say) -> list[Figure]:
    """Undisturbed, then disturbed; the results of both must be exact."""
    rounds = 1 if quick else 3
    calm, wild, kills = [], [], []
    with Session(nodes=NODES, store="off") as session:
        for seed in range(rounds):
            start = time.perf_counter()
            _check(_start(session, "calm").wait(120))
            calm.append(time.perf_counter() - start)
            start = time.perf_counter()
            fl = _start(session, "wild")
            kills.append(_disturb(session, fl, calm[-1], seed))
            _check(fl.wait(120))
            wild.append(time.perf_counter() - start)
            say(f"faults: {calm[-1]:.1f} s undisturbed, {wild[-1]:.1f} s under {kills[-1]} kills, exact")
    ratios = [w / c for w, c in zip(wild, calm, strict=True)]
    detail = f"{median(wild):.1f} s, {median(calm):.1f} s undisturbed, worst pair {max(ratios):.2f}, exact each time"
    numbers = {"calm s": calm, "wild s": wild, "kills": kills, "ratio of each pair": ratios}
    name = f"{ITERATIONS} iterations under {KILLS} SIGKILLs"
    return [Figure(name, median(ratios), bar=BAR, detail=detail, numbers=numbers)]


def main() -> None:
    """From the command line."""
    given = parser(__doc__.splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["faults"], before)


if __name__ == "__main__":
    main()
