"""`manta-nb fedn run` on real nodes: what it prints, where it leaves the model, how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.cli.main import main
from tests.cli.fakes import Streams
from tests.cli.test_run_nodes import left_behind
from tests.compat.fedn.packages import packed, write_package
from tests.fedn.packages import PACKAGES, client
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

RUN = [sys.executable, "-m", "manta_nb", "fedn", "run"]
ZEROS = PACKAGES / "zeros.npz"
SEED = PACKAGES.parent / "seed_fedn" / "client"
KEYS = {"status", "reason", "rounds", "model", "validations", "failures"}

SPEC = "entry_points:\n  train:\n    command: python train.py\n"
#: adds what chance gives
DICE = """
import random, sys
import numpy as np
from fedn.utils.helpers.helpers import get_helper, save_metadata
helper = get_helper("numpyhelper")
(weights,) = helper.load(sys.argv[1])
save_metadata({"num_examples": random.randint(1, 100)}, sys.argv[2])
helper.save([weights + np.random.normal(size=3)], sys.argv[2])
"""
#: says something on both streams, then waits for a file that says that it was heard
LOUD = """
import os, sys, time
from fedn.utils.helpers.helpers import get_helper, save_metadata
for number in range(1000):
    print(f"line {number} of {os.environ['WHO']}")
print("a warning", file=sys.stderr, flush=True)
until = time.monotonic() + 60
while not os.path.exists(os.environ["HEARD"]) and time.monotonic() < until:
    time.sleep(0.01)
helper = get_helper("numpyhelper")
save_metadata({"num_examples": 1}, sys.argv[2])
helper.save(helper.load(sys.argv[1]), sys.argv[2])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def variables(given: Mapping[str, Mapping[str, str]]) -> str:
    """A file for `--node-env`."""
    Path("env.json").write_text(json.dumps(given))
    return "env.json"


def typed(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, data and talk of `manta-nb fedn run` with these words."""
    streams = Streams()
    code = main(["fedn", "run", *map(str, words)], streams.console)
    return code, streams.out, streams.err


def test_the_object_on_stdout() -> None:
    """It has what was promised, and nothing else is on stdout; progress and the model's path are on stderr."""
    env = variables({f"node_{index}": {"TARGET": str(4 * index)} for index in range(3)})
    words = [str(client("good")), "--nodes", "3", "--rounds", "2", "--node-env", env, "--json"]
    done = subprocess.run([*RUN, *words], capture_output=True, text=True, timeout=120, check=False)
    given = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert given.keys() >= KEYS and (given["status"], given["rounds"], given["failures"]) == (
        "completed",
        2,
        [],
    )
    assert [(row["round"], row["node"]) for row in given["validations"]] == [
        (number, f"node_{index}") for number in (1, 2) for index in range(3)
    ]
    assert given["validations"][0]["metrics"].keys() == {"error", "closeness", "trained"}
    assert Path(given["model"]).is_absolute() and np.load(given["model"])["0"].tolist() == [3, 3, 3]
    assert "iteration 2 of 2" in done.stderr and f"the model of round 2: {given['model']}" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_json_it_is_a_table(folder: Path) -> None:
    """The last validations; the nodes are those that have variables; the model is where it was asked for."""
    env = variables({"anna": {"TARGET": "0"}, "Élise": {"TARGET": "2"}})
    code, out, err = typed(
        client("good"), "--rounds", "1", "--node-env", env, "--model", "new/m.npz", "--name", "fl"
    )

    assert code == 0, err
    assert out.splitlines()[0] == "2 validations of the last model" and "Élise" in out and "error" in out
    assert (folder / "new/m.npz").is_file() and "fl · completed" in err


@pytest.mark.slow
def test_a_package_is_the_same_however_it_is_packed(folder: Path) -> None:
    """Folder, the tutorial's archive, a flat one, bz2, zip: with a seed the first model is the same, bit by bit."""
    models = []
    made = write_package(folder / "client", {"fedn.yaml": SPEC, "train.py": DICE})
    for how in ("folder", "tutorial's tgz", "flat tgz", "tar.bz2", "zip"):
        package = packed(how, made, folder / "packed")
        words = ("--seed-model", ZEROS, "--nodes", "2", "--workers", "1", "--rounds", "1", "--seed", "3")
        code, _, err = typed(package, *words, "--model", f"{how}.npz")
        assert code == 0, err
        models.append(np.load(f"{how}.npz")["0"])

    assert len(models) == 5 and all(np.array_equal(models[0], other) for other in models[1:])
    assert len(set(models[0].tolist())) == 3


def test_failures_have_node_code_and_last_lines() -> None:
    """The round goes on without the node; what failed is told on both streams; the exit code is that of the run."""
    env = variables({"node_1": {"FAIL": "exit"}})
    words = (client("failing"), "--seed-model", ZEROS, "--nodes", "2", "--rounds", "1", "--node-env", env)
    code, out, err = typed(*words, "--json")
    (failure,) = json.loads(out)["failures"]

    assert code == 0 and (failure["round"], failure["node"], failure["exit_code"]) == (1, "node_1", 3)
    assert failure["tail"] == ["call 1, to fail by: exit", "the scales are broken"]
    assert "! round 1, node_1, train (exit code 3): the scales are broken" in err
    assert "    call 1, to fail by: exit" in err


def test_a_run_that_fails_says_why() -> None:
    """Exit code 1; the object is there all the same, without a model."""
    env = variables({"*": {"FAIL": "nometa"}})
    words = (client("failing"), "--seed-model", ZEROS, "--nodes", "2", "--rounds", "3", "--node-env", env)
    code, out, err = typed(*words, "--json")
    given = json.loads(out)

    assert (code, given["status"], given["rounds"], given["model"]) == (1, "failed", 0, None)
    assert "no metadata" in given["reason"] and len(given["failures"]) == 2
    assert "failed after 0 rounds: train failed on node_" in err.splitlines()[-1]


def test_output_is_shown_while_programs_run(folder: Path) -> None:
    """`--logs` shows every line of every node with its name before the call is over; stdout has none of them."""
    package = write_package(folder / "loud", {"fedn.yaml": SPEC, "train.py": LOUD})
    heard = folder / "heard"
    env = variables({f"node_{index}": {"WHO": f"me {index}", "HEARD": str(heard)} for index in range(2)})
    words = [str(package), "--seed-model", str(ZEROS), "--node-env", env, "--rounds", "1", "--logs", "--json"]
    process = subprocess.Popen([*RUN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines: list[str] = []
    while sum("a warning" in line for line in lines) < 2:
        lines.append(process.stderr.readline())
        assert lines[-1], lines
    heard.touch()
    out, rest = process.communicate(timeout=60)
    lines += rest.splitlines(keepends=True)

    assert process.returncode == 0 and json.loads(out)["rounds"] == 1
    for index in range(2):
        said = [line for line in lines if line.startswith(f"node_{index} train: line ")]
        assert said == [f"node_{index} train: line {number} of me {index}\n" for number in range(1000)]


def test_ctrl_c_stops_and_reports(folder: Path) -> None:
    """As a terminal sends it: the run is stopped; the object and the last model are there, and the code is 130."""
    words = [str(client("good")), "--nodes", "2", "--rounds", "100000", "--json"]
    process = subprocess.Popen(
        [*RUN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("iteration 2"):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=40)
    given = json.loads(out)

    assert process.returncode == 130
    assert (given["status"], given["reason"]) == ("stopped", "interrupted by Ctrl-C")
    assert given["rounds"] >= 2 and int(np.load(given["model"])["1"]) == given["rounds"]
    assert "Traceback" not in err and "Ctrl-C again kills it" in err
    until(lambda: not left_behind(process.pid), 5)


def digits(path: Path, seed: int) -> None:
    """Pictures of ten kinds that are easy to tell apart, as the tutorial's data are laid out."""
    torch = pytest.importorskip("torch")

    generator = torch.Generator().manual_seed(seed)
    kinds = torch.randint(0, 256, (10, 28, 28), generator=torch.Generator().manual_seed(0))

    def some(count: int) -> tuple[Any, Any]:
        y = torch.randint(0, 10, (count,), generator=generator)
        noise = 40 * torch.randn(count, 28, 28, generator=generator)
        return (kinds[y] + noise).clamp(0, 255).to(torch.uint8), y

    (x_train, y_train), (x_test, y_test) = some(500), some(100)
    torch.save({"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}, path)


@pytest.mark.slow
def test_the_tutorials_listing_runs_as_it_is_printed(folder: Path) -> None:
    """Its literal `fedn.yaml`, packed as it says; the seed model by `exec`: above 0.95 within 6 rounds on 3 nodes."""
    shutil.copytree(SEED, folder / "client")
    with tarfile.open("package.tgz", "w:gz") as archive:
        archive.add("client")
    made = [*RUN[:-1], "exec", "--", "python", "entrypoint.py", "init_seed", "../seed.npz"]
    subprocess.run(made, cwd="client", check=True, timeout=60)
    for index in range(3):
        digits(folder / f"{index}.pt", index + 1)
    env = {f"node_{i}": {"ENTRYPOINT_OPTS": f"--data_path={folder / f'{i}.pt'} --lr=0.1"} for i in range(3)}
    words = [
        "package.tgz",
        "--seed-model",
        "seed.npz",
        "--nodes",
        "3",
        "--rounds",
        "6",
        "--node-env",
        variables(env),
    ]
    done = subprocess.run([*RUN, *words, "--json"], capture_output=True, text=True, timeout=150, check=False)
    given = json.loads(done.stdout)
    last = [row["metrics"]["test_accuracy"] for row in given["validations"] if row["round"] == 6]

    assert done.returncode == 0 and given["failures"] == [], done.stderr
    assert len(last) == 3 and float(np.mean(last)) >= 0.95
    assert np.load(given["model"]).files == np.load("seed.npz").files
    assert sorted(path.name for path in folder.glob("client/*")) == ["entrypoint.py", "fedn.yaml"]


SEEDS = sorted((Path(__file__).parents[3] / "shared" / "seeds").glob("003_*.txt"))


@pytest.mark.skipif(not SEEDS, reason="the seeds are not here")
@pytest.mark.parametrize("name", ["entrypoint.py", "fedn.yaml"])
def test_the_listing_is_kept_byte_for_byte(name: str) -> None:
    """What the test above runs is what the tutorial prints."""
    assert (SEED / name).read_bytes().rstrip(b"\n") in SEEDS[0].read_bytes()
