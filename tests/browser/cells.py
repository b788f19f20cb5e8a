"""Cells of a small swarm whose every iteration waits for a gate: the screen stands still where a test looks at it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["AGGREGATOR", "BUSY", "WORKER", "Gate", "late", "start", "swarm"]

#: Three steps an iteration, an array and a line of output a node; from iteration `hold` on it waits for the gate.
WORKER = """%%module worker --all
import time
from pathlib import Path
import numpy as np
from manta_light.task import Task

class Worker(Task):
    def run(self):
        settings = self.world.globals["settings"]
        gate = Path(settings["gate"])
        while not (gate.exists() and int(gate.read_text() or 0) > self.world.iteration):
            time.sleep(0.01)
        number = int(self.world.node_id.rpartition("_")[2])
        model = np.asarray(self.world.globals["model"])
        for step in range(3):
            self.world.metric("loss", 1 / (1 + self.world.iteration + step / 3) + number / 7, step=step)
        self.world.metric("accuracy", (self.world.iteration + 1) / (self.world.iteration + 2 + number / 3))
        self.world.results.add("update", model + np.float32(number + 1))
        print("line of", self.world.node_id, "in iteration", self.world.iteration)
"""
AGGREGATOR = """%%module aggregator
import numpy as np
from manta_light.task import Task

class Aggregator(Task):
    def run(self):
        updates = self.world.results.select("update")
        self.world.globals["model"] = np.mean(list(updates.values()), axis=0)
"""

#: Holds the kernel, and says so first.
BUSY = """import time
print("held")
until = time.monotonic() + SECONDS
while time.monotonic() < until:
    time.sleep(0.02)"""


def start(nodes: int = 3, data: str = "") -> str:
    """The cell that starts the nodes."""
    options = f"--data {data}" if data else f"--nodes {nodes}"
    return f"%load_ext manta_nb\ns = %manta start {options}"


def swarm(gate: Gate, iterations: int = 50, name: str = "fl") -> str:
    """The cell that starts the run; it shows the monitor."""
    return f"""%%swarm {name} --iterations {iterations} --seed 7
import numpy as np
set_global("model", np.zeros((8, 4), np.float32))
set_global("settings", {{"gate": {str(gate.path)!r}}})
worker >> aggregator"""


def late(gate: Gate) -> str:
    """The cell that starts a run and shows nothing."""
    return f"""import numpy as np
from manta_nb import Swarm

class Late(Swarm):
    def __init__(self):
        super().__init__()
        self.set_global("model", np.zeros((8, 4), np.float32))
        self.set_global("settings", {{"gate": {str(gate.path)!r}}})

    def execute(self):
        return aggregator(worker())

fl = s.run(Late(), iterations=9, seed=1, name="fl")"""


class Gate:
    """Lets a run through its first `n` iterations: then it stands, with iteration `n` running, until told otherwise."""

    def __init__(self, path: Path, n: int = 0) -> None:
        self.path = path
        self.open(n)

    def open(self, n: int = 1_000_000) -> None:
        """Let it through `n` iterations in all."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(str(n), encoding="utf-8")
        # at once, or a node reads half a number
        fresh.replace(self.path)
