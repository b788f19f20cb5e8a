"""`>>` between modules, calls, flows and lists of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.errors import DefinitionError
from manta_nb.sdk.graph import TaskGraph
from manta_nb.sdk.module import Module


def module(name: str) -> Module:
    """A module that does next to nothing."""
    return Module.from_source(f"def main():\n    print('{name}')", name=name)


a, b, c, d = map(module, "abcd")


def edges(flow: object) -> dict[str, tuple[str, ...]]:
    """Alias → the aliases it waits for."""
    return {task.alias: task.inputs for task in TaskGraph.build(flow, "test").tasks}


def test_a_chain_is_a_row():
    """Each module waits for the one before."""
    assert {"a": (), "b": ("a",), "c": ("b",)} == edges(a >> b >> c)


def test_branches_run_beside_each_other():
    """A list in the middle is a fork and a join."""
    assert {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")} == edges(a >> [b, c] >> d)


def test_a_list_may_come_first():
    """A list on the left is two starts and a join; a flow may end in several tasks."""
    assert {"a": (), "b": (), "c": ("a", "b")} == edges([a, b] >> c)
    assert {"a": (), "b": ("a",), "c": ("a",)} == edges(a >> (b, c))


def test_a_flow_is_grafted():
    """A flow on the right starts after the left side."""
    assert edges(a >> b >> c) == edges(a >> (b >> c))
    assert {"a": (), "b": ("a",), "c": ("b",), "d": ("a",)} == edges(a >> [b >> c, d])


def test_a_flow_does_not_change():
    """Extending a flow twice gives two flows."""
    start = a >> b

    assert {"a": (), "b": ("a",), "c": ("b",)} == edges(start >> c)
    assert {"a": (), "b": ("a",), "d": ("b",)} == edges(start >> d)


def test_two_flows_share_their_start():
    """The same module at the start of two flows is one task."""
    assert {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")} == edges([a >> b, a >> c] >> d)


def test_a_module_may_come_again():
    """A module that comes again later in a flow is another task."""
    assert {"a": (), "b": ("a",), "a_2": ("b",)} == edges(a >> b >> a)


def test_calls_take_part():
    """Calls of modules mix with modules."""
    assert {"a": (), "b": ("a",), "c": ("b",)} == edges(b(a()) >> c)
    assert {"a": (), "b": ("a",)} == edges(b(a))


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (3, r"a flow joins modules, such as worker >> aggregator; 3 \(int\) is none"),
        ([], "empty list"),
        ([a, "b"], r"'b' \(str\) is none"),
        (dict, "dict is a class, a flow joins modules"),
        (None, r"None \(NoneType\) is none"),
    ],
)
def test_anything_else_is_refused(side: object, words: str):
    """What is no module is named, with what a flow looks like."""
    with pytest.raises(DefinitionError, match=words):
        a >> side


@given(st.lists(st.sampled_from([a, b, c, d]), min_size=2, max_size=8), st.data())
def test_brackets_do_not_matter(modules: list[Module], data: st.DataObject):
    """However a chain is bracketed, it is the same graph."""
    cut = data.draw(st.integers(1, len(modules) - 1))

    def chain(parts: list[Module]) -> object:
        flow: object = parts[0]
        for part in parts[1:]:
            flow = flow >> part  # type: ignore[operator]
        return flow

    assert edges(chain(modules)) == edges(chain(modules[:cut]) >> chain(modules[cut:]))  # type: ignore[operator]
