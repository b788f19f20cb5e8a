"""`manta-nb swarm-learning run`: a script written for HPE Swarm Learning from the command line."""

from __future__ import annotations

import contextlib
import json
from argparse import Namespace
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from manta_nb.cli.console import Console
from manta_nb.cli.news import tell_news
from manta_nb.cli.scriptreport import finite, finite_json, tables
from manta_nb.cli.watching import FAILED, INTERRUPTED, second_interrupt_kills, watch
from manta_nb.errors import MantaError
from manta_nb.render import plain
from manta_nb.sdk.parse import one_line
from manta_nb.session.digest import summarise
from manta_nb.session.session import Session
from manta_nb.session.summary import progress_line
from manta_nb.swarm_learning.launching import launch
from manta_nb.swarm_learning.outcome import nodes
from manta_nb.swarm_learning.preparing import prepare
from manta_nb.ui.scriptoptions import wishes_of

if TYPE_CHECKING:
    from manta_nb.engine.records import Event
    from manta_nb.session.logs import LogRow
    from manta_nb.session.run import Run
    from manta_nb.swarm_learning.comparison import Comparison
    from manta_nb.swarm_learning.scriptrun import ScriptRun

__all__ = ["COMMANDS"]

#: scripts that failed whose last lines are shown; the others' are in the JSON object
_TOLD = 4


def run(options: Namespace, console: Console) -> int:
    """Run a script, compare it with its baselines if asked, and report; the exit code says how it ended."""
    wishes = wishes_of(options, name=options.name).with_named_nodes()
    # what is printed meanwhile is not the data that stdout is for
    with contextlib.redirect_stdout(console.talk), second_interrupt_kills():
        prepared = prepare(options.script, wishes)
        with Session(**wishes.session_options(), say=console.say) as session:
            made = launch(session, prepared, wishes)
            for note in made.notes:
                console.say(note)
            with tell_news(made.run, console, _line if options.logs else lambda row: "", _events()):
                code = watch(made.run, console)
            compared = None
            if options.compare and code == 0:
                code, compared = _compare(made, console)
            _say_how_it_ended(made.run, console, lines=not options.logs)
            _give(made.run, compared, console, as_object=options.json)
    return FAILED if code == 0 and all(row["exit_code"] for row in nodes(made.run)) else code


def _line(row: LogRow) -> str:
    """What is said of a line that a script printed."""
    return f"{row.node}: {plain(row.text)}"


def _events() -> Callable[[Event], str]:
    """What is said of an event; of a script that has ended once, not at every merge from then on."""
    told: set[tuple[str, str]] = set()

    def said(event: Event) -> str:
        key = (event.node_id, event.message)
        if event.node_id and key in told:
            return ""
        told.add(key)
        return one_line(f"! merge {event.iteration + 1}: {event.message}")

    return said


def _compare(made: ScriptRun, console: Console) -> tuple[int, Comparison | None]:
    """The run beside its baselines; None where there is nothing to compare."""
    try:
        # that there is no number is told before hours of training
        made.compare(local=False, central=False)
        console.say("comparing: each node alone …")
        made.compare(local=True, central=False)
        console.say("comparing: one node with the data of all …")
        return 0, made.compare(local=True, central=True)
    except MantaError as error:
        console.say(one_line(f"! no comparison: {error}"))
        return FAILED, None
    except KeyboardInterrupt:
        console.say("! no comparison: interrupted")
        return INTERRUPTED, None


def _say_how_it_ended(run: Run, console: Console, *, lines: bool) -> None:
    failed = [row for row in nodes(run) if row["exit_code"]]
    for number, row in enumerate(failed):
        console.say(f"! {row['node']}: the script ended with exit code {row['exit_code']}")
        for line in row["tail"] if lines and number < _TOLD else ():
            console.say(f"    {plain(line)}")
    for row in nodes(run):
        if row["model_dir"]:
            console.say(f"files of {row['node']}: {row['model_dir']}")
    if run.status == "completed":
        console.say(progress_line(summarise(run)))
        if failed:
            console.say(f"! {len(failed)} of {len(nodes(run))} scripts failed")
    else:
        console.say(one_line(f"{run.name} {run.status} after {run.iteration} merges: {run.reason}"))


def _give(run: Run, compared: Comparison | None, console: Console, *, as_object: bool) -> None:
    if as_object:
        given = finite_json(run)
        if compared is not None:
            kinds = {"local": compared.local, "swarm": compared.swarm, "central": compared.central}
            given["comparison"] = finite(kinds)
        console.give(json.dumps(given, ensure_ascii=False, allow_nan=False))
        return
    console.give("\n\n".join([*tables(run), *([] if compared is None else [str(compared)])]))


COMMANDS: Mapping[str, Callable[[Namespace, Console], int]] = MappingProxyType({"run": run})
