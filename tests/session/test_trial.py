"""One task, once, on one node: what it did, or its own exception with its own frames."""

from __future__ import annotations

import traceback

import numpy as np
import pytest

from manta_nb import Module, Session
from manta_nb.errors import DefinitionError, MissingTag, NodeError, RunFailed
from tests.cluster.parts import module

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]


def test_it_shows_what_the_task_did(session: Session) -> None:
    """What was read, added and written, metrics, lines, time and bytes."""
    trial = session.try_on(
        module(
            """
            lr = world.globals["lr"]
            x = local.get_numpy_data("breast_cancer")["x_train"]
            print("rows", len(x))
            world.metric("loss", 0.5)
            world.results.select("params")
            world.results.add("params", x[:2] * lr)
            world.globals["done"] = [1, 2]
            """
        ),
        "node_1",
        {"lr": 2.0, "unused": 1},
    )

    assert trial.read == ["Global lr", "Result params"]
    assert trial.results["params"].shape[0] == 2
    assert trial.globals == {"done": [1, 2]}
    assert [(row.name, row.value, row.node) for row in trial.metrics.rows()] == [("loss", 0.5, "node_1")]
    assert [row.text.split()[0] for row in trial.logs] == ["rows"]
    assert trial.seconds > 0
    assert trial.bytes_out > 0
    for text in (str(trial), trial._repr_html_()):
        assert all(word in text for word in ("node_1", "params", "lr", "done", "loss"))


def test_it_is_no_run_of_the_session(session: Session) -> None:
    """Trials are not listed among the runs."""
    before = len(session.runs)
    session.try_on(module("print(1)"), "node_0")

    assert len(session.runs) == before


def test_placement_does_not_matter(session: Session) -> None:
    """A module that would run elsewhere, or on several nodes, is tried on this one."""
    placed = module(
        "world.results.add('x', world.node_id)",
        specified_ids=["node_0"],
        maximum=2,
        min_nodes=2,
        fixed=True,
        retries=3,
    )

    assert session.try_on(placed, "node_2").results == {"x": "node_2"}


def test_an_exception_is_raised_here_with_the_users_frames(session: Session) -> None:
    """What the task raised is raised again in the notebook, so that a debugger finds its variables."""
    with pytest.raises(ZeroDivisionError) as caught:
        session.try_on(module("weights = np.arange(3)\n1 / 0"), "node_0")
    frame = traceback.extract_tb(caught.tb)[-1]
    last = caught.tb
    while last.tb_next is not None:
        last = last.tb_next

    assert (frame.filename, frame.name, frame.line) == ("work.py", "run", "1 / 0")
    np.testing.assert_array_equal(last.tb_frame.f_locals["weights"], np.arange(3))


def test_the_replay_sees_the_nodes_own_data_and_draws_the_same(session: Session) -> None:
    """In the second run, in the notebook, data and random numbers are those of the node."""
    body = "x = local.get_numpy_data('breast_cancer')['x_train']\nraise ValueError(world.node_id, len(x), np.random.rand())"
    found = []
    for _ in range(2):
        with pytest.raises(ValueError, match="node_2") as caught:
            session.try_on(module(body), "node_2")
        found.append(caught.value.args)
    [node] = {args[0] for args in found}
    rows = session.try_on(
        module("world.results.add('n', len(local.get_numpy_data('breast_cancer')['x_train']))"), "node_2"
    ).results["n"]

    assert node == "node_2"
    assert found[0] == found[1]
    assert found[0][1] == rows


def test_a_misspelt_global_is_told(session: Session) -> None:
    """The error names what is there."""
    with pytest.raises(MissingTag, match="no Global 'lrr'; there are: lr \\(did you mean 'lr'\\?\\)"):
        session.try_on(module("world.globals['lrr']"), "node_0", {"lr": 1})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("os._exit(3)", "ended with exit code 3"),
        ("import ctypes; ctypes.string_at(0)", "signal 11"),
        ("import sys; sys.exit(3)", r"sys.exit\(3\)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("x = np.empty(10**11)", "memory limit"),
    ],
)
def test_what_must_not_be_done_again_here_is_told_only(session: Session, body: str, says: str) -> None:
    """A crash, an exit or a lack of memory is one line; the notebook's own process does not repeat it."""
    with pytest.raises(RunFailed, match=says):
        session.try_on(module(body), "node_0")


def test_a_time_limit_holds(session: Session) -> None:
    """The module's own timeout ends a trial, too."""
    with pytest.raises(RunFailed, match="over its time limit of 0.3 s"):
        session.try_on(module("time.sleep(1e6)", timeout=0.3), "node_0")


def test_an_unknown_node_is_told(session: Session) -> None:
    """Nothing runs, and the nodes are named."""
    with pytest.raises(
        NodeError, match=r"no node 'node_7' \(did you mean 'node_\d'\?\); there are: node_0, node_1, node_2"
    ):
        session.try_on(module("print(1)"), "node_7")


def test_a_module_without_a_session_says_how() -> None:
    """A module that no cell defined knows no nodes."""
    lone = Module.from_source("def main():\n    print(1)", name="lone")

    with pytest.raises(DefinitionError, match=r"session\.try_on\(lone, 'node_0'\)"):
        lone.try_on("node_0")


def test_what_run_returns_is_not_used(session: Session) -> None:
    """A value that `run` returns is noted: results.add sends it."""
    trial = session.try_on(module("return 5"), "node_0")

    assert trial.results == {}
    assert any("results.add" in note for note in trial.notes)
    assert "results.add" in str(trial)
