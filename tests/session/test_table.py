"""The nodes of a session as a person sees them."""

from __future__ import annotations

import numpy as np

from manta_nb.data import LabelHistogram
from manta_nb.session.table import Node, NodeTable


def nodes(count: int, lost: int = 0, histogram: bool = True, name: str = "node") -> NodeTable:
    """So many nodes on two workers, the first `lost` of them lost."""
    ids = [f"{name}_{i}" for i in range(count)]
    counts = np.array([[i % 7, 10] for i in range(count)])
    found = {
        node: Node(node, "lost" if i < lost else "idle", f"worker-{i % 2}", 4000 + i % 2, ("digits",))
        for i, node in enumerate(ids)
    }
    return NodeTable(found, LabelHistogram(ids, ["0", "1"], counts) if histogram else None)


def test_each_node_has_the_shape_of_its_labels():
    """A row a node: its state, its labels as blocks, its samples, where it runs; what all have is said once."""
    lines = str(nodes(3)).split("\n")

    assert lines[0].startswith("every node has digits · 33 training samples, 10–12 a node")
    assert lines[1].split() == ["node", "state", "labels", "0", "…", "1", "samples", "worker", "pid"]
    assert lines[-1].split() == ["node_2", "idle", "▂█", "12", "worker-0", "4000"]


def test_nodes_without_labels_are_a_table():
    """Data that has no labels to count takes no column."""
    lines = str(nodes(2, histogram=False)).split("\n")

    assert lines[0] == "every node has digits"
    assert lines[1].split() == ["node", "state", "worker", "pid"]


def test_of_many_nodes_the_states_and_the_labels_are_counted():
    """More than 32 are shown together, and the lost ones by name; the page does not grow with them."""
    few, many = nodes(50, lost=2), nodes(10_000, lost=2)

    text = str(few)

    assert text.startswith("50 nodes in 2 processes\n")
    assert "48 idle" in text and "lost: node_0, node_1" in text
    assert "nodes with it" in text
    assert "9,998 idle" in str(many)
    assert len(many._repr_html_()) < len(few._repr_html_()) + 1000


def test_hostile_names_are_text():
    """A node called like a script is a name."""
    for count in (3, 40):
        page = nodes(count, lost=1, name="<script>alert(1)</script>")._repr_html_()

        assert "<script" not in page
        assert "&lt;script&gt;" in page
