"""Values that must not count, and names that must not lead anywhere (faults.md §4, rows 20, 21, 37, 38)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb import MantaError, Session, Swarm
from manta_nb.sdk.flow import Flow
from manta_nb.sdk.swarm import FlowSwarm
from tests.cluster.parts import module, same

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

AVERAGE = """
from manta_nb.algorithms import mean
world.globals["model"] = mean(world.results.select("model"), {weights}, like=world.globals["model"])
"""


def averaging(body: str, weights: str = "None", **options: Any) -> FlowSwarm:
    """Every node adds a model that `body` spoils, an aggregator takes the mean."""
    worker = module(
        f"""
        model = {{"layers": [np.ones((2, 3), "f4"), np.ones(3, "f4")], "steps": np.array(3)}}
        second = world.node_id == "node_1" and world.iteration == 1
        {body}
        world.results.add("model", model)
        """,
        "worker",
        **options,
    )
    aggregator = module(AVERAGE.format(weights=weights), "aggregator", method="any")
    first = {"layers": [np.zeros((2, 3), "f4"), np.zeros(3, "f4")], "steps": np.array(0)}
    return FlowSwarm("fl", worker >> aggregator, {"model": first})


def test_the_mean_of_what_nodes_add(session: Session) -> None:
    """Models of arrays, weighted by what the nodes added beside them."""
    body = 'model["steps"] += int(world.node_id[-1])\n        world.results.add("n", int(world.node_id == "node_3"))'
    run = session.run(averaging(body, 'world.results.select("n")'), iterations=1).wait(30)

    assert run.globals["model"]["layers"][0].tolist() == [[1.0] * 3] * 2
    assert run.globals["model"]["steps"] == 6


@pytest.mark.parametrize("bad", ["nan", "inf"])
def test_nan_is_an_event(session: Session, bad: str) -> None:
    """By default the value travels, and an event names node, tag and array."""
    spoil = f'if second: model["layers"][1][0] = np.{bad}'
    run = session.run(averaging(spoil), iterations=2).wait(30)
    told = [
        (event.iteration, event.node_id, event.task, event.message)
        for event in run.events
        if event.kind == "nan"
    ]

    assert told == [(1, "node_1", "worker", "NaN or inf in result 'model': [\"layers\"][1]")]
    assert not np.isfinite(run.globals["model"]["layers"][1][0])


def test_nan_can_be_refused(session: Session) -> None:
    """The node's turn fails, named with tag and array, and the Global is as the iteration before left it."""
    spoil = 'if second: model["layers"][1][0] = np.nan'
    run = session.run(averaging(spoil, on_nan="refuse"), iterations=3).wait(30, check=False)

    assert run.status == "failed" and run.iteration == 1
    assert "worker failed on node_1" in run.error and "'model': [\"layers\"][1]" in run.error
    assert run.globals["model"]["layers"][1].tolist() == [1.0] * 3


def test_nan_of_one_node_need_not_end_the_run(session: Session) -> None:
    """With `min_nodes` the iteration goes on without that node."""
    spoil = 'if second: model["layers"][1][0] = np.nan'
    run = session.run(averaging(spoil, on_nan="refuse", min_nodes=3), iterations=3).wait(30)

    assert [len(run.results.select("model", iteration=at)) for at in (1, 2)] == [3, 4]
    assert np.isfinite(run.globals["model"]["layers"][1]).all()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            'if second: model["layers"].reverse()',
            'model["layers"][0]: expected shape (2, 3) as like, got (3,)',
        ),
        (
            'if second: model["steps"] = np.array(1.0)',
            'model["steps"]: expected dtype int64 as like, got float64',
        ),
        ('if second: del model["steps"]', 'model["steps"]: expected the array that like has, got none'),
        ('if second: model = {"_module.layers": model["layers"]}', 'got model["_module.layers"][0] instead'),
        (
            'if second: model["more"] = np.ones(2)',
            'model["more"]: expected no such array: like has none, got one',
        ),
    ],
)
def test_a_model_of_another_shape_is_refused(session: Session, spoil: str, says: str) -> None:
    """The aggregator fails with node, array, expected and got; the Global is as the iteration before left it."""
    run = session.run(averaging(spoil), iterations=3).wait(30, check=False)

    assert run.status == "failed" and run.iteration == 1
    assert "cannot take the mean: node_1, " in run.error and says in run.error
    assert len(run.error) <= 200
    assert same(run.globals["model"]["layers"][1], np.ones(3, "f4"))


def test_weights_of_zero_are_refused(session: Session) -> None:
    """No division by zero, no warning: an error."""
    run = session.run(averaging("", "dict.fromkeys(world.results.select('model'), 0)"), iterations=1)
    run.wait(30, check=False)

    assert "the weights of all 4 models are 0" in run.error


@pytest.mark.parametrize(
    "names",
    [
        ["../x"],
        ["/abs"],
        [""],
        ["."],
        [".."],
        ["a/b"],
        ["a\\b"],
        ["node_1 "],
        ["x" * 300],
        ["a\nb"],
        ["a", "A"],
        [3],
    ],
    ids=repr,
)
def test_odd_names_of_nodes_are_refused(names: list[str]) -> None:
    """In one line, before anything starts, and nothing is written anywhere."""
    folder = Path(tempfile.gettempdir())
    before = set(folder.glob("manta-nb-*"))
    with pytest.raises(MantaError) as caught:
        Session(nodes=names)

    assert 0 < len(str(caught.value)) <= 200 and "\n" not in str(caught.value)
    assert set(folder.glob("manta-nb-*")) <= before


def test_names_may_be_of_any_language(tmp_path: Path) -> None:
    """Their folders lie in the session's folder, and their tasks know them."""
    names = ["Zürich", "klinik 1", "東京", "a" * 60]
    with Session(nodes=names, workers=1) as session:
        run = session.run(module("world.results.add('where', os.getcwd())"), iterations=1).wait(30)
        where = run.results.select("where")
        folder = session.record(names[0]).folder.parent

    assert set(where) == set(names)
    assert {Path(path).parent.resolve() for path in where.values()} == {folder.resolve()}


class Cycle(Swarm):
    """A task that waits for itself."""

    def execute(self) -> Flow:
        """`a >> b >> a`."""
        a, b = module("pass", "a"), module("pass", "b")
        return a >> b >> a


@pytest.mark.parametrize(
    ("swarm", "says"),
    [
        (Cycle(), ""),
        (module("pass", "a") >> module("world.stop_swarm()", "a"), "a"),
        (module("pass", specified_ids=["node_9"]), "node_9"),
        (module("local.get_numpy_data('digits')", datasets=["digits"]), "digits"),
    ],
    ids=["cycle", "two of one alias", "unknown node", "no dataset"],
)
def test_a_graph_that_cannot_run_is_refused(session: Session, swarm: Any, says: str) -> None:
    """Before any task has run, in one line that names what is wrong."""
    try:
        run = session.run(swarm, iterations=1).wait(10, check=False)
    except MantaError as error:
        told = str(error)
    else:
        told = run.error
        assert len(run.logs) == len(run.metrics) == 0

    if not isinstance(swarm, Cycle):
        assert says in told
        assert 0 < len(told) <= 200


@pytest.mark.parametrize("name", ["../x", "", "x" * 300, "a\nb"], ids=repr)
def test_odd_names_of_runs_and_tasks_write_nothing_outside(session: Session, name: str) -> None:
    """They are refused, or only shown: no path is made of them."""
    before = set(Path(tempfile.gettempdir()).iterdir())
    try:
        task = module("local.state['n'] = 1\nopen('note', 'w').close()", "work", alias=name)
        session.run(task, iterations=1, name=name).wait(10)
    except MantaError as error:
        assert 0 < len(str(error)) <= 200
    new = set(Path(tempfile.gettempdir()).iterdir()) - before

    assert {path.name for path in new if path.name in (name, "x", "note", "state")} == set()
