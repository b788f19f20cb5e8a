"""Dispatch: three stages, no work, against the hand-written Dask loop of `peer`, interleaved in one run.

worker (every node: hands back the model it read, one number counted up) → aggregator (mean) → scheduler (reads a
small result). Run it alone with `python -m benchmarks.dispatch 100 0.2 --iterations 20`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks import averaging
from benchmarks.peer import PeerLoop
from benchmarks.report import Figure, Say, machine, parser, save, table
from benchmarks.traffic import tcp_bytes
from manta_nb.sdk.bytes import numpy_to_bytes
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.run import Run
from manta_nb.session.session import Session

__all__ = ["Cell", "iterate", "measure", "run", "swarm"]

ARRAYS = """
from manta_light.task import Task

class Worker(Task):
    def run(self):
        update = self.world.globals["model"]
        update[0] += 1
        self.world.results.add("update", update)
"""
BYTES = """
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes

class Worker(Task):
    def run(self):
        update = bytes_to_numpy(self.world.globals["model"])
        update[0] += 1
        self.world.results.add("update", numpy_to_bytes(update))
"""
AVERAGE = """
from manta_light.task import Task
from .averaging import average

class Aggregator(Task):
    def run(self):
        mean = average(list(self.world.results.select("update").values()))
        self.world.globals["model"] = mean
        self.world.results.add("counted", float(mean[0]))
"""
AVERAGE_BYTES = """
from manta_light.task import Task
from manta_light.utils import bytes_to_numpy, numpy_to_bytes
from .averaging import average

class Aggregator(Task):
    def run(self):
        updates = bytes_to_numpy(self.world.results.select("update"), copy=False)
        mean = average(list(updates.values()))
        self.world.globals["model"] = numpy_to_bytes(mean)
        self.world.results.add("counted", float(mean[0]))
"""
SCHEDULER = """
from manta_light.task import Task

class Scheduler(Task):
    def run(self):
        (counted,) = self.world.results.select("counted").values()
        self.world.metric("counted", counted)
"""
#: a cell takes about so many times its values: two generations here, the peer's lists and their copies on the way
COPIES = 6


@dataclass(frozen=True)
class Cell:
    """One cell of the table: how many nodes, how many MB each, how long, and what is asked of it."""

    nodes: int
    mb: float
    iterations: int
    repeats: int
    bar: float | None = None
    bytes_only: bool = False

    @property
    def size(self) -> int:
        """float32 numbers in a model."""
        return int(self.mb * 1e6 / 4)

    @property
    def name(self) -> str:
        """What it is called in the table."""
        how = " by numpy_to_bytes" if self.bytes_only else ""
        return f"dispatch {self.nodes:,} × {self.mb:g} MB{how}"

    @property
    def needs(self) -> float:
        """GB of memory it may take."""
        return self.nodes * self.mb * COPIES / 1000


CELLS = [
    Cell(10, 0.02, 30, 3),
    Cell(10, 0.2, 30, 3),
    Cell(10, 10, 10, 3),
    Cell(10, 100, 12, 3, 0.35),
    Cell(10, 100, 4, 2, bytes_only=True),
    Cell(100, 0.02, 30, 3),
    Cell(100, 0.2, 30, 5, 1.1),
    Cell(100, 10, 5, 3),
    Cell(1000, 0.02, 15, 3),
    Cell(1000, 0.2, 12, 4, 0.6),
    Cell(1000, 10, 3, 2),
    Cell(10_000, 0.02, 12, 3, 0.6),
    Cell(10_000, 0.2, 4, 2),
]
MEMORY = "kernel memory over 50 iterations of 10,000 × 0.02 MB"
TRAFFIC = "bytes through the kernel, 10 × 100 MB"


def swarm(cell: Cell) -> FlowSwarm:
    """What is run."""
    model: Any = np.zeros(cell.size, dtype=np.float32)
    if cell.bytes_only:
        model = numpy_to_bytes(model)
    worker = Module.from_source(BYTES if cell.bytes_only else ARRAYS, name="worker", method="all")
    average = AVERAGE_BYTES if cell.bytes_only else AVERAGE
    files = {"averaging.py": Path(averaging.__file__).read_text(encoding="utf-8")}
    aggregator = Module.from_source(average, name="aggregator", files=files)
    scheduler = Module.from_source(SCHEDULER, name="scheduler")
    return FlowSwarm("dispatch", worker >> aggregator >> scheduler, {"model": model})


def iterate(
    session: Session, cell: Cell, each: Callable[[int], None] = lambda iteration: None
) -> list[float]:
    """Seconds of each iteration, from commit to commit; the values of every iteration are checked."""
    ends: dict[int, float] = {}

    def watch(run: Run) -> None:
        done = run.iteration
        if done not in ends:
            ends[done] = time.perf_counter()
            each(done)

    start = time.perf_counter()
    run = session.run(swarm(cell), iterations=cell.iterations, seed=0)
    run.watch(watch)
    run.wait(600)
    counted = [row.value for row in run.metrics.rows()]
    if not np.allclose(counted, np.arange(1, cell.iterations + 1), rtol=1e-3):
        raise AssertionError(f"the run counted {counted}")
    ends[0] = start
    return [ends[k] - ends[k - 1] for k in range(1, cell.iterations + 1)]


def measure(session: Session, peer: PeerLoop, cell: Cell) -> list[Figure]:
    """Ours and the peer in turn; medians of all iterations but the first of each turn."""
    ours: list[list[float]] = []
    peers: list[list[float]] = []
    memory: dict[int, float] = {}
    before = tcp_bytes()
    for _ in range(cell.repeats):
        ours.append(iterate(session, cell))
        between = tcp_bytes()
        peers.append(peer.run(cell.nodes, cell.size, cell.iterations))
        traffic = between - before
        before = tcp_bytes()
    return [_ratio(cell, ours, peers), *_extras(session, cell, traffic, memory)]


def _ratio(cell: Cell, ours: list[list[float]], peers: list[list[float]]) -> Figure:
    mine, theirs = _steady(ours), _steady(peers)
    each = [median(a[1:]) / median(b[1:]) for a, b in zip(ours, peers, strict=True)]
    first = f"first {1e3 * median(t[0] for t in ours):.0f} and {1e3 * median(t[0] for t in peers):.0f}"
    return Figure(
        cell.name,
        mine / theirs,
        bar=None if cell.bytes_only else cell.bar,
        detail=f"{1e3 * mine:.1f} ms an iteration, Dask loop {1e3 * theirs:.1f} ms ({first})",
        numbers={"ours s": ours, "peer s": peers, "ratio of each turn": each},
    )


def _steady(turns: list[list[float]]) -> float:
    return median([seconds for turn in turns for seconds in turn[1:]])


def _extras(session: Session, cell: Cell, traffic: int, memory: dict[int, float]) -> list[Figure]:
    if (cell.nodes, cell.mb, cell.bytes_only) == (10, 100, False):
        each = traffic / cell.iterations / 1e6
        return [
            Figure(TRAFFIC, each, "MB an iteration", 1, detail="TCP, both directions, Dask's own included")
        ]
    if (cell.nodes, cell.mb) == (10_000, 0.02):
        long = Cell(cell.nodes, cell.mb, 50, 1)
        iterate(session, long, lambda iteration: memory.__setitem__(iteration, own_memory()))
        grown = memory[50] - memory[10]
        numbers = {"MB after iteration": memory}
        detail = f"{memory[10]:.0f} MB after 10, {memory[50]:.0f} MB after 50"
        return [Figure(MEMORY, grown, "MB grown", 5, detail=detail, numbers=numbers)]
    return []


def own_memory() -> float:
    """MB of memory that is this process's own."""
    _, resident, shared, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(quick: bool, say: Say, cells: Sequence[Cell] | None = None) -> list[Figure]:
    """Measure the cells that fit into memory (with `quick` those that have a bar, shorter)."""
    cores = len(os.sched_getaffinity(0))
    figures: list[Figure] = []
    chosen = list(cells or [cell for cell in CELLS if cell.bar or not quick])
    if quick:
        chosen = [
            Cell(c.nodes, c.mb, max(4, c.iterations // 3), min(2, c.repeats), c.bar, c.bytes_only)
            for c in chosen
        ]
    with PeerLoop(cores) as peer:
        for nodes in sorted({cell.nodes for cell in chosen}):
            with Session(nodes=nodes, workers=cores, store="off") as session:
                for cell in (cell for cell in chosen if cell.nodes == nodes):
                    free = psutil.virtual_memory().available / 1e9
                    if cell.needs > free:
                        say(f"{cell.name}: not run, it takes {cell.needs:.0f} GB, {free:.0f} are free")
                        continue
                    measured = measure(session, peer, cell)
                    for figure in measured:
                        say("  ".join(figure.line()))
                    figures += measured
    return figures


def main() -> None:
    """From the command line: all cells, or one."""
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("nodes", type=int, nargs="?", help="only this many nodes")
    arguments.add_argument("mb", type=float, nargs="?", default=0.2, help="MB a node")
    arguments.add_argument("--iterations", type=int, default=20)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--bytes", action="store_true", help="through numpy_to_bytes")
    given = arguments.parse_args()
    before = machine()
    cells = None
    if given.nodes:
        bars = {(cell.nodes, cell.mb): cell.bar for cell in CELLS if cell.bar}
        bar = bars.get((given.nodes, given.mb))
        cells = [Cell(given.nodes, given.mb, given.iterations, given.repeats, bar, given.bytes)]
    figures = run(given.quick, print, cells)
    print(table(figures))
    if cells is None:
        save(figures, ["dispatch"], before)


if __name__ == "__main__":
    main()
