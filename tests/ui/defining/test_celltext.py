"""What is on the builder's canvas, as the text of a `%%swarm` cell that runs."""

from __future__ import annotations

from typing import Any

import pytest

from manta_nb.ui.defining.celltext import CellText, cell_text
from manta_nb.ui.defining.draft import Draft
from tests.ui.fakes import Shell
from tests.ui.texts import AGGREGATOR, SCHEDULER, START, WORKER

SPLIT = WORKER.replace("worker", "other", 1)


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Eight nodes and four modules."""
    shell.ok(START, WORKER, AGGREGATOR, SCHEDULER, SPLIT)
    return shell


def draft(boxes: str, arrows: str = "", changes: dict[str, Any] | None = None) -> Draft:
    """A draft of `"a:worker b:aggregator"` and `"a>b"`."""
    keys = [word.split(":") for word in boxes.split()]
    return Draft.read(
        {
            "name": "fl",
            "iterations": "3",
            "seed": "",
            "boxes": [{"key": key, "module": module} for key, module in keys],
            "arrows": [dict(zip(("from", "to"), word.split(">"), strict=True)) for word in arrows.split()],
            "globals": [],
            **(changes or {}),
        }
    )


def composed(ready: Shell, boxes: str, arrows: str = "", changes: dict[str, Any] | None = None) -> CellText:
    return cell_text(draft(boxes, arrows, changes), ready.ns, list(ready.notebook.need_session().nodes))


@pytest.mark.parametrize(
    ("boxes", "arrows", "body", "graph"),
    [
        ("a:worker", "", "worker", "worker"),
        (
            "a:worker b:aggregator c:scheduler",
            "a>b b>c",
            "worker >> aggregator >> scheduler",
            "worker → aggregator → scheduler",
        ),
        (
            "a:worker b:other c:aggregator",
            "a>c b>c",
            "[worker, other] >> aggregator",
            "[worker, other] → aggregator",
        ),
        ("a:worker b:aggregator c:other", "a>b a>c", "worker >> [aggregator, other]", None),
        (
            "a:worker b:aggregator c:scheduler",
            "a>b a>c b>c",
            "worker_1 = worker()\naggregator_1 = aggregator(worker_1)\nscheduler(worker_1, aggregator_1)",
            "worker → aggregator → scheduler",
        ),
        ("a:worker b:aggregator c:worker", "a>b b>c", "worker >> aggregator >> worker", None),
        (
            "a:worker b:other",
            "",
            "class BuiltSwarm(Swarm):\n    def execute(self):\n        return [worker(), other()]",
            "[worker, other]",
        ),
    ],
)
def test_a_drawing_becomes_a_cell_that_runs(
    ready: Shell, boxes: str, arrows: str, body: str, graph: str | None
) -> None:
    """The text is what a person would write, and running it gives the graph that was drawn; also a second time."""
    cell = composed(ready, boxes, arrows)

    assert cell.problems == ()
    assert cell.text == f"%%swarm fl --iterations 3\n{body}"
    run = ready.ok(cell.text).value
    assert graph in (None, repr(run.graph))
    assert composed(ready, boxes, arrows) == cell


def test_placement_globals_and_seed_are_written(ready: Shell) -> None:
    """What was typed beside a box and below the canvas is in the text, in Python's own spelling."""
    ready.ns["start"] = [1.0, 2.0]
    boxes = [{"key": "a", "module": "worker", "method": "any", "maximum": " 3 ", "nodes": "node_1, node_2"}]
    first = [{"tag": "hyper", "text": "{'lr':  0.1}"}, {"tag": "w", "text": "start"}, {"tag": "", "text": ""}]

    cell = composed(ready, "", changes={"boxes": boxes, "seed": "7", "globals": first})

    assert cell.problems == ()
    assert cell.text.split("\n") == [
        "%%swarm fl --iterations 3 --seed 7",
        "set_global(\"hyper\", {'lr': 0.1})",
        'set_global("w", start)',
        "worker.with_options(method='any', maximum=3, specified_ids=['node_1', 'node_2'])",
    ]
    run = ready.ok(cell.text).value
    assert run.swarm.globals == {"hyper": {"lr": 0.1}, "w": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"arrows": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}]}, "the arrows go in a circle, "),
        ({"boxes": []}, "no task yet"),
        ({"boxes": [{"key": "a", "module": "wroker"}]}, "the notebook has no module wroker"),
        ({"boxes": [{"key": "a", "module": "worker", "maximum": "x"}]}, "worker: at most x nodes?"),
        ({"boxes": [{"key": "a", "module": "worker", "maximum": "0"}]}, "maximum"),
        (
            {"boxes": [{"key": "a", "module": "worker", "nodes": "node_O"}]},
            "no node node_O",
        ),
        ({"iterations": "many"}, "iterations"),
        ({"iterations": "", "boxes": [{"key": "a", "module": "worker"}]}, "nothing ends this swarm"),
        ({"seed": "-1"}, "seed"),
        ({"name": "my run"}, "the name"),
        ({"name": "worker"}, "worker is a module"),
        ({"globals": [{"tag": "lr", "text": "open('x')"}]}, "Global lr: open('x') is no value"),
        ({"globals": [{"tag": "lr", "text": "1e999"}]}, "too large"),
        ({"globals": [{"tag": "lr", "text": "0.1 #) ; import os"}]}, None),
        ({"globals": [{"tag": "lr", "text": "1"}, {"tag": "lr", "text": "2"}]}, "two Globals are called lr"),
        ({"globals": [{"tag": "", "text": "2"}]}, "a Global has no tag"),
    ],
)
def test_what_cannot_run_is_said_in_one_line(
    ready: Shell, changes: dict[str, Any], problem: str | None
) -> None:
    """Each mistake names the word and what to do; nothing typed becomes code but values."""
    cell = composed(ready, "a:worker b:aggregator", "a>b", changes)

    assert [problem is not None and problem in line for line in cell.problems] == [True] * (
        problem is not None
    )
    assert all(len(line) <= 200 and "\n" not in line for line in cell.problems)
    assert "import os" not in cell.text


@pytest.mark.parametrize(
    "raw", [None, [], "x", {"boxes": 3, "arrows": [1], "globals": {"a": 1}}, {"boxes": [[]]}]
)
def test_nonsense_from_a_browser_is_an_empty_draft(raw: object) -> None:
    """Malformed messages do no harm."""
    found = Draft.read(raw)

    assert (found.boxes, found.arrows, found.globals) == ((), (), ())


def test_a_tag_cannot_end_its_quotes(ready: Shell) -> None:
    """Tags are text in the cell, too."""
    tag = 'a"); print("pwned") #\\'

    cell = composed(ready, "a:worker", changes={"globals": [{"tag": tag, "text": "1"}]})

    assert ready.ok(cell.text).value.swarm.globals == {tag: 1}
