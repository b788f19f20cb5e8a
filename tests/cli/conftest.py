"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

SWARM = '''
from manta.swarm import Swarm
from manta.module import Module

print("loading")


class Small(Swarm):
    """One module that runs everywhere."""

    def __init__(self, n_workers=2):
        super().__init__()
        self.worker = Module("worker.py", maximum=n_workers)

    def execute(self):
        return self.worker()
'''
WORKER = """
from manta_light.task import Task


class Worker(Task):
    def run(self):
        print("from a task")
        self.world.metric("val_acc", 0.5 + self.world.iteration / 10)
"""


@pytest.fixture
def swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small swarm as files, in the folder one works in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    path = tmp_path / "swarm.py"
    path.write_text(SWARM, encoding="utf-8")
    return path
