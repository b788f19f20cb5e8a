"""What a comparison says and draws."""

from __future__ import annotations

import pytest

from manta_nb.errors import UsageError
from manta_nb.swarm_learning.comparison import Comparison

NODES = ("node_0", "node_1")


def compared() -> Comparison:
    """Two nodes, alone at 0.4 and 0.6, together and centrally better."""
    local = {node: {"accuracy": value} for node, value in zip(NODES, (0.4, 0.6), strict=True)}
    swarm = {node: {"accuracy": 0.9} for node in NODES}
    return Comparison("skewed", swarm, local, {"accuracy": 0.95}, ("taken once: x_test",))


def test_means_are_over_the_nodes() -> None:
    """The three numbers people ask for; the one of all data in one place is that of a single model."""
    assert compared().means() == {"local": pytest.approx(0.5), "swarm": 0.9, "central": 0.95}


def test_a_chart_has_bars_for_each_node_and_a_line_for_all_data() -> None:
    """Each bar bears its number, on a white ground whatever the notebook's is."""
    figure = compared().plot()
    (axes,) = figure.axes
    heights = [bar.get_height() for group in axes.containers for bar in group]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]

    assert heights == [0.4, 0.6, 0.9, 0.9]
    assert [text.get_text() for text in axes.texts] == ["0.4", "0.6", "0.9", "0.9"]
    assert list(axes.lines[0].get_ydata()) == [0.95, 0.95]
    assert texts == ["central, all data in one place: 0.95", "local: each alone", "swarm"]
    assert figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_the_text_has_each_node_the_means_and_what_was_decided() -> None:
    """A table that can be read in a shell."""
    lines = str(compared()).splitlines()

    assert [line.split()[0] for line in lines if line.startswith(("node_", "mean"))] == [*NODES, "mean"]
    assert lines[-1] == "taken once: x_test"


def test_a_metric_that_is_not_there_is_named() -> None:
    """A slip of the pen is told which metrics there are."""
    with pytest.raises(UsageError, match="no metric 'acuracy': there are"):
        compared().plot("acuracy")
