"""The verbs that concern whole runs: `run`, `runs`, `stop`, `monitor`."""

from __future__ import annotations

import inspect
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from manta_nb.errors import UsageError
from manta_nb.render import Card, Shown, Table, number
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.swarm import Swarm
from manta_nb.session.compare import best, chosen_metric, compare
from manta_nb.session.loader import load_swarm, parse_params
from manta_nb.shims import Position
from manta_nb.ui.dispatching import start_run
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["monitor", "run", "runs", "stop"]


def run(notebook: Notebook, options: Namespace) -> Run | Card:
    """Run a Swarm class or object of the notebook, or one of a file.

    Raises:
        UsageError: there is no such Swarm, or it does not take these arguments.
    """
    swarm = _swarm(notebook, options.swarm, parse_params(options.p or []))
    name = options.name or swarm.name
    return start_run(notebook, swarm, name, options)


def runs(notebook: Notebook, options: Namespace) -> Shown:
    """The runs of these nodes, the latest first, each with its best metric."""
    known = notebook.runs()
    if not known:
        return Card("no runs yet", ["a cell that begins with %%swarm fl --iterations 5 starts one"])
    if options.compare:
        return compare(known, options.metric or notebook.settings.metric or None)
    if options.metric is not None:
        raise UsageError(f"a metric is for a comparison: %manta runs --compare {shorten(options.metric, 40)}")
    rows = [
        [
            each.name,
            each.run_id[:8],
            each.status,
            _progress(each),
            f"{each.elapsed:.1f} s",
            _best(each, notebook),
        ]
        for each in reversed(known)
    ]
    return Table(["run", "id", "status", "iterations", "time", "best metric"], rows)


def stop(notebook: Notebook, options: Namespace) -> Run:
    """Stop a run, the latest that is active where none is named; what it committed stays."""
    active = [each for each in notebook.runs() if not each.finished]
    found = active[-1] if options.run is None and active else notebook.find_run(options.run)
    if not found.finished:
        found.stop()
    return found


def monitor(notebook: Notebook, options: Namespace) -> Run:
    """Show the live monitor of a run in this cell, also of one that is over; its value is the run."""
    found = notebook.find_run(options.run)
    notebook.display.monitor(found)
    return found


def _swarm(notebook: Notebook, word: str, params: Mapping[str, Any]) -> Swarm:
    value = notebook.namespace.get(word)
    if isinstance(value, type) and issubclass(value, Swarm):
        return _made(value, params)
    if isinstance(value, Swarm):
        if params:
            raise UsageError(
                f"-p {next(iter(params))}: {word} is made already; give its class, {type(value).__name__}"
            )
        return value
    if ".py" not in word:
        classes = [
            name
            for name, kind in notebook.namespace.items()
            if isinstance(kind, type) and issubclass(kind, Swarm)
        ]
        what = (
            f"{shorten(word, 40)} is a {type(value).__name__}"
            if value is not None
            else f"no Swarm {shorten(word, 40)}"
        )
        called = word.partition("(")[0]
        if called in classes:
            raise UsageError(f"{shorten(word, 40)}: write {called} alone, and its arguments as -p NAME=VALUE")
        raise UsageError(
            f"{what}{did_you_mean(word, classes)}: give a Swarm class of the notebook or FILE.py:Class"
        )
    return load_swarm(word, params, position=cast(Position, notebook.settings.shims))


def _made(kind: type[Swarm], params: Mapping[str, Any]) -> Swarm:
    signature = inspect.signature(kind)
    try:
        arguments = signature.bind(**params)
    except TypeError as error:
        word = next((name for name in params if name not in signature.parameters), "")
        hint = did_you_mean(word, signature.parameters)
        raise UsageError(one_line(f"-p {word}: {error}{hint}; it is {kind.__name__}{signature}")) from None
    return kind(*arguments.args, **arguments.kwargs)


def _progress(run: Run) -> str:
    return str(run.iteration) if run.iterations is None else f"{run.iteration} of {run.iterations}"


def _best(run: Run, notebook: Notebook) -> str:
    """`val_acc 0.93 (highest)`: the mean over the nodes, in the iteration where it was best."""
    wanted, names = notebook.settings.metric, run.metrics.names()
    name = chosen_metric(names, wanted)
    if not name:
        return f"no {wanted}; there are: {listed(names, 3)}" if wanted and names else ""
    found = best(run.metrics, name)
    return f"{name} {number(found.value)} ({'lowest' if found.lowest else 'highest'})" if found else ""
