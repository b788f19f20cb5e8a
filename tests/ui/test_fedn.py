"""`%manta fedn`: a package on the nodes of the notebook."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from manta_nb.errors import UsageError
from manta_nb.session.session import Session
from manta_nb.shims import shim_folder
from manta_nb.ui.complete import suggestions
from tests.fedn.packages import client
from tests.ui.fakes import Shell
from tests.ui.test_complete import tab
from tests.ui.test_verbs import refusal

#: a line that needs no program to be run
LINE = "%manta fedn good --seed-model zeros.npz"


@pytest.fixture(autouse=True)
def package(shell: Shell, tmp_path: Path) -> Path:
    """The package `good` in the folder of the notebook, as `good` and as `mnist-pytorch`, with a first model."""
    for name in ("good", "mnist-pytorch"):
        shutil.copytree(client("good"), tmp_path / name)
    np.savez(tmp_path / "zeros.npz", **{"0": np.zeros(3, np.float32), "1": np.array(0)})
    return tmp_path / "good"


def test_what_is_typed_goes_where_it_belongs(shell: Shell) -> None:
    """Options of nodes to the session, of the run to the run, of the package to its settings."""
    line = (
        f"{LINE} --nodes 3 --data digits --alpha 0.3 --workers 1 --rounds 6 --seed 7 --min-clients 2 --cold"
    )
    run = shell.ok(f"{line} --aggregator fedopt --timeout 9  # all of them").value
    settings = run.swarm.globals["fedn"]

    assert shell.opened[0].options == {
        "nodes": 3,
        "data": "digits",
        "alpha": 0.3,
        "partition": "dirichlet",
        "workers": 1,
    }
    assert (run.iterations, run.options["seed"], run.name) == (6, 7, "good")
    assert (settings["min_clients"], settings["cold"], settings["aggregator"]) == (2, True, "fedopt")


def test_without_nodes_some_are_started(shell: Shell) -> None:
    """As many as the session starts by itself."""
    told = shell.ok(LINE)

    assert shell.opened[0].options == {"nodes": 4, "data": None} and told.value.session is shell.opened[0]


@pytest.mark.parametrize("more", ["", "--nodes 4", "--data digits", "--nodes 4 --data digits --rounds 2"])
def test_nodes_in_use_are_kept(shell: Shell, more: str) -> None:
    """Also where some of what they have is asked for again; nothing is started, and nothing stopped."""
    nodes = shell.ok("%manta start --nodes 4 --data digits --alpha 0.3").value
    run = shell.ok(f"{LINE} {more}").value
    shell.ok(f"{LINE} {more}")

    assert shell.opened == [nodes] and run.session is nodes and not nodes.closed


@pytest.mark.parametrize("more", ["--nodes 3", "--data wine", "--workers 1", "--nodes 4 --alpha 0.5"])
def test_other_nodes_take_their_place(shell: Shell, more: str) -> None:
    """Where something else is asked for."""
    before = shell.ok("%manta start --nodes 4 --data digits --alpha 0.3").value
    run = shell.ok(f"{LINE} {more}").value

    assert len(shell.opened) == 2 and before.closed and run.session is shell.opened[1]


def test_nodes_of_another_run_are_not_replaced(shell: Shell) -> None:
    """The run that is in the way is named; it goes on."""
    other = shell.ok("%manta fedn mnist-pytorch --seed-model zeros.npz").value

    assert "mnist-pytorch still runs on the nodes there are" in refusal(shell, f"{LINE} --nodes 3")
    assert not other.finished


def test_the_run_is_a_variable(shell: Shell) -> None:
    """Of the package's name, as variables have it, which is said; of another one if asked for."""
    first = shell.ok("%manta fedn mnist-pytorch --seed-model zeros.npz")
    second = shell.ok(f"{LINE} --name 2nd")
    shell.ok(f"r = {LINE} --name if")

    assert first.value is shell.ns["mnist_pytorch"] and first.value.name == "mnist-pytorch"
    assert "the run is the variable mnist_pytorch" in first.out
    assert second.value is shell.ns["package_2nd"] and shell.ns["r"] is shell.ns["package_if"]


def test_a_variable_of_the_person_stays(shell: Shell) -> None:
    """Unless it is the name that was typed; the run before is replaced by the run."""
    shell.ns["good"] = shell.ns["mine"] = [1, 2]
    told = shell.ok(LINE)
    named = shell.ok(f"{LINE} --name mine")
    again = shell.ok(f"{LINE} --name mine")

    assert "good is yours and stays so: --name NAME" in told.out and shell.ns["good"] == [1, 2]
    assert "mine was a list of the notebook" in named.out and shell.ns["mine"] is again.value


def test_running_the_cell_again_replaces_the_run(shell: Shell) -> None:
    """The run of that name that still goes on is stopped, which is said; the nodes are the same."""
    first, told = shell.ok(LINE).value, shell.ok(LINE)

    assert (first.status, first.reason, told.value.status) == ("stopped", "replaced", "running")
    assert f"good {first.run_id} is stopped (replaced)" in told.out and len(shell.opened) == 1


@pytest.mark.parametrize("how", ["--keep", "%config MantaMagics.rerun = 'keep'"])
def test_or_both_go_on(shell: Shell, how: str) -> None:
    """Where that was asked for, in the line or for good."""
    first = shell.ok(LINE).value
    if not how.startswith("--"):
        shell.ok(how)
    shell.ok(f"{LINE} {how}" if how.startswith("--") else LINE)

    assert not first.finished


def test_or_the_line_is_refused(shell: Shell) -> None:
    """The run that goes on is named, and goes on."""
    first = shell.ok("%config MantaMagics.rerun = 'refuse'", LINE).value

    assert "good is running (iteration 3): %manta stop good first, or add --keep" in refusal(shell, LINE)
    assert not first.finished


def test_a_mistake_leaves_the_run_before(shell: Shell) -> None:
    """What is wrong with the line is told before anything is stopped for it."""
    first = shell.ok(LINE).value
    lines = [f"{LINE} --min-clients 5", f"{LINE} --helper", "%manta fedn good --seed-model good/fedn.yaml"]
    told = [refusal(shell, line) for line in lines]

    assert "min_clients=5, but there are 4 nodes" in told[0] and "--helper needs a value" in told[1]
    assert "the seed model cannot be loaded" in told[2]
    assert not first.finished and len(shell.opened) == 1


@pytest.mark.parametrize("how", ["--wait", "MANTA_NB_BLOCK"])
def test_a_run_is_waited_for(shell: Shell, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """By an option, or always; it is shown meanwhile, and bound before."""
    if how == "MANTA_NB_BLOCK":
        monkeypatch.setenv(how, "1")
    run = shell.ok(f"{LINE} {how if how.startswith('--') else ''}").value

    assert run.waits == 1 and run.status == "completed" and shell.shown[0] is run is shell.ns["good"]


def test_data_of_the_notebook(shell: Shell) -> None:
    """`--data $name` is the object itself, `NAME=$name` gives it a name; without a dollar sign it is explained."""
    shell.ns["arrays"] = {"x": np.zeros((20, 3)), "y": np.zeros(20)}
    shell.ok(f"{LINE} --data mnist=$arrays --nodes 2")

    assert (
        shell.opened[0].options["data"] is shell.ns["arrays"]
        and shell.opened[0].options["data_name"] == "mnist"
    )
    assert "--data $arrays" in refusal(shell, f"{LINE} --data arrays")
    assert "arays is not defined" in refusal(shell, f"{LINE} --data $arays")


def test_a_folder_without_folders_is_there_for_all(shell: Shell, tmp_path: Path) -> None:
    """It needs no other nodes: each sees it as `../data`."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "x.csv").touch()
    nodes = shell.ok("%manta start --nodes 2").value
    run = shell.ok(f"{LINE} --data shared").value

    assert run.session is nodes and run.swarm.globals["fedn"]["data"] == str(tmp_path / "shared")


def test_variables_say_which_nodes_there_are(shell: Shell, tmp_path: Path) -> None:
    """Where there are none yet; nodes in use stay, and a name that none of them has is a mistake."""
    Path("env.json").write_text(json.dumps({"*": {"A": "0"}, "node_0": {"A": "1"}}))
    nodes = shell.ok("%manta start --nodes 2").value
    run = shell.ok(f"{LINE} --node-env env.json").value
    Path("env.json").write_text(json.dumps({"node_7": {"A": "1"}}))

    assert run.session is nodes and run.swarm.globals["fedn"]["environments"]["node_0"] == {"A": "1"}
    assert "no node 'node_7'" in refusal(shell, f"{LINE} --node-env env.json")


def test_help_is_shown(shell: Shell) -> None:
    """With the other verbs, and each option with its default and an example."""
    told = str(shell.ok("%manta fedn --help").value)

    assert "%manta fedn" in str(shell.ok("%manta").value)
    for word in ("--seed-model FILE", "--rounds N", "(default: 5)", "--node-env FILE", "--keep", "--wait"):
        assert word in told
    assert told.endswith("%manta fedn package.tgz --seed-model seed.npz --nodes 3 --rounds 6")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%manta fed|", ["%manta fedn"]),
        ("%manta fedn go|", ["%manta fedn good/"]),
        ("%manta fedn good/fe|", ["%manta fedn good/fedn.yaml"]),
        ("run = %manta fedn mnist-|", ["run = %manta fedn mnist-pytorch/"]),
        ("%manta fedn good --seed-|", ["%manta fedn good --seed-model"]),
        ("%manta fedn good --seed-model ze|", ["%manta fedn good --seed-model zeros.npz"]),
        ("%manta fedn good --seed-model=./z|", ["%manta fedn good --seed-model=./zeros.npz"]),
        ("%manta fedn good --aggregator f|", ["%manta fedn good --aggregator fedavg", "%manta fedn good --aggregator fedopt"]),
        ("%manta fedn good --python-env v|", ["%manta fedn good --python-env venv"]),
        ("%manta fedn good --data dig|", ["%manta fedn good --data digits"]),
    ],
)  # fmt: skip
def test_tab_offers_files_and_options(shell: Shell, text: str, expected: list[str]) -> None:
    """Files where a file is meant, the words of an option, its name."""
    assert tab(shell, text) == expected


def test_hidden_files_and_blanks_are_not_offered(shell: Shell, tmp_path: Path) -> None:
    """Those that begin with a dot, unless the dot was typed; what needs quotes is left to be typed."""
    for name in (".hidden", "with blank", "open"):
        (tmp_path / name).mkdir()

    shown = suggestions("%manta fedn ", shell.notebook) or []

    assert "open/" in shown and ".hidden/" not in shown and "with blank/" not in shown
    assert suggestions("%manta fedn .h", shell.notebook) == [".hidden/"]
    assert suggestions("%manta fedn nowhere/", shell.notebook) == []


def test_fedn_is_there_in_the_notebook(shell: Shell, package: Path) -> None:
    """`from fedn import …` in a cell is manta_nb's; so it is for a program behind `!`."""
    value = shell.ok("from fedn.utils.helpers.helpers import get_helper\nimport fedn\nfedn.__file__").value
    told = shell.ok(f"!cd good && TARGET=4 {sys.executable} train.py ../zeros.npz ../up.npz")
    for name in [name for name in sys.modules if name.partition(".")[0] == "fedn"]:
        del sys.modules[name]

    assert value.startswith(str(shim_folder()))
    assert "Loss: 4.0" in told.out and (package.parent / "up.npz-metadata").is_file()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Shell]:
    """A notebook with real nodes."""
    notebook = Shell(Session)
    yield notebook
    notebook.close()


@pytest.mark.cluster
def test_a_package_runs(real: Shell) -> None:
    """From its own first model, to the end; again on the same nodes; a run that is replaced can be resumed."""
    first = real.ok("%manta fedn good --rounds 2 --nodes 2 --wait").value
    second = real.ok("%manta fedn good --rounds 5000 --nodes 2").value
    third = real.ok(f"{LINE} --rounds 1 --nodes 2 --wait").value
    resumed = real.ok(f"%manta resume {second.run_id[:8]} --iterations {second.iteration + 1}").value.wait(50)

    assert (first.status, first.iteration, third.iteration) == ("completed", 2, 1)
    assert (second.status, resumed.iteration) == ("completed", resumed.iterations)
    assert len(real.opened) == 1 and first.globals["model"][0].tolist() == [0.75] * 3
    assert sorted({row.task for row in first.metrics}) == ["train", "validate"]


@pytest.mark.cluster
def test_python_uses_the_nodes_of_the_notebook(real: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fedn.run` without a session runs on those of `%manta start`; with others asked for, on others."""
    monkeypatch.setattr(type(real.ip), "_instance", real.ip)
    nodes = real.ok("%manta start --nodes 2").value
    text = "from manta_nb import fedn as door\nrun = door.run('good', seed_model='zeros.npz', rounds=1"
    real.ok(f"{text}).wait()")

    assert real.ns["run"] in nodes.runs and real.opened == [nodes]
    with pytest.raises(UsageError, match="session= brings its nodes"):
        real.ok("s = %manta start --nodes 2", f"{text}, session=s, nodes=3)")
