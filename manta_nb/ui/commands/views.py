"""The verbs that look into a run: `globals`, `results`, `metrics`, `logs`, `graph`; and `doctor`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from manta_nb.errors import UsageError
from manta_nb.render import Card
from manta_nb.sdk.describe import describe
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.doctor import Report, report
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.drawing import GraphView
    from manta_nb.session.logs import LogTable
    from manta_nb.session.metrics import MetricTable
    from manta_nb.session.views import GlobalsView

__all__ = ["doctor", "globals_", "graph", "logs", "metrics", "results"]


def globals_(notebook: Notebook, options: Namespace) -> GlobalsView | Card:
    """The Globals of a run, or one of them in words."""
    run = notebook.find_run(options.run)
    if options.tag is None:
        return run.globals
    return Card(f"Global {options.tag} of {run.name}", [describe(run.globals[options.tag])])


def results(notebook: Notebook, options: Namespace) -> Any:
    """The Results of a run, or what each node wrote under one tag."""
    run = notebook.find_run(options.run)
    if options.tag is None:
        return run.results
    return run.results.select(options.tag, iteration=options.iteration)


def metrics(notebook: Notebook, options: Namespace) -> MetricTable:
    """The metrics of a run."""
    return notebook.find_run(options.run).metrics


def logs(notebook: Notebook, options: Namespace) -> LogTable:
    """What the tasks of a run printed, filtered.

    Raises:
        UsageError: the run has no such node.
    """
    run = notebook.find_run(options.run)
    if options.node is not None and options.node not in run.nodes:
        hint = did_you_mean(options.node, run.nodes)
        raise UsageError(
            one_line(
                f"--node: {run.name} has no node {shorten(options.node, 40)!r}{hint}; "
                f"there are: {listed(run.nodes)}"
            )
        )
    chosen = run.logs
    wanted = (options.node, options.task, options.level, options.contains)
    if any(wanted):
        chosen = chosen.filter(
            node=options.node, task=options.task, level=options.level, contains=options.contains or ""
        )
    return chosen.tail(options.tail) if options.tail is not None else chosen


def graph(notebook: Notebook, options: Namespace) -> GraphView:
    """The graph of a run."""
    return notebook.find_run(options.run).graph


def doctor(notebook: Notebook, options: Namespace) -> Report:
    """What this machine has, and what to do about what it has not."""
    return report()
