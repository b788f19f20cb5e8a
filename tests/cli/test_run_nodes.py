"""`manta-nb run` as a program of its own, on real nodes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from manta_nb.data import load
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

SEEDS = Path(__file__).parents[1] / "fixtures" / "seed_swarm"
COMMAND = [sys.executable, "-m", "manta_nb", "run"]

ENDLESS = """
from manta_light.task import Task


class Worker(Task):
    def run(self):
        self.world.metric("count", self.world.iteration)
"""


def ran(
    *words: str | Path, cwd: Path | None = None
) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """The JSON object that a run prints, and the process that printed it."""
    command = [*COMMAND, *map(str, words), "--json"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done


def accuracies(given: dict[str, Any]) -> list[float]:
    """The mean over the nodes of `val_acc`, iteration by iteration."""
    rows = [row for row in given["metrics"] if row["name"] == "val_acc"]
    return [
        float(np.mean([row["value"] for row in rows if row["iteration"] == at]))
        for at in range(given["iterations"])
    ]


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    """`FOLDER/<node>/mnist_part.npz` of four nodes, each with three quarters of the digits."""
    digits = load("digits")
    for number in range(4):
        chosen = np.random.default_rng(number).permutation(len(digits.y_train))[:1000]
        folder = tmp_path / "sites" / f"site_{number}"
        folder.mkdir(parents=True)
        np.savez(
            folder / "mnist_part.npz",
            # on the scale that MNIST has after the usual normalisation
            x_train=4 * digits.x_train[chosen],
            y_train=digits.y_train[chosen],
            x_test=4 * digits.x_test,
            y_test=digits.y_test,
        )
    return tmp_path / "sites"


def test_the_seeds_run_as_they_are_printed(sites: Path) -> None:
    """Accuracy rises, and the swarm stops by itself when every node is above the threshold."""
    given, done = ran("swarm.py", "--nodes", "4", "--data", sites, "--iterations", "60", cwd=SEEDS)
    rising = accuracies(given)

    assert given["status"] == "completed" and "stop_swarm() by scheduler" in given["reason"]
    assert 2 < given["iterations"] < 60
    assert rising[0] < 0.9 and rising[-1] >= 0.95
    assert {row["node"] for row in given["metrics"]} == {"site_0", "site_1", "site_2", "site_3"}
    assert f"iteration {given['iterations']} of 60" in done.stderr


def test_parameters_of_the_class_decide(tmp_path: Path) -> None:
    """`-p n_workers=3 --nodes 5` trains on three nodes in every iteration."""
    words = [
        "-p",
        "n_workers=3",
        "--nodes",
        "5",
        "--data",
        "mnist_part=digits",
        "--iterations",
        "2",
        "--seed",
        "1",
    ]
    given, _ = ran(SEEDS / "swarm.py", *words, cwd=tmp_path)
    trained = [
        {row["node"] for row in given["metrics"] if row["iteration"] == at and row["name"] == "loss"}
        for at in (0, 1)
    ]

    assert [len(nodes) for nodes in trained] == [3, 3]


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    """Model, split and training are repeatable; inline tasks give the numbers that child processes give."""
    words = [
        SEEDS / "swarm.py",
        "--nodes",
        "3",
        "--data",
        "mnist_part=digits",
        "--iterations",
        "2",
        "--seed",
        "7",
    ]
    first, second = (ran(*words, *more, cwd=tmp_path)[0] for more in ([], ["--inline"]))

    def numbers(given: dict[str, Any]) -> list[Any]:
        return sorted((row["iteration"], row["node"], row["name"], row["value"]) for row in given["metrics"])

    assert numbers(first) == numbers(second)


@pytest.fixture
def endless(swarm: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that never ends by itself, in a process group of its own, after its first iteration."""
    (swarm.parent / "worker.py").write_text(ENDLESS, encoding="utf-8")
    command = [*COMMAND, "swarm.py", "--nodes", "2", "--iterations", "forever", "--json"]
    process = subprocess.Popen(
        command,
        cwd=swarm.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("iteration "):
        assert process.poll() is None
    yield process
    process.kill()
    process.communicate()


def left_behind(group: int) -> list[str]:
    """The names of the processes of a group that still run; one that nobody has waited for is over."""
    found = []
    for process in psutil.process_iter():
        # one of somebody else's may end in this moment
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
    return found


def test_ctrl_c_stops_and_reports(endless: subprocess.Popen[str]) -> None:
    """As a terminal sends it, to the whole group: the run is stopped, its metrics are given, the code is 130."""
    os.killpg(endless.pid, signal.SIGINT)
    out, err = endless.communicate(timeout=30)
    given = json.loads(out)

    assert endless.returncode == 130
    assert (given["status"], given["reason"]) == ("stopped", "interrupted by Ctrl-C")
    assert len(given["metrics"]) >= given["iterations"] >= 1
    assert "Traceback" not in err
    # the forkserver ends when it sees that nobody is there any more
    until(lambda: not left_behind(endless.pid), 2)


def test_an_error_on_a_node_names_the_line(swarm: Path) -> None:
    """Exit code 1; on stderr node, file and line of the user's code and what was printed last."""
    text = "from manta_light.task import Task\n\n\nclass Worker(Task):\n    def run(self):\n        print('near')\n        1 / 0\n"
    (swarm.parent / "worker.py").write_text(text, encoding="utf-8")
    command = [*COMMAND, "swarm.py", "--nodes", "2", "--iterations", "1", "--json"]
    done = subprocess.run(command, cwd=swarm.parent, capture_output=True, text=True, timeout=90, check=False)

    assert done.returncode == 1
    assert json.loads(done.stdout)["status"] == "failed"
    assert "worker.py, line 7" in done.stderr and "ZeroDivisionError" in done.stderr and "near" in done.stderr
