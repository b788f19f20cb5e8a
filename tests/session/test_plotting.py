from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.plotting import plot, png
from tests.session.fake_run import learning_curves


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_each_metric_has_its_axes_with_a_line_a_node_and_the_mean():
    """Without a name all metrics are drawn; each node is thin, the mean is thick and last."""
    figure = MetricTable(learning_curves(5, 4)).plot()

    assert [axes.get_title("left") for axes in figure.axes] == ["loss", "val_acc"]
    widths = [line.get_linewidth() for line in figure.axes[0].lines]
    assert len(widths) == 6
    assert widths[-1] > 2 > max(widths[:-1])


def test_one_metric_can_be_drawn_into_axes_of_ones_own():
    """`ax` takes one metric and the figure stays the user's."""
    table = MetricTable(learning_curves(3, 4))
    own = plot(MetricTable([MetricRow(0, "a", "t", "x", None, 1.0)]))
    axes = own.add_subplot()

    figure = table.plot("val_acc", ax=axes)

    assert figure is own
    assert axes.get_title("left") == "val_acc"


def test_many_nodes_are_a_band():
    """Above fifty nodes the band and the mean are drawn, not a hundred lines."""
    (axes,) = MetricTable(learning_curves(60, 3)).plot("val_acc").axes

    assert len(axes.lines) == 1
    assert len(axes.collections) == 1
    assert axes.get_title("right") == "mean of 60 nodes"


def test_a_metric_of_one_node_is_one_line():
    """What the aggregator records has no band and no second line."""
    table = MetricTable([MetricRow(i, f"node_{i % 3}", "aggregator", "acc", None, i) for i in range(6)])

    (axes,) = table.plot("acc").axes

    assert (len(axes.lines), len(axes.collections)) == (1, 0)


def test_nan_and_infinity_are_gaps():
    """They leave a hole, and the scale is that of the other numbers."""
    values = [0.1, float("nan"), 0.3, float("inf"), 0.5]
    (axes,) = MetricTable([MetricRow(i, "a", "t", "x", None, v) for i, v in enumerate(values)]).plot("x").axes

    assert axes.get_ylim()[1] < 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([float("nan")] * 3, "all 3 values are NaN"),
        ([float("nan"), float("inf")], "all 2 values are NaN or infinite"),
        ([float("nan")], "its only value is NaN"),
    ],
)
def test_a_metric_that_is_never_a_number_is_said_in_words(values, said):
    """An empty plot would look like a mistake of ours."""
    rows = [MetricRow(i, "a", "t", "x", None, value) for i, value in enumerate(values)]

    (axes,) = MetricTable(rows).plot("x").axes

    assert [text.get_text() for text in axes.texts] == [said]
    assert "NaN on every node, always: x" in str(MetricTable(rows)) or "infinite" in said


def test_a_dollar_sign_in_a_name_is_no_formula():
    """A metric may be called anything, and is drawn."""
    table = MetricTable([MetricRow(0, "a", "t", "$\\frac{", None, 1.0)])

    assert len(png(table)) > 1000


def test_a_figure_shows_and_saves_itself(tmp_path):
    """It displays as PNG without pyplot, and `savefig` works."""
    figure = MetricTable(learning_curves(3, 4)).plot("val_acc")
    figure.savefig(tmp_path / "curves.png")

    assert decoded(figure._repr_png_()).shape[2] == 3
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_nothing_to_draw_is_no_error():
    """A run without metrics has an empty figure and no PNG."""
    table = MetricTable()

    assert table.plot().texts[0].get_text() == "no metrics yet"
    assert png(table) == b""


@pytest.mark.parametrize(
    ("nodes", "iterations", "steps"), [(8, 20, 12), (100, 100, 1), (1, 1, 1), (30, 50, 40)]
)
def test_the_picture_is_small(nodes, iterations, steps):
    """The PNG keeps the size that is asked for, and has more in it than white."""
    table = MetricTable(learning_curves(nodes, iterations, steps))

    data = png(table, 28_000)

    assert 0 < len(data) <= 28_000
    assert len(png(table)) <= 60_000
    assert decoded(data).std() > 5


def test_nine_metrics_are_drawn_of_twenty():
    """A grid of nine axes is the most; one name asked for is always drawn."""
    table = MetricTable([MetricRow(0, "a", "t", f"m{n}", None, n) for n in range(20)])

    assert len(table.plot().axes) == 9
    assert len(table.plot("m19").axes) == 1
    assert len(png(table)) <= 60_000


def test_a_live_figure_is_drawn_anew_until_somebody_changes_it():
    """`follow` hands the display over; a figure changed by hand is shown as it is."""
    table = MetricTable(learning_curves(3, 4))
    shown: list[object] = []
    figure = table.plot("val_acc").follow(shown.append)

    figure._ipython_display_()
    before = figure.mime()["image/png"]
    table.extend([MetricRow(9, "node_0", "worker", "val_acc", None, 3.0)])
    after = figure.mime()["image/png"]
    figure.axes[0].set_ylim(0, 9)
    with pytest.raises(NotImplementedError):
        figure._ipython_display_()

    assert shown == [figure]
    assert before != after


def test_a_table_of_metrics_loads_no_plotting_library():
    """matplotlib, pandas and pyplot are loaded by those who ask for them."""
    code = (
        "import sys; from manta_nb.session.metrics import MetricTable; repr(MetricTable());"
        "print([name for name in ('matplotlib', 'pandas', 'torch', 'IPython', 'dask') if name in sys.modules]);"
        "MetricTable([(0, 'a', 't', 'x', None, 1.0)]).plot(); print('matplotlib.pyplot' in sys.modules)"
    )

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert out.split("\n")[:2] == ["[]", "False"]
