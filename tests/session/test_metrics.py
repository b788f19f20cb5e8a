from __future__ import annotations

import csv
import math
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.errors import MissingTag
from manta_nb.session.metrics import MetricRow, MetricTable

NAN = float("nan")


def row(
    iteration: int,
    node: str,
    value: float,
    step: float | None = None,
    name: str = "acc",
    task: str = "worker",
):
    return MetricRow(iteration, node, task, name, step, value)


def test_rows_come_back_as_they_were_given():
    """A row keeps its columns, a step that is a whole number is an int, and none is None."""
    given_rows = [row(0, "node_0", 0.5), row(1, "node_1", 0.25, step=2.0), row(1, "node_1", 0.125, step=2.5)]
    table = MetricTable(given_rows)

    assert table.rows() == given_rows
    assert [type(each.step) for each in table] == [type(None), int, float]


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("tu"), st.sampled_from("xyz"))
    )
)
def test_names_and_lengths_agree_with_the_rows(keys):
    """Whatever is added, every row is found again, by its name and by its iteration."""
    table = MetricTable([MetricRow(*key, None, 1.0) for key in keys])

    assert len(table) == len(keys)
    assert sum(len(table.rows(name)) for name in {key[3] for key in keys}) == len(keys)
    assert len(table.rows(since=5)) == sum(key[0] >= 5 for key in keys)


def test_last_is_over_the_nodes_of_the_latest_iteration():
    """`last` takes each node's last step of the newest iteration that has the metric."""
    table = MetricTable(
        [
            row(0, "a", 0.0),
            row(1, "a", 0.25, 0),
            row(1, "a", 0.5, 1),
            row(1, "b", 1.0),
            row(2, "a", 9, name="loss"),
        ]
    )

    assert table.last("acc") == (0.75, 0.5, 1.0, 2)


def test_last_is_found_when_an_older_iteration_reports_late():
    """Rows of an earlier iteration that come after those of a later one do not move `last` back."""
    table = MetricTable([row(3, "a", 0.5)])
    table.extend([row(2, "b", 0.1), row(3, "b", 0.7)])

    assert table.last("acc") == (pytest.approx(0.6), 0.5, 0.7, 2)


def test_nan_is_kept_as_a_gap_and_left_out_of_the_mean():
    """NaN stays in the series; the mean is that of the other nodes, and NaN where there is no other."""
    table = MetricTable([row(0, "a", NAN), row(0, "b", 0.5), row(1, "a", NAN), row(1, "b", NAN)])

    assert math.isnan(table.series("acc")["a"][1][0])
    assert table.by_iteration("acc").mean[0] == 0.5
    assert math.isnan(table.last("acc").mean)
    assert table.last("acc").n == 0


def test_infinity_is_told_as_it_is():
    """An infinite loss makes an infinite mean, and no warning."""
    table = MetricTable([row(0, "a", math.inf), row(0, "b", 1.0)])

    assert table.last("acc") == (math.inf, 1.0, math.inf, 2)


def test_x_is_the_iteration_plus_the_part_of_its_steps():
    """Four steps of iteration 2 stand at 2, 2¼, 2½, 2¾; a single value at its iteration."""
    table = MetricTable([row(2, "a", step, step=step) for step in (3, 0, 1, 2)] + [row(2, "b", 7.0)])

    x, y = table.series("acc")["a"]

    assert x.tolist() == [2, 2.25, 2.5, 2.75]
    assert y.tolist() == [0, 1, 2, 3]
    assert table.series("acc")["b"][0].tolist() == [2]


def test_steps_that_are_not_numbered_from_0_stay_inside_their_iteration():
    """Steps 100, 200 or no steps at all are placed by their order."""
    table = MetricTable([row(0, "a", 1.0, 100), row(0, "a", 2.0, 200), row(0, "b", 3.0), row(0, "b", 4.0)])

    assert table.series("acc")["a"][0].tolist() == [0, 0.5]
    assert table.series("acc")["b"][0].tolist() == [0, 0.5]
    assert table.series("acc")["b"][1].tolist() == [3.0, 4.0]


def test_the_mean_of_nodes_with_different_numbers_of_steps_is_on_the_coarsest_grid():
    """A node with four steps and one with two are compared in two cells."""
    table = MetricTable(
        [row(0, "a", v, s) for s, v in enumerate((0, 2, 4, 6))]
        + [row(0, "b", v, s) for s, v in ((0, 3), (1, 7))]
    )

    curve = table.mean_series("acc")

    assert curve.x.tolist() == [0, 0.5]
    assert curve.mean.tolist() == [2, 6]
    assert curve.low.tolist() == [1, 5]
    assert curve.n.tolist() == [2, 2]


def test_the_mean_of_equal_steps_is_that_of_each_step():
    """Where all nodes take the same steps, each x has the mean of its values."""
    table = MetricTable(
        [
            row(i, node, i + s + bonus, s)
            for i in (0, 1)
            for s in (0, 1)
            for node, bonus in (("a", 0), ("b", 2))
        ]
    )

    assert table.mean_series("acc").mean.tolist() == [1, 2, 2, 3]


def test_a_metric_of_two_tasks_is_listed_once_for_each():
    """The trainers' loss and the aggregator's loss are not averaged into one number."""
    table = MetricTable(
        [row(0, "a", 1.0, name="loss"), row(0, "a", 5.0, name="loss", task="aggregator"), row(0, "a", 0.5)]
    )

    assert table.names() == ["worker/loss", "aggregator/loss", "acc"]
    assert table.last("worker/loss").mean == 1.0
    assert len(table.rows("loss")) == 2
    assert list(table.series("loss")) == ["a (worker)", "a (aggregator)"]


def test_an_unknown_metric_is_named_with_the_nearest_one():
    """A misspelt name gets one line with the names there are."""
    table = MetricTable([row(0, "a", 1.0, name="val_acc")])

    with pytest.raises(
        MissingTag, match=r"no metric 'vall_acc'; there are: val_acc \(did you mean 'val_acc'\?\)"
    ):
        table.last("vall_acc")


def test_discarded_rows_are_gone_everywhere():
    """An iteration that was given up leaves no row, no name of its own and no latest value."""
    table = MetricTable([row(0, "a", 1.0), row(1, "a", 2.0), row(1, "a", 3.0, name="only_here")])

    table.discard(1)

    assert table.names() == ["acc"]
    assert table.last("acc").mean == 1.0


def test_only_what_is_named_is_discarded():
    """A failed attempt takes the rows of its task and nodes, and of no other."""
    rows = [row(0, "a", 1.0), row(0, "b", 2.0), row(0, "c", 4.0), row(0, "a", 3.0, name="loss", task="other")]
    table = MetricTable(rows)

    table.discard(0, task="worker", node=["a", "c", "unknown"])

    assert table.rows() == [rows[1], rows[3]]
    assert table.last("acc") == (2.0, 2.0, 2.0, 1)


def test_pandas_and_csv_hold_every_row(tmp_path: Path):
    """`to_pandas` and `to_csv` have the columns of `--json` in their order."""
    table = MetricTable([row(0, "élève_1", 0.5), row(1, "b", NAN, 2)])

    table.to_csv(tmp_path / "metrics.csv")
    frame = table.to_pandas()
    with (tmp_path / "metrics.csv").open(encoding="utf-8") as file:
        lines = list(csv.reader(file))

    assert list(frame.columns) == ["iteration", "node", "task", "name", "step", "value"] == lines[0]
    assert frame.node.tolist() == ["élève_1", "b"]
    assert frame.value.isna().tolist() == [False, True]
    assert lines[1] == ["0", "élève_1", "worker", "acc", "", "0.5"]


def test_values_taken_out_are_announced():
    """`to_pandas` of a running run calls the notice, looking at the table does not."""
    said: list[str] = []
    table = MetricTable([row(0, "a", 1.0)], notice=lambda: said.append("running"))

    repr(table), table._repr_html_()
    before = list(said)
    table.to_pandas()

    assert (before, said) == ([], ["running"])


def test_the_table_shows_each_iteration_with_its_spread():
    """Text and HTML say mean (lowest–highest) of each iteration, and leave out the middle of a long run."""
    table = MetricTable([row(i, node, i + more) for i in range(60) for node, more in (("a", 0), ("b", 1))])

    lines = str(table).splitlines()

    assert lines[3].split() == ["0", "0.5", "(0–1)"]
    assert lines[-1].split() == ["59", "59.5", "(59–60)"]
    assert "… 40 more" in lines
    assert len(lines) == 24
    assert "59.5 (59–60)" in table._repr_html_()
    assert str(MetricTable()) == "no metrics yet"


def test_names_from_outside_are_escaped():
    """A metric's name cannot bring HTML into the page."""
    table = MetricTable([row(0, "a", 1.0, name="<script>alert(1)</script>")])

    assert "<script" not in table._repr_html_()


def test_a_row_takes_no_more_than_40_bytes():
    """200,000 rows of 1,000 nodes stay below 40 bytes each."""
    nodes = [f"node_{number}" for number in range(1000)]
    tracemalloc.start()
    table = MetricTable()
    for iteration in range(200):
        table.extend([(iteration, node, "worker", "acc", None, 0.5) for node in nodes])
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken / len(table) < 40


def test_threads_add_while_others_read():
    """No row is lost and no reader fails while four threads add."""
    table = MetricTable()

    def add(node: str) -> None:
        for iteration in range(200):
            table.extend([row(iteration, node, 1.0), row(iteration, node, 2.0, name=f"m{iteration % 5}")])

    threads = [threading.Thread(target=add, args=(f"node_{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for name in table.names():
            table.last(name)
        table.rows()

    assert len(table) == 4 * 200 * 2
    assert np.allclose(table.mean_series("acc").mean, 1.0)
