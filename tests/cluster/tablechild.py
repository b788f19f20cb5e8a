"""A process that starts runs, waits until each has committed something, and is killed in the middle of them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from manta_nb import Session
from tests.cluster.test_runs_table import start
from tests.waiting import until


def main(store: str, folder: str, count: int) -> None:
    """Kill this process while `count` runs go on."""
    # nodes of its own for each, as a task that waits keeps its node
    runs = [
        start(Session(nodes=2, workers=1, store=store), f"interrupted_{number}", Path(folder))
        for number in range(count)
    ]
    until(lambda: all(run.iteration >= 1 for run in runs), 60)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
