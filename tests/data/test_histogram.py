"""The label histogram shows which labels lie where."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pytest

from manta_nb.data.histogram import LabelHistogram

matplotlib.use("Agg")


def histogram(nodes: int, labels: int) -> LabelHistogram:
    """Counts 0, 1, 2, … over nodes and labels."""
    counts = np.arange(nodes * labels).reshape(nodes, labels)
    return LabelHistogram([f"node_{i}" for i in range(nodes)], [str(i) for i in range(labels)], counts)


def made(y: Any, *classes: str) -> LabelHistogram:
    """The histogram of `y`, its first half on node `a`, the second on `b`."""
    found = LabelHistogram.of(y, np.split(np.arange(len(y)), 2), ["a", "b"], classes)
    assert found is not None
    return found


def test_counts_per_node_and_label() -> None:
    """Each node's samples are counted by label, labels by their names."""
    found = made(np.array([0, 0, 1, 1, 1, 1]), "malignant", "benign")

    assert found.labels == ["malignant", "benign"]
    assert found.counts.tolist() == [[2, 1], [0, 3]]


def test_text_form() -> None:
    """How much and how alike in words; a row a node: a count and a block for each label, and the sum."""
    assert str(made(np.array([0, 0, 1, 1, 1, 1]), "no", "yes")).split("\n") == [
        "6 training samples, 3 a node · labels differ by 0.33 (0: alike on all nodes, 1: nothing in common)",
        "node   no  yes  sum",
        "────  ───  ───  ───",
        "a     2 ▆  1 ▃    3",
        "b      ·   3 █    3",
    ]


def test_html_reads_without_styles() -> None:
    """Every count is a word of the table; a stronger one has a stronger background."""
    page = made(np.array([0, 0, 1, 1, 1, 1]), "<no>", "yes")._repr_html_()

    assert "&lt;no&gt;" in page
    assert 'rgba(66,133,244,0.60)">3</span>' in page
    assert 'rgba(66,133,244,0.25)">1</span>' in page


def test_many_nodes_are_shown_together() -> None:
    """Of more than 32 nodes each label has a row: its samples, the nodes that have it, and how much of it."""
    counts = np.array([[5, 0]] * 30 + [[1, 2]] * 10)
    found = LabelHistogram([f"node_{i}" for i in range(40)], ["<cat>", "dog"], counts)

    lines = str(found).split("\n")

    assert lines[0].startswith("40 nodes together · 180 training samples, 3–5 a node · labels differ by ")
    assert lines[3].split()[:1] + lines[3].split()[2:6] == ["<cat>", "160", "██████████", "40", "1–5"]
    assert ("dog", "20", "10", "0–2") == tuple(np.array(lines[4].split())[[0, 2, 4, 5]])
    assert "node_0" not in str(found)
    assert "&lt;cat&gt;" in found._repr_html_() and "<cat>" not in found._repr_html_()


def test_ten_thousand_nodes_are_a_small_page() -> None:
    """What is shown does not grow with the nodes."""
    assert len(histogram(10_000, 10)._repr_html_()) < 10_000


@pytest.mark.parametrize(
    ("counts", "differ"), [([[3, 3], [5, 5]], 0.0), ([[4, 0], [0, 4]], 0.5), ([[0, 0], [1, 1]], 0.0)]
)
def test_how_unlike_the_nodes_are(counts: list[list[int]], differ: float) -> None:
    """The mean distance of the nodes' shares to those of all; a node without data says nothing."""
    assert LabelHistogram(["a", "b"], ["x", "y"], np.array(counts)).unlikeness() == differ


def test_each_node_has_a_shape() -> None:
    """One block a label, the highest for the highest count of all nodes, a dot for none."""
    found = LabelHistogram(["a", "b"], ["x", "y", "z"], np.array([[8, 0, 1], [4, 4, 4]]))

    assert {node: str(shape) for node, shape in found.shapes().items()} == {"a": "█·▂", "b": "▅▅▅"}
    assert found.heading() == "labels x … z"


def test_many_labels_are_folded() -> None:
    """Of a hundred labels the most frequent are shown, the others added up; no sample is lost."""
    line = str(histogram(2, 100)).split("\n")

    assert line[1].split()[1:3] == ["89", "90"]
    assert "89 others" in line[1]
    assert line[3].split()[-1] == str(sum(range(100)))


def test_measured_values_are_counted_in_ranges() -> None:
    """Float targets fall into eight ranges that hold them all, also where all are equal."""
    found = made(np.linspace(25, 346, 100, dtype=np.float32))

    assert len(found.labels) == 8
    assert found.counts.sum() == 100
    assert made(np.full(10, 3.5, np.float32)).counts.sum() == 10


def test_several_labels_a_sample_have_no_histogram() -> None:
    """One-hot targets are not counted."""
    assert LabelHistogram.of(np.eye(4), [np.arange(4)], ["a"]) is None


def test_text_labels_count_too() -> None:
    """Labels that are text are their own names."""
    assert made(np.array(["b", "a", "b", "b"])).labels == ["a", "b"]


def test_data_frame() -> None:
    """As a data frame: one row a node, one column a label."""
    frame = histogram(2, 3).to_pandas()

    assert frame.to_numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert frame.columns.tolist() == ["0", "1", "2"]
    assert frame.index.name == "node"


@pytest.mark.parametrize(("nodes", "labels", "drawn"), [(8, 10, 10), (60, 2, 2), (3, 100, 12)])
def test_plot_stacks_the_labels(nodes: int, labels: int, drawn: int) -> None:
    """The bars of a node add up to its samples; a given axes is drawn on."""
    from matplotlib.figure import Figure

    found = histogram(nodes, labels)
    ax = found.plot(Figure().subplots())
    stack: Any = ax.containers

    assert len(stack) == drawn
    tops = [sum(bars[node].get_height() for bars in stack) for node in range(nodes)]
    assert tops == found.counts.sum(axis=1).tolist()
    assert ax.get_ylabel() == "training samples"
