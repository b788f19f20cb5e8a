"""Several runs beside each other."""

from __future__ import annotations

import pytest

from manta_nb.errors import MissingTag, UsageError
from manta_nb.session.compare import best, chosen_metric, compare
from manta_nb.session.metrics import MetricRow, MetricTable
from tests.session.fake_run import FakeRun, learning_curves

HOSTILE = "<img src=x onerror=alert(1)> $\\frac{$"


def run(name: str, values: list[float], metric: str = "val_acc", **more: object) -> FakeRun:
    """A run in which one node recorded these values, one an iteration."""
    rows = [MetricRow(i, "node_0", "worker", metric, None, value) for i, value in enumerate(values)]
    return FakeRun(name=name, metrics=MetricTable(rows), iteration=len(values), **more)  # type: ignore[arg-type]


def test_a_row_for_each_run():
    """The table says how far each came, and where its metric was best."""
    shown = str(compare([run("a", [0.5, 0.9, 0.8]), run("b", [0.1, 0.2], status="completed")]))

    assert "best val_acc" in shown
    assert "0.9 (highest, iteration 1)" in shown and "0.2 (highest, iteration 1)" in shown
    assert "3 of 20" in shown and "completed" in shown


def test_of_a_loss_the_lowest_is_best():
    """Names with `loss` or `error` fall."""
    shown = str(compare([run("a", [0.5, 0.1, 0.8], "val_loss")]))

    assert "0.1 (lowest, iteration 1)" in shown


def test_the_first_accuracy_is_taken_where_none_is_named():
    """Else the first metric of all; one that is named and not there is none."""
    assert chosen_metric(["loss", "val_acc", "test_acc"]) == "val_acc"
    assert chosen_metric(["loss", "f1"]) == "loss"
    assert chosen_metric(["loss"], "f1") == ""
    assert chosen_metric([]) == ""


def test_a_run_without_the_metric_is_said_in_words():
    """It has a row, and no line in the chart; so has one with NaN only, whose line cannot be seen."""
    nan = float("nan")
    compared = compare([run("a", [0.5]), run("b", [0.5], "loss"), run("c", [nan, nan])], "val_acc")

    text = str(compared)
    (axes,) = compared.figure().axes

    assert "no val_acc" in text and "NaN only" in text
    assert len(axes.lines) == 2


def test_infinity_does_not_hide_the_best_number():
    """A diverged iteration is the worst of a loss; of an accuracy it would be called the best, as it is."""
    found = best(run("a", [float("inf"), 2.0, 1.0], "loss").metrics, "loss")

    assert found is not None and found.value == 1.0


def test_a_metric_that_is_nowhere_is_named_with_the_nearest():
    """A typing mistake is one line."""
    with pytest.raises(MissingTag, match="no metric 'val_ac'.*did you mean 'val_acc'"):
        compare([run("a", [0.5])], "val_ac")


def test_nothing_to_compare_is_one_line():
    """No run, no chart."""
    with pytest.raises(UsageError, match="no run to compare"):
        compare([])


def test_runs_without_metrics_are_a_table_only():
    """There is no empty picture."""
    data = compare([FakeRun()]).mime()

    assert "image/png" not in data and "<img" not in data["text/html"]
    assert "none recorded" in data["text/plain"]


def test_one_line_and_band_a_run_each_known_without_its_colour():
    """No two of twelve runs have the same dashes and marks; more are counted."""
    runs = [FakeRun(run_id=f"{i:08}", metrics=MetricTable(learning_curves(3, 4, seed=i))) for i in range(14)]

    figure = compare(runs, "val_acc").figure()
    (axes,) = figure.axes

    looks = {(line.get_linestyle(), line.get_marker()) for line in axes.lines}
    assert len(axes.lines) == len(looks) == 12
    assert len(axes.collections) == 12
    assert axes.get_title("right") == "the last 12 of 14 runs"
    (legend,) = figure.legends
    assert legend.get_texts()[-1].get_text().startswith("fl 0000 · ")


def test_hostile_names_are_text():
    """In the page, in the terminal and in the picture, where a dollar sign would begin a formula."""
    compared = compare([run(HOSTILE + "\n_", [0.1, 0.2], HOSTILE)])

    data = compared.mime()

    assert "<img src=x" not in data["text/html"]
    assert "&lt;img src=x" in data["text/html"]
    assert len(data["image/png"]) > 1000
    assert "\n_" not in data["text/plain"]


def test_the_page_reads_without_styles_and_is_small():
    """The chart has words in its place, and eight runs of a hundred iterations stay below 100 kB."""
    runs = [FakeRun(run_id=f"{i:08}", metrics=MetricTable(learning_curves(4, 100, seed=i))) for i in range(8)]

    page = compare(runs)._repr_html_()

    assert 'alt="val_acc of 8 runs by iteration; the table has the numbers"' in page
    assert len(page) < 100_000


def test_it_follows_the_latest_run_that_goes_on():
    """While one goes on the display is kept up to date; when all are over it is shown as it is."""
    shown = []

    class Screen:
        def show(self, run, view=None):
            shown.append((run, view))

    going, over = run("a", [0.5]), run("b", [0.5], status="completed")
    going.display = over.display = Screen()  # type: ignore[attr-defined]
    compared = compare([going, over])

    compared._ipython_display_()

    assert shown == [(going, compared)]
    with pytest.raises(NotImplementedError):
        compare([over])._ipython_display_()


def test_the_picture_is_drawn_anew():
    """What is kept up to date shows the numbers of the moment."""
    going = run("a", [0.5, 0.6])
    compared = compare([going])
    before = compared.mime()["image/png"]

    going.metrics.extend([MetricRow(2, "node_0", "worker", "val_acc", None, 0.1)])

    assert compared.mime()["image/png"] != before


def fork(of: FakeRun, at: int | None, values: list[float], **more: object) -> FakeRun:
    """A run that goes on from another one: its first own iteration comes after `at`."""
    begins = 0 if at is None else at + 1
    rows = [
        MetricRow(begins + i, "node_0", "worker", "val_acc", None, value) for i, value in enumerate(values)
    ]
    made = FakeRun(name="fork", run_id="aa11bb22", metrics=MetricTable(rows), **more)  # type: ignore[arg-type]
    made.parent = (of.run_id, at)  # type: ignore[attr-defined]
    return made


def test_a_fork_begins_at_its_parent():
    """Its line leaves the parent's where it went on from it, and the table says so."""
    parent = run("fl", [0.1, 0.2, 0.3, 0.4])
    compared = compare([parent, fork(parent, 1, [0.6, 0.7])])
    (axes,) = compared.figure().axes
    (_, line) = axes.lines

    assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == ([1, 2, 3], [0.2, 0.6, 0.7])
    assert "fork of fl at 1" in str(compared) and "fork of fl at 1" in compared._repr_html_()


def test_a_fork_without_its_parent_begins_where_it_begins():
    """What it has of before is its parent's and is not drawn; the table has the parent's id."""
    parent = run("fl", [0.1, 0.2])
    alone = compare([fork(parent, 1, [0.6, 0.7])])
    (axes,) = alone.figure().axes

    assert axes.lines[0].get_xdata().tolist() == [2, 3]
    assert f"fork of {parent.run_id} at 1" in str(alone)


def test_a_repeat_is_drawn_as_any_run():
    """From its first iteration on; the table says what it repeats."""
    parent = run("fl", [0.1, 0.2])
    compared = compare([parent, fork(parent, None, [0.1, 0.2])])
    (axes,) = compared.figure().axes

    assert axes.lines[1].get_xdata().tolist() == [0, 1]
    assert "repeat of fl" in str(compared)


def test_runs_of_no_parent_have_no_column_for_it():
    """The table stays as narrow as it was."""
    assert compare([run("a", [0.5])]).table().columns[:2] == ["run", "seed"]


def test_a_fork_of_a_run_without_the_metric_is_drawn_alone():
    """There is no line that it could leave."""
    parent = run("fl", [0.1, 0.2], metric="loss")
    (axes,) = compare([parent, fork(parent, 1, [0.6])], "val_acc").figure().axes

    assert [line.get_xdata().tolist() for line in axes.lines] == [[2]]
