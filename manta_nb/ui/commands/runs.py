"""The verbs that concern whole runs: `run`, `runs`, `stop`, `monitor`."""

from __future__ import annotations

import inspect
import keyword
import time
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from manta_nb.errors import UsageError
from manta_nb.render import Card, Shown
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.swarm import Swarm
from manta_nb.session.loader import load_swarm, parse_params
from manta_nb.session.pastruns import PastRuns
from manta_nb.session.pruning import PruneReport
from manta_nb.shims import Position
from manta_nb.ui.dispatching import start_run
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["monitor", "run", "runs", "stop"]

_ACTIVE = ("pending", "running", "stopping")
#: seconds that another kernel has to stop a run
_PATIENCE = 5.0


def run(notebook: Notebook, options: Namespace) -> Run | Card:
    """Run a Swarm class or object of the notebook, or one of a file.

    Raises:
        UsageError: there is no such Swarm, or it does not take these arguments.
    """
    swarm = _swarm(notebook, options.swarm, parse_params(options.p or []))
    name = options.name or swarm.name
    return start_run(notebook, swarm, name, options)


def runs(notebook: Notebook, options: Namespace) -> Shown:
    """All runs, those of this notebook first, also those of earlier kernels; compared, or deleted, if asked.

    Raises:
        UsageError: options that do not go together. MissingTag: there is no such run.
    """
    _check_together(options)
    past = notebook.past()
    past.metric = options.metric or past.metric
    if options.prune:
        return _pruned(past, options)
    if not len(past):
        return Card("no runs yet", ["a cell that begins with %%swarm fl --iterations 5 starts one"])
    if options.compare:
        chosen = past.only(options.run) if options.run else past
        return chosen.compare(options.metric)
    return past.table(None if options.all else options.limit)


def _check_together(options: Namespace) -> None:
    """Refuse an option without the one it belongs to."""
    if options.compare and options.prune:
        raise UsageError("--compare and --prune: one after the other")
    for name in ("--older", "--keep", "--yes"):
        if name in options.given and not options.prune:
            raise UsageError(f"{name} says which runs to delete: %manta runs --prune {name} …")
    if options.run and not options.prune and not options.compare:
        word = shorten(options.run[0], 40)
        raise UsageError(one_line(f"a run is named to compare or delete it: %manta runs {word} --compare"))


def _pruned(past: PastRuns, options: Namespace) -> PruneReport:
    """What would go; with `--yes` it goes."""
    if options.yes and not options.run and options.older is None and options.keep is None:
        raise UsageError("--yes: say which runs to delete, RUN …, --older DAYS or --keep N (--keep 0: all)")
    words = options.run or ()
    report = past.prune(*words, older=options.older, keep=options.keep, dry=not options.yes)
    given = [
        *words,
        *(
            f"--{name} {getattr(options, name):g}"
            for name in ("older", "keep")
            if f"--{name}" in options.given
        ),
    ]
    line = f"nothing is deleted yet: %manta runs --prune {' '.join(given)} --yes"
    choose = "choose some: RUN …, --older DAYS, --keep N"
    return replace(report, then=line if given else choose)


def stop(notebook: Notebook, options: Namespace) -> Run:
    """Stop a run, the latest that is active where none is named; what it committed stays.

    One that another kernel executes has to be named: it is asked through the store.
    """
    active = [each for each in notebook.runs() if not each.finished]
    found = active[-1] if options.run is None and active else notebook.find_run(options.run)
    if not found.finished:
        found.stop()
    elif found.status in _ACTIVE:
        if options.run is None:
            raise UsageError(
                one_line(f"{found.name} runs {found.reason}: %manta stop {found.name} stops it there")
            )
        return _stop_elsewhere(notebook, found)
    return found


def _stop_elsewhere(notebook: Notebook, run: Run) -> Run:
    """Ask the kernel that executes a run to stop it, and look whether it does."""
    notebook.say(f"{run.name} {run.run_id[:8]} runs {run.reason}: asking it to stop …")
    run.stop()
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = notebook.past().find(run.run_id)
        if not found.active:
            return notebook.past().open(found)
        if time.monotonic() > deadline:
            notebook.say(
                f"it has not answered in {_PATIENCE:g} s: it may stand still; %manta runs shows when it stops"
            )
            return run
        time.sleep(0.1)


def monitor(notebook: Notebook, options: Namespace) -> Run:
    """Show the live monitor of a run in this cell, also of one that is over; its value is the run."""
    found = notebook.find_run(options.run)
    notebook.display.monitor(found)
    if (
        found.name.isidentifier()
        and found.name not in notebook.namespace
        and not keyword.iskeyword(found.name)
    ):
        # after a restart its name is free: what is looked at can be asked, too
        notebook.bind(found.name, found, "run")
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
