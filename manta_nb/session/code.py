"""Which code a run goes on with, where it has changed since the run was started."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from manta_nb.engine.wording import name_some, one_line
from manta_nb.errors import MantaError, UsageError
from manta_nb.sdk.graph import GraphTask, TaskGraph
from manta_nb.sdk.module import Module
from manta_nb.session.loader import load_swarm

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.store.records import RunHead

__all__ = ["Code", "choose_code", "use_current"]

#: which code a run goes on with; None: that of the run, unless it has changed since
Code = Literal["stored", "current"] | None


def choose_code(run: Run, modules: Iterable[tuple[str, Module]], code: Code, how: str) -> list[str]:
    """Let the run go on with its own code, or with `modules` (alias → module); returns the aliases that differ.

    Args:
        how: what to type to say which.

    Raises:
        UsageError: they differ, and `code` says nothing.
    """
    current = dict(modules)
    differ = [
        alias
        for alias, module in run.modules.items()
        if alias in current and _differs(current[alias], module)
    ]
    if differ and code is None:
        raise UsageError(
            one_line(
                f"the code of {name_some(differ, 3)} has changed since {run.name} began: "
                f"{how.format('stored')} goes on with the old one, {how.format('current')} with the new one"
            )
        )
    if differ and code == "current":
        tasks = (
            GraphTask(task.alias, current[task.alias] if task.alias in differ else task.module, task.inputs)
            for task in run._legs.graph.tasks
        )
        run._legs.use(TaskGraph(tuple(tasks)))
    return differ


def _differs(one: Module, other: Module) -> bool:
    """Whether the text or an option that matters on nodes is another one."""
    same = one.source.version == other.source.version
    return not same or replace(one.options, revision=None) != replace(other.options, revision=None)


def use_current(run: Run, head: RunHead, code: Code, say: Callable[[str], None]) -> None:
    """The same for a run that a file started: its modules are read again, unless they are not to be used.

    Raises:
        UsageError: see `choose_code`.
    """
    file = Path(head.source.rpartition(":")[0] if ".py:" in head.source else head.source)
    if code == "stored" or file.suffix != ".py":
        return
    try:
        current = load_swarm(head.source, dict(head.session.get("params", {}))).graph()
    except MantaError as error:
        if code == "current":
            raise
        say(one_line(f"its file cannot be compared: {error}; going on with the code of the run"))
        return
    now, then = ({task.alias: task.inputs for task in graph.tasks} for graph in (current, run._legs.graph))
    if now != then:
        raise UsageError(
            one_line(
                f"{run.name} has other tasks now: --code stored goes on with the old ones, else run it anew"
            )
        )
    modules = ((task.alias, task.module) for task in current.tasks)
    for alias in choose_code(run, modules, code, "--code {}"):
        say(f"{alias}: its code has changed; going on with the {code} one")
