"""`Swarm` and `FlowSwarm`: Globals, names, and what is forgotten most."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manta_nb.errors import DefinitionError, ValueRefused
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm, Swarm

worker = Module.from_source("def main():\n    print('w')", name="worker")
aggregator = Module.from_source("def main():\n    print('a')", name="aggregator")


class FL(Swarm):
    """Two tasks in a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.parts = [worker, aggregator]
        self.set_global("lr", 0.1)

    def execute(self) -> object:
        """worker, then aggregator"""
        return self.parts[1](self.parts[0]())


def test_a_swarm_has_a_graph_and_globals():
    """A swarm that is whole gives the same graph each time, and its Globals."""
    swarm = FL()

    assert swarm.graph() == swarm.graph()
    assert ("FL", {"lr": 0.1}, None) == (swarm.name, swarm.globals, swarm.max_iteration)
    assert "FL · worker → aggregator · Globals lr" == repr(swarm)


def test_a_name_of_its_own():
    """The class attribute `name`, or one set in __init__, is the swarm's name."""

    class Named(FL):
        name = "fl_mnist"

    assert "fl_mnist" == Named().name


def test_super_forgotten():
    """A forgotten super().__init__() is named, by set_global and by the graph alike."""

    class Silent(Swarm):
        def __init__(self) -> None:
            self.worker = worker

        def execute(self) -> object:
            return self.worker()

    class Loud(Swarm):
        def __init__(self) -> None:
            self.set_global("lr", 0.1)

    line = "{}.__init__ does not call super().__init__(): add it as its first line"
    with pytest.raises(DefinitionError) as silent:
        Silent().graph()
    with pytest.raises(DefinitionError) as loud:
        Loud()

    assert [line.format("Silent"), line.format("Loud")] == [str(silent.value), str(loud.value)]


def test_other_attributes_are_missing_as_usual():
    """An unknown attribute is Python's own AttributeError."""
    with pytest.raises(AttributeError, match="nope"):
        _ = FL().nope


def test_a_value_that_cannot_travel_is_refused_at_the_call():
    """set_global refuses a value no node could receive, and names the tag."""
    swarm = FL()

    with pytest.raises(ValueRefused, match=r'set_global\("model"\)'):
        swarm.set_global("model", {"layers": [object()]})

    assert "model" not in swarm.globals


def test_the_value_is_kept_as_it_is():
    """What set_global was given is what globals holds."""
    array = np.arange(3)
    swarm = FL()
    swarm.set_global("a", array)

    assert array is swarm.globals["a"]


@pytest.mark.parametrize("tag", [3, "", None, "x" * 201])
def test_a_tag_is_a_text(tag: Any):
    """The tag of a Global is a text that is not empty."""
    with pytest.raises(DefinitionError, match="the tag of a Global is a text"):
        FL().set_global(tag, 1)


def test_execute_forgotten():
    """A swarm without execute says what to add, and can still be shown."""

    class Empty(Swarm):
        pass

    with pytest.raises(DefinitionError, match="Empty has no execute: add"):
        Empty().graph()
    assert "not complete: Empty has no execute" in repr(Empty())
    assert "not complete" in Empty()._repr_html_()


def test_an_unconnected_module_is_named():
    """A module the swarm holds in an attribute, a list or on the class must be in the graph."""

    class Half(FL):
        scheduler = Module.from_source("def main():\n    print('s')", name="scheduler")

    with pytest.raises(DefinitionError, match="module 'scheduler' of Half is not connected"):
        Half().graph()


@pytest.mark.parametrize("limit", [0, -1, 1.5, "3", True])
def test_max_iteration_is_checked(limit: Any):
    """max_iteration is a whole number of at least one."""
    with pytest.raises(DefinitionError, match="max_iteration must be a whole number ≥ 1"):
        FL(max_iteration=limit)


def test_max_iteration_is_kept():
    """max_iteration of generation D is accepted and kept."""
    assert 10 == FL(max_iteration=10).max_iteration


def test_a_flow_is_a_swarm():
    """A flow with a name and Globals is a swarm."""
    swarm = FlowSwarm("fl", worker >> aggregator, {"lr": 0.1})

    assert ("fl", ("worker", "aggregator"), {"lr": 0.1}) == (swarm.name, swarm.graph().aliases, swarm.globals)


def test_one_module_is_a_flow():
    """A cell that ends in one module is a swarm of one task."""
    assert ("worker",) == FlowSwarm("w", worker).graph().aliases
