"""`Notebook`: what the magics of one shell remember: the nodes, the modules of the cells, and the runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from IPython.core.interactiveshell import InteractiveShell

from manta_nb.errors import NodeError, UsageError
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import did_you_mean, listed
from manta_nb.sdk.parse import one_line
from manta_nb.shims import Position
from manta_nb.ui.cells import Cell, CellImporter, cell_number

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session
    from manta_nb.session.trial import Trial

__all__ = ["CellModule", "Notebook", "Settings"]


class Settings(Protocol):
    """What `%config MantaMagics` sets."""

    #: "replace", "refuse" or "keep": what becomes of a running run when its cell is run again
    rerun: str
    #: the metric the table of runs is judged by; "": the first accuracy-like one
    metric: str
    #: where the compatible packages stand on the path
    shims: Position
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


@dataclass(eq=False, repr=False)
class Notebook:
    """The state behind the magics; one for each shell, held by its `MantaMagics`.

    Args:
        shell: where variables live and cells are counted.
        settings: what `%config MantaMagics` sets.
        open_session: makes a `Session` of its keyword arguments.
        show: displays a run in the cell that runs now.
    """

    shell: InteractiveShell
    settings: Settings
    open_session: Callable[..., Session]
    show: Callable[[Run], None]
    modules: dict[str, CellModule] = field(default_factory=dict)
    #: name → its latest run
    runs: dict[str, Run] = field(default_factory=dict)
    #: what `%manta start` was asked for, to know the same wish again
    asked: Mapping[str, Any] | None = None
    #: whether the nodes were started by a magic, which then has to stop them
    owned: bool = False
    _session: Session | None = None
    _shown: tuple[str, int] = ("", -1)

    @property
    def namespace(self) -> dict[str, Any]:
        """The variables of the notebook."""
        namespace: dict[str, Any] = self.shell.user_ns
        return namespace

    @property
    def session(self) -> Session | None:
        """The nodes in use; None where there are none (any more)."""
        return self._session if self._session is not None and not self._session.closed else None

    def need_session(self) -> Session:
        """The nodes in use, or an error that says how to start some."""
        if self.session is None:
            raise NodeError("there are no nodes yet: type %manta start --nodes 4 --data digits")
        return self.session

    def use(self, session: Session, *, owned: bool, asked: Mapping[str, Any] | None = None) -> None:
        """Make `session` the one the magics use; nodes that a magic started before are stopped."""
        if session is not self._session:
            self.close()
        self._session, self.owned, self.asked = session, owned, asked
        session.display = self.display_once

    def close(self) -> None:
        """Stop the nodes, if a magic started them."""
        if self.session is not None and self.owned:
            self.session.close()
        self._session, self.owned, self.asked = None, False, None

    def unload(self) -> None:
        """Take back everything: the nodes and the packages of the cells."""
        self.close()
        for entry in self.modules.values():
            if entry.importer is not None:
                entry.importer.forget()
        self.modules.clear()
        self.runs.clear()

    def say(self, line: str) -> None:
        """One line to the person, in the output of the cell that runs now."""
        # A line of the output stream, not a display: many lines make one output, and a saved notebook reads well.
        sys.stdout.write(f"{one_line(line)}\n")
        sys.stdout.flush()

    def display_once(self, run: Run) -> None:
        """Show a run, but not twice in the cell that has just shown it."""
        now = (run.run_id, cell_number(self.shell))
        if now != self._shown:
            self._shown = now
            self.show(run)

    def bind(self, name: str, value: object, kind: str) -> None:
        """Bind a variable, and say what it was where it was something else."""
        before = self.namespace.get(name)
        if before is not None and before is not value and not isinstance(before, type(value)):
            self.say(f"{name} was {_article(before)} of the notebook; it is the {kind} {name} now")
        self.namespace[name] = value

    def find_run(self, word: str | None) -> Run:
        """The run with that name or id, or the latest one.

        Raises:
            UsageError: there is none.
        """
        if not self.runs:
            raise UsageError("there is no run yet: write a %%swarm cell, such as %%swarm fl --iterations 5")
        if word is None:
            return list(self.runs.values())[-1]
        if word in self.runs:
            return self.runs[word]
        everyone = [*self.runs.values(), *(self.session.runs if self.session is not None else ())]
        found = [run for run in everyone if word and run.run_id.startswith(word)]
        if not found:
            raise UsageError(
                one_line(f"no run {word}{did_you_mean(word, self.runs)}; there are: {listed([*self.runs])}")
            )
        return found[-1]

    def remember(self, run: Run) -> None:
        """Make `run` the latest one, and the one of its name."""
        self.runs.pop(run.name, None)
        self.runs[run.name] = run

    def try_on(self, module: Module, node_id: str, globals: Mapping[str, Any] | None = None) -> Trial:
        """What `worker.try_on("node_0")` calls: the nodes are looked up now, not when the cell was run."""
        return self.need_session().try_on(module, node_id, globals)

    @property
    def waits(self) -> bool:
        """Do all runs have to be waited for?"""
        return self.settings.block or os.environ.get("MANTA_NB_BLOCK", "") not in ("", "0")


def _article(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
