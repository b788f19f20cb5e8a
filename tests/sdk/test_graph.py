"""`TaskGraph`: order, aliases, and the mistakes of an `execute`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.errors import DefinitionError
from manta_nb.sdk.advice import swarm_notes
from manta_nb.sdk.flow import TaskSpec
from manta_nb.sdk.graph import TaskGraph
from manta_nb.sdk.module import Module
from manta_nb.sdk.source import source_from_text


def module(name: str, body: str = "print(1)", **options: object) -> Module:
    """A module whose main is `body`."""
    lines = body.replace("\n", "\n        ")
    text = f"from manta_light.task import Task\nclass T(Task):\n    def run(self):\n        {lines}\n"
    return Module.from_source(text, name=name, **options)


a, b, c, d, e, f, g = map(module, "abcdefg")


def build(returned: object, *known: Module) -> TaskGraph:
    """The graph of a swarm called FLSwarm."""
    return TaskGraph.build(returned, "FLSwarm", known)


def refusal(returned: object, *known: Module) -> str:
    """The line with which this return value of execute is refused."""
    with pytest.raises(DefinitionError) as caught:
        build(returned, *known)
    assert len(str(caught.value)) <= 200
    return str(caught.value)


def test_seven_tasks_with_two_branches():
    """A graph of seven tasks is found by walking back, in layers, with what may run at the same time."""
    start = a()
    left, right = c(b(start)), e(d(start))
    graph = build(g(f(left, right)))

    assert (("a",), ("b", "d"), ("c", "e"), ("f",), ("g",)) == graph.layers()
    assert "a → [b, d] → [c, e] → f → g" == repr(graph)
    assert ("a", "b") == graph.ancestors("c")
    assert {"d", "e"} == {*graph.concurrent("c")}
    assert () == graph.concurrent("f")
    assert ("c", "e") == graph["f"].inputs


def test_several_last_tasks():
    """execute may return a list of last calls."""
    start = a()

    assert (("a",), ("b", "c")) == build([b(start), c(start)]).layers()


def test_the_same_module_twice_is_numbered():
    """A second call of a module is a task of its own under a number."""
    graph = build(a(b(a())))

    assert [("a", ()), ("b", ("a",)), ("a_2", ("b",))] == [(task.alias, task.inputs) for task in graph.tasks]


def test_a_number_does_not_take_another_alias():
    """Numbering skips an alias that a module already has."""
    assert {"a", "a_2", "a_3"} == {*build([a(), a(), module("x", alias="a_2")()]).aliases}


def test_the_same_input_twice_is_one():
    """An input that is given twice is waited for once."""
    first = a()

    assert ("a",) == build(b(first, first))["b"].inputs


@pytest.mark.parametrize(
    ("returned", "known", "line"),
    [
        (None, [a, b], "FLSwarm.execute returns nothing: end it with return self.b(m)"),
        (None, [], "FLSwarm.execute returns nothing: end it with return self.scheduler(m)"),
        (a, [a], "FLSwarm.execute returns module 'a' uncalled: call it, as in self.a(m)"),
        ([b(), a], [a], "FLSwarm.execute returns module 'a' uncalled: call it, as in self.a(m)"),
        (3, [], "FLSwarm.execute returns 3 (int): return the last call of a module, such as self.scheduler(m)"),
        ([], [a], "FLSwarm.execute returns an empty list: return self.a(m)"),
        (b(a()), [a, b, c], "module 'c' of FLSwarm is not connected to the graph that execute() returns: call it there and hand the call on, or remove it"),
    ],
)  # fmt: skip
def test_a_wrong_execute_is_one_line(returned: object, known: list[Module], line: str):
    """Each mistake in execute has a line that says what to write."""
    assert line == refusal(returned, *known)


def test_an_alias_with_two_codes_is_refused():
    """Two modules with different code cannot share an alias."""
    other = module("other", alias="a")

    assert (
        "two modules of FLSwarm have the alias 'a', a.py and other.py: give one of them another alias="
    ) == refusal(other(a()))


def test_the_same_code_under_other_options_is_connected():
    """A module that execute calls through with_options counts as used."""
    assert ("a",) == build(a.with_options(maximum=3)(), a).aliases


def test_a_circle_is_printed():
    """A circle, which only trickery can make, is printed in order."""
    first = a()
    second = b(first)
    object.__setattr__(first, "after", (second,))

    assert refusal(second).startswith("the tasks of FLSwarm go in a circle, ")
    assert {"a → b → a", "b → a → b"} & {refusal(second).partition("circle, ")[2].partition(":")[0]}


def test_a_missing_file_is_refused_with_the_graph():
    """A module that imports a file it has not got cannot be part of a graph."""
    broken = Module.from_source("from .model import MLP\ndef main(): print(MLP)", name="worker")

    assert "worker.py, line 1: module worker has no file model.py: add it there" == refusal(broken())


def test_a_module_without_a_task_is_refused_with_the_graph():
    """A module of which only a helper file exists is shown, and cannot be part of a graph."""
    source = source_from_text(
        None, "worker", {"model.py": "x = 1"}, {"model.py": "Cell In[2]"}, complete=False
    )
    half = Module.of(source, revision=1)

    assert "worker v1 · model.py (In[2]) · no task yet" == repr(half)
    assert "module 'worker' has no task yet: write it in a cell %%module worker" == refusal(half())


def test_an_unknown_alias_names_the_nearest():
    """Asking for a task that is not there names the one that was probably meant."""
    graph = build(module("worker")())

    with pytest.raises(
        DefinitionError, match=r"no task 'wroker' \(did you mean 'worker'\?\): there are worker"
    ):
        graph.ancestors("wroker")


@given(st.integers(2, 9), st.data())
def test_every_task_comes_after_its_inputs(size: int, data: st.DataObject):
    """Whatever the graph, the order respects it, is repeatable, and layers hold every task once."""
    specs: list[TaskSpec] = []
    for index in range(size):
        inputs = data.draw(st.lists(st.sampled_from(specs), max_size=3)) if specs else []
        specs.append(module(f"m{index}")(*inputs))
    graph = build(specs)

    seen: set[str] = set()
    for task in graph.tasks:
        assert {*task.inputs} <= seen
        seen.add(task.alias)
    assert graph == build(specs)
    assert sorted(seen) == sorted(name for layer in graph.layers() for name in layer)


def test_notes_name_what_nobody_provides():
    """A tag or alias that nothing provides is noted, with the nearest that exists."""
    worker = module(
        "worker",
        "self.world.globals['hyperparamters']\nself.world.results.add('params', self.world.globals['lr'])",
    )
    last = module("last", "self.world.results.select('parms')\nself.world.schedule_next_iter(ids, 'wrker')")

    assert (
        "worker reads the Global 'hyperparamters', which nobody sets (did you mean 'hyperparameters'?)",
        "last selects the Result 'parms', which nobody adds (did you mean 'params'?)",
        "last schedules 'wrker', which nobody is (did you mean 'worker'?)",
    ) == swarm_notes(build(last(worker())), ["hyperparameters", "lr"])


def test_computed_tags_silence_the_notes():
    """Where a module writes computed tags, no tag is called unknown."""
    worker = module("worker", "self.world.results.add(f'p{k}', 1)")

    assert () == swarm_notes(build(module("last", "self.world.results.select('p1')")(worker())), [])
