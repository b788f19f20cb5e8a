"""From a user's swarm to the engine's plan and the dispatcher's programs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from numbers import Integral
from typing import Any

from manta_nb.engine.placement import wanted
from manta_nb.engine.records import NodeInfo, RunPlan, TaskPlan
from manta_nb.engine.wording import one_line
from manta_nb.errors import DefinitionError
from manta_nb.runtime.program import Program
from manta_nb.runtime.runners.request import Policy
from manta_nb.sdk.flow import Flow, TaskSpec
from manta_nb.sdk.graph import GraphTask, TaskGraph
from manta_nb.sdk.module import Module
from manta_nb.sdk.swarm import FlowSwarm, Swarm

__all__ = [
    "Blueprint",
    "anew",
    "as_swarm",
    "blueprint",
    "checked_name",
    "checked_seed",
    "programs_of",
    "run_limit",
]

KEEP_RESULTS = 2
FOREVER = "forever"
LONGEST_NAME = 100


@dataclass(frozen=True)
class Blueprint:
    """A swarm made ready to run."""

    plan: RunPlan
    graph: TaskGraph
    programs: Mapping[str, Program]
    globals: Mapping[str, Any]
    #: the run it goes on from, and the iteration of that (None: it repeats it)
    parent: tuple[str, int | None] | None = None

    def counts(self, nodes: Iterable[NodeInfo]) -> dict[str, int]:
        """Task → on how many of these nodes it is going to run."""
        found = list(nodes)
        return {
            task.alias: wanted(task, sum(_suits(task, node) for node in found)) for task in self.plan.tasks
        }


def _suits(task: TaskPlan, node: NodeInfo) -> bool:
    chosen = task.specified_ids is None or node.node_id in task.specified_ids
    return chosen and node.node_id not in task.excepted_ids and node.datasets.issuperset(task.datasets)


def as_swarm(what: object, name: str | None) -> Swarm:
    """A Swarm from whatever a person hands to `run`: an instance, a class, a flow, a module."""
    if isinstance(what, type) and issubclass(what, Swarm):
        _check_takes_nothing(what)
        return what()
    if isinstance(what, Swarm):
        return what
    if isinstance(what, Module | Flow | TaskSpec):
        return FlowSwarm(name or "swarm", what, {})
    raise DefinitionError(
        f"run takes a Swarm, a flow such as worker >> aggregator, or a Module, got {_kind(what)}"
    )


def _check_takes_nothing(kind: type[Swarm]) -> None:
    try:
        signature(kind).bind()
    except TypeError:
        raise DefinitionError(
            one_line(f"{kind.__name__} takes arguments: hand over an object, as in run({kind.__name__}(…))")
        ) from None


def _kind(what: object) -> str:
    return (
        f"the class {what.__name__}"
        if isinstance(what, type)
        else f"{type(what).__name__} {str(what)[:40]!r}"
    )


def blueprint(
    what: object, name: str | None, iterations: int | str | None, seed: int | None, trace: bool = False
) -> Blueprint:
    """Check the swarm as a whole and plan its run."""
    swarm = as_swarm(what, name)
    graph = swarm.graph()
    # a name that Python made (the class's) may be anything; one that a person gave is checked where it is
    # given
    limit = _limit(iterations if iterations is not None else swarm.max_iteration, graph)
    plan = RunPlan(
        run_id=secrets.token_hex(8),
        name=swarm.name if name is None else checked_name(name),
        tasks=tuple(_task_plan(task) for task in graph.tasks),
        iterations=limit,
        seed=secrets.randbelow(2**31) if seed is None else checked_seed(seed),
        keep_results=_keep(graph),
    )
    return Blueprint(plan, graph, programs_of(graph, trace), dict(swarm.globals))


def programs_of(graph: TaskGraph, trace: bool = False) -> dict[str, Program]:
    """What runs for each task of a graph."""
    return {task.alias: _program(task, trace) for task in graph.tasks}


def anew(
    made: Blueprint, first: Mapping[str, Any], iterations: int | str | None = None, seed: int | None = None
) -> Blueprint:
    """The same swarm for another run: with these Globals, and with other iterations or another seed if given."""
    plan = replace(
        made.plan,
        run_id=secrets.token_hex(8),
        iterations=made.plan.iterations if iterations is None else run_limit(iterations),
        seed=made.plan.seed if seed is None else checked_seed(seed),
    )
    return replace(made, plan=plan, globals=first, parent=(made.plan.run_id, None))


def _limit(iterations: int | str | None, graph: TaskGraph) -> int | None:
    if iterations is None:
        if any(task.module.usage.stops for task in graph.tasks):
            return None
        raise DefinitionError(
            "nothing ends this swarm: give --iterations N or --iterations forever (in Python iterations=), "
            "or call self.world.stop_swarm() in a task"
        )
    return run_limit(iterations)


def run_limit(iterations: int | str) -> int | None:
    """The limit that a person gave; None for "forever"."""
    if iterations == FOREVER:
        return None
    limit = _whole(iterations)
    if limit is None or limit < 1:
        raise DefinitionError(
            one_line(f"iterations must be a whole number ≥ 1 or 'forever', got {iterations!r}")
        )
    return limit


def checked_seed(seed: object) -> int:
    """The seed that a person gave."""
    number = _whole(seed)
    if number is None:
        raise DefinitionError(one_line(f"seed must be a whole number, got {seed!r}"))
    return number


def _whole(value: object) -> int | None:
    """A whole number of any kind, numpy's too, as Python's own; None where it is none."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None


def checked_name(name: object) -> str:
    """The name that a person gave to a run."""
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise DefinitionError(
            one_line(
                f"the name of a run is a text of 1 to {LONGEST_NAME} characters on one line, got {name!r}"
            )
        )
    return name


def _task_plan(task: GraphTask) -> TaskPlan:
    module = task.module
    return TaskPlan(
        alias=task.alias,
        inputs=task.inputs,
        method=module.method,
        maximum=module.maximum,
        fixed=module.fixed,
        specified_ids=module.specified_ids,
        excepted_ids=module.excepted_ids,
        datasets=module.datasets,
        min_nodes=module.min_nodes,
        retries=module.retries,
        timeout=module.timeout,
    )


def _program(task: GraphTask, trace: bool) -> Program:
    module = task.module
    usage = module.usage
    return Program(
        source=module.source,
        policy=Policy(timeout=module.timeout, isolate=module.isolate, on_nan=module.on_nan, trace=trace),
        selects=None if usage.selects_all else usage.selects,
        schedules=any("schedule_next_iter" in text for text in module.source.files.values()),
    )


def _keep(graph: TaskGraph) -> int | None:
    asked = [task.module.keep_results for task in graph.tasks if task.module.keep_results is not None]
    return None if "all" in asked else max([KEEP_RESULTS, *(int(number) for number in asked)])
