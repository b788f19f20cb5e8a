"""`TaskGraph`: the tasks of one iteration, found by walking back from what `execute()` returned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from manta_nb.errors import DefinitionError
from manta_nb.sdk.flow import Flow, TaskSpec, ends_of
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["GraphTask", "TaskGraph", "TaskSpec"]


@dataclass(frozen=True)
class GraphTask:
    """One task of the graph: a module under the name that `schedule_next_iter` addresses."""

    alias: str
    module: Module
    #: aliases of the tasks it waits for
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskGraph:
    """The tasks in an order in which each comes after its inputs.

    Example:
        >>> TaskGraph.build(aggregator(worker()), "FLSwarm")
        worker → aggregator
    """

    tasks: tuple[GraphTask, ...]

    @classmethod
    def build(cls, returned: object, swarm_name: str, known_modules: Iterable[Module] = ()) -> TaskGraph:
        """The graph behind what `execute()` returned.

        Args:
            returned: a call of a module, a flow, or a list of them.
            swarm_name: named in errors.
            known_modules: modules the swarm holds; each must be part of the graph.

        Raises:
            DefinitionError: nothing or something else was returned, two modules share an alias, a module is
                not connected, a file is missing, or the calls go in a circle.
        """
        known = list(known_modules)
        order = _in_order(_checked_ends(returned, swarm_name, known), swarm_name)
        for module in dict.fromkeys(spec.module for spec in order):
            _check_whole(module)
        _check_connected(order, known, swarm_name)
        aliases = _aliases(order, swarm_name)
        return cls(
            tuple(
                GraphTask(
                    aliases[spec], spec.module, tuple(dict.fromkeys(aliases[before] for before in spec.after))
                )
                for spec in order
            )
        )

    def __getitem__(self, alias: str) -> GraphTask:
        """The task with that alias, or a `DefinitionError` that names the nearest one."""
        for task in self.tasks:
            if task.alias == alias:
                return task
        hint = did_you_mean(alias, self.aliases)
        raise DefinitionError(
            one_line(f"no task {shorten(alias, 40)!r}{hint}: there are {listed(self.aliases)}")
        )

    @property
    def aliases(self) -> tuple[str, ...]:
        """The names of the tasks, in order."""
        return tuple(task.alias for task in self.tasks)

    def ancestors(self, alias: str) -> tuple[str, ...]:
        """The tasks that are over when `alias` starts, in order."""
        found, queue = set[str](), [*self[alias].inputs]
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                queue += self[name].inputs
        return tuple(name for name in self.aliases if name in found)

    def concurrent(self, alias: str) -> tuple[str, ...]:
        """The tasks that may run at the same time as `alias`, in order."""
        before = {*self.ancestors(alias), alias}
        return tuple(
            name for name in self.aliases if name not in before and alias not in self.ancestors(name)
        )

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """The aliases by their distance from the start, for drawing: `(("a",), ("b", "c"), ("d",))`."""
        depth: dict[str, int] = {}
        for task in self.tasks:
            depth[task.alias] = 1 + max((depth[name] for name in task.inputs), default=-1)
        return tuple(
            tuple(name for name in self.aliases if depth[name] == level)
            for level in range(max(depth.values(), default=-1) + 1)
        )

    def __repr__(self) -> str:
        return " → ".join(names[0] if len(names) == 1 else f"[{', '.join(names)}]" for names in self.layers())


def _checked_ends(returned: object, swarm_name: str, known: Sequence[Module]) -> tuple[TaskSpec, ...]:
    example = f"self.{_name_of_call(known)}"
    if returned is None:
        raise DefinitionError(one_line(f"{swarm_name}.execute returns nothing: end it with return {example}"))
    for part in returned if isinstance(returned, list | tuple) else [returned]:
        if isinstance(part, Module):
            raise DefinitionError(
                one_line(
                    f"{swarm_name}.execute returns module {part.alias!r} uncalled: call it, as in {example}"
                )
            )
        if not isinstance(part, TaskSpec | Flow | list | tuple):
            raise DefinitionError(
                one_line(
                    f"{swarm_name}.execute returns {shorten(repr(part), 50)} ({type(part).__name__}): "
                    f"return the last call of a module, such as {example}"
                )
            )
    if not returned:
        raise DefinitionError(one_line(f"{swarm_name}.execute returns an empty list: return {example}"))
    return ends_of(returned)


def _name_of_call(known: Sequence[Module]) -> str:
    return f"{known[-1].alias}(m)" if known else "scheduler(m)"


def _in_order(ends: Iterable[TaskSpec], swarm_name: str) -> list[TaskSpec]:
    sorter: TopologicalSorter[TaskSpec] = TopologicalSorter()
    seen: dict[TaskSpec, None] = {}
    stack = list(ends)
    while stack:
        spec = stack.pop()
        if spec not in seen:
            seen[spec] = None
            stack += spec.after
    # The stack goes from the last to the first, so its reverse begins with what was written first.
    for spec in reversed(seen):
        sorter.add(spec, *spec.after)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = " → ".join(spec.module.alias for spec in error.args[1])
        raise DefinitionError(
            one_line(
                f"the tasks of {swarm_name} go in a circle, {circle}: the graph is repeated without that"
            )
        ) from None


def _check_whole(module: Module) -> None:
    if not module.source.entry:
        raise DefinitionError(
            one_line(f"module {module.alias!r} has no task yet: write it in a cell %%module {module.name}")
        )
    if module.usage.missing:
        raise DefinitionError(module.usage.missing[0])


def _check_connected(order: Iterable[TaskSpec], known: Iterable[Module], swarm_name: str) -> None:
    used = [spec.module for spec in order]
    codes = {(module.alias, module.source.version) for module in used}
    for module in known:
        if module not in used and (module.alias, module.source.version) not in codes:
            raise DefinitionError(
                one_line(
                    f"module {module.alias!r} of {swarm_name} is not connected to the graph that "
                    "execute() returns: call it there and hand the call on, or remove it"
                )
            )


def _aliases(order: Sequence[TaskSpec], swarm_name: str) -> dict[TaskSpec, str]:
    """A name for each call; calls of one module after the first are numbered from 2."""
    owners: dict[str, Module] = {}
    for spec in order:
        owner = owners.setdefault(spec.module.alias, spec.module)
        if owner.source.version != spec.module.source.version:
            raise DefinitionError(
                one_line(
                    f"two modules of {swarm_name} have the alias {owner.alias!r}, {owner.where} and "
                    f"{spec.module.where}: give one of them another alias="
                )
            )
    names: dict[TaskSpec, str] = {}
    taken = set[str]()
    for spec in order:
        name, count = spec.module.alias, 1
        while name in taken or (count > 1 and name in owners):
            count += 1
            name = f"{spec.module.alias}_{count}"
        taken.add(name)
        names[spec] = name
    return names
