"""From a swarm to a run: what `%%swarm` and `%manta run` have in common.

* `plan_of` says before anything runs which task goes to how many nodes, and what looks like a mistake;
* `start_run` applies the rule for re-runs, starts the run, shows it, and waits where it has to.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manta_nb.engine.graph import TaskGraph as PlanGraph
from manta_nb.engine.placement import Placement
from manta_nb.engine.records import NodeInfo, TaskPlan
from manta_nb.engine.roster import Roster
from manta_nb.errors import DefinitionError, NodeError, UsageError
from manta_nb.render import Card
from manta_nb.sdk.graph import TaskGraph
from manta_nb.sdk.names import did_you_mean
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.swarm import Swarm
from manta_nb.session.drawing import GraphView
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["Plan", "make_room", "plan_of", "start_run"]


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


def start_run(
    notebook: Notebook,
    swarm: Swarm,
    name: str,
    options: Namespace,
    bind: Callable[[Run], None] = lambda run: None,
) -> Run | Card:
    """Run the swarm as the options say; with `--dry-run` only show what would run.

    Args:
        notebook: whose nodes are used.
        swarm: what to run.
        name: of the run.
        options: of the magic's line.
        bind: called with the run before it is waited for.

    Raises:
        DefinitionError: the swarm could not run as it is written, or nothing ends it.
        NodeError: no node can run one of its tasks.
        UsageError: a run of that name is active and may not be replaced.
        RunFailed: it was waited for, and failed.
    """
    session = _session_or_default(notebook)
    plan = plan_of(notebook, swarm, name, options)
    if options.dry_run:
        return Card(plan.header, plan.notes, [("graph", GraphView(plan.graph, planned=lambda: plan.counts))])
    notebook.say(*make_room(notebook, name, options.keep), plan.header, *plan.notes)
    run = session.run(swarm, options.iterations, seed=options.seed, name=name, nodes=options.nodes)
    notebook.remember(run)
    bind(run)
    if options.wait or notebook.waits:
        notebook.display.show(run)
        run.wait()
    return run


def _session_or_default(notebook: Notebook) -> Session:
    """The nodes in use; where there are none, four with digits are started, and that is said."""
    if notebook.session is None:
        notebook.say(
            "no nodes yet: 4 with digits, iid, are started now (for others: %manta start --nodes 8 --data digits)",
            *[
                f"{name} is a Session of yours: %manta use {name} makes the magics use it"
                for name in _sessions(notebook)
            ],
        )
        notebook.start(nodes=4, data="digits")
    return notebook.need_session()


def _sessions(notebook: Notebook) -> list[str]:
    """The variables that hold open sessions."""
    from manta_nb.session.session import Session  # noqa: PLC0415 - imports Dask, which is needed in the next moment

    found = [(name, value) for name, value in notebook.namespace.items() if not name.startswith("_")]
    return [name for name, value in found if isinstance(value, Session) and not value.closed]


def plan_of(notebook: Notebook, swarm: Swarm, name: str, options: Namespace) -> Plan:
    """The plan of a swarm on these nodes, checked as a whole before anything runs; see `start_run` for the errors."""
    from manta_nb.session.planning import blueprint  # noqa: PLC0415 - imports Dask, which a session has done already

    graph = _graph(swarm, notebook)
    tasks = blueprint(swarm, name, options.iterations, options.seed).plan.tasks
    table = notebook.need_session().nodes
    chosen = [table[node_id] for node_id in options.nodes or table]
    infos = [
        NodeInfo(node.node_id, node.worker, frozenset(node.datasets))
        for node in chosen
        if node.state != "lost"
    ]
    placement = Placement(PlanGraph(tasks), Roster(infos), seed=0)
    if trouble := placement.open(0, {}):
        raise NodeError(trouble)
    counts = {task.alias: len(placement.place(task.alias, lambda alias: None)) for task in tasks}
    labels = {task.alias: _label(task, counts[task.alias]) for task in tasks}
    layers = [[labels[alias] for alias in layer] for layer in graph.layers()]
    header = " → ".join(names[0] if len(names) == 1 else f"[{', '.join(names)}]" for names in layers)
    notes = (*_refused_notes(graph, notebook), *_one_node_notes(graph, counts, len(infos)))
    return Plan(graph, counts, header, (*notes, *_tag_notes(graph)))


def _graph(swarm: Swarm, notebook: Notebook) -> TaskGraph:
    """The swarm's graph; an error about one of its methods gets the cell and line the method begins at."""
    try:
        return swarm.graph()
    except DefinitionError as error:
        kind, message = type(swarm), str(error)
        for method in (kind.execute, kind.__init__):
            code = method.__code__
            cell = notebook.shell.compile.format_code_name(code.co_filename)
            if cell is not None and message.startswith(f"{kind.__name__}.{method.__name__}"):
                place = f"{' '.join(cell)}, line {code.co_firstlineno}"
                raise DefinitionError(one_line(f"{place}: {message}")) from error
        raise


def _label(task: TaskPlan, count: int) -> str:
    asked = task.maximum
    fewer = isinstance(asked, int) and asked > count
    return f"{task.alias} ×{count} of {asked} asked" if fewer else f"{task.alias} ×{count}"


def _refused_notes(graph: TaskGraph, notebook: Notebook) -> list[str]:
    """A module whose latest cell was refused runs as it was before, which nobody expects."""
    used = {task.module.name: task.module for task in graph.tasks}
    entries = [entry for name in used if (entry := notebook.modules.get(name)) is not None]
    return [
        f"{entry.name}: {entry.refused.cell.label} was refused; running version {entry.module.revision} of before"
        for entry in entries
        if entry.refused is not None and entry.module.source == used[entry.name].source
    ]


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


def make_room(notebook: Notebook, name: str, keep: bool) -> list[str]:
    """Stop the runs of the same name that have not ended, where that is the rule; says which."""
    same = [run for run in notebook.runs() if run.name == name and not run.finished]
    if not same or keep or notebook.settings.rerun == "keep":
        return []
    before = same[-1]
    if notebook.settings.rerun == "refuse":
        raise UsageError(
            f"{name} is running (iteration {before.iteration}): %manta stop {name} first, or add --keep to run both"
        )
    for run in same:
        run.stop("replaced")
    return [
        f"{name} {run.run_id[:8]} is stopped (replaced) after {run.iteration} iterations: "
        f"%manta resume {run.run_id[:8]} goes on with it; --keep lets both run"
        for run in same
    ]
