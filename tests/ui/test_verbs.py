"""The verbs of `%manta`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manta_nb.errors import MantaError
from tests.ui.fakes import FakeSession, Shell
from tests.ui.texts import AGGREGATOR, FLOW, SCHEDULER, START, WORKER

FULL = (
    "%manta start --nodes 8 --workers 2 --data digits --partition dirichlet --alpha 0.3 --min-size 5 "
    "--test local --resize 28 --label y --seed 3 --memory-limit 2GB   # all of them"
)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Nodes, modules and a run."""
    shell.ok(START, WORKER, AGGREGATOR, SCHEDULER, FLOW)
    return shell


def refusal(shell: Shell, line: str) -> str:
    """The one line that `line` is refused with."""
    told = shell.cell(line)
    assert isinstance(told.error, MantaError), told
    assert len(told.line) <= 200
    assert "\n" not in told.line
    return told.line


def test_help_is_shown_not_raised(shell: Shell) -> None:
    """`%manta`, `%manta --help`, `%manta start --help` and `%%swarm?` all print."""
    assert "%manta start" in str(shell.ok("%manta").value)
    assert str(shell.ok("%manta --help").value) == str(shell.ok("%manta").value)
    assert "--labels-per-node K" in str(shell.ok("%manta start --help").value)
    assert "--iterations N|forever" in shell.ok("%%swarm?").out
    assert "--iterations N|forever" in str(shell.ok("%%swarm --help\nworker").value)


def test_an_unknown_verb_is_guessed(shell: Shell) -> None:
    """A misspelt verb names the one that was meant."""
    assert "%manta has no verb strat (did you mean 'start'?)" in refusal(shell, "%manta strat --nodes 4")


def test_line_magics_do_not_exist_for_cells(shell: Shell) -> None:
    """IPython says that `%module` is written with two signs."""
    assert "%%module" in str(shell.cell("%module worker").error)


def test_start_hands_every_option_to_the_session(shell: Shell) -> None:
    """What is typed becomes the arguments of `Session`."""
    session = shell.ok(f"s = {FULL}") and shell.ns["s"]

    assert session is shell.opened[0]
    assert session.options == {
        "nodes": 8,
        "workers": 2,
        "data": "digits",
        "partition": "dirichlet",
        "alpha": 0.3,
        "min_size": 5,
        "test": "local",
        "resize": 28,
        "label": "y",
        "seed": 3,
        "memory_limit": "2GB",
    }


@pytest.mark.parametrize(
    ("option", "partition"),
    [("--alpha 0.3", "dirichlet"), ("--labels-per-node 2", "shards"), ("--sizes 1,2,7", "sizes")],
)
def test_an_option_of_a_partition_implies_it(shell: Shell, option: str, partition: str) -> None:
    """`--alpha 0.3` alone means dirichlet, and so on."""
    assert shell.ok(f"%manta start --data digits {option}").value.options["partition"] == partition


def test_arrays_of_the_notebook_are_data(shell: Shell) -> None:
    """`--data $name` hands over the object itself, not its text."""
    shell.ns["arrays"] = {"x": np.zeros((20, 3)), "y": np.zeros(20)}

    assert shell.ok("%manta start --data $arrays").value.options["data"] is shell.ns["arrays"]


def test_a_variable_without_a_dollar_sign_is_explained(shell: Shell) -> None:
    """A bare name of a variable is not a file."""
    shell.ns["arrays"] = {"x": [1]}

    assert "a variable is written with a dollar sign: --data $arrays" in refusal(
        shell, "%manta start --data arrays"
    )


def test_the_same_options_show_the_card(shell: Shell) -> None:
    """Running the cell again restarts nothing."""
    first = shell.ok(FULL).value

    assert shell.ok(FULL).value is first
    assert len(shell.opened) == 1


def test_other_options_replace_the_nodes(shell: Shell) -> None:
    """The nodes before are stopped."""
    first, second = shell.ok(START).value, shell.ok("%manta start --nodes 3").value

    assert (first.closed, second.closed, len(second.nodes)) == (True, False, 3)


def test_nodes_with_an_active_run_are_not_replaced(ready: Shell) -> None:
    """The run is named, and how to stop it."""
    assert "%manta stop fl first" in refusal(ready, "%manta start --nodes 3")
    assert not ready.opened[0].closed


def test_nodes_are_listed(ready: Shell) -> None:
    """`%manta nodes` is the table of nodes."""
    assert "node_7" in str(ready.ok("%manta nodes").value)


def test_a_session_made_by_hand_can_be_used(shell: Shell) -> None:
    """`%manta use s` makes the magics use it; it is not theirs to stop."""
    shell.ns["s"] = FakeSession(3)

    assert shell.ok("%manta use s").value is shell.ns["s"]
    assert len(shell.ok("%manta nodes").value) == 3
    shell.close()
    assert not shell.ns["s"].closed


def test_only_a_session_can_be_used(shell: Shell) -> None:
    """Anything else is named."""
    shell.ns["n"] = 3

    assert "n is a int; give a Session" in refusal(shell, "%manta use n")
    assert "t is not defined" in refusal(shell, "%manta use t")


def test_shutdown_stops_nodes_and_runs(ready: Shell) -> None:
    """After it there are no nodes, and finished runs can be looked at."""
    ready.ok("%manta shutdown")

    assert ready.opened[0].closed
    assert ready.ns["fl"].status == "stopped"
    assert "type %manta start" in refusal(ready, "%manta nodes")
    assert len(ready.ok("%manta metrics").value) == 6


def test_stop_ends_the_run_never_the_nodes(ready: Shell) -> None:
    """`%manta stop` without a name stops the run that is active."""
    assert ready.ok("%manta stop").value.status == "stopped"
    assert not ready.opened[0].closed


def test_runs_are_found_by_name_and_id(ready: Shell) -> None:
    """The latest of a name, or the beginning of an id."""
    run = ready.ns["fl"]

    assert ready.ok("%manta monitor fl").value is run
    assert ready.ok(f"%manta monitor {run.run_id[:5]}").value is run
    assert "no run f2; there are: fl" in refusal(ready, "%manta monitor f2")


def test_a_run_started_in_python_is_known(ready: Shell) -> None:
    """`s.run(…)` on the nodes in use is the latest run, too."""
    run = ready.opened[0].run(ready.ns["fl"].swarm, 3, name="by_hand")

    assert ready.ok("%manta monitor").value is run


def test_without_runs_the_way_to_one_is_said(shell: Shell) -> None:
    """A view of nothing says how to get something."""
    assert "%%swarm fl --iterations 5" in refusal(shell, "%manta globals")
    assert "no runs yet" in str(shell.ok("%manta runs").value)


def test_the_runs_say_their_best_metric(ready: Shell) -> None:
    """Accuracy-like by default; by setting another, the lower the better where it is a loss."""
    assert "val_acc 0.6667 (highest)" in str(ready.ok("%manta runs").value)
    ready.ok('%config MantaMagics.metric = "loss"')
    assert "loss -1 (lowest)" in str(ready.ok("%manta runs").value)


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("%manta globals", "lr"),
        ("%manta globals --tag lr", "0.1"),
        ("%manta results", "model_params"),
        ("%manta results --tag model_params --iteration 2", "'node_1': 2"),
        ("%manta metrics fl", "val_acc"),
        ("%manta logs", "hello"),
        ("%manta logs --node node_1 --contains loss", "loss 1"),
        ("%manta graph", "aggregator"),
    ],
)
def test_a_run_is_looked_into(ready: Shell, line: str, holds: str) -> None:
    """Each view has a verb."""
    assert holds in str(ready.ok(line).value)


def test_logs_are_filtered(ready: Shell) -> None:
    """By node, task, level and text; the last lines of it."""
    assert len(ready.ok("%manta logs --node node_1").value) == 1
    assert len(ready.ok("%manta logs --level stdout").value) == 1
    assert [row.text for row in ready.ok("%manta logs --tail 1").value] == ["loss 1"]


def test_a_misspelt_tag_is_guessed(ready: Shell) -> None:
    """The tags there are, and the nearest."""
    assert "(did you mean 'model_params'?)" in refusal(ready, "%manta results --tag model_parms")


SWARM = """from manta_nb.sdk.swarm import Swarm
class FLSwarm(Swarm):
    def __init__(self, n_workers=4):
        super().__init__()
        self.n = n_workers
    def execute(self):
        return aggregator(worker.with_options(method="any", maximum=self.n)())
"""


def test_a_swarm_class_is_run_with_arguments(ready: Shell) -> None:
    """`%manta run FLSwarm -p n_workers=3` makes the class and runs it under its name."""
    ready.ok(SWARM)
    told = ready.ok("r = %manta run FLSwarm -p n_workers=3 --iterations 2")

    assert told.out == "worker ×3 → aggregator ×1\n"
    assert (ready.ns["r"].name, ready.ns["r"].iterations) == ("FLSwarm", 2)


def test_an_unknown_argument_shows_the_signature(ready: Shell) -> None:
    """The class's own words for what it takes."""
    ready.ok(SWARM)

    assert "FLSwarm(n_workers=4)" in refusal(ready, "%manta run FLSwarm -p workers=3 --iterations 2")


def test_an_unknown_swarm_is_guessed(ready: Shell) -> None:
    """The nearest class of the notebook."""
    ready.ok(SWARM)

    assert "no Swarm FLSwrm (did you mean 'FLSwarm'?)" in refusal(ready, "%manta run FLSwrm --iterations 2")


def test_a_file_is_run(ready: Shell, tmp_path: Path) -> None:
    """`FILE.py:Class` is loaded from the working directory."""
    (tmp_path / "task.py").write_text("def main():\n    print('hello')\n")
    (tmp_path / "mine.py").write_text(
        "from manta.swarm import Swarm\nfrom manta.module import Module\n"
        "class Mine(Swarm):\n    def execute(self):\n        return Module('task.py', method='all')()\n"
    )

    assert ready.ok("%manta run mine.py:Mine --iterations 2 --name mine").value.name == "mine"


def test_arrays_can_be_given_a_name(shell: Shell) -> None:
    """`--data mnist_part=$arrays` is what tasks find as `mnist_part`."""
    shell.ns["arrays"] = {"x": np.zeros((20, 3)), "y": np.zeros(20)}
    options = shell.ok("%manta start --data mnist_part=$arrays").value.options

    assert (options["data"] is shell.ns["arrays"], options["data_name"]) == (True, "mnist_part")


def test_a_bundled_name_wins_over_a_variable(shell: Shell) -> None:
    """Whoever has called a variable `digits` still gets the dataset."""
    shell.ns["digits"] = {"x": [1]}

    assert shell.ok("%manta start --data digits").value.options["data"] == "digits"


def test_a_start_that_fails_leaves_the_nodes(shell: Shell) -> None:
    """A mistake on the line does not take away what was there."""
    first = shell.ok(START).value
    shell.cell("%manta start --nodes 3 --data $nothing")

    assert shell.notebook.session is first
    assert not first.closed


def test_the_doctor_looks_at_this_machine(shell: Shell) -> None:
    """`%manta doctor` is a report with what is there."""
    assert "python" in str(shell.ok("%manta doctor").value).lower()
