"""The verb `resume`: a run that was stopped, failed, or lost its kernel goes on."""

from __future__ import annotations

import keyword
from argparse import Namespace
from typing import TYPE_CHECKING

from manta_nb.errors import UsageError
from manta_nb.sdk.parse import one_line
from manta_nb.ui.goingon import choose, nodes_for
from manta_nb.ui.notebook import Notebook

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["resume"]

_OVER = ("stopped", "failed", "interrupted")


def resume(notebook: Notebook, options: Namespace) -> Run:
    """Go on with a run from its last complete iteration; where none is named, the latest that can go on.

    One of an earlier kernel goes on with the nodes there are, or with the like of those it had, started now; its name
    becomes a variable, as after `%%swarm`.

    Raises:
        UsageError: there is no such run, it still goes on, it is complete, its code has changed, or the nodes are
            others than it had.
    """
    __tracebackhide__ = True
    found = _chosen(notebook, options.run)
    if found.status == "completed" and options.iterations is None:
        count, word = found.iteration, notebook.word_for(found)
        raise UsageError(
            one_line(
                f"{found.name} is complete ({count} iterations): run it again, or give more: "
                f"%manta resume {word} --iterations {count + max(10, count // 2)}"
            )
        )
    earlier = found.stored_session is not None and found not in notebook.runs()
    if earlier:
        from manta_nb.session.reopening import check_resume  # noqa: PLC0415 - Dask; whoever opened the run has it

        # before nodes are started, which takes seconds
        check_resume(found, options.iterations)
    notebook.say(*choose(notebook, found, options.code))
    run = found.resume(options.iterations, nodes_for(notebook, found))
    notebook.remember(run)
    if earlier:
        _bind(notebook, run)
    if notebook.waits:
        notebook.display.show(run)
        run.wait()
    return run


def _chosen(notebook: Notebook, word: str | None) -> Run:
    ended = [each for each in notebook.runs() if each.status in _OVER]
    if word is None and ended:
        return ended[-1]
    if (live := notebook.find_live(word)) is not None:
        return live
    past = notebook.past()
    over = [each for each in past.entries() if each.status in _OVER]
    if word is None and not over:
        return notebook.find_run(None)
    found = over[-1] if word is None else past.find(word)
    # at once: opening it and starting nodes takes seconds
    notebook.say(f"{found.name} {found.run_id[:8]}: {found.counted} iterations are kept")
    return past.open(found)


def _bind(notebook: Notebook, run: Run) -> None:
    """Bind the variable of its name; where that was another run, say which."""
    name = run.name
    if not name.isidentifier() or keyword.iskeyword(name):
        return
    before = notebook.namespace.get(name)
    if type(before) is type(run) and before is not run:
        notebook.say(f"{name} was run {before.run_id[:8]} of the notebook; it is run {run.run_id[:8]} now")
    notebook.bind(name, run, "run")
