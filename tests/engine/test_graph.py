"""What follows from the graph alone."""

from __future__ import annotations

import pytest

from manta_nb.engine.graph import TaskGraph
from manta_nb.engine.records import TaskPlan
from manta_nb.errors import DefinitionError


def seven() -> TaskGraph:
    """One root, two branches of two, a fan-in and an end."""
    return TaskGraph(
        [
            TaskPlan("root"),
            TaskPlan("a1", ("root",)),
            TaskPlan("b1", ("root",)),
            TaskPlan("a2", ("a1",)),
            TaskPlan("b2", ("b1",)),
            TaskPlan("fan_in", ("a2", "b2")),
            TaskPlan("end", ("fan_in",)),
        ]
    )


def test_branches_run_beside_each_other() -> None:
    """A task may run beside those that are neither before nor behind it."""
    graph = seven()

    assert graph.beside["a1"] == ("b1", "b2")
    assert graph.beside["fan_in"] == ()
    assert graph.ancestors["fan_in"] == {"root", "a1", "a2", "b1", "b2"}


def test_regions_are_cut_at_tasks_that_run_alone() -> None:
    """Branches form one region; a task that nothing runs beside is a region of its own."""
    graph = seven()

    assert graph.regions["b2"] == ("a1", "b1", "a2", "b2")
    assert graph.regions["root"] == ("root",)
    assert graph.regions["end"] == ("end",)


@pytest.mark.parametrize(
    ("tasks", "word"),
    [
        ([], "no task"),
        ([TaskPlan("a"), TaskPlan("a")], "'a'"),
        ([TaskPlan("a", ("b",)), TaskPlan("b", ("a",))], "'b'"),
        ([TaskPlan("a", ("a",))], "'a'"),
        ([TaskPlan("a", ("missing",))], "'missing'"),
    ],
)
def test_graph_that_cannot_run_is_refused(tasks: list[TaskPlan], word: str) -> None:
    """An empty graph, an alias twice, a cycle, a self edge or a missing alias is one line that names it."""
    with pytest.raises(DefinitionError, match=word) as caught:
        TaskGraph(tasks)

    assert len(str(caught.value)) <= 200
