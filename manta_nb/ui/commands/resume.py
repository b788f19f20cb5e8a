"""The verb `resume`: a run that was stopped, or failed, goes on."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from manta_nb.errors import UsageError
from manta_nb.sdk.parse import one_line
from manta_nb.session.code import choose_code
from manta_nb.session.describing import difference, plain_options
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["resume"]

_OVER = ("stopped", "failed", "interrupted")


def resume(notebook: Notebook, options: Namespace) -> Run:
    """Go on with a run from its last complete iteration; where none is named, the latest that can go on.

    One of an earlier kernel goes on with the nodes there are, or with the like of those it had, started now.

    Raises:
        UsageError: there is no such run, it still goes on, it is complete, its code has changed, or the nodes are
            others than it had.
    """
    __tracebackhide__ = True
    found = _chosen(notebook, options.run)
    modules = [(entry.module.alias, entry.module) for entry in notebook.modules.values()]
    how = f"%manta resume {found.name} --code {{}}"
    for alias in choose_code(found, modules, options.code, how):
        notebook.say(f"{alias}: its code has changed; going on with the {options.code} one")
    run = found.resume(options.iterations, _session_for(notebook, found))
    if notebook.waits:
        notebook.display.show(run)
        run.wait()
    return run


def _chosen(notebook: Notebook, word: str | None) -> Run:
    ended = [each for each in notebook.runs() if each.status in _OVER]
    if word is not None or ended:
        return ended[-1] if word is None else notebook.find_run(word)
    past = [each for each in notebook.past().entries() if each.status in _OVER]
    if not past:
        return notebook.find_run(None)
    return notebook.find_run(past[-1].run_id)


def _session_for(notebook: Notebook, run: Run) -> Session | None:
    """The nodes for a run of an earlier kernel; None where it has its own."""
    if run.stored_session is None:
        return None
    stored = run.stored_session
    if notebook.session is None:
        if stored["missing"]:
            raise UsageError(
                one_line(
                    f"{run.name} ran on data of a notebook: start nodes with the like of them, then resume it"
                )
            )
        return notebook.start(**stored["options"])
    if other := difference(stored["options"], plain_options(notebook.session.options)["options"]):
        name, then, now = other
        raise UsageError(
            one_line(
                f"{run.name} ran on other nodes: {name} was {then!r}, is {now!r} here; %manta shutdown, then resume"
            )
        )
    return notebook.session
