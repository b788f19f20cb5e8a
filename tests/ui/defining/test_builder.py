"""The swarm builder's kernel side: what it hears from the browser, and what becomes of it in the notebook."""

from __future__ import annotations

from typing import Any

import pytest

import manta_nb
from manta_nb.errors import UsageError
from manta_nb.ui.defining.builder import SwarmBuilder
from tests.ui.fakes import Shell
from tests.ui.texts import AGGREGATOR, START, WORKER

DRAWN: dict[str, Any] = {
    "name": "fl",
    "iterations": "3",
    "boxes": [{"key": "a", "module": "worker"}, {"key": "b", "module": "aggregator"}],
    "arrows": [{"from": "a", "to": "b"}],
    "globals": [{"tag": "lr", "text": "0.1"}],
}
CELL = '%%swarm fl --iterations 3\nset_global("lr", 0.1)\nworker >> aggregator'


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Eight nodes and two modules."""
    shell.ok(START, WORKER, AGGREGATOR)
    return shell


def test_it_offers_the_modules_and_nodes_of_the_notebook(ready: Shell) -> None:
    """Modules by their variables, with where they run; one defined later is there after a look."""
    made = SwarmBuilder(ready.ip)
    ready.ok(AGGREGATOR.replace("aggregator", "other", 1))
    ready.ns["number"] = 3

    made._hear(made, {"op": "refresh"}, [])

    assert [module["name"] for module in made.modules] == ["worker", "aggregator", "other"]
    assert made.modules[0]["placement"].startswith("every node")
    assert made.nodes[0] == "node_0" and len(made.nodes) == 8


def test_the_text_follows_the_drawing(ready: Shell) -> None:
    """Each change in the browser gives the whole cell, and what is missing in it."""
    made = SwarmBuilder(ready.ip)
    assert made.problems == ["no task yet: add a module"]

    made.draft = DRAWN

    assert made.text == CELL
    assert made.problems == []


def test_run_runs_the_cell(ready: Shell) -> None:
    """The run is bound as by a cell, and the line says where to find it."""
    made = SwarmBuilder(ready.ip, DRAWN)

    made._hear(made, {"op": "run"}, [])

    assert ready.ns["fl"].swarm.globals == {"lr": 0.1}
    assert made.told["ok"] and made.told["text"].startswith("fl runs; type fl in a cell")


def test_what_the_nodes_refuse_is_told(ready: Shell) -> None:
    """An error of the run is one line in the builder, and the builder lives on."""
    ready.ok('%config MantaMagics.rerun = "refuse"')
    made = SwarmBuilder(ready.ip, DRAWN)
    made._hear(made, {"op": "run"}, [])
    first = ready.ns["fl"]

    made._hear(made, {"op": "run"}, [])

    assert not made.told["ok"] and "fl" in made.told["text"]
    assert ready.ns["fl"] is first


def test_insert_hands_the_cell_to_the_notebook(ready: Shell) -> None:
    """The text is the next input, whole."""
    given: list[str] = []
    ready.ip.set_next_input = given.append  # type: ignore[method-assign]
    made = SwarmBuilder(ready.ip, DRAWN)

    made._hear(made, {"op": "insert"}, [])

    assert given == [CELL]
    assert made.told["ok"]


@pytest.mark.parametrize("op", ["run", "insert"])
def test_half_a_drawing_is_not_run_nor_inserted(ready: Shell, op: str) -> None:
    """The first problem is told again."""
    made = SwarmBuilder(ready.ip, {**DRAWN, "iterations": "x"})

    made._hear(made, {"op": op}, [])

    assert (made.told["ok"], made.told["text"]) == (False, made.problems[0])
    assert "fl" not in ready.ns


@pytest.mark.parametrize("content", [None, 3, {}, {"op": 3}, {"op": "__init__"}, {"op": ["run"]}])
def test_nonsense_is_left_alone(ready: Shell, content: object) -> None:
    """A malformed message does no harm."""
    made = SwarmBuilder(ready.ip, DRAWN)

    made._hear(made, content, [])

    assert made.told == {}


def test_without_widgets_it_prints_the_cell(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal and in static mode there is text, and no view that could not be shown."""
    monkeypatch.setenv("MANTA_NB_LIVE", "static")

    data = SwarmBuilder(ready.ip, DRAWN)._repr_mimebundle_()

    assert list(data) == ["text/plain"]
    assert CELL in data["text/plain"] and "worker, aggregator" in data["text/plain"]


def test_in_a_script_it_says_what_to_write() -> None:
    """There is no notebook to insert into."""
    from IPython.core.getipython import get_ipython

    assert get_ipython() is None
    with pytest.raises(UsageError, match="needs a notebook"):
        manta_nb.builder()


def test_the_script_is_there_and_never_makes_markup_of_data() -> None:
    """What the package ships is built, and no name can become an element."""
    script = str(SwarmBuilder._esm)

    assert "render" in script
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script
