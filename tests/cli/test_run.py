"""`manta-nb run` around a run: what it asks the session for, what it says, what it gives, how it exits."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from manta_nb.engine.records import Event, Failure
from manta_nb.session.logs import EventTable
from tests.cli.fakes import EndingRun, interrupted, typed


def test_json_is_one_object(swarm: Path) -> None:
    """On stdout stands nothing else, whatever the swarm's file prints; NaN is null."""
    told = typed("swarm.py", "--iterations", "3", "--json")
    given = json.loads(told.out)

    assert (given["run_id"], given["status"], given["iterations"]) == ("3f2a9c01", "completed", 3)
    assert list(given) == ["run_id", "status", "reason", "iterations", "metrics"]
    assert given["metrics"][0] == {
        "iteration": 0,
        "node": "node_0",
        "task": "worker",
        "name": "val_acc",
        "step": None,
        "value": 0.5,
    }
    assert given["metrics"][3]["value"] is None
    assert "loading" in told.err


def test_without_json_a_table(swarm: Path) -> None:
    """The last value of each metric over the nodes."""
    told = typed("swarm.py", "--iterations", "3")

    assert told.code == 0
    assert told.out.splitlines()[-1].split() == ["val_acc", "0.85", "0.8", "0.9", "2"]


def test_progress_is_a_line_an_iteration(swarm: Path) -> None:
    """In a file nothing is written over, and no iteration is left out."""
    lines = [
        line for line in typed("swarm.py", "--iterations", "3").err.splitlines() if line.startswith("iter")
    ]

    assert lines == [
        "iteration 1 of 3 · val_acc 0.6 (0.5–0.7)",
        "iteration 2 of 3 · val_acc 0.6",
        "iteration 3 of 3 · 12 s · val_acc 0.85 (0.8–0.9)",
    ]


def test_progress_on_a_terminal_is_written_over(swarm: Path) -> None:
    """One line, taken away at the end."""
    told = typed("swarm.py", "--iterations", "3", terminal=True)

    assert "\rfl · completed" in told.err
    assert "\r\x1b[K" in told.err


def test_the_header_counts_the_nodes(swarm: Path) -> None:
    """Before the first iteration it says what is going to run where."""
    told = typed("swarm.py", "-p", "n_workers=3", "--nodes", "5", "--iterations", "3", "--seed", "7")

    assert "Small: worker ×3 · seed 7" in told.err.splitlines()


def test_options_go_to_the_session(swarm: Path) -> None:
    """What is typed becomes the arguments of `Session` and of its `run`; the session is closed."""
    words = (
        "--nodes 8 --workers 2 --data digits --alpha 0.3 --test local --resize 28 --memory-limit 2GB --inline"
    )
    told = typed("swarm.py", *words.split(), "--iterations", "forever", "--seed", "3")
    told.session.options.pop("say")

    assert told.session.options == {
        "nodes": 8,
        "workers": 2,
        "data": "digits",
        "partition": "dirichlet",
        "alpha": 0.3,
        "min_size": 10,
        "test": "local",
        "resize": 28,
        "memory_limit": "2GB",
        "seed": 3,
        "runner": "inline",
    }
    assert told.session.asked == [("forever", 3)]
    assert told.session.closed


def test_without_data_there_are_digits(swarm: Path) -> None:
    """Nobody has to know a dataset to see a swarm run, and one line says so."""
    told = typed("swarm.py", "--iterations", "3")

    assert told.session.options["data"] == "digits"
    assert "no --data: 4 nodes of digits" in told.err.splitlines()


@pytest.mark.parametrize(("outcome", "code"), [("completed", 0), ("failed", 1), ("stopped", 1)])
def test_exit_codes(swarm: Path, outcome: str, code: int) -> None:
    """Only a run that completed is a success."""
    assert typed("swarm.py", "--iterations", "3", ends=EndingRun(outcome=outcome)).code == code


def test_a_failure_shows_where(swarm: Path) -> None:
    """Error, the user's lines of the traceback and the last output stand on stderr; the JSON says failed."""
    failure = Failure(
        "node_1", "error", "ZeroDivisionError: division by zero", traceback="File worker.py, line 7"
    )
    error = "worker failed on node_1 at worker.py, line 7: ZeroDivisionError: division by zero"
    run = EndingRun(outcome="failed", final={"error": error, "failure": failure})
    told = typed("swarm.py", "--iterations", "3", "--json", ends=run)

    assert error in told.err and "File worker.py, line 7" in told.err
    assert json.loads(told.out)["status"] == "failed"


def test_events_of_a_good_run_are_said(swarm: Path) -> None:
    """What went wrong on the way to a good end is worth a line."""
    run = EndingRun(events=EventTable([Event(1, "retry", "worker is tried again on node_1")]))

    assert (
        "  ! iteration 1: worker is tried again on node_1"
        in typed("swarm.py", "--iterations", "3", ends=run).err
    )


def test_an_interrupt_stops_and_reports(swarm: Path) -> None:
    """The first Ctrl-C ends the run, gives what there is, and exits as shells expect."""
    before = signal.getsignal(signal.SIGINT)
    told = typed("swarm.py", "--iterations", "3", "--json", ends=interrupted(EndingRun()))

    assert told.code == 130
    assert json.loads(told.out)["reason"] == "interrupted by Ctrl-C"
    assert "stopping; Ctrl-C again kills it" in told.err
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_the_file_keeps_its_traceback(swarm: Path) -> None:
    """It is the user's own: their lines only, and exit code 1."""
    swarm.write_text("def broken():\n    return 1 / 0\n\nbroken()\n", encoding="utf-8")
    told = typed("swarm.py", "--iterations", "3")

    assert told.code == 1 and told.out == ""
    assert told.err.startswith("Traceback")
    assert 'swarm.py", line 4' in told.err and told.err.endswith("ZeroDivisionError: division by zero\n")
    assert "manta_nb" not in told.err


def test_a_seed_makes_the_model_repeatable(swarm: Path) -> None:
    """Random weights that the file makes while it is loaded are the same with the same `--seed`."""
    swarm.write_text(
        "import torch\nfrom manta.swarm import Swarm\nfrom manta.module import Module\n"
        "class Small(Swarm):\n    def __init__(self):\n        super().__init__()\n"
        "        self.set_global('w', torch.rand(3))\n    def execute(self):\n        return Module('worker.py')()\n",
        encoding="utf-8",
    )
    first, second, other = (
        typed("swarm.py", "--iterations", "3", "--seed", seed).session.swarm.globals["w"].tolist()
        for seed in ("7", "7", "8")
    )

    assert first == second != other
