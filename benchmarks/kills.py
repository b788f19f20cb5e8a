"""Kills: `manta-nb run` killed with -9 at random moments and resumed, fifty times, against an undisturbed run.

Each time: Globals and metrics are bit for bit those of the undisturbed run, no iteration that was told as committed is
missing, and no process is left two seconds after a kill. Run it alone with `python -m benchmarks.kills --times 50`.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.report import Figure, Say, machine, parser, save, table

__all__ = ["run"]

ITERATIONS, TIMES, MOST_KILLS = 8, 50, 3
SWARM = """
import numpy as np
from manta.module import Module
from manta.swarm import Swarm

class Learning(Swarm):
    def __init__(self):
        super().__init__()
        self.worker = Module("worker.py", method="all")
        self.aggregator = Module("aggregator.py")
        self.set_global("at", np.zeros(100))

    def execute(self):
        return self.aggregator(self.worker())
"""
WORKER = """
import random, time
import numpy as np
from manta_light.task import Task

class Worker(Task):
    def run(self):
        x = self.local.get_numpy_data("d")["x"]
        seen = self.local.state["seen"] = self.local.state.get("seen", 0) + 1
        at = self.world.globals["at"]
        time.sleep(0.1)
        moved = at + 0.1 * (x - at) + 0.01 * np.random.randn(*at.shape)
        self.world.metric("loss", float(((x - moved) ** 2).mean()) + random.random() + seen)
        self.world.results.add("moved", moved)
"""
AGGREGATOR = """
from manta_light.task import Task

class Aggregator(Task):
    def run(self):
        moved = list(self.world.results.select("moved").values())
        self.world.globals["at"] = sum(moved) / len(moved)
"""
Left = tuple[dict[str, Any], list[str]]


class Place:
    """A folder with a swarm and the data of four nodes, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("swarm.py", SWARM), ("worker.py", WORKER), ("aggregator.py", AGGREGATOR)):
            (folder / name).write_text(text)
        for number, node in enumerate("abcd"):
            (folder / "data" / node).mkdir(parents=True)
            np.savez(folder / "data" / node / "d.npz", x=np.random.default_rng(number).random(100))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `manta-nb`."""
        command = [sys.executable, "-m", "manta_nb", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, stdout=pipe, stderr=pipe, text=True)

    def begin(self) -> subprocess.Popen[str]:
        """Start the run."""
        words = ["--nodes", "4", "--data", "data", "--iterations", str(ITERATIONS), "--seed", "7", "--json"]
        return self.start("run", "swarm.py", *words)

    def told(self, *words: str) -> str:
        """What it says on stdout; it must not fail."""
        out, err = (process := self.start(*words)).communicate(timeout=90)
        if process.returncode:
            raise AssertionError(f"{words}: {err}")
        return out

    def left(self, run_id: str) -> Left:
        """Globals and metrics of a run."""
        self.told("runs", "export", run_id, "--globals", "g.npz", "--metrics", "m.csv")
        with np.load(self.folder / "g.npz") as stored:
            arrays = {name: stored[name] for name in stored}
        return arrays, sorted((self.folder / "m.csv").read_text().splitlines())

    def runs(self) -> dict[str, dict[str, Any]]:
        """All runs by their ids."""
        return {run["run_id"]: run for run in json.loads(self.told("runs", "list", "--json"))}


def _kill_somewhere(process: subprocess.Popen[str], dice: random.Random) -> int:
    """Kill it at a random moment after its start; returns the iterations it had told as committed."""
    told, begun = [0], threading.Event()

    def read() -> None:
        for line in process.stderr or ():
            begun.set()
            told.extend(int(number) for number in re.findall(r"iteration (\d+) of", line))

    reader = threading.Thread(target=read)
    reader.start()
    begun.wait(60)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(dice.uniform(0.0, 3.5))
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=2)
    orphans = [each for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    if orphans:
        raise AssertionError(f"left after two seconds: {orphans}")
    reader.join()
    return max(told)


def _once(place: Place, dice: random.Random) -> tuple[str, int]:
    """One run to its end, killed up to three times on its way; its id and how often."""
    known, run_id = place.runs().keys(), ""
    process = place.begin()
    for kills in range(MOST_KILLS):
        told = _kill_somewhere(process, dice)
        found = {key: run for key, run in place.runs().items() if key not in known}
        for run_id, kept in found.items():
            if kept["iterations"] < told:
                raise AssertionError(
                    f"iteration {told} was told as committed, and {kept['iterations']} are kept"
                )
            if kept["status"] == "completed":
                return run_id, kills
        process = place.start("runs", "resume", run_id, "--json") if run_id else place.begin()
    out, err = process.communicate(timeout=90)
    if process.returncode:
        raise AssertionError(err)
    return json.loads(out)["run_id"], MOST_KILLS


def run(quick: bool, say: Say, times: int = 0) -> list[Figure]:
    """Undisturbed once, then killed again and again."""
    dice, kills = random.Random(0), 0
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        out, _ = place.begin().communicate(timeout=90)
        arrays, metrics = place.left(json.loads(out)["run_id"])
        count = times or (5 if quick else TIMES)
        for number in range(count):
            run_id, killed = _once(place, dice)
            kills += killed
            after, rows = place.left(run_id)
            for name, array in arrays.items():
                np.testing.assert_array_equal(after[name], array)
            if rows != metrics:
                raise AssertionError(f"run {number}: the metrics differ")
            say(f"kills: run {number + 1} of {count} is the same after {killed} kills")
    detail = "Globals and metrics bit for bit the same, nothing committed missing, no process left"
    return [Figure(f"{count} runs killed and resumed", float(kills), "kills", detail=detail)]


def main() -> None:
    """From the command line."""
    arguments = parser(str(__doc__).splitlines()[0])
    arguments.add_argument("--times", type=int, default=0, help=f"how many runs; {TIMES} by default")
    given = arguments.parse_args()
    before = machine()
    figures = run(given.quick, print, given.times)
    print(table(figures))
    save(figures, ["kills"], before)


if __name__ == "__main__":
    main()
