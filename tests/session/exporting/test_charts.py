"""The curves of a report, as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from manta_nb.session.exporting.charts import chart
from manta_nb.session.metrics import MetricRow, MetricTable
from tests.session.fake_run import learning_curves

NAN, INF = float("nan"), float("inf")


def drawn(*values: float, nodes: int = 1, points: int = 100) -> ElementTree.Element:
    """The chart of a metric that each node recorded so."""
    rows = [MetricRow(i, f"n{n}", "w", "m", None, v + n) for n in range(nodes) for i, v in enumerate(values)]
    return ElementTree.fromstring(chart(MetricTable(rows), "m", points))


def lines(svg: ElementTree.Element, kind: str) -> list[list[tuple[float, float]]]:
    found = [part.get("points", "") for part in svg if part.get("class") == kind and part.tag != "circle"]
    return [[tuple(map(float, pair.split(","))) for pair in text.split()] for text in found]  # type: ignore[misc]


def test_a_line_rises_where_the_numbers_do() -> None:
    """Up is smaller in SVG; iterations go to the right; all of it lies inside the picture."""
    ((*points,),) = lines(drawn(0.1, 0.5, 0.9), "mean")

    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert all(0 <= x <= 420 and 0 <= y <= 210 for x, y in points)


def test_nan_is_a_gap() -> None:
    """The line stops and begins again; a number between two gaps is a dot."""
    svg = drawn(1, 2, NAN, 3, NAN, 4, 5)

    assert [len(line) for line in lines(svg, "mean")] == [2, 2]
    assert len([part for part in svg if part.tag == "circle"]) == 5


def test_nodes_are_thin_lines_in_a_band() -> None:
    """One line a node and one polygon; of a single node there is the line alone."""
    svg = drawn(1, 2, 3, nodes=3)

    assert len(lines(svg, "node")) == 3 and len(lines(svg, "band")) == 1
    assert not lines(drawn(1, 2, 3), "node")


def test_long_curves_are_thinned() -> None:
    """To the points asked for, with the first and the last."""
    ((*points,),) = lines(drawn(*range(5_000), points=50), "mean")

    assert len(points) == 50 and points[0][0] == 46 and points[-1][0] == 410


@pytest.mark.parametrize(
    "values",
    [
        [0.5],
        [2, 2, 2],
        [0, 0],
        [1e308, -1e308, 1],
        [1e-320, 2e-320],
        [INF, 1, -INF],
        [-1e9, 1e9],
        [1e250, 3e250],
    ],
)
def test_any_numbers_can_be_drawn(values: list[float]) -> None:
    """One point, no spread, the largest and the smallest there are: every place is a number inside the picture."""
    text = ElementTree.tostring(drawn(*values), encoding="unicode")
    places = re.findall(r'[xy12]="(-?[\d.]+)"', text)

    assert "nan" not in text.replace("nano", "") and "inf" not in text
    assert places and all(-20 <= float(place) <= 430 for place in places)


def test_without_a_number_it_says_so() -> None:
    """An empty picture would look like a mistake."""
    assert "no finite number" in chart(MetricTable([MetricRow(0, "n", "w", "m", None, NAN)]), "m", 10)


def test_names_are_escaped() -> None:
    """A metric may be called anything."""
    rows = [row._replace(name='"><script>') for row in learning_curves(2, 3)]

    assert "<script>" not in chart(MetricTable(rows), '"><script>', 10)


def test_large_ticks_are_short() -> None:
    """Numbers as people say them: the space on the left is small."""
    texts = [part.text for part in drawn(0, 30_000, 65_000) if part.tag == "text"]

    assert "20k" in texts and "60k" in texts
    assert "2M" in [part.text for part in drawn(0, 2_500_000) if part.tag == "text"]
