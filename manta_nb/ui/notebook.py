"""`Notebook`: what the magics of one shell remember: the nodes, the modules of the cells, and the runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import WeakValueDictionary

from IPython.core.interactiveshell import InteractiveShell

from manta_nb.errors import NodeError, UsageError
from manta_nb.sdk.parse import one_line
from manta_nb.ui.cells import Cell, CellImporter, Refusal
from manta_nb.ui.oncepercell import OncePerCell, RunDisplay
from manta_nb.ui.panel.traces import Traces

if TYPE_CHECKING:
    from manta_nb.sdk.module import Module
    from manta_nb.session.pastruns import PastRuns
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session
    from manta_nb.session.trial import Trial
    from manta_nb.store.ports import Store

__all__ = ["CellModule", "Notebook", "Settings"]


class Settings(Protocol):
    """What `%config MantaMagics` sets."""

    #: "replace", "refuse" or "keep": what becomes of a running run when its cell is run again
    rerun: str
    #: the metric the table of runs is judged by; "": the first accuracy-like one
    metric: str
    #: where the compatible packages stand on the path
    shims: str
    #: whether `%%swarm` and `%manta run` wait for the end
    block: bool


@dataclass
class CellModule:
    """A module as its cells define it."""

    name: str
    #: path in the package → the cell that holds it; the main file's path is `manta_nb.sdk.source.MAIN`
    cells: dict[str, Cell]
    #: those of the main cell, as `Module` takes them
    options: dict[str, Any]
    module: Module
    #: None while it was not imported here
    importer: CellImporter | None = None
    #: the cell that should have changed it since
    refused: Refusal | None = None


@dataclass(eq=False, repr=False)
class Notebook:
    """The state behind the magics; one for each shell, held by its `MantaMagics`.

    Args:
        shell: where variables live and cells are counted.
        settings: what `%config MantaMagics` sets.
        open_session: makes a `Session` of its keyword arguments.
        make_display: makes what runs are shown with.
    """

    shell: InteractiveShell
    settings: Settings
    open_session: Callable[..., Session]
    make_display: Callable[[], RunDisplay]
    modules: dict[str, CellModule] = field(default_factory=dict)
    #: what `%manta start` was asked for, to know the same wish again; None where the nodes are not of that
    asked: Mapping[str, Any] | None = None
    #: which cells did what
    traces: Traces = field(default_factory=Traces)
    #: name → the latest run of that name that a magic started
    _started: dict[str, Run] = field(default_factory=dict)
    #: sessions that a magic started, which then has to close them
    _owned: list[Session] = field(default_factory=list)
    #: all that the magics used
    _used: list[Session] = field(default_factory=list)
    #: runs of the store that were opened: one run is one object, whoever asks for it
    _opened: WeakValueDictionary[str, Run] = field(default_factory=WeakValueDictionary)
    _session: Session | None = None
    _display: OncePerCell | None = None

    @property
    def namespace(self) -> dict[str, Any]:
        """The variables of the notebook."""
        return cast(dict[str, Any], self.shell.user_ns)

    @property
    def session(self) -> Session | None:
        """The nodes in use; None where there are none (any more)."""
        return self._session if self._session is not None and not self._session.closed else None

    def need_session(self) -> Session:
        """The nodes in use, or an error that says how to start some."""
        if self.session is None:
            raise NodeError("there are no nodes yet: type %manta start --nodes 4 --data digits")
        return self.session

    def use(self, session: Session) -> None:
        """Make `session` the one the magics use."""
        self._session, self.asked = session, None
        self._used = [*(each for each in self.sessions if each is not session), session]
        session.source = session.source or self.here
        session.display, session.home = self.display, self._home
        self.display.know(session)
        self.traces.changed()

    def start(self, **asked: Any) -> Session:
        """Start nodes with these arguments of `Session`, and use them; says what it does while it does it."""
        # The rest of what a session says, its summary and notes, is on its card.
        session = self.open_session(**asked, say=lambda line: self.say(line) if line.endswith("…") else None)
        self._owned = [*(each for each in self._owned if not each.closed), session]
        self.use(session)
        self.asked = asked
        return session

    @property
    def display(self) -> OncePerCell:
        """What runs are shown with."""
        if self._display is None:
            shows = self.make_display()
            shows.before_resume = lambda run: _goingon().choose(self, run)
            self._display = OncePerCell(shows, self.shell)
            self.shell.events.register("post_run_cell", self._display.settle_ended)
        return self._display

    @property
    def sessions(self) -> list[Session]:
        """All nodes that the magics used and that are still there."""
        return [each for each in self._used if not each.closed]

    def owns(self, session: Session | None) -> bool:
        """Did a magic start it?"""
        return any(each is session for each in self._owned)

    def close(self) -> None:
        """Stop all nodes that a magic started."""
        for session in self._owned:
            session.close()
        self._owned.clear()
        self._session = self.asked = None
        self.traces.changed()

    def unload(self) -> None:
        """Take back everything: the nodes and the packages of the cells."""
        self.close()
        if self._display is not None:
            self.shell.events.unregister("post_run_cell", self._display.settle_ended)
        for entry in self.modules.values():
            if entry.importer is not None:
                entry.importer.forget()
        self.modules.clear()
        self._started.clear()

    def say(self, *lines: str) -> None:
        """Lines to the person, in the output of the cell that runs now."""
        # A line of the output stream, not a display: many lines make one output, and a saved notebook reads well.
        sys.stdout.write("".join(f"{one_line(line)}\n" for line in lines))

    def bind(self, name: str, value: object, kind: str) -> None:
        """Bind a variable, and say what it was where it was something else."""
        before = self.namespace.get(name)
        if before is not None and before is not value and not isinstance(before, type(value)):
            self.say(f"{name} was {_article(before)} of the notebook; it is the {kind} {name} now")
        self.namespace[name] = value

    @property
    def here(self) -> str:
        """The file of the notebook, as the front end tells it; "" where it does not."""
        told = (self.namespace.get(name) for name in ("__vsc_ipynb_file__", "__session__"))
        return next((path for path in told if isinstance(path, str) and path), "")

    def past(self, store: Store | None = None) -> PastRuns:
        """All runs there are: those of this kernel, and of earlier ones (in `store`, where no nodes have another)."""
        from manta_nb.session.pastopening import open_past  # noqa: PLC0415 - the tables of runs, numpy; a session has them

        store = self.session.store if self.session is not None else store
        past = open_past(store, self.runs, self.here, self.settings.metric)
        past.opened, past.display, past.home = self._opened, self.display, self._home
        return past

    def runs(self) -> list[Run]:
        """All runs: those of the nodes in use, and the latest of each name on earlier ones; oldest first."""
        found = {run.run_id: run for run in self._started.values()}
        found |= {run.run_id: run for run in (self.session.runs if self.session is not None else ())}
        return sorted(found.values(), key=lambda run: run.started)

    def find_run(self, word: str | None) -> Run:
        """The run with that name or id, or the latest one.

        Raises:
            UsageError: there is none.
        """
        if (live := self.find_live(word)) is not None:
            return live
        past = self.past()
        if not len(past):
            raise UsageError("there is no run yet: write a %%swarm cell, such as %%swarm fl --iterations 5")
        return past.latest() if word is None else past[word]

    def find_live(self, word: str | None) -> Run | None:
        """The run of this kernel with that name or id, or the latest one; None where there is none."""
        runs = self.runs()
        found = [run for run in runs if word in (None, run.name)]
        found = found or [run for run in runs if word and run.run_id.startswith(word)]
        return found[-1] if found else None

    def word_for(self, run: Run) -> str:
        """What names a run on a line: its name, or its id where the latest run of that name is another one."""
        live = self.find_live(run.name)
        latest = live.run_id if live is not None else self.past().find(run.name).run_id
        return run.name if run.name.isidentifier() and latest == run.run_id else run.run_id[:8]

    def remember(self, run: Run) -> None:
        """Keep a run that a magic started, or let go on, as the latest one of its name."""
        self._started[run.name] = run
        self.traces.remember(run)

    def try_on(self, module: Module, node_id: str, globals: Mapping[str, Any] | None = None) -> Trial:
        """What `worker.try_on("node_0")` calls: the nodes are looked up now, not when the cell was run."""
        __tracebackhide__ = True
        return self.need_session().try_on(module, node_id, globals)

    def _home(self, run: Run) -> Session:
        """Nodes for a run of the store that is to go on, whoever asks for that."""
        return _goingon().nodes_for(self, run) or self.need_session()

    @property
    def waits(self) -> bool:
        """Do all runs have to be waited for?"""
        return self.settings.block or os.environ.get("MANTA_NB_BLOCK", "") not in ("", "0")


def _goingon() -> Any:
    # by name: it needs numpy, which loading the extension does not
    return import_module("manta_nb.ui.goingon")


def _article(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
