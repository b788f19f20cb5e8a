from __future__ import annotations

import pytest

from manta_nb.engine.records import Event
from manta_nb.session.logs import EventTable, LogRow, LogTable


def line(text: str, node: str = "node_0", level: str = "stdout", iteration: int = 0) -> LogRow:
    return LogRow(iteration, node, "worker", level, text)


def test_the_oldest_lines_are_dropped_and_counted():
    """Beyond the limit the newest lines stay, and the table says how many are gone."""
    logs = LogTable([line(str(number)) for number in range(7)], limit=5)
    logs.extend([line("7")])

    assert [row.text for row in logs] == ["3", "4", "5", "6", "7"]
    assert logs.dropped == 3
    assert "3 older ones were dropped" in str(logs)


def test_one_batch_larger_than_the_limit_is_counted_too():
    """Adding more than fits at once drops its beginning."""
    logs = LogTable(limit=2)
    logs.extend(line(str(number)) for number in range(5))

    assert [row.text for row in logs] == ["3", "4"]
    assert logs.dropped == 3


@pytest.mark.parametrize(
    ("wanted", "texts"),
    [
        ({"node": "node_1"}, ["b", "c d"]),
        ({"level": "stderr"}, ["c d"]),
        ({"level": "STDERR"}, ["c d"]),
        ({"contains": "d"}, ["c d"]),
        ({"iteration": 1}, ["b"]),
        ({"task": "nobody"}, []),
        ({}, ["a", "b", "c d"]),
    ],
)
def test_lines_are_filtered_by_what_is_given(wanted, texts):
    """Every filter given must fit."""
    logs = LogTable([line("a"), line("b", "node_1", iteration=1), line("c d", "node_1", "stderr")])

    assert [row.text for row in logs.filter(**wanted)] == texts


def test_tail_is_the_end():
    """`tail(n)` has the last n lines, all where there are fewer, none for 0."""
    logs = LogTable([line(str(number)) for number in range(3)])

    assert [row.text for row in logs.tail(2)] == ["1", "2"]
    assert len(logs.tail(10)) == 3
    assert len(logs.tail(0)) == 0


def test_the_last_lines_of_each_node_are_in_order():
    """`last_of_each` gives each node's own last lines, oldest first, and leaves out the silent ones."""
    logs = LogTable([line(f"{number}", f"node_{number % 2}") for number in range(10)])

    found = logs.last_of_each(["node_0", "node_1", "node_2"], n=2)

    assert {node: [row.text for row in rows] for node, rows in found.items()} == {
        "node_0": ["6", "8"],
        "node_1": ["7", "9"],
    }


def test_a_table_of_lines_shows_its_end():
    """Of many lines the last fifty are shown and the others counted, in text and in HTML, escaped."""
    logs = LogTable([line(f"<b>{number}</b>") for number in range(60)])

    assert "60 lines; 10 earlier ones are here, too" in str(logs)
    assert "<b>59</b>" in str(logs)
    assert "&lt;b&gt;59" in logs._repr_html_()
    assert "&lt;b&gt;9&lt;" not in logs._repr_html_()


def test_events_are_filtered_and_shown():
    """Events are found by kind, node and task."""
    events = EventTable([Event(1, "nan", "loss is NaN", "node_3", "worker"), Event(2, "retry", "again")])

    assert [event.kind for event in events.filter(node="node_3")] == ["nan"]
    assert [event.kind for event in events.filter(kind="retry", task="")] == ["retry"]
    assert "loss is NaN" in str(events)
    assert "2 events" in events._repr_html_()
    assert events[-1].message == "again"
