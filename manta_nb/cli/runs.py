"""`manta-nb runs list|show|export|prune|stop|resume`: the runs that are kept here."""

from __future__ import annotations

import json
import math
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from manta_nb.cli.console import Console
from manta_nb.errors import UsageError
from manta_nb.session.pastlist import PastRun
from manta_nb.session.pastopening import default_store, open_past

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["COMMANDS", "entry"]

#: `manta_nb.session.reopening.resume_stored`
Resumes = Callable[..., "tuple[Session, Run]"]

_RESUME = "manta-nb runs resume"
_NONE = "no runs here yet"
#: seconds that a run gets to stop
PATIENCE = 10


def list_(options: Namespace, console: Console) -> int:
    """Give all runs, as a table or as JSON; what interrupted ones need is in the table."""
    past = open_past()
    if options.json:
        console.give(json.dumps([entry(run) for run in past.entries()], allow_nan=False))
    elif not len(past):
        console.say(_NONE)
    else:
        console.give(str(past.table(None if options.all else options.limit, _RESUME)))
    return 0


def show(options: Namespace, console: Console) -> int:
    """Give what a run left, as its summary or as the object that `manta-nb run --json` gives."""
    run = open_past()[options.run_id]
    # by name, as below: they take what runs take, which a list of them should not
    outcome = import_module("manta_nb.cli.outcome")
    scripts = _scripts(run)
    if options.json:
        given = {**outcome.as_json(run), **(scripts.finite_json(run) if scripts else {})}
        console.give(json.dumps(given, ensure_ascii=False, allow_nan=False))
        return 0
    console.give(str(run))
    if len(run.metrics):
        console.give(f"\n{outcome.final_table(run)}")
    if scripts:
        console.give("".join(f"\n{table}\n" for table in scripts.tables(run)).rstrip())
    return 0


def _scripts(run: Run) -> Any:
    """What reads a run of Swarm Learning scripts; None where it is another one."""
    ours = "swarm_learning" in run.globals
    return import_module("manta_nb.cli.scriptreport") if ours else None


def export(options: Namespace, console: Console) -> int:
    """Write a run to files; the options say what of it, the suffixes how."""
    wanted = {"Globals": options.globals, "metrics": options.metrics, "report": options.html}
    files = [(path, what) for what, path in wanted.items() if path is not None]
    if not files:
        raise UsageError(f"nothing to export: manta-nb runs export {options.run_id[:40]} --html report.html")
    writing = import_module("manta_nb.session.exporting.writing")
    # before the run is opened, which takes a second
    writing.checked(files)
    console.give(str(writing.export_as(open_past()[options.run_id], files)))
    return 0


def prune(options: Namespace, console: Console) -> int:
    """Give which runs would be deleted; with `--yes` delete them."""
    past = open_past()
    chosen = options.run_id or ()
    if options.yes and not chosen and options.older is None and options.keep is None:
        raise UsageError(
            "--yes: say which runs to delete, RUN_ID …, --older DAYS or --keep N (--keep 0: all)"
        )
    report = past.prune(*chosen, older=options.older, keep=options.keep, dry=not options.yes)
    if options.json:
        told = {"run_ids": report.pruned.run_ids, "bytes": report.pruned.nbytes, "left": report.pruned.left}
        console.give(json.dumps({**told, "deleted": not report.dry}))
    else:
        console.give(str(replace(report, then="nothing is deleted yet: the same with --yes deletes them")))
    return 0


def stop(options: Namespace, console: Console) -> int:
    """Ask the process that executes a run to stop it, and wait until it has."""
    store = default_store()
    found = open_past(store).find(options.run_id)
    store.ask_to_stop(found.run_id, "stopped by manta-nb runs stop")
    deadline = time.monotonic() + PATIENCE
    while (info := store.info(found.run_id)).owner:
        if time.monotonic() > deadline:
            raise UsageError(f"{info.name} has not stopped within {PATIENCE} s; it is in {info.owner}")
        time.sleep(0.05)
    console.say(f"{info.name} {info.status} · {info.iterations} iterations · {info.reason}")
    return 0


def resume(options: Namespace, console: Console, resumes: Resumes | None = None) -> int:
    """Go on with a run from its last complete iteration, and report; the exit code says how it ended."""
    watching = import_module("manta_nb.cli.watching")
    store = default_store()
    found = open_past(store).find(options.run_id)
    start = resumes or import_module("manta_nb.session.reopening").resume_stored
    with watching.second_interrupt_kills():
        session, run = start(
            store, found.run_id, iterations=options.iterations, code=options.code, say=console.say
        )
        with session:
            code: int = watching.watch_to_end(run, console, options.json)
    return code


def entry(run: PastRun) -> dict[str, Any]:
    """A run as `list --json` gives it.

    Example:
        >>> entry(past.entries()[-1])["best"]
        {'metric': 'val_acc', 'value': 0.93, 'iteration': 7, 'lowest': False}
    """
    judged = run.judged()
    best = None
    if judged is not None and math.isfinite(judged[1].value):
        name, value = judged
        best = {"metric": name, **value._asdict()}
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": run.status,
        "reason": run.reason,
        "iterations": run.iterations,
        "limit": run.limit,
        "seed": run.seed,
        "started": round(run.started, 3),
        "updated": round(run.updated, 3),
        "elapsed": round(run.elapsed, 3),
        "bytes": run.nbytes,
        "best": best,
        "parent": list(run.parent) if run.parent is not None else None,
        "source": run.source,
        "owner": run.owner,
    }


#: the commands by the word after `manta-nb runs`
COMMANDS: Mapping[str, Callable[[Namespace, Console], int]] = MappingProxyType(
    {"list": list_, "show": show, "export": export, "prune": prune, "stop": stop, "resume": resume}
)
