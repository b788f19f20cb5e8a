"""`manta-nb swarm-learning run` on real nodes: what it prints, what is left, how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from manta_nb.cli.main import main
from tests.cli.fakes import Streams
from tests.cli.scripts import CLASSIC, MEASURE, MODERN, shares
from tests.cli.test_run_nodes import left_behind
from tests.swarm_learning.conftest import PEER
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

RUN = [sys.executable, "-m", "manta_nb", "swarm-learning", "run"]
#: says something on both streams, then waits for a file that says that it was heard
LOUD = """
import os, sys, time
for number in range(500):
    print(f"line {number} of {os.environ['NODE_ID']}")
print("a warning", file=sys.stderr, flush=True)
until = time.monotonic() + 60
while not os.path.exists(os.environ["HEARD"]) and time.monotonic() < until:
    time.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a folder for the script."""
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    return tmp_path


def script(text: str, name: str = "train.py") -> str:
    """A script in its folder."""
    path = Path("model", name)
    path.write_text(text)
    return str(path)


def miniature(plans: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The words for a script that needs no torch; node → what it does, see `tests/swarm_learning/peer.py`."""
    shutil.copy(PEER, "model/peer.py")
    common = {"step": 1.0, "batches": 4, "interval": 2, "peers": 2}
    board = str(Path("board").absolute())
    variables = {
        node: {"PLAN": json.dumps({**common, **plan}), "BOARD": board} for node, plan in plans.items()
    }
    Path("env.json").write_text(json.dumps(variables))
    return ("model/peer.py", "--node-env", "env.json")


def typed(*words: str) -> tuple[int, str, str]:
    """Exit code, data and talk of `manta-nb` with these words."""
    streams = Streams()
    code = main(words, streams.console)
    return code, streams.out, streams.err


def test_a_published_script_by_the_line_that_judges() -> None:
    """The classic family, a folder a node: one object with what was promised, and every node has the same model."""
    words = [script(CLASSIC), "--nodes", "3", "--data", str(shares(Path("FOLDER"), 3)), "--min-peers", "2"]
    words += ["--env", "MAX_EPOCHS=5", "--json"]
    done = subprocess.run([*RUN, *words], capture_output=True, text=True, timeout=150, check=False)
    given = json.loads(done.stdout)
    nodes = [f"node_{index}" for index in range(3)]

    assert done.returncode == 0, done.stderr
    assert given["status"] == "completed" and given["reason"] and [*given["nodes"]] == nodes
    # 5 epochs of 7 batches, a merge after 8: at the beginning, after 8, 16, 24, 32 batches, and at the end
    assert [merge["round"] for merge in given["merges"]] == [1, 2, 3, 4, 5, 6]
    assert all(merge["interval"] == 8 and {*merge["nodes"].values()} == {1} for merge in given["merges"])
    assert {*given["merges"][-1]["nodes"]} == {*nodes}
    for each in given["nodes"].values():
        assert each["exit_code"] == 0 and Path(each["model_dir"], "saved_model.pt").stat().st_size > 1000
        assert each["tail"][-1].endswith("Final Swarm model was loaded.")
    assert len({each["checksum"] for each in given["nodes"].values()}) == 1
    assert "iteration 6" in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in Path("model").iterdir()] == ["train.py"]


def test_the_later_family_and_a_script_that_fails() -> None:
    """The others go on without it; a table; on stderr its exit code, the line, and its last lines alone."""
    words = (
        script(MODERN),
        "--data",
        str(shares(Path("shares"), 3)),
        "--min-peers",
        "2",
        "--env",
        "MAX_EPOCHS=2",
    )
    code, out, err = typed("swarm-learning", "run", *words, "--env", "BREAKS=node_1", "--patience", "20")
    table = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith("node_")}

    assert code == 0, err
    assert [(node, row[1]) for node, row in table.items()] == [
        ("node_0", "0"),
        ("node_1", "1"),
        ("node_2", "0"),
    ]
    assert table["node_0"][-1] == table["node_2"][-1] != table["node_1"][-1]
    assert "val_loss" in out and "val_accuracy" in out and "3 merges" in out
    line = next(number for number, text in enumerate(MODERN.split("\n"), 1) if "the scales" in text)
    assert err.count(f"exit code 1: train.py, line {line}: ValueError: the scales are broken") == 1
    assert "! node_1: the script ended with exit code 1\n" in err and "    ValueError: the scales are" in err
    assert "epoch 2" not in err and "train · completed" in err


@pytest.mark.slow
def test_baselines_are_set_beside_it() -> None:
    """`--compare`: each node alone, and all data in one place, by what `--evaluate` measures of the saved models."""
    Path("measure.py").write_text(MEASURE)
    words = [
        script(CLASSIC),
        "--data",
        str(shares(Path("shares"), 2)),
        "--min-peers",
        "2",
        "--env",
        "MAX_EPOCHS=4",
    ]
    words += ["--seed", "1", "--compare", "--evaluate", "measure.py:accuracy"]
    code, out, err = typed("swarm-learning", "run", *words, "--json")
    given = json.loads(out)
    compared = given["comparison"]

    assert code == 0, err
    assert [*compared] == ["local", "swarm", "central"] and [*compared["local"]] == ["node_0", "node_1"]
    assert (
        given["nodes"]["node_0"]["evaluation"] == compared["swarm"]["node_0"] == compared["swarm"]["node_1"]
    )
    assert compared["central"].keys() == {"accuracy", "examples"} and compared["central"]["examples"] == 300
    assert compared["central"]["accuracy"] > compared["local"]["node_0"]["accuracy"] > 0.5
    assert "comparing: each node alone …" in err


def test_without_a_number_there_is_no_comparison() -> None:
    """It is told before any baseline is trained; the run's own report is there, the exit code is 1."""
    quiet = CLASSIC.replace("val_data=test_set, val_batch_size=64,", "")
    words = (
        script(quiet),
        "--data",
        str(shares(Path("shares"), 2)),
        "--min-peers",
        "2",
        "--env",
        "MAX_EPOCHS=1",
    )
    code, out, err = typed("swarm-learning", "run", *words, "--compare")

    assert code == 1 and "2 merges" in out
    assert "! no comparison: there is no number to compare: give the run evaluate=FILE.py:function" in err
    assert "each node alone" not in err


def test_a_run_can_be_looked_at_later() -> None:
    """`manta-nb runs show` has its nodes and merges, too, as tables and as JSON."""
    words = miniature({"anna": {"weight": 3}, "Élise": {}})
    code, out, err = typed("swarm-learning", "run", *words, "--name", "fl")
    shown = typed("runs", "show", "fl")[1]
    given = json.loads(typed("runs", "show", "fl", "--json")[1])

    assert code == 0, err
    assert "4 merges" in out and out.strip() in shown
    assert given["merges"][0]["nodes"] == {"anna": 3, "Élise": 1} and given["iterations"] == 4
    assert given["nodes"]["anna"]["exit_code"] == 0


def test_output_is_shown_while_scripts_run(folder: Path) -> None:
    """`--logs` shows every line of every node before it is over; a script without SwarmCallback is told so, code 1."""
    heard = folder / "heard"
    words = [script(LOUD), "--nodes", "2", "--env", f"HEARD={heard}", "--logs", "--json"]
    process = subprocess.Popen([*RUN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines: list[str] = []
    while sum("a warning" in line for line in lines) < 2:
        lines.append(process.stderr.readline())
        assert lines[-1], lines
    heard.touch()
    out, rest = process.communicate(timeout=60)
    lines += rest.splitlines(keepends=True)
    given = json.loads(out)

    for index in range(2):
        said = [line for line in lines if line.startswith(f"node_{index}: line ")]
        assert said == [f"node_{index}: line {number} of node_{index}\n" for number in range(500)]
    assert (process.returncode, given["status"], given["merges"]) == (1, "failed", [])
    assert "no SwarmCallback was made on node_0, node_1" in given["reason"]
    assert "train failed after 0 merges: " in lines[-1]


def test_ctrl_c_stops_and_reports(folder: Path) -> None:
    """As a terminal sends it: scripts are ended, the object has the merges there were, and the code is 130."""
    words = miniature({"node_0": {"batches": 9_000_000}, "node_1": {"batches": 9_000_000}})
    process = subprocess.Popen(
        [*RUN, *words, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("iteration 3"):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=40)
    given = json.loads(out)

    assert process.returncode == 130, err
    assert (given["status"], given["reason"]) == ("stopped", "interrupted by Ctrl-C")
    assert len(given["merges"]) >= 3 and given["nodes"]["node_0"]["exit_code"] is None
    assert "Traceback" not in err and "Ctrl-C again kills it" in err
    until(lambda: not left_behind(process.pid), 5)
