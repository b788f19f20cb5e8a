"""`%%swarm`: the body's scope, what the swarm is, and what becomes of runs."""

from __future__ import annotations

import re

import pytest

from manta_nb.errors import DefinitionError, MantaError, RunFailed, UsageError
from tests.ui.fakes import Shell
from tests.ui.texts import AGGREGATOR, FLOW, SCHEDULER, START, WORKER


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Eight nodes and three modules."""
    shell.ok(START, WORKER, AGGREGATOR, SCHEDULER)
    return shell


def test_a_flow_becomes_a_run(ready: Shell) -> None:
    """The run is bound, returned and shown once; the first line says which task goes to how many nodes."""
    told = ready.ok(FLOW)

    assert told.value is ready.ns["fl"]
    assert ready.shown == [told.value]
    assert told.out.startswith("worker ×8 → aggregator ×1 → scheduler ×1\n")
    assert told.value.swarm.globals == {"lr": 0.1}
    assert told.value.iterations == 3


def test_variables_on_the_line_are_put_in(ready: Shell) -> None:
    """`--iterations {rounds}` is the number that the notebook has."""
    ready.ns["rounds"] = 7

    assert ready.ok(FLOW.replace("3", "{rounds}")).value.iterations == 7


def test_the_body_is_an_ordinary_cell(ready: Shell) -> None:
    """It reads and leaves variables, defines functions and classes that see each other, and may use `!` and `%`."""
    ready.ns["rate"] = 0.5
    ready.ok(
        "%%swarm fl --iterations 2\n\n\ndef double(x):\n    return x * factor\nfactor = 2\nwhere = %pwd\n"
        'set_global("lr", double(rate))\nworker >> aggregator'
    )

    assert ready.ns["fl"].swarm.globals == {"lr": 1.0}
    assert ready.ns["factor"] == 2
    assert ready.ns["where"]


def test_the_added_names_are_there_only_meanwhile(ready: Shell) -> None:
    """`set_global` and the others are gone after the cell, also after one that failed."""
    ready.ok(FLOW)
    ready.cell("%%swarm fl\n1 / 0\nworker")

    assert [name for name in ("set_global", "Swarm", "Module", "numpy_to_bytes") if name in ready.ns] == []


def test_a_name_of_the_user_wins_with_a_note(ready: Shell) -> None:
    """An own `set_global` is used, and that is said."""
    ready.ok("calls = []\ndef set_global(tag, value): calls.append(tag)")
    told = ready.ok(FLOW)

    assert told.out.startswith("set_global is yours")
    assert ready.ns["calls"] == ["lr"]
    assert callable(ready.ns["set_global"])


def test_an_imported_name_that_is_ours_needs_no_note(ready: Shell) -> None:
    """`numpy_to_bytes` imported from the compatible package is the same function."""
    told = ready.ok("from manta_light.utils import numpy_to_bytes", FLOW)

    assert "is yours" not in told.out
    assert "numpy_to_bytes" in ready.ns


CLASS = """class FLSwarm(Swarm):
    def __init__(self, n=4):
        super().__init__()
        self.set_global("n", n)
    def execute(self):
        return aggregator(worker())
"""


@pytest.mark.parametrize(("end", "n"), [("FLSwarm(n=8)", 8), ("", 4), ("FLSwarm", 4)])
def test_a_swarm_may_be_an_object_or_a_class(ready: Shell, end: str, n: int) -> None:
    """The last value may be a Swarm, a Swarm class, or the one class the cell defines is made without arguments."""
    run = ready.ok(f"%%swarm fl --iterations 2\n{CLASS}{end}").value

    assert run.swarm.globals == {"n": n}
    assert run.name == "fl"


def test_branches_are_one_flow(ready: Shell) -> None:
    """`a >> [b, c] >> d` runs b and c side by side."""
    told = ready.ok(
        "%%swarm fl --iterations 2\nworker >> [aggregator, scheduler.with_options(alias='check')] >> scheduler"
    )

    assert told.out.startswith("worker ×8 → [aggregator ×1, check ×1] → scheduler ×1\n")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "flow = worker >> aggregator",
            "Cell In[5], line 2: the cell ends in an assignment; end it with a flow like",
        ),
        (
            "worker >> aggregator\naggregator >> scheduler",
            "line 3 is not part of the flow; write worker >> aggregator >> scheduler",
        ),
        (
            "worker >> aggregator\nprint('done')",
            "Cell In[5], line 2: the flow worker >> aggregator is not the last line",
        ),
        (
            "3 + 4",
            "Cell In[5], line 2: the cell ends in 7 (int); end it with a flow like worker >> aggregator",
        ),
        (
            "for x in []: ...",
            "the cell ends without a flow or a Swarm; end it with a flow like worker >> aggregator",
        ),
        ("# nothing", "there is nothing below the %%swarm line"),
        (
            "await worker",
            "Cell In[5], line 2: await cannot be used in a %%swarm cell: move it to a cell of its own",
        ),
        ("worker >> agregator", "Cell In[5], line 2: no module 'agregator' (did you mean 'aggregator'?)"),
        (
            f"{CLASS}{CLASS.replace('FLSwarm', 'Other')}",
            "defines 2 swarms, FLSwarm, Other: end it with one, such as Other()",
        ),
        (
            "set_global('f', print)\nworker",
            "Cell In[5], line 2: cannot send a builtin_function_or_method at set_global",
        ),
        ("worker >> (", "Cell In[5], line 2: '(' was never closed"),
    ],
)
def test_a_body_that_ends_in_no_swarm_is_refused(ready: Shell, body: str, told: str) -> None:
    """Each mistake is one line with the cell, the line and what to write."""
    found = ready.cell(f"%%swarm fl --iterations 2\n{body}\n")

    assert told in found.line
    assert len(found.line) <= 200
    assert isinstance(found.error, MantaError)
    assert "fl" not in ready.ns


def test_an_error_in_the_body_keeps_its_traceback(ready: Shell) -> None:
    """The user's own error is shown with the line as the reader counts it."""
    told = ready.cell("%%swarm fl --iterations 2\n\nx = 1 / 0\nworker")

    assert isinstance(told.error, ZeroDivisionError)
    assert "3 x = 1 / 0" in _plain(told.out)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_without_iterations_something_must_stop_it(ready: Shell) -> None:
    """A swarm that never ends is refused, unless a module calls stop_swarm or `forever` is asked for."""
    with pytest.raises(DefinitionError, match="nothing ends this swarm: give --iterations N"):
        ready.ok("%%swarm fl\nworker >> aggregator")

    assert ready.ok("%%swarm fl\nworker >> scheduler").value.iterations is None
    assert ready.ok("%%swarm fl --iterations forever\nworker >> aggregator").value.iterations == "forever"


def test_no_nodes_starts_four_with_digits(shell: Shell) -> None:
    """The default is said in one line."""
    told = shell.ok(WORKER, SCHEDULER, "%%swarm fl\nworker >> scheduler")

    assert told.out.splitlines()[0].startswith("no nodes yet: 4 with digits, iid, are started now")
    assert (len(shell.opened[0].nodes), shell.opened[0].options["data"]) == (4, "digits")


def test_a_first_task_on_one_of_many_is_noted(ready: Shell) -> None:
    """Training on one node of eight is hardly ever meant."""
    told = ready.ok(WORKER.replace(" --all", ""), FLOW)

    assert "worker runs on one node of 8; for all: %%module worker --all" in told.out


def test_asking_for_more_nodes_than_there_are_is_said(ready: Shell) -> None:
    """`maximum` above the eligible means all of them, said in the header."""
    told = ready.ok(WORKER.replace("--all", "--maximum 12"), FLOW)

    assert told.out.startswith("worker ×8 of 12 asked → ")


def test_a_select_that_nobody_feeds_is_noted(ready: Shell) -> None:
    """A tag that is selected and never added is a misspelling."""
    told = ready.ok(AGGREGATOR.replace("model_params", "model_parms"), FLOW)

    assert "aggregator selects 'model_parms', which no module adds (did you mean 'model_params'?)" in told.out


def test_a_module_without_a_task_is_refused(ready: Shell) -> None:
    """A package of which only a second file is there cannot run."""
    told = ready.cell("%%module later --file model.py\nx = 1"), ready.cell("%%swarm fl --iterations 1\nlater")

    assert "module 'later' has no task yet: write it in a cell %%module later" in told[1].line


def test_no_eligible_node_is_refused_before_anything_runs(ready: Shell) -> None:
    """The message says of each node why not."""
    told = ready.ok(WORKER.replace("--all", "--needs mnist")), ready.cell(FLOW)

    assert "no node can run 'worker': it needs the dataset 'mnist'; node_0 has digits" in told[1].line
    assert ready.opened[0].runs == []


def test_dry_run_runs_nothing(ready: Shell) -> None:
    """`--dry-run` shows counts, notes and the graph."""
    told = ready.ok(FLOW.replace("fl ", "fl --dry-run "))

    assert str(told.value).startswith("worker ×8 → aggregator ×1 → scheduler ×1")
    assert ready.opened[0].runs == []
    assert "fl" not in ready.ns


def test_options_reach_the_run(ready: Shell) -> None:
    """Seed and nodes are handed on; unknown nodes are named."""
    run = ready.ok(FLOW.replace("fl ", "fl --seed 7 --nodes node_1,node_2 ")).value

    assert run.options == {"nodes": ("node_1", "node_2"), "seed": 7}
    with pytest.raises(MantaError, match="no node 'nod'"):
        ready.ok(FLOW.replace("fl ", "fl --nodes nod "))


def test_a_rerun_replaces_the_running_run(ready: Shell) -> None:
    """The old run is stopped with the reason; one line names it, its iteration, how to go on and how to keep both."""
    old, told = ready.ok(FLOW).value, ready.ok(FLOW)

    assert (old.status, old.reason) == ("stopped", "replaced")
    assert told.out.startswith(
        f"fl {old.run_id} is stopped (replaced) after 3 iterations: "
        f"%manta resume {old.run_id} goes on with it; --keep lets both run"
    )
    assert ready.ns["fl"] is told.value
    assert not told.value.finished


def test_keep_lets_both_run(ready: Shell) -> None:
    """With `--keep`, and by the setting, nothing is stopped."""
    ready.ok(FLOW, FLOW.replace("fl ", "fl --keep "), '%config MantaMagics.rerun = "keep"', FLOW)

    assert [run.status for run in ready.opened[0].runs] == ["running"] * 3


def test_a_rerun_can_be_refused(ready: Shell) -> None:
    """By `%config MantaMagics.rerun = "refuse"`."""
    ready.ok(FLOW, '%config MantaMagics.rerun = "refuse"')
    with pytest.raises(UsageError, match="fl is running"):
        ready.ok(FLOW)

    assert [run.status for run in ready.opened[0].runs] == ["running"]


def test_a_cell_that_cannot_run_stops_nothing(ready: Shell) -> None:
    """A mistake in a re-run leaves the running run alone."""
    ready.ok(FLOW)
    ready.cell(FLOW.replace(">> scheduler", ">> schedler"))

    assert ready.ns["fl"].status == "running"


@pytest.mark.parametrize("way", ["option", "environment", "config"])
def test_waiting(ready: Shell, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--wait`, `MANTA_NB_BLOCK=1` and `%config MantaMagics.block` wait for the end and show the run once."""
    if way == "environment":
        monkeypatch.setenv("MANTA_NB_BLOCK", "1")
    if way == "config":
        ready.ok("%config MantaMagics.block = True")
    run = ready.ok(FLOW.replace("fl ", "fl --wait ") if way == "option" else FLOW).value

    assert (run.status, run.waits) == ("completed", 1)
    assert ready.shown == [run]


def test_a_failed_run_that_was_waited_for_raises(ready: Shell) -> None:
    """The run is bound and shown, and its error is the cell's."""
    ready.opened[0].outcome = "failed"
    told = ready.cell(FLOW.replace("fl ", "fl --wait "))

    assert isinstance(told.error, RunFailed)
    assert ready.shown == [ready.ns["fl"]]


def test_an_interrupt_ends_the_waiting_only(ready: Shell) -> None:
    """The run goes on, and is there to be waited for again."""
    ready.opened[0].interrupts = 1
    told = ready.cell(FLOW.replace("fl ", "fl --wait "))

    assert isinstance(told.error, KeyboardInterrupt)
    assert ready.ns["fl"].status == "running"


def test_the_name_in_use_is_replaced_and_said(ready: Shell) -> None:
    """A variable of the run's name is overwritten, with one line."""
    ready.ns["fl"] = [1]

    assert "fl was a list of the notebook; it is the run fl now" in ready.ok(FLOW).out


def test_the_same_run_is_shown_again_in_another_cell(ready: Shell) -> None:
    """Once a cell, not once a notebook."""
    ready.ok(FLOW, "fl", "%manta monitor")

    assert ready.shown == [ready.ns["fl"]] * 3
