"""`settle`: from rows and messages to what the kernel is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from manta_nb.runtime.runners.ledger import Kind
from manta_nb.runtime.runners.outcome import Story, result_rows, settle

Row = tuple[int, int, int, int, int, int]
SECOND = 10**9


def settled(rows: list[Row], nodes: int = 2, **story: Any) -> dict[str, Any]:
    """The head of the outcome, with the two arrays as lists."""
    array = np.array(rows, dtype=np.int64).reshape(-1, 6)
    outcome = settle({"task": "t"}, nodes, array, Story(**story), ["key", 1, 2, 3])
    return {
        **json.loads(outcome.head),
        "seconds": np.frombuffer(outcome.seconds, np.float32).tolist(),
        "bytes_out": np.frombuffer(outcome.bytes_out, np.int64).tolist(),
    }


def turn(node: int, *rows: Row, end: Kind = Kind.DONE) -> list[Row]:
    """A turn of two seconds."""
    return [(Kind.TURN, node, -1, 0, 0, 1), *rows, (end, node, -1, 0, 0, 1 + 2 * SECOND)]


def test_a_batch_that_went_well() -> None:
    """All done: sizes by tag, seconds and bytes by node, the segment."""
    told = settled(
        [*turn(0, (Kind.RESULT, 0, 0, 64, 100, 0)), *turn(1, (Kind.RESULT, 1, 0, 192, 50, 0))], tags=["w"]
    )

    assert told["done"] is None
    assert told["result_bytes"] == {"w": 150}
    assert told["partial"] == {}
    assert told["seconds"] == [2, 2]
    assert told["bytes_out"] == [100, 50]
    assert told["segment"] == ["key", 1, 2, 3]


def test_nothing_of_a_failed_node_counts() -> None:
    """What a node wrote before it failed is left out: results, Globals, schedule, stop, state and bytes."""
    wrote = [(Kind.RESULT, 1, 0, 64, 100, 0), (Kind.GLOBAL, 1, 1, 192, 8, 0), (Kind.STATE, 1, -1, 0, 0, 0)]
    told = settled(
        [*turn(0), *turn(1, *wrote, end=Kind.FAILED)],
        tags=["w", "g"],
        failures={1: {"node": 1}},
        schedule=[(1, "t", ["a"])],
        stops=[1],
    )

    assert told["done"] == [0]
    assert told["failures"] == [{"node": 1}]
    assert (told["result_bytes"], told["globals"], told["stateful"]) == ({}, {}, [])
    assert (told["schedule"], told["stop"], told["bytes_out"]) == ({}, None, [0, 0])
    assert told["segment"] is None


def test_a_failure_outweighs_a_row_that_says_done() -> None:
    """A child cannot call a node finished that was charged."""
    assert settled(turn(0), nodes=1, failures={0: {"node": 0}})["done"] == []


def test_a_lost_node_is_neither_done_nor_failed() -> None:
    """A node whose value was gone is told with the key of the segment."""
    told = settled([*turn(0), *turn(1, end=Kind.FAILED)], lost={1: "abc"})

    assert (told["done"], told["failures"], told["lost"]) == ([0], [], [[1, "abc"]])


def test_a_tag_of_some_nodes_names_them() -> None:
    """A tag that only some of the finished nodes wrote is told with these nodes."""
    told = settled([*turn(0), *turn(1, (Kind.RESULT, 1, 0, 64, 8, 0))], tags=["w"])

    assert told["partial"] == {"w": [1]}


def test_the_last_writer_of_a_global_wins() -> None:
    """Of several writes of one Global the last row counts."""
    told = settled(
        [*turn(0, (Kind.GLOBAL, 0, 0, 64, 8, 0)), *turn(1, (Kind.GLOBAL, 1, 0, 128, 9, 0))], tags=["lr"]
    )

    assert told["globals"] == {"lr": [1, 128, 9]}


def test_the_last_schedule_of_an_alias_wins() -> None:
    """Several calls for one alias: the last one counts; another alias is kept beside it."""
    told = settled(
        [*turn(0), *turn(1)], schedule=[(0, "a", ["n0"]), (1, "a", ["n1"]), (0, "b", ["n0", "n1"])]
    )

    assert told["schedule"] == {"a": ["n1"], "b": ["n0", "n1"]}


@pytest.mark.parametrize("node", [-1, 2, 2**40])
def test_rows_of_nodes_that_are_not_there_are_left_out(node: int) -> None:
    """A hostile row about a node outside the batch changes nothing."""
    told = settled([*turn(0), *turn(1), (Kind.RESULT, node, 0, 64, 8, 0)], tags=["w"])

    assert (told["done"], told["result_bytes"]) == (None, {})


@pytest.mark.parametrize("tag", [-1, -5, 1, 2**40])
@pytest.mark.parametrize("kind", [Kind.RESULT, Kind.GLOBAL])
def test_rows_of_tags_that_are_not_there_are_left_out(kind: Kind, tag: int) -> None:
    """A hostile row about a tag that was never named changes nothing."""
    told = settled([*turn(0, (kind, 0, tag, 64, 8, 0)), *turn(1)], tags=["w"])

    assert (told["result_bytes"], told["globals"]) == ({}, {})


def test_a_node_without_an_end_took_no_time() -> None:
    """Seconds are counted from a turn's begin to its end; a node without either took none."""
    assert settled([(Kind.TURN, 0, -1, 0, 0, 5)], failures={0: {}, 1: {}})["seconds"] == [0, 0]


def test_the_table_lists_results_of_finished_nodes() -> None:
    """The segment's table holds node, tag, offset and nbytes of the results that count."""
    rows = np.array(
        [
            *turn(0, (Kind.RESULT, 0, 3, 64, 8, 0), (Kind.GLOBAL, 0, 4, 128, 8, 0)),
            *turn(1, (2, 1, 3, 192, 8, 0)),
        ]
    )

    assert result_rows(rows, np.array([True, False])).tolist() == [[0, 3, 64, 8]]


def test_the_table_leaves_out_what_is_nobodys() -> None:
    """A hostile row about a node or a tag that does not exist does not spoil the table of the others."""
    rows = np.array(
        [*turn(0, (2, 0, 0, 64, 8, 0), (2, 0, -1, 64, 8, 0)), (2, 7, 0, 64, 8, 0), (2, -1, 0, 64, 8, 0)]
    )

    assert result_rows(rows, np.array([True])).tolist() == [[0, 0, 64, 8]]
