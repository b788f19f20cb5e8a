"""From a swarm to a run: what `%%swarm` and `%manta run` have in common.

* `plan_of` says before anything runs which task goes to how many nodes, and what looks like a mistake;
* `start_run` applies the rule for re-runs, starts the run, shows it, and waits where it has to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manta_nb.engine.placement import wanted
from manta_nb.engine.records import TaskPlan
from manta_nb.errors import DefinitionError, UsageError
from manta_nb.render import Card
from manta_nb.sdk.graph import GraphTask, TaskGraph
from manta_nb.sdk.names import did_you_mean
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.swarm import Swarm
from manta_nb.session.drawing import GraphView
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["Plan", "plan_of", "start_run"]

#: seconds for a run that is replaced to come to its end; a task is killed in milliseconds
_REPLACING = 20.0


@dataclass(frozen=True)
class Plan:
    """What a run is going to do."""

    graph: TaskGraph
    #: task → number of nodes it runs on
    counts: Mapping[str, int]
    #: `worker ×8 → aggregator ×1 → scheduler ×1`
    header: str
    #: what looks like a mistake, a line each
    notes: tuple[str, ...]


def plan_of(swarm: Swarm, session: Session, nodes: Sequence[str] | None) -> Plan:
    """The plan of a swarm on these nodes; `nodes` restricts it to some of them.

    Raises:
        DefinitionError: the swarm could not run as it is written.
    """
    graph = swarm.graph()
    for task in graph.tasks:
        if not task.module.source.entry:
            raise DefinitionError(
                f"module {task.module.name} has no task yet: write its main cell, %%module {task.module.name}"
            )
    holdings = {
        node_id: frozenset(node.datasets)
        for node_id, node in session.nodes.items()
        if node.state != "lost" and (nodes is None or node_id in nodes)
    }
    pools = {task.alias: _eligible(task, holdings) for task in graph.tasks}
    counts = {task.alias: wanted(_task_plan(task), pools[task.alias]) for task in graph.tasks}
    labels = {task.alias: _label(task, counts[task.alias]) for task in graph.tasks}
    layers = [[labels[alias] for alias in layer] for layer in graph.layers()]
    header = " → ".join(names[0] if len(names) == 1 else f"[{', '.join(names)}]" for names in layers)
    return Plan(graph, counts, header, (*_one_node_notes(graph, counts, len(holdings)), *_tag_notes(graph)))


def _eligible(task: GraphTask, holdings: Mapping[str, frozenset[str]]) -> int:
    module = task.module
    return sum(
        1
        for node_id, datasets in holdings.items()
        if (module.specified_ids is None or node_id in module.specified_ids)
        and node_id not in module.excepted_ids
        and datasets.issuperset(module.datasets)
    )


def _task_plan(task: GraphTask) -> TaskPlan:
    module = task.module
    return TaskPlan(task.alias, method=module.method, maximum=module.maximum)


def _label(task: GraphTask, count: int) -> str:
    asked = task.module.maximum
    short = isinstance(asked, int) and asked > count > 0
    return f"{task.alias} ×{count} of {asked} asked" if short else f"{task.alias} ×{count}"


def _one_node_notes(graph: TaskGraph, counts: Mapping[str, int], nodes: int) -> list[str]:
    """A first task on one node of many trains on a fraction of the data, which nobody means."""
    return [
        f"{task.alias} runs on one node of {nodes}; for all: %%module {task.module.name} --all"
        for task in graph.tasks
        if not task.inputs and counts[task.alias] == 1 < nodes and task.module.maximum is None
    ]


def _tag_notes(graph: TaskGraph) -> list[str]:
    """A `select` of a tag that no module's text ever adds gives `{}`, silently."""
    usages = [task.module.usage for task in graph.tasks]
    if any(usage.writes_all for usage in usages):
        return []
    added = {tag for usage in usages for tag in usage.adds}
    return [
        one_line(f"{task.alias} selects {tag!r}, which no module adds{did_you_mean(tag, added)}")
        for task in graph.tasks
        for tag in task.module.usage.selects
        if tag not in added
    ]


def start_run(notebook: Notebook, swarm: Swarm, name: str, options: Namespace) -> Run | Card:
    """Run the swarm as the options say; with `--dry-run` only show what would run.

    Raises:
        UsageError: nothing ends the swarm, or a run of that name is active and may not be replaced.
        RunFailed: it was waited for, and failed.
    """
    session = session_or_default(notebook)
    plan = plan_of(swarm, session, options.nodes)
    if options.dry_run:
        return Card(plan.header, plan.notes, [("graph", GraphView(plan.graph, planned=lambda: plan.counts))])
    _check_end(swarm, plan, options)
    notebook.say(plan.header)
    for note in plan.notes:
        notebook.say(note)
    _make_room(notebook, name, options.keep)
    run = session.run(swarm, options.iterations, seed=options.seed, name=name, nodes=options.nodes)
    notebook.remember(run)
    if options.wait or notebook.waits:
        notebook.display_once(run)
        _wait(notebook, run)
    return run


def session_or_default(notebook: Notebook) -> Session:
    """The nodes in use; where there are none, four with digits are started, and that is said."""
    if notebook.session is None:
        notebook.say("no nodes yet: starting 4 with digits, iid (%manta start --nodes 8 --data … for others)")
        asked = {"nodes": 4, "data": "digits"}
        notebook.use(notebook.open_session(**asked, say=notebook.say), owned=True, asked=asked)
    return notebook.need_session()


def _check_end(swarm: Swarm, plan: Plan, options: Namespace) -> None:
    stops = any(task.module.usage.stops for task in plan.graph.tasks)
    if "--iterations" not in options.given and not stops and swarm.max_iteration is None:
        raise UsageError("nothing ends this swarm: give --iterations N (or forever)")


def _make_room(notebook: Notebook, name: str, keep: bool) -> None:
    """What becomes of a run of the same name that has not ended."""
    before = notebook.runs.get(name)
    if before is None or before.finished or keep or notebook.settings.rerun == "keep":
        return
    if notebook.settings.rerun == "refuse":
        raise UsageError(
            f"{name} is running (iteration {before.iteration}): %manta stop {name} first, or add --keep to run both"
        )
    before.stop()
    before.wait(timeout=_REPLACING, check=False)
    notebook.say(
        f"{name} {before.run_id} was running and is stopped (replaced) after {before.iteration} iterations; "
        "--keep lets both run"
    )


def _wait(notebook: Notebook, run: Run) -> None:
    try:
        run.wait()
    except KeyboardInterrupt:
        of = "" if run.iterations is None else f" of {run.iterations}"
        notebook.say(
            f"{run.name} goes on ({run.iteration}{of}): {run.name}.wait() waits again, %manta stop {run.name} ends it"
        )
