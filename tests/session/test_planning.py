"""From what a person hands to `run` to a plan that can run, or one line that says why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manta_nb.engine.records import NodeInfo
from manta_nb.errors import DefinitionError
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import Swarm
from manta_nb.session.planning import blueprint

TEXT = "from manta_light.task import Task\nclass W(Task):\n    def run(self):\n        {}\n"


def module(body: str = "print(1)", name: str = "worker", **options: Any) -> Module:
    """A module whose task does this."""
    return Module.from_source(TEXT.format(body), name=name, **options)


class Plain(Swarm):
    """A swarm that takes no arguments."""

    def __init__(self) -> None:
        super().__init__(max_iteration=7)
        self.set_global("lr", 0.1)
        self.worker = module()

    def execute(self) -> object:
        """One task."""
        return self.worker()


class NeedsAName(Plain):
    """A swarm that takes one."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title


@pytest.mark.parametrize("what", [Plain, Plain()], ids=["class", "object"])
def test_a_swarm_or_its_class_is_planned(what: object) -> None:
    """Name, limit and Globals are those of the swarm."""
    made = blueprint(what, None, None, 3)

    assert (made.plan.name, made.plan.iterations, made.plan.seed, made.globals) == (
        "Plain",
        7,
        3,
        {"lr": 0.1},
    )


@pytest.mark.parametrize("make", [lambda m: m, lambda m: m(), lambda m: m >> module(name="b")])
def test_a_module_a_call_and_a_flow_are_planned(make: Any) -> None:
    """What is no swarm gets the name that is given."""
    made = blueprint(make(module()), "fl", 2, None)

    assert (made.plan.name, made.plan.tasks[0].alias) == ("fl", "worker")


def test_what_is_given_outweighs_the_swarm() -> None:
    """Name and iterations of the call count."""
    plan = blueprint(Plain, "mine", 3, None).plan

    assert (plan.name, plan.iterations) == ("mine", 3)


def test_every_run_has_an_id_and_a_seed_of_its_own() -> None:
    """Without a seed each run draws one, and keeps it."""
    plans = [blueprint(Plain, None, None, None).plan for _ in range(20)]

    assert len({plan.run_id for plan in plans}) == len({plan.seed for plan in plans}) == 20


@pytest.mark.parametrize("iterations", [4, np.int64(4), np.uint8(4)])
def test_any_whole_number_is_a_number_of_iterations(iterations: Any) -> None:
    """Also numpy's."""
    plan = blueprint(Plain, None, iterations, None).plan

    assert plan.iterations == 4
    assert type(plan.iterations) is int


@pytest.mark.parametrize("iterations", [0, -3, 2.5, True, "3", "ever", float("nan")])
def test_other_iterations_are_refused(iterations: Any) -> None:
    """What is no whole number from 1 on is refused, and the line says what is allowed."""
    with pytest.raises(DefinitionError, match="iterations must be a whole number ≥ 1 or 'forever'"):
        blueprint(Plain, None, iterations, None)


@pytest.mark.parametrize("seed", [0, 7, -7, np.int64(7), 2**64])
def test_any_whole_number_is_a_seed(seed: Any) -> None:
    """Also numpy's, and large ones."""
    plan = blueprint(Plain, None, None, seed).plan

    assert plan.seed == seed
    assert type(plan.seed) is int


@pytest.mark.parametrize("seed", [1.5, "7", True, b"7"])
def test_other_seeds_are_refused(seed: Any) -> None:
    """What is no whole number is refused."""
    with pytest.raises(DefinitionError, match="seed must be a whole number, got"):
        blueprint(Plain, None, None, seed)


def test_forever_has_no_limit() -> None:
    """`"forever"` runs until it is stopped."""
    assert blueprint(Plain, None, "forever", None).plan.iterations is None


def test_a_swarm_that_never_ends_is_refused() -> None:
    """Neither a limit nor a `stop_swarm` anywhere: an error that says what to give."""
    with pytest.raises(DefinitionError, match="nothing ends this swarm: give --iterations N"):
        blueprint(module(), None, None, None)


def test_a_module_that_stops_needs_no_limit() -> None:
    """A text that calls `stop_swarm` ends its swarm."""
    assert blueprint(module("self.world.stop_swarm()"), None, None, None).plan.iterations is None


@pytest.mark.parametrize(
    ("what", "named"),
    [
        (5, "int '5'"),
        ("worker", "str 'worker'"),
        (None, "NoneType 'None'"),
        (Module, "the class Module"),
        (print, "builtin_function"),
    ],
)
def test_something_else_is_refused(what: object, named: str) -> None:
    """What cannot be run is named."""
    with pytest.raises(DefinitionError, match=f"got {named}"):
        blueprint(what, None, 1, None)


def test_a_class_that_takes_arguments_is_refused() -> None:
    """The line says to make an object of it."""
    with pytest.raises(DefinitionError, match=r"NeedsAName takes arguments.*run\(NeedsAName\(…\)\)"):
        blueprint(NeedsAName, None, 1, None)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 300, 5, "a\x00b"])
def test_an_odd_name_of_a_run_is_refused(name: Any) -> None:
    """A run is called by one line of up to 100 characters."""
    with pytest.raises(DefinitionError, match="name of a run is a text"):
        blueprint(Plain, name, 1, None)


@pytest.mark.parametrize("name", ["../x", "Élève 1 · β", "fl"])
def test_other_names_are_just_names(name: str) -> None:
    """A run's name is shown, and leads nowhere."""
    assert blueprint(Plain, name, 1, None).plan.name == name


def test_results_are_kept_for_the_longest_that_is_asked() -> None:
    """Two iterations, or as many as some module wants, or all."""

    def keep(*asked: Any) -> int | None:
        flow: Any = module(name="m")
        for number, value in enumerate(asked):
            flow = flow >> module(name=f"m{number}", keep_results=value)
        return blueprint(flow, "fl", 1, None).plan.keep_results

    assert (keep(), keep(1), keep(5, 3), keep(5, "all")) == (2, 2, 5, None)


def test_what_a_module_asks_for_reaches_the_plan() -> None:
    """Placement goes to the engine, limits go to the node."""
    options = {
        "method": "all",
        "maximum": 0.5,
        "min_nodes": 2,
        "retries": 3,
        "timeout": 4.0,
        "isolate": True,
        "on_nan": "refuse",
    }
    made = blueprint(module("self.world.results.select('x')", **options), "fl", 1, None)
    [task], program = made.plan.tasks, made.programs["worker"]

    assert (task.method, task.maximum, task.min_nodes, task.retries, task.timeout) == ("all", 0.5, 2, 3, 4.0)
    assert (program.policy.timeout, program.policy.isolate, program.policy.on_nan) == (4.0, True, "refuse")
    assert (program.selects, program.schedules) == (("x",), False)


def test_it_is_known_on_how_many_nodes_each_task_will_run() -> None:
    """Counted by who is allowed and who has the data."""
    nodes = [NodeInfo(f"node_{n}", "w", frozenset({"digits"} if n else ())) for n in range(4)]
    flow = (
        module(name="a", method="all")
        >> module(name="b")
        >> module(name="c", method="all", datasets=["digits"], excepted_ids=["node_3"])
    )

    assert blueprint(flow, "fl", 1, None).counts(nodes) == {"a": 4, "b": 1, "c": 2}
