"""What a browser asks for: values, pages of nodes, pages of lines; and whatever else somebody may send."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manta_nb.session.feed import RunFeed
from manta_nb.session.logs import LogRow
from tests.monitor.stage import Stage
from tests.monitor.stagedlook import StagedLook

NODES = [f"node_{number}" for number in range(3)]


@pytest.fixture
def stage() -> Stage:
    """Two iterations; the model is what it was after the second."""
    stage = Stage(NODES, {"model": {"w": np.zeros((2, 3)), "n": 1}, "lr": 0.1}, iterations=5)
    stage.start()
    for iteration in range(2):
        updates = {node: np.arange(6.0).reshape(2, 3) + i + 10 * iteration for i, node in enumerate(NODES)}
        stage.done(stage.task, results={"update": updates}, seconds=lambda node: 0.1 * int(node[-1]))
        stage.done(stage.task, globals={"model": {"w": np.full((2, 3), iteration + 1.0), "n": 2}})
        stage.done(stage.task)
    stage.run.logs.extend(
        [
            LogRow(i % 2, NODES[i % 3], "worker", "INFO" if i % 5 else "stdout", f"line {i}")
            for i in range(1000)
        ]
    )
    return stage


def ask(stage: Stage, **command: Any) -> dict[str, Any]:
    feed = RunFeed(stage.run, StagedLook(stage.nodes))
    message = feed.answer({"ask": 7, **command})
    json.dumps(message.content, allow_nan=False)
    assert (message.content["op"], message.content["ask"], message.buffers) == ("answer", 7, [])
    return message.content


# values


def test_a_result_of_a_node(stage):
    """Shape, dtype, numbers and histogram of the latest value, or that of an iteration that is kept."""
    answer = ask(stage, op="value", kind="result", tag="update", node="node_1")
    assert (answer["ok"], answer["shape"], answer["dtype"], answer["type"]) == (
        True,
        [2, 3],
        "float64",
        "float64 (2, 3)",
    )
    assert answer["stats"] == {
        "min": 11,
        "max": 16,
        "mean": 13.5,
        "std": pytest.approx(1.70783),
        "zeros": 0,
        "nonfinite": 0,
    }
    assert sum(answer["histogram"]["counts"]) == 6
    assert len(answer["histogram"]["edges"]) == len(answer["histogram"]["counts"]) + 1

    assert (
        ask(stage, op="value", kind="result", tag="update", node="node_1", iteration=0)["stats"]["min"] == 1
    )


def test_a_global_of_arrays(stage):
    """A dict has its items, and the numbers of all its arrays together."""
    answer = ask(stage, op="value", kind="global", tag="model", iteration=1)

    assert answer["items"] == [{"path": "w", "type": "float64 (2, 3)"}, {"path": "n", "type": "2"}]
    assert (answer["stats"]["mean"], answer["shape"]) == (2.0, None)


def test_a_plain_number(stage):
    """A number is its text; there is nothing to count."""
    answer = ask(stage, op="value", kind="global", tag="lr")

    assert (answer["text"], answer["type"], answer["stats"], answer["histogram"]) == (
        "0.1",
        "float",
        None,
        None,
    )


def test_all_results_of_a_tag(stage):
    """Without a node there is a line for each node that wrote it."""
    answer = ask(stage, op="value", kind="result", tag="update")

    assert [item["path"] for item in answer["items"]] == NODES


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            {"kind": "global", "tag": "model", "iteration": 0},
            "no longer kept: 'model' was changed in iteration 1",
        ),
        ({"kind": "global", "tag": "modle"}, "did you mean 'model'"),
        ({"kind": "result", "tag": "update", "node": "nobody"}, "'nobody' wrote no 'update' then"),
        ({"kind": "result", "tag": "nothing"}, "no Result 'nothing'"),
        ({"kind": "other", "tag": "x"}, "of the kind global or result"),
        ({"kind": "global", "tag": "model", "iteration": "x"}, "malformed"),
    ],
)
def test_what_cannot_be_answered_says_why(stage, command, text):
    """A value that is gone or never was, and a command that makes no sense, are refused in one line."""
    answer = ask(stage, op="value", **command)

    assert answer["ok"] is False
    assert text in answer["text"]


def test_values_without_numbers_are_answered(stage):
    """NaN, infinities and empty arrays have an answer that JSON can hold."""
    for value in (
        np.full(3, np.nan),
        np.array([np.inf, 1.0, -np.inf]),
        np.zeros(0),
        np.array([1.7e308, -1.7e308]),
    ):
        stage.done(stage.task, results={"odd": {"node_0": value, "node_1": value}})
        stage.done(stage.task)
        stage.done(stage.task)
        answer = ask(stage, op="value", kind="result", tag="odd", node="node_0")
        assert answer["ok"] is True
        if stage.run.finished:
            break


# nodes


def test_nodes_are_sorted_filtered_and_paged(stage):
    """A page of the nodes, those with most data first, of those whose worker or name fits."""
    answer = ask(stage, op="nodes", sort="data_bytes", descending=True, filter="", offset=0, limit=2)
    assert (answer["total"], [row[0] for row in answer["rows"]]) == (3, ["node_2", "node_1"])
    assert len(answer["rows"][0]) == 12

    assert [row[0] for row in ask(stage, op="nodes", filter="WORKER-1")["rows"]] == ["node_1"]
    assert [row[0] for row in ask(stage, op="nodes", offset=2)["rows"]] == ["node_2"]


def test_what_nobody_knows_is_sorted_last(stage):
    """Nodes without a number stay behind the others, whichever way they are sorted."""
    look = StagedLook(stage.nodes)
    look.set(lambda i: 10.0 * i)
    look.nodes = {"node_1": look.nodes["node_1"], "node_2": look.nodes["node_2"]}
    feed = RunFeed(stage.run, look)
    for descending in (True, False):
        rows = feed.answer({"op": "nodes", "ask": 1, "sort": "cpu", "descending": descending}).content["rows"]
        assert rows[-1][0] == "node_0"


# lines


def test_lines_are_paged_backwards(stage):
    """The newest lines that fit, and the ones before them, until there are no more."""
    seen: list[str] = []
    before = None
    while True:
        answer = ask(stage, op="logs", node="node_2", level="info", contains="LINE", before=before, limit=100)
        seen = [row[4] for row in answer["rows"]] + seen
        before = answer["first"]
        if not answer["more"]:
            break

    assert seen == [f"line {i}" for i in range(1000) if i % 3 == 2 and i % 5]


# anything


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = [
    "op",
    "ask",
    "kind",
    "tag",
    "node",
    "iteration",
    "sort",
    "descending",
    "filter",
    "offset",
    "limit",
    "before",
    "level",
    "contains",
    "task",
]


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["value", "nodes", "logs", "else"]), st.dictionaries(st.sampled_from(KEYS[1:]), junk))
def test_no_command_raises(op, command):
    """Whatever a browser sends, the answer is one that JSON can hold."""
    stage = Stage(NODES, {"lr": 0.1})
    content = RunFeed(stage.run).answer({"kind": "global", **command, "op": op}).content

    json.dumps(content, allow_nan=False)
    assert content["op"] == "answer"
