"""What the nodes of a run do, as readers follow it."""

from __future__ import annotations

from manta_nb.engine.records import Batch
from manta_nb.session.nodework import MOST_CHANGES, MOST_NAMES, NodeWork


def worked(nodes: int, times: int) -> NodeWork:
    names = tuple(f"node_{index}" for index in range(nodes))
    work = NodeWork(lambda node_id: "w0")
    for iteration in range(times):
        work.finished(Batch(iteration, "worker", 0, "w0", names))
    return work


def test_a_reader_is_told_what_changed_since_it_last_looked():
    """Each node once; nothing where nothing changed."""
    work = worked(3, 5)

    assert list(work.changed(3) or {}) == ["node_0", "node_1", "node_2"]
    assert work.changed(5) == {}


def test_of_thousands_of_nodes_few_changes_are_remembered():
    """10,000 nodes and 100 iterations keep no more names than a few iterations have; the latest change is there."""
    work = worked(10_000, 100)

    assert sum(map(len, work._log)) <= MOST_NAMES
    assert work.changed(99) is not None and work.changed(0) is None


def test_of_few_nodes_the_latest_changes_are_remembered():
    """One that is further behind is told to look at all nodes."""
    work = worked(1, MOST_CHANGES + 10)

    assert work.changed(10) is not None
    assert work.changed(9) is None
