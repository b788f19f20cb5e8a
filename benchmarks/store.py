"""Store: what keeping a run costs it, with the store on and off in turn.

* The 100 × 600 run of `efficiency`: at most 3 % more.
* The empty 100 nodes × 0.2 MB one of `dispatch`: at most 5 ms an iteration more.

Both are whole runs from start to end, the last write included.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import dispatch, efficiency
from benchmarks.report import Figure, Say, machine, parser, save, table
from manta_nb.session.session import Session

__all__ = ["run"]

PERCENT, MILLISECONDS = 3.0, 5.0
EMPTY = dispatch.Cell(100, 0.2, 60, 1)


def _empty(session: Session) -> float:
    """Seconds of an iteration, over a whole run."""
    start = time.perf_counter()
    session.run(dispatch.swarm(EMPTY), iterations=EMPTY.iterations, seed=0).wait(600)
    return (time.perf_counter() - start) / EMPTY.iterations


def _trained(session: Session, iterations: int) -> float:
    start = time.perf_counter()
    efficiency.federated(session, efficiency.first_weights(), iterations)
    return (time.perf_counter() - start) / iterations


def _dispatch(repeats: int, say: Say) -> Figure:
    on, off, written = [], [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        Session(nodes=100, workers=len(os.sched_getaffinity(0)), store=folder) as kept,
        Session(nodes=100, workers=len(os.sched_getaffinity(0)), store="off") as unkept,
    ):
        _empty(kept), _empty(unkept)
        for _ in range(repeats):
            off.append(_empty(unkept))
            on.append(_empty(kept))
            latest = kept.runs[-1].run_id
            written.append(len([each for each in kept.store.iterations(latest) if each.held]))
            say(f"store: {1e3 * on[-1]:.1f} ms an iteration with it, {1e3 * off[-1]:.1f} ms without")
    more = [1e3 * (a - b) for a, b in zip(on, off, strict=True)]
    detail = (
        f"{1e3 * median(on):.1f} ms an iteration, {1e3 * median(off):.1f} ms without; "
        f"values of {median(written):.0f} of {EMPTY.iterations} iterations written"
    )
    name = "store's cost, 100 × 0.2 MB, an iteration"
    return Figure(name, median(more), "ms", MILLISECONDS, detail=detail, numbers={"on s": on, "off s": off})


def _training(repeats: int, iterations: int, say: Say) -> Figure:
    on, off = [], []
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        (data := Path(folder) / "data").mkdir()
        source = str(efficiency.folder_of(efficiency.samples(), data))
        with (
            Session(data=source, workers=cores, store=Path(folder) / "store") as kept,
            Session(data=source, workers=cores, store="off") as unkept,
        ):
            _trained(kept, 2), _trained(unkept, 2)
            for _ in range(repeats):
                off.append(_trained(unkept, iterations))
                on.append(_trained(kept, iterations))
                say(f"store: {on[-1]:.3f} s an iteration with it, {off[-1]:.3f} s without")
    more = [100 * (a / b - 1) for a, b in zip(on, off, strict=True)]
    detail = f"{median(on):.3f} s an iteration, {median(off):.3f} s without"
    name = "store's cost, 100 × 600 samples"
    return Figure(name, median(more), "%", PERCENT, detail=detail, numbers={"on s": on, "off s": off})


def run(quick: bool, say: Say) -> list[Figure]:
    """On and off in turn."""
    return [_training(2 if quick else 6, 4 if quick else 10, say), _dispatch(3 if quick else 10, say)]


def main() -> None:
    """From the command line."""
    given = parser(str(__doc__).splitlines()[0]).parse_args()
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["store"], before)


if __name__ == "__main__":
    main()
