"""`manta-nb fedn run|train|validate|package|exec`: FEDn compute packages from the command line."""

from __future__ import annotations

import contextlib
import json
import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from manta_nb.cli.console import Console
from manta_nb.cli.entrypoints import execute, package, train, validate
from manta_nb.cli.news import tell_news
from manta_nb.cli.watching import FAILED, second_interrupt_kills, watch
from manta_nb.compat.fedn.rounds.reports import read_failure
from manta_nb.errors import PackageError, UsageError
from manta_nb.fedn.launching import launch
from manta_nb.fedn.outcome import as_json, failures, save_model, validations
from manta_nb.fedn.preparing import prepare
from manta_nb.render import plain
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.digest import summarise
from manta_nb.session.logs import LogRow
from manta_nb.session.run import Run
from manta_nb.session.session import Session
from manta_nb.session.summary import progress_line
from manta_nb.ui.packageoptions import wishes_of

__all__ = ["COMMANDS"]

#: failed calls whose last lines are shown; the others' are in the JSON object
_TOLD = 4


def run(options: Namespace, console: Console) -> int:
    """Run a package, write its model, and report; the exit code says how it ended."""
    wishes = wishes_of(options).with_named_nodes()
    target = None if options.model is None else _writable(options.model)
    # what a package prints is not the data that stdout is for
    with contextlib.redirect_stdout(console.talk), second_interrupt_kills():
        prepared = prepare(options.package, wishes, console.say)
        for note in prepared.notes:
            console.say(note)
        with Session(**wishes.session_options(), say=console.say) as session:
            made = launch(session, prepared, wishes)
            with tell_news(made, console, partial(_line, all_lines=options.logs)):
                code = watch(made, console)
            model = _write(made, target, console)
            _report(made, model, options.json, console)
    return FAILED if code == 0 and model is None else code


def _writable(word: str) -> Path:
    """The file that the model goes to; that it cannot be written is said before the work, not after it."""
    path = Path(word).expanduser().absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            one_line(f"--model: {shorten(word, 100)} cannot be written: {error.strerror}")
        ) from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(one_line(f"--model: {shorten(word, 100)} cannot be written: name a file"))
    return path


def _line(row: LogRow, *, all_lines: bool) -> str:
    """What is said of a line that a program printed; "" for nothing."""
    if all_lines:
        return f"{row.node} {row.task}: {plain(row.text)}"
    note = read_failure(row.text) if row.level == "ERROR" else None
    return (
        ""
        if note is None
        else one_line(f"! round {row.iteration + 1}, {row.node}: {note.entry_point}: {note.message}")
    )


def _write(run: Run, target: Path | None, console: Console) -> Path | None:
    """The last model as a file, where a round was complete."""
    if not run.iteration:
        return None
    try:
        path = save_model(run, target or Path(f"{run.name}-model.npz"))
    except (OSError, PackageError, UsageError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        console.say(one_line(f"the model could not be written ({why}): give --model FILE"))
        return None
    console.say(f"the model of round {run.iteration}: {path}")
    return path


def _report(run: Run, model: Path | None, as_object: bool, console: Console) -> None:
    for number, failure in enumerate(failures(run)):
        code = f" (exit code {failure['exit_code']})" if failure["exit_code"] else ""
        where = f"round {failure['round']}, {failure['node']}, {failure['entry_point']}{code}"
        console.say(one_line(f"! {where}: {failure['message']}"))
        if number < _TOLD:
            for line in failure["tail"]:
                console.say(f"    {plain(line)}")
    if run.status == "completed":
        console.say(progress_line(summarise(run)))
    else:
        console.say(one_line(f"{run.name} {run.status} after {run.iteration} rounds: {run.reason}"))
    if as_object:
        console.give(json.dumps(as_json(run, model), ensure_ascii=False, allow_nan=False))
    elif found := validations(run):
        last = [row for row in found if row["round"] == run.iteration]
        console.give(str(type(found)("validations of the last model", last)))


COMMANDS: Mapping[str, Callable[[Namespace, Console], int]] = MappingProxyType(
    {"run": run, "train": train, "validate": validate, "package": package, "exec": execute}
)
