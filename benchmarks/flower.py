"""Flower: 100 clients × 0.2 MB with no work, against Flower's simulation (Ray backend) in a Python of its own.

The environment `benchmarks/.venv-flower` is made with `--install` (`make bench FLOWER=1`); where it is absent the
benchmark is skipped, with a line that says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.dispatch import Cell, iterate
from benchmarks.report import Figure, Say, machine, parser, save, table
from manta_nb.session.session import Session

__all__ = ["install", "run"]

HERE = Path(__file__).parent
VENV = HERE / ".venv-flower"
PYTHON = VENV / "bin" / "python"
BAR = 40
#: Flower's round as FedAvg has it by default trains and evaluates on every client
ROUNDS = {"a round of FedAvg's defaults (train, evaluate)": 1.0, "a round that only trains": 0.0}


def install(say: Say) -> None:
    """Make the environment; does nothing where it is there."""
    if PYTHON.exists():
        return
    say(f"installing Flower in {VENV} …")
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run([str(PYTHON), "-m", "pip", "install", "-q", "flwr[simulation]"], check=True)


def _flower(cell: Cell, evaluating: float) -> list[float]:
    """Seconds of each round."""
    arguments = [cell.nodes, cell.size, cell.iterations, evaluating]
    quiet = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "FLWR_TELEMETRY_ENABLED": "0"}
    told = subprocess.run(
        [str(PYTHON), str(HERE / "flower_rounds.py"), *map(str, arguments)],
        env=quiet,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if told.returncode:
        raise RuntimeError(f"Flower ended with {told.returncode}: {(told.stdout + told.stderr)[-2000:]}")
    seconds: list[float] = json.loads(told.stdout.strip().splitlines()[-1])
    return seconds


def run(quick: bool, say: Say) -> list[Figure]:
    """Ours and Flower in turn; how many times faster an iteration is."""
    if not PYTHON.exists():
        say("flower: skipped, Flower is not installed; `make bench FLOWER=1` installs it apart")
        return []
    mine: list[float] = []
    theirs: dict[str, list[float]] = {what: [] for what in ROUNDS}
    rounds = Cell(100, 0.2, 4 if quick else 6, 1)
    for _ in range(1 if quick else 2):
        for what, evaluating in ROUNDS.items():
            # the session is closed while Flower runs: Ray gets the machine for itself
            with Session(nodes=100, workers=len(os.sched_getaffinity(0)), store="off") as session:
                mine += iterate(session, Cell(100, 0.2, 20, 1))[1:]
            theirs[what] += _flower(rounds, evaluating)[1:]
            say(f"flower: {what}: {median(theirs[what]):.2f} s, ours {1e3 * median(mine):.0f} ms")
    return _figures(mine, theirs)


def _figures(mine: Sequence[float], theirs: dict[str, list[float]]) -> list[Figure]:
    ours = median(mine)
    figures = []
    for number, (what, seconds) in enumerate(theirs.items()):
        figures.append(
            Figure(
                f"Flower, 100 × 0.2 MB, {what}",
                median(seconds) / ours,
                "× slower",
                BAR if number == 0 else None,
                least=True,
                detail=f"Flower {median(seconds):.2f} s, ours {1e3 * ours:.1f} ms",
                numbers={"ours s": list(mine), "flower s": seconds},
            )
        )
    return figures


def main() -> None:
    """From the command line."""
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--install", action="store_true", help="make the environment first")
    given = arguments.parse_args()
    if given.install:
        install(print)
    before = machine()
    figures = run(given.quick, print)
    print(table(figures))
    save(figures, ["flower"], before)


if __name__ == "__main__":
    main()
