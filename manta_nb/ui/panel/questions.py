"""`Questions`: what a page asks for once: stop, resume, a value, a monitor, completions."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from manta_nb.errors import MantaError, MissingTag, UsageError
from manta_nb.ui.complete import complete_cell
from manta_nb.ui.panel.keeping import Keeper
from manta_nb.ui.panel.texts import clean

if TYPE_CHECKING:
    from manta_nb.session.pastlist import PastRun
    from manta_nb.session.run import Run
    from manta_nb.ui.notebook import Notebook
    from manta_nb.ui.panel.monitors import Monitors
    from manta_nb.ui.panel.sources import Source

__all__ = ["Questions"]

#: seconds in which a run stops, if nothing holds it up: the answer does not wait longer
_STOPS = 0.8
#: characters of a tag or a name, and of a cell
_NAME, _CELL = 5_000, 1_000_000
#: runs of a store that are kept open for the next question
_KEPT = 4


class Questions:
    """Answers questions about one source; each on a thread of its own.

    Args:
        source: what is asked about.
        notebook: the same where the magics are there, which can let runs go on.
        monitors: opens monitors.
    """

    def __init__(self, source: Source, notebook: Notebook | None, monitors: Monitors) -> None:
        self._source = source
        self._notebook = notebook
        self._monitors = monitors
        self._kept: dict[str, Run] = {}
        #: all runs that were opened: where one is still there, it reads from the store
        self._opened: list[weakref.ref[Run]] = []
        self._keeper = Keeper(source, lambda: any(each() is not None for each in list(self._opened)))

    def close(self) -> None:
        """Nobody asks any more."""
        self._kept.clear()
        self._keeper.close()

    def answer(self, view: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to what the page with that token asks, less what every answer has.

        Raises:
            MantaError: it cannot be done, which is the answer then.
        """
        answers: Mapping[str, Callable[[], dict[str, Any]]] = {
            "stop": lambda: self._stop(_text(question, "run")),
            "resume": lambda: self._resume(_text(question, "run")),
            "value": lambda: self._value(question),
            "monitor": lambda: self._monitor(view, _text(question, "run")),
            "complete": lambda: self._complete(question),
        }
        return answers[str(question["op"])]()

    def _stop(self, run_id: str) -> dict[str, Any]:
        run = self._live(run_id)
        if run is None:
            return {"text": self._stop_elsewhere(self._find(run_id))}
        if run.finished:
            raise UsageError(f"{run.name} is over: {run.status}")
        run.stop(timeout=_STOPS)
        if not run.finished:
            return {"text": f"{run.name} is being stopped"}
        return {"text": f"{run.name} is {run.status} after {_counted(run.iteration)}"}

    def _stop_elsewhere(self, run: PastRun) -> str:
        """Ask the kernel that executes a run to stop it."""
        if not run.active:
            raise UsageError(f"{run.name} is over: {run.status}")
        self._keeper.store().ask_to_stop(run.run_id, "stopped by the user")
        return f"{run.name} is asked to stop, in another kernel ({run.owner})"

    def _resume(self, run_id: str) -> dict[str, Any]:
        notebook = self._notebook
        if notebook is None:
            raise UsageError("%load_ext manta_nb first: then it can go on")
        run = self._run(run_id)
        if run.finished and run.status == "completed":
            raise UsageError(f"{run.name} is complete: %manta resume {run_id[:8]} --iterations N gives more")
        # as the button of a monitor does it; by name: numpy, which loading the extension does not need
        actions = import_module("manta_nb.ui.monitor.actions").RunActions
        told = actions(run, dict, self._monitors.before_resume).resume()
        if run.name.isidentifier() and run.name not in notebook.namespace:
            notebook.bind(run.name, run, "run")
        return {"text": told}

    def _value(self, question: Mapping[str, Any]) -> dict[str, Any]:
        run, tag = self._run(_text(question, "run")), _text(question, "tag")
        # by name, as it needs Dask: a kernel without runs of its own needs it only for this
        seen = import_module("manta_nb.session.feed.valueview").ValueView(run._history)
        gone = import_module("manta_nb.session.feed.peek").Gone
        try:
            if question.get("kind") == "global":
                return {"text": "", "value": seen.of_global(tag, None)}
            if question.get("kind") == "result":
                node = question.get("node")
                return {"text": "", "value": seen.of_result(tag, None, str(node) if node else None)}
        except gone as error:
            raise MissingTag(str(error)) from error
        raise MissingTag("a value is of the kind global or result")

    def _monitor(self, view: str, run_id: str) -> dict[str, Any]:
        run = self._run(run_id)
        return {"text": f"the monitor of {run.name}", "model": self._monitors.open(view, run)}

    def _complete(self, question: Mapping[str, Any]) -> dict[str, Any]:
        at = question.get("at")
        if not isinstance(at, int) or isinstance(at, bool):
            raise UsageError("at must be a whole number")
        found = complete_cell(_text(question, "text", _CELL), at, self._source)
        completions = [
            {"text": each.text, "kind": each.kind, "help": clean(each.help)} for each in found.items
        ]
        return {"text": "", "start": found.start, "end": found.end, "completions": completions}

    def _live(self, run_id: str) -> Run | None:
        return next((run for run in self._source.runs() if run.run_id == run_id), None)

    def _find(self, run_id: str) -> PastRun:
        found = next((run for run in self._keeper.past().entries() if run.run_id == run_id), None)
        if found is None:
            raise MissingTag("this run is not there any more")
        return found

    def _run(self, run_id: str) -> Run:
        """The run with that id; one of a store is opened."""
        live = self._live(run_id)
        if live is not None:
            return live
        past = self._keeper.past()
        found = next((run for run in past.entries() if run.run_id == run_id), None)
        if found is None:
            raise MissingTag("this run is not there any more")
        run = past.open(found)
        self._kept.pop(run_id, None)
        self._kept[run_id] = run
        self._opened = [each for each in self._opened if each() is not None] + [weakref.ref(run)]
        while len(self._kept) > _KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        return run


def _counted(iterations: int) -> str:
    return f"{iterations} iteration{'s' * (iterations != 1)}"


def _text(question: Mapping[str, Any], name: str, most: int = _NAME) -> str:
    """A text of the question.

    Raises:
        MantaError: it is none, or too long.
    """
    text = question.get(name)
    if not isinstance(text, str) or len(text) > most:
        raise MantaError(f"the question has no {name}")
    return text
