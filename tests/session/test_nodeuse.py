"""The nodes of a run."""

from __future__ import annotations

from manta_nb.session.nodeuse import RunNodes


def test_it_is_a_list_of_names_and_a_table():
    """It reads like a list of node names, and shows seconds and bytes of each, also of one that did nothing."""
    nodes = RunNodes(["node_0", "Élève_1"], {"node_0": 1.5}, {"node_0": 2_000_000})

    assert nodes == ["node_0", "Élève_1"]
    assert nodes[0] == "node_0" and len(nodes) == 2
    assert "1.50 s" in str(nodes) and "2 MB" in str(nodes)
    assert "Élève_1" in nodes._repr_html_() and "0 B" in nodes._repr_html_()
