"""Every mistake that a person can make in a notebook, and the one line that answers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from manta_nb.errors import MantaError
from manta_nb.session.session import Session
from tests.ui.fakes import Shell
from tests.ui.texts import AGGREGATOR, START, WORKER


@dataclass(frozen=True)
class Mistake:
    """Cells of which the last one is the mistake, and what its one line has to hold."""

    name: str
    #: the offending word
    word: str
    #: what to type
    cure: str
    cells: tuple[str, ...]
    #: the line of the cell, "" where there is none
    line: str = ""
    #: the error names a cell before the last one
    earlier: bool = field(default=False)

    def __str__(self) -> str:
        return self.name


def task(*lines: str, options: str = "--all", name: str = "worker") -> str:
    """A module's cell whose `run` is `lines`, the first of which is line 5 of the cell."""
    body = "\n".join(f"        {line}" for line in lines)
    head = "from manta_light.task import Task\nclass Work(Task):\n    def run(self):"
    return f"%%module {name} {options}\n{head}\n{body}\n"


FORGOTTEN = """%%swarm fl --iterations 1
class FLSwarm(Swarm):
    def __init__(self):
        self.set_global("a", 1)
    def execute(self):
        return worker()
FLSwarm()"""

NOTEBOOK = [
    Mistake(
        "run is forgotten",
        "Worker",
        'add "def run(self):"',
        ("%%module worker\nfrom manta_light.task import Task\nclass Worker(Task):\n    x = 1\n",),
        "line 3",
    ),
    Mistake(
        "a module is not defined",
        "agregator",
        "%%module agregator",
        (WORKER, AGGREGATOR, "%%swarm fl --iterations 1\n\nworker >> agregator"),
        "line 3",
    ),
    Mistake(
        "a name is not imported in the module",
        "np",
        '"import numpy as np"): add that line here',
        ("import numpy as np", task("print(np.zeros(3))")),
        "line 5",
    ),
    Mistake(
        "a variable of the notebook in run",
        "lr is a variable",
        'set_global("lr", lr)',
        ("lr = 0.1", task("x = 1", "print(lr)")),
        "line 6",
    ),
    Mistake(
        "an alias twice",
        "'worker'",
        "another alias=",
        (WORKER, AGGREGATOR, '%%swarm fl --iterations 1\nworker >> aggregator.with_options(alias="worker")'),
    ),
    Mistake(
        "super().__init__() is forgotten in a Swarm",
        "FLSwarm.__init__",
        "add it as its first line",
        (
            WORKER,
            FORGOTTEN,
        ),
        "line 4",
    ),
    Mistake(
        "execute without return",
        "FLSwarm.execute returns nothing",
        "end it with return",
        (
            WORKER,
            "%%swarm fl --iterations 1\nclass FLSwarm(Swarm):\n    def execute(self):\n        worker()\n",
        ),
        "line 3",
    ),
    Mistake(
        "a flow on two lines",
        "is not part of the flow",
        "write worker >> aggregator >> scheduler",
        ("%%swarm fl --iterations 1\nworker >> aggregator\naggregator >> scheduler",),
        "line 3",
    ),
    Mistake(
        "no end condition",
        "nothing ends this swarm",
        "--iterations N",
        (WORKER, "%%swarm fl\nworker"),
    ),
    Mistake(
        "one > for two",
        "one >",
        "worker >> aggregator",
        (WORKER, AGGREGATOR, "%%swarm fl --iterations 1\nworker > aggregator"),
    ),
    Mistake(
        "the way to run for ever",
        "--iterations forever",
        "self.world.stop_swarm()",
        (WORKER, "%%swarm fl\nworker"),
    ),
    Mistake(
        "a call instead of the class to run",
        "FLSwarm(3)",
        "write FLSwarm alone, and its arguments as -p NAME=VALUE",
        ("class FLSwarm(manta_nb.Swarm): pass", "%manta run FLSwarm(3)"),
    ),
    Mistake(
        "a misspelt node of the logs",
        "'node1'",
        "did you mean 'node_1'?",
        (WORKER, START, "%%swarm fl --iterations 1\nworker", "%manta logs --node node1"),
    ),
    Mistake(
        "a value that cannot be sent",
        'set_global("f")',
        "allowed are None",
        (WORKER, '%%swarm fl --iterations 1\n\nset_global("f", lambda: 1)\nworker'),
        "line 3",
    ),
    Mistake(
        "zero eligible nodes",
        "'worker'",
        "it needs the dataset 'mnist'; node_0 has digits",
        (task("print(1)", options="--needs mnist"), START, "%%swarm fl --iterations 1\nworker"),
    ),
    Mistake(
        "a syntax error in a module",
        "def run(self)",
        "expected ':'",
        (
            "%%module worker\nfrom manta_light.task import Task\nclass Worker(Task):\n    def run(self)\n        pass",
        ),
        "line 4",
    ),
    Mistake(
        "a syntax error in a swarm",
        "worker >>> aggregator",
        "invalid syntax",
        ("%%swarm fl --iterations 1\nworker >>> aggregator",),
        "line 2",
    ),
    Mistake(
        "a quote left open", "'digits", "close it with another '", ("%manta start --data 'digits --nodes 8",)
    ),
    Mistake(
        "a negative number of nodes",
        "got -3",
        "--nodes must be a whole number ≥ 1",
        ("%manta start --nodes -3",),
    ),
    Mistake(
        "an infinite alpha", "got inf", "--alpha must be a finite number > 0", ("%manta start --alpha inf",)
    ),
]

WAITED = "%%swarm fl --iterations 1 --wait\nset_global('hyperparameters', 0.1)\nworker"

RUN = [
    Mistake(
        "a misspelt tag",
        "'hyperparamters'",
        "did you mean 'hyperparameters'?",
        (task('self.world.globals["hyperparamters"]'), WAITED),
        "line 5",
        earlier=True,
    ),
    Mistake(
        "an unknown dataset in a task",
        "'digit'",
        "did you mean 'digits'?",
        (task('self.local.get_numpy_data("digit")'), WAITED),
        "line 5",
        earlier=True,
    ),
    Mistake(
        "super().__init__() is forgotten in a Task",
        "Work.__init__",
        "add super().__init__()",
        (
            task("self.world.stop_swarm()").replace(
                "    def run", "    def __init__(self):\n        self.x = 1\n    def run"
            ),
            WAITED,
        ),
        "line 7",
        earlier=True,
    ),
    Mistake(
        "a result that cannot be sent",
        "'f'",
        "allowed are None",
        (task('self.world.results.add("f", print)'), WAITED),
        "line 5",
        earlier=True,
    ),
    Mistake(
        "an unknown alias in schedule_next_iter",
        "'workr'",
        "did you mean 'worker'?",
        (task('self.world.schedule_next_iter(["node_0"], "workr")'), WAITED),
        "line 5",
        earlier=True,
    ),
    Mistake(
        "more nodes than data",
        "2000 nodes asked",
        "at most 1437 nodes",
        ("%manta start --nodes 2000 --data digits",),
    ),
    Mistake(
        "an unknown dataset at the start",
        "'digit'",
        "did you mean 'digits'?",
        ("%manta start --data digit",),
    ),
]


def check(shell: Shell, mistake: Mistake) -> None:
    """Run the cells; the last one has to be answered as the mistake says."""
    if len(mistake.cells) > 1:
        shell.ok(*mistake.cells[:-1])
    told = shell.cell(mistake.cells[-1])

    assert isinstance(told.error, MantaError), told.out
    assert len(told.line) <= 200
    assert "\n" not in told.line
    assert mistake.word in told.line
    assert mistake.cure in told.line
    number = len(mistake.cells) - mistake.earlier
    place = f"Cell In[{number}]" if not mistake.earlier else "Cell In["
    assert not mistake.line or (place in told.line and mistake.line in told.line)
    assert told.out.splitlines()[-1] == f"{type(told.error).__name__}: {told.line}"


@pytest.mark.parametrize("mistake", NOTEBOOK, ids=str)
def test_a_mistake_in_the_notebook_is_one_line(shell: Shell, mistake: Mistake) -> None:
    """It holds the offending word, the line of the cell where there is one, and what to type."""
    check(shell, mistake)


def test_a_first_task_on_one_node_of_eight_is_one_line(shell: Shell) -> None:
    """It runs, as it may be meant; the line says how many there are and what to type for all of them."""
    told = shell.ok(START, task("print(1)", options=""), "%%swarm fl --iterations 1\nworker")

    assert told.out.splitlines()[1:] == [
        "worker runs on one node of 8; for all: %%module worker --all",
        "Out[3]: ",
    ]


@pytest.fixture(scope="module")
def running() -> Iterator[Shell]:
    """A shell on two real nodes."""
    shell = Shell(partial(Session, workers=2))
    shell.ok("%manta start --nodes 2 --data digits")
    yield shell
    shell.close()


@pytest.mark.cluster
def test_a_trial_in_words_has_what_was_printed(running: Shell) -> None:
    """Where there is no HTML, as in a terminal, the lines are there, too."""
    running.ok(task('print("loss", 3)'))

    assert "loss 3" in str(running.ok('worker.try_on("node_0")').value)


@pytest.mark.cluster
@pytest.mark.parametrize("mistake", RUN, ids=str)
def test_a_mistake_that_a_run_finds_is_one_line(running: Shell, mistake: Mistake) -> None:
    """The same for what only shows on a node: the line of the cell is that of the module."""
    check(running, mistake)
