"""What tables and history keep for whoever follows a run: marks, numbers of rows, the work of the nodes."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from manta_nb.engine.records import Failure
from manta_nb.session import findings, marks
from manta_nb.session.logs import LogRow, LogTable
from manta_nb.session.marks import Mark
from manta_nb.session.metrics import MetricTable
from tests.monitor.stage import Stage

NODES = ["a", "b"]


def row(number: int) -> LogRow:
    return LogRow(0, "a", "t", "stdout", str(number))


@given(st.lists(st.integers(0, 7), max_size=8), st.integers(0, 40))
def test_lines_keep_their_numbers_when_old_ones_go(sizes, asked):
    """`since` gives the lines from a number on that are still there, and the number of the first."""
    table, count = LogTable(limit=10), 0
    for size in sizes:
        table.extend(row(count + i) for i in range(size))
        count += size
    first, rows = table.since(asked)

    assert table.count == count
    assert [int(each.text) for each in rows] == list(range(max(asked, count - 10, 0), count))
    assert not rows or first == int(rows[0].text)


def test_a_bounded_list_keeps_its_numbers():
    """Of 25 rows the last ten are there, under their numbers."""
    kept: findings.Kept[int] = findings.Kept(10)
    for number in range(25):
        kept.append(number)

    assert kept.since(0) == (15, list(range(15, 25)))
    assert kept.since(23) == (23, [23, 24])
    assert kept.since(25) == (25, [])


def test_rows_are_read_on_from_a_mark():
    """What came after the mark, as much as was asked for."""
    table = MetricTable([(i, "a", "t", "m", None, float(i)) for i in range(5)])
    first = table.stored.since(Mark(), 3)
    second = table.stored.since(first.mark, 3)

    assert first.columns["value"].tolist() == [0, 1, 2]
    assert second.columns["value"].tolist() == [3, 4]
    assert len(table.stored.since(second.mark, 3).columns["value"]) == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("extend"), st.lists(st.integers(0, 4), min_size=1, max_size=6)),
            st.tuples(st.just("discard"), st.integers(0, 4)),
            st.tuples(st.just("read"), st.integers(1, 4)),
        ),
        max_size=40,
    )
)
@example([("extend", [1, 2, 2, 3]), ("read", 4), ("discard", 1), ("read", 1), ("discard", 3)])
def test_a_slow_reader_ends_up_with_the_rows(script):
    """Rows that are read a few at a time, while others come and are taken back, are in the end the rows there are."""
    table, mark, number = MetricTable(), Mark(), 0
    read: list[tuple[int, float]] = []

    def read_on(limit: int) -> bool:
        nonlocal mark, read
        tail = table.stored.since(mark, limit)
        mark = tail.mark
        if tail.taken_back is not None:
            read = [row for row in read if row[0] < tail.taken_back]
        values = tail.columns["value"].tolist()
        read += list(zip(tail.columns["iteration"].tolist(), values, strict=True))
        assert len(values) <= limit
        return bool(values)

    for what, how in script:
        match what:
            case "extend":
                table.extend([(i, "a", "t", "m", None, float(number + n)) for n, i in enumerate(how)])
                number += len(how)
            case "discard":
                table.discard(how)
            case _:
                read_on(how)
    while read_on(3):
        pass

    assert sorted(read) == sorted((each.iteration, each.value) for each in table.rows())
    for iteration in range(5):
        # in the order in which they came
        of_iteration = [row for row in read if row[0] == iteration]
        assert of_iteration == sorted(of_iteration)


def test_a_few_new_rows_are_read_as_they_are_stored():
    """`fresh` gives what `since` gives; None where it is more than asked for, or rows were taken back."""
    table = MetricTable([(i, "ab"[i % 2], "t", "m", None, float(i)) for i in range(5)])
    mark = table.stored.since(Mark(), 2).mark
    fresh, tail = table.stored.fresh(mark, 3), table.stored.since(mark, 3)

    assert fresh is not None
    assert fresh.mark == tail.mark
    assert (fresh.value.tolist(), fresh.node.tolist(), fresh.iteration.tolist()) == (
        [2, 3, 4],
        [0, 1, 0],
        [2, 3, 4],
    )
    assert table.stored.fresh(mark, 2) is None
    table.discard(0)
    assert table.stored.fresh(mark, 3) is None
    assert table.stored.fresh(table.stored.since(mark, 9).mark, 3) is not None


def test_rows_taken_back_before_they_were_read_are_no_matter():
    """A reader that had not seen them yet is not told to forget anything."""
    table = MetricTable([(i, "a", "t", "m", None, float(i)) for i in range(3)])
    mark = table.stored.since(Mark(), 2).mark
    table.discard(2)

    assert table.stored.since(mark, 9).taken_back is None


def test_a_reader_that_missed_too_many_removals_begins_again(monkeypatch):
    """The log of removals is bounded; who is behind it reads everything anew."""
    monkeypatch.setattr(marks, "MOST_REMOVALS", 2)
    table = MetricTable([(i, "a", "t", "m", None, float(i)) for i in range(6)])
    mark = table.stored.since(Mark(), 9).mark
    for iteration in (1, 2, 3):
        table.discard(iteration)
    tail = table.stored.since(mark, 9)

    assert tail.taken_back == 0
    assert tail.columns["value"].tolist() == [0, 4, 5]


def test_the_bytes_of_a_node_are_those_of_the_latest_iteration():
    """Bytes count up within an iteration and begin anew with the next; the sum goes on."""
    stage = Stage(NODES, iterations=5, tasks=("worker", "aggregator"))
    stage.start()
    for count in (10, 20):
        stage.done(stage.task, results={"x": dict.fromkeys(NODES, np.ones(count))})
        stage.done(stage.task)
    work = stage.history.work

    assert work.bytes_out["b"] > work.bytes_last["b"] > 0
    assert work.bytes_out["b"] - work.bytes_last["b"] < work.bytes_last["b"]
    assert stage.history.bytes_total == sum(stage.run.bytes_moved.values())


def test_the_last_failure_of_a_node_is_kept():
    """A node that failed and was tried again still says why."""
    stage = Stage(NODES, iterations=1, retries=1)
    stage.start()
    stage.done(stage.task, ["a"], failures=[Failure("b", "error", "ValueError: no")])
    assert stage.history.work.doing["b"] == ("worker", "running")
    stage.done(stage.task)

    assert stage.history.work.errors == {"b": "worker: ValueError: no"}


def test_a_reader_that_missed_too_many_changes_looks_at_all_nodes():
    """The log of changes is bounded."""
    stage = Stage(NODES, iterations=5000, tasks=("worker",))
    stage.start()
    seen = stage.history.work.revision
    stage.done(stage.task)
    assert set(stage.history.work.changed(seen)) == {"a", "b"}

    for _ in range(2000):
        stage.done(stage.task)
    assert stage.history.work.changed(seen) is None
    assert stage.history.work.changed(stage.history.work.revision) == {}


def test_what_nobody_looked_at_is_bounded():
    """A run that nobody follows keeps no more than so many commits for later."""
    stage = Stage(NODES, {"w": 0.0}, iterations=None, tasks=("worker",))
    stage.start()
    for _ in range(findings.MOST_WAITING + 10):
        stage.done(stage.task)

    assert stage.run.iteration == findings.MOST_WAITING + 10
    assert len(stage.history.findings.waiting) == findings.MOST_WAITING
    assert len(stage.history.findings.recent) == findings.RECENT
