"""`%manta swarm-learning` and `%%swarm_learning`: a training script on the nodes of the notebook."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError

from manta_nb.cli.execute import execute
from manta_nb.compat.swarm_learning.merging.methods import METHODS
from manta_nb.session.session import Session
from manta_nb.swarm_learning.scriptrun import ScriptRun
from manta_nb.ui.grammar_swarm_learning import SCRIPT_OPTIONS
from tests.swarm_learning.conftest import PEER
from tests.ui.fakes import Shell
from tests.ui.test_complete import tab
from tests.ui.test_verbs import refusal
from tests.waiting import until

#: runs on the nodes only, so that it needs not be one
TEXT = "import os\nprint(os.environ['DATA_DIR'])\n"
LINE = "%manta swarm-learning mnist-pyt.py"
CELL = f"%%swarm_learning mnist\n{TEXT}"


@pytest.fixture(autouse=True)
def folder(shell: Shell, tmp_path: Path) -> Path:
    """A script in the folder of the notebook, with a module beside it."""
    (tmp_path / "mnist-pyt.py").write_text(TEXT)
    (tmp_path / "nets.py").write_text("WIDTH = 3\n")
    return tmp_path


def settings_of(run: ScriptRun) -> dict[str, object]:
    """What the nodes are told."""
    told: dict[str, object] = run.globals["swarm_learning"]
    return told


def files_of(run: ScriptRun) -> dict[str, bytes]:
    """What the nodes get copies of."""
    files: dict[str, bytes] = run.globals["program"]["files"]
    return files


def test_what_is_typed_goes_where_it_belongs(shell: Shell) -> None:
    """Options of nodes to the session, of the run to the run, of the script to its settings."""
    nodes = "--nodes 3 --data digits --alpha 0.3 --workers 1"
    script = "--min-peers 2 --env MAX_EPOCHS=5 --env A= --args 'a.csv 0.1' --merge geomedian --patience 0"
    run = shell.ok(f"{LINE} {nodes} {script} --deadline 9.5 --seed 0  # all of them").value
    told = settings_of(run)

    assert shell.opened[0].options == {
        "nodes": 3,
        "data": "digits",
        "alpha": 0.3,
        "partition": "dirichlet",
        "workers": 1,
    }
    assert (run.iterations, run.options["seed"], run.name) == (None, 0, "mnist-pyt")
    assert (told["min_peers"], told["patience"], told["deadline"]) == (2, 0.0, 9.5)
    assert told["environments"] == {"*": {"MAX_EPOCHS": "5", "A": ""}}
    assert (told["arguments"], told["merge_method"]) == (["a.csv", "0.1"], "geomedian")


def test_what_is_not_typed_is_as_in_python(shell: Shell) -> None:
    """The defaults of the help are those of `swarm_learning.run`."""
    told = settings_of(shell.ok(LINE).value)
    said = {option.name: option.default for option in SCRIPT_OPTIONS}

    assert (told["patience"], told["deadline"]) == (said["--patience"], said["--deadline"]) == (30, 600)
    assert told["min_peers"] is told["merge_method"] is None
    assert next(each for each in SCRIPT_OPTIONS if each.name == "--merge").kind.split("|")[:-1] == [*METHODS]


def test_the_run_is_a_variable(shell: Shell) -> None:
    """Of the script's name, as variables have it, which is said; its merges are a table."""
    told = shell.ok(LINE)
    shell.ok(f"r = {LINE} --name if")

    assert isinstance(told.value, ScriptRun) and told.value is shell.ns["mnist_pyt"]
    assert "the run is the variable mnist_pyt: mnist_pyt.wait(), mnist_pyt.merges" in told.out
    assert shell.ns["r"] is shell.ns["script_if"]
    assert str(shell.ok("mnist_pyt.merges").value) == "no merges"


def test_a_variable_of_the_person_stays(shell: Shell) -> None:
    """Unless it is the name that was typed; a run is no such variable."""
    shell.ns["mnist_pyt"] = [1]
    told = shell.ok(LINE)
    named = shell.ok(f"{LINE} --name mnist_pyt")
    again = shell.ok(LINE)

    assert "mnist_pyt is yours and stays so" in told.out
    assert "mnist_pyt was a list of the notebook; it is the run mnist_pyt now" in named.out
    assert "yours" not in again.out and again.value is shell.ns["mnist_pyt"] is not named.value


@pytest.mark.parametrize("line", [LINE, CELL])
def test_running_it_again_replaces_the_run(shell: Shell, line: str) -> None:
    """The run of that name that still goes on is stopped, which is said; the nodes are the same."""
    first, told = shell.ok(line).value, shell.ok(line)

    assert (first.status, first.reason, told.value.status) == ("stopped", "replaced", "running")
    assert f"{first.name} {first.run_id} is stopped (replaced)" in told.out and len(shell.opened) == 1


@pytest.mark.parametrize("line", [f"{LINE} --keep", f"%%swarm_learning mnist --keep\n{TEXT}"])
def test_or_both_go_on(shell: Shell, line: str) -> None:
    """Where that was asked for."""
    first = shell.ok(line).value
    shell.ok(line)

    assert not first.finished


@pytest.mark.parametrize("how", ["--wait", "MANTA_NB_BLOCK"])
@pytest.mark.parametrize(
    "line", ["%manta swarm-learning mnist-pyt.py {}", f"%%swarm_learning mnist {{}}\n{TEXT}"]
)
def test_a_run_is_waited_for(shell: Shell, monkeypatch: pytest.MonkeyPatch, how: str, line: str) -> None:
    """By an option, or always; it is shown meanwhile, and bound before."""
    if how == "MANTA_NB_BLOCK":
        monkeypatch.setenv(how, "1")
    run = shell.ok(line.format(how if how.startswith("--") else "")).value

    assert run.run.waits == 1 and run.status == "completed" and shell.shown[0] is run.run
    assert run is shell.ns[run.name.replace("-", "_")]


def test_the_cell_is_the_script(shell: Shell, folder: Path) -> None:
    """It becomes NAME.py, alone in its folder, each line with the number that it has in the cell."""
    told = shell.ok(f"%%swarm_learning mnist --nodes 2 --env A=1\n{TEXT}")
    run = told.value

    assert isinstance(run, ScriptRun) and run is shell.ns["mnist"] and run.name == "mnist"
    assert files_of(run) == {"mnist.py": f"\n{TEXT}".encode()}
    assert settings_of(run)["script"] == "mnist.py" and len(shell.opened[0].nodes) == 2
    assert "DATA_DIR" not in told.out and not (folder / "mnist.py").exists()


def test_a_cell_may_import_what_lies_in_a_folder(shell: Shell, folder: Path) -> None:
    """`--model-dir` is copied with it; the cell counts, not an earlier version that lies there."""
    (folder / "mnist.py").write_text("old")
    run = shell.ok("%%swarm_learning mnist --model-dir .\nimport nets").value

    assert files_of(run) == {
        "mnist.py": b"\nimport nets\n",
        "mnist-pyt.py": TEXT.encode(),
        "nets.py": b"WIDTH = 3\n",
    }


@pytest.mark.parametrize("name", ["swarm", "types", "torch", "numpy"])
def test_a_cell_hides_no_module(shell: Shell, name: str) -> None:
    """A script of that name would be found by its own `import torch`: the file is called something else."""
    run = shell.ok(f"%%swarm_learning {name}\nimport swarm").value

    assert [*files_of(run)] == [f"{name}_script.py"]
    assert run.name == name and shell.ns[name] is run


MISTAKES = [
    (" ", "Cell In[1]: there is nothing below the %%swarm_learning line"),
    ("x = 1\nfor", "Cell In[1], line 3: invalid syntax: for"),
    ("!ls", "Cell In[1], line 2: invalid syntax: a module is plain Python, no % or ! lines: !ls"),
    ("await x", "Cell In[1], line 2: 'await' outside function"),
    ("import os\nnp.zeros(3)", 'line 3: np is not imported in this script: add "import numpy as np" here'),
    ("print(lr)", "Cell In[1], line 2: lr is a variable of the notebook; nothing of the notebook travels but this"),
    ("print(dumps)", 'dumps is not imported in this script (in the notebook it is "from json import dumps")'),
    ("print(Net)", "Net is of the notebook; nothing of the notebook travels but this text: define it in this cell"),
    ("print(lrr)", "lrr is not defined in this script (did you mean 'lr'?)"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), MISTAKES)
def test_a_mistake_in_the_cell_is_told_before_anything_runs(shell: Shell, body: str, told: str) -> None:
    """With the line of the cell, and what to type; no node is started."""
    shell.ns.update(lr=0.1, dumps=json.dumps, Net=type("Net", (), {"__module__": "__main__"}))
    line = refusal(shell, f"%%swarm_learning mnist\n{body}")

    assert told in line and len(line) <= 200
    assert shell.opened == [] and "mnist" not in shell.ns


LINES = [
    ("%manta swarm-learning", "%manta swarm-learning needs SCRIPT: %manta swarm-learning mnist_pyt.py"),
    ("%manta swarmlearning x.py", "no verb swarmlearning (did you mean 'swarm-learning'?)"),
    ("%manta swarm-learning nowhere.py", "there is no script nowhere.py: name a .py file"),
    (f"{LINE} --min-peers 0", "--min-peers must be a whole number ≥ 1, got 0"),
    (f"{LINE} --min-peer 2", "no option --min-peer (did you mean --min-peers?)"),
    (f"{LINE} --nodes 2 --min-peers 3", "min_peers=3, but there are 2 nodes: lower it, or give nodes=3"),
    (f"{LINE} --env MAX_EPOCHS", "--env takes NAME=VALUE, got MAX_EPOCHS"),
    (f"{LINE} --env =5", "--env takes NAME=VALUE, got =5"),
    (f"{LINE} --env A=1 B=2", "takes SCRIPT only, got also B"),
    (f"{LINE} --patience -1", "--patience must be a number of seconds ≥ 0, got -1"),
    (f"{LINE} --deadline never", "--deadline must be a number of seconds ≥ 0, got never"),
    (f"{LINE} --merge median", "no merge method 'median'"),
    (f"{LINE} --merge none.py:f", "none.py"),
    (f"{LINE} --evaluate none.py:f", "evaluate: cannot read none.py: No such file"),
    (f"{LINE} --evaluate measure", "evaluate is FILE.py:function(model_dir, data_dir), got measure"),
    (f"{LINE} --model-dir nowhere", "--model-dir nowhere is no folder"),
    (f"{LINE} --node-env nowhere.json", "node_env: cannot read nowhere.json"),
    ("%%swarm_learning\nx", "%%swarm_learning needs NAME: %%swarm_learning mnist"),
    ("%%swarm_learning a-b\nx", "NAME must be a name of letters"),
    ("%%swarm_learning mnist --name x\nx", "%%swarm_learning has no option --name"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "told"), LINES)
def test_a_mistake_on_the_line_is_one_line(shell: Shell, line: str, told: str) -> None:
    """What is wrong, and what to type; no node is started."""
    said = refusal(shell, line)

    assert told in said and len(said) <= 200
    assert shell.opened == []


def test_a_mistake_leaves_the_run_before(shell: Shell) -> None:
    """What is wrong with the line is told before anything is stopped for it."""
    first = shell.ok(CELL).value
    Path("env.json").write_text(json.dumps({"node_7": {"A": "1"}}))
    told = [
        refusal(shell, f"%%swarm_learning mnist {more}\n{TEXT}")
        for more in ("--min-peers 5", "--node-env env.json")
    ]

    assert "min_peers=5, but there are 4 nodes" in told[0] and "no node 'node_7'" in told[1]
    assert not first.finished and len(shell.opened) == 1


def test_nodes_in_use_are_kept(shell: Shell) -> None:
    """Where what is asked for is what there is; else others take their place, unless something runs on them."""
    nodes = shell.ok("%manta start --nodes 4 --data digits --alpha 0.3").value
    first = shell.ok(CELL).value
    refused = refusal(shell, f"{LINE} --nodes 3")
    first.stop()
    second = shell.ok(f"{LINE} --nodes 3").value

    assert first.session is nodes and "mnist still runs on the nodes there are" in refused
    assert nodes.closed and second.session is shell.opened[1]


def test_data_of_the_notebook(shell: Shell) -> None:
    """`--data NAME=$arrays` is the object itself, found as NAME.npz in DATA_DIR."""
    shell.ns["arrays"] = {"x": np.zeros((20, 3)), "y": np.zeros(20)}
    shell.ok(f"%%swarm_learning mnist --data mnist=$arrays --nodes 2\n{TEXT}")

    assert shell.opened[0].options["data"] is shell.ns["arrays"]
    assert shell.opened[0].options["data_name"] == "mnist"


def test_help_is_shown(shell: Shell) -> None:
    """With the other verbs, and each option with its default and an example; that of the cell by `?`, too."""
    verb, cell = (
        str(shell.ok(line).value) for line in ("%manta swarm-learning --help", "%%swarm_learning --help\n ")
    )

    assert all(
        name in str(shell.ok("%manta").value) for name in ("%manta swarm-learning", "%%swarm_learning")
    )
    for option in SCRIPT_OPTIONS:
        assert f"  {option.name}" in verb and option.default_words() in verb and f"  {option.name}" in cell
    assert cell.endswith("%%swarm_learning mnist --nodes 3 --data digits --min-peers 2")
    assert shell.ip.find_cell_magic("swarm_learning").__doc__ == cell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%manta swarm-l|", ["%manta swarm-learning"]),
        ("%manta sw|", ["%manta swarm-learning"]),
        ("%manta swarm-learning mnist-|", ["%manta swarm-learning mnist-pyt.py"]),
        ("r = %manta swarm-learning ne|", ["r = %manta swarm-learning nets.py"]),
        ("%manta swarm-learning x.py --min-p|", ["%manta swarm-learning x.py --min-peers"]),
        ("%manta swarm-learning x.py --merge coord|", ["%manta swarm-learning x.py --merge coordmedian"]),
        ("%manta swarm-learning x.py --merge n|", ["%manta swarm-learning x.py --merge nets.py"]),
        ("%manta swarm-learning x.py --evaluate=n|", ["%manta swarm-learning x.py --evaluate=nets.py"]),
        ("%manta swarm-learning x.py --data dig|", ["%manta swarm-learning x.py --data digits"]),
        ("%manta swarm-learning x.py --env A=1 --en|", ["%manta swarm-learning x.py --env A=1 --env"]),
        ("%%swarm_learning mnist --min-p|\nimport os", ["%%swarm_learning mnist --min-peers"]),
        ("%%swarm_learning mnist --partition dir|\n", ["%%swarm_learning mnist --partition dirichlet"]),
    ],
)  # fmt: skip
def test_tab_offers_what_can_be_typed(shell: Shell, text: str, expected: list[str]) -> None:
    """The verb, files where a file is meant, names of methods, options, also on the first line of a cell."""
    assert tab(shell, text) == expected


def test_the_body_completes_as_python(shell: Shell) -> None:
    """Below the first line nothing of ours stands in the way."""
    shell.ns["waiting_room"] = 1

    assert "waiting_room" in [each.split()[-1] for each in tab(shell, "%%swarm_learning fl\nwaiting_r|")]


#: a cell that trains a net on the digits; node_1 may be told to fail
TRAINING = """%%swarm_learning {}
import os
import numpy as np
import torch
from swarm import SwarmCallback

with np.load(os.path.join(os.environ["DATA_DIR"], "digits.npz")) as file:
    x, y = torch.tensor(file["x_train"]).flatten(1), torch.tensor(file["y_train"])
    test = torch.utils.data.TensorDataset(torch.tensor(file["x_test"]).flatten(1), torch.tensor(file["y_test"]))
if os.environ["NODE_ID"] == os.environ.get("BREAKS"):
    1 / 0
model = torch.nn.Linear(64, 10)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
callback = SwarmCallback(sync_interval=16, min_peers=int(os.environ["MIN_PEERS"]), val_data=test, model=model)
callback.on_train_begin()
for batch in range(32):
    mine = slice(64 * batch % len(x), 64 * batch % len(x) + 64)
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x[mine]), y[mine]).backward()
    optimizer.step()
    callback.on_batch_end()
callback.on_epoch_end(0)
callback.on_train_end()
print("trained on", len(x))
"""


@pytest.mark.cluster
@pytest.mark.timeout(180)
def test_the_cell_runs_in_a_kernel(folder: Path) -> None:
    """Its run is shown in the cell, its tables below; one that fails names the node and the line of the cell."""
    cells = [
        "%load_ext manta_nb",
        TRAINING.format("net --nodes 2 --data digits --min-peers 2"),
        "net.wait().merges",
        "net.scripts",
        "net.compare(central=False)",
        TRAINING.format("bad --min-peers 2 --env BREAKS=node_1 --wait"),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, folder / "in.ipynb")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MANTA_NB_")}
    with pytest.raises(
        CellExecutionError, match="node_1 failed: exit code 1: bad.py, line 11: ZeroDivisionError"
    ):
        execute(folder / "in.ipynb", folder / "out.ipynb", plain, lambda text: None)
    done = nbformat.read(folder / "out.ipynb", as_version=4)
    shown = [text_of(cell) for cell in done.cells]

    assert "net · completed · iteration 4" in shown[1] and "trained on" in shown[1]
    assert shown[2].startswith("4 merges") and "node_1" in shown[2]
    assert shown[3].startswith("2 nodes") and "exit_code" in shown[3]
    assert (
        "local val_accuracy  swarm val_accuracy" in shown[4] and "central" not in shown[4].split("\n", 1)[1]
    )
    assert cells[-1].split("\n")[10] == "    1 / 0"


def text_of(cell: nbformat.NotebookNode) -> str:
    """What a cell shows, as text."""
    return "\n".join(
        output["text"] if output.output_type == "stream" else output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


@pytest.mark.cluster
def test_a_run_is_replaced_and_resumed(folder: Path) -> None:
    """Run again, the cell's run is replaced; the first one can go on, and takes over the model that it had."""
    shell = Shell(Session)
    plan = json.dumps({"step": 1.0, "batches": 100_000, "interval": 2, "peers": 2})
    cell = f"%%swarm_learning fl --nodes 2 --env BOARD=board --env PLAN='{plan}'\n{PEER.read_text()}"
    try:
        first = shell.ok(cell).value
        until(lambda: len(first.merges) >= 2, 60)
        second = shell.ok(cell).value
        second.stop()
        count = len(first.merges)
        shell.ok(f"%manta resume {first.run_id[:8]}")
        until(lambda: len(first.merges) > count + 1, 60)
        first.stop()
    finally:
        shell.close()

    assert shell.ns["fl"] is second and (first.status, second.reason) == ("stopped", "stopped by the user")
    assert [merge["round"] for merge in first.merges] == list(range(1, len(first.merges) + 1))
    # a batch adds 1: a script that had begun with 0 again would be behind
    assert first.metrics.last("val_number").mean > 2 * (len(first.merges) - 3)
