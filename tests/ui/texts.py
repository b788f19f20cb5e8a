"""Cells that many tests begin with."""

from __future__ import annotations

MODEL = """%%module worker --file model.py
class MLP:
    def get_weights(self):
        return {"w": [1.0, 2.0]}
"""

WORKER = """%%module worker --all
from manta_light.task import Task
class Worker(Task):
    def run(self):
        lr = self.world.globals["lr"]
        self.world.results.add("model_params", lr)
"""

AGGREGATOR = """%%module aggregator
from manta_light.task import Task
class Aggregator(Task):
    def run(self):
        found = self.world.results.select("model_params")
        self.world.globals["lr"] = sum(found.values())
"""

SCHEDULER = """%%module scheduler
from manta_light.task import Task
class Scheduler(Task):
    def run(self):
        self.world.stop_swarm()
"""

START = "%manta start --nodes 8 --data digits"

FLOW = """%%swarm fl --iterations 3
set_global("lr", 0.1)
worker >> aggregator >> scheduler
"""
