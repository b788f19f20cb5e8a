"""`manta_nb.builder()`: a swarm drawn with the mouse or the keyboard, and the `%%swarm` cell it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from manta_nb.errors import MantaError, UsageError
from manta_nb.sdk.module import Module
from manta_nb.sdk.parse import one_line
from manta_nb.ui.defining.celltext import CellText, cell_text
from manta_nb.ui.defining.draft import Draft
from manta_nb.ui.defining.shared import notebook_of
from manta_nb.ui.live import display_mode

__all__ = ["SwarmBuilder", "builder"]

_STATIC = Path(__file__).parents[1] / "static"


def builder() -> SwarmBuilder:
    """A canvas for a swarm: choose modules, draw arrows, set nodes and Globals, run it, or insert it as a cell.

    Example:
        >>> manta_nb.builder()

    Raises:
        UsageError: this is no notebook, or `%load_ext manta_nb` has not been typed.
    """
    shell = get_ipython()
    if shell is None:
        raise UsageError("the builder needs a notebook: in a script write worker >> aggregator")
    if "swarm" not in shell.magics_manager.magics["cell"]:
        raise UsageError("the builder makes %%swarm cells: type %load_ext manta_nb first")
    return SwarmBuilder(shell)


class SwarmBuilder(anywidget.AnyWidget):
    """The builder's model: what is on the canvas comes from the browser, the cell's text goes there.

    Lives as long as the notebook holds it. `text` is the `%%swarm` cell at any moment.
    """

    _esm = _STATIC / "builder.js"

    #: `[{name, placement}]`: the notebook's modules that have a task
    modules: traitlets.List[dict[str, str]] = traitlets.List(read_only=True).tag(sync=True)
    #: the nodes there are
    nodes: traitlets.List[str] = traitlets.List(read_only=True).tag(sync=True)
    #: what is on the canvas, as `Draft.read` takes it
    draft = traitlets.Dict().tag(sync=True)
    #: the whole cell
    text = traitlets.Unicode(read_only=True).tag(sync=True)
    #: what keeps it from running, a line each
    problems: traitlets.List[str] = traitlets.List(read_only=True).tag(sync=True)
    #: what became of the last Run or Insert: `{ok, text, count}`
    told = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, shell: InteractiveShell, draft: Mapping[str, Any] | None = None) -> None:
        super().__init__(draft=dict(draft or {"name": "fl", "iterations": "5"}))
        self._shell = shell
        self._told = 0
        self._cell = CellText("", "")
        self.on_msg(self._hear)
        self.observe(lambda change: self.refresh(), names="draft")
        self.refresh()

    def refresh(self) -> None:
        """Look at the notebook's modules again, and at what the canvas means now."""
        namespace = self._shell.user_ns
        found = {
            name: value
            for name, value in namespace.items()
            if isinstance(value, Module) and value.source.entry and not name.startswith("_")
        }
        modules = [{"name": name, "placement": module.placement()} for name, module in found.items()]
        nodes = self._nodes()
        self._cell = cell_text(Draft.read(self.draft), namespace, nodes)
        with self.hold_sync():
            for name, value in (("modules", modules), ("nodes", nodes[:200])):
                self.set_trait(name, value)
            self.set_trait("text", self._cell.text)
            self.set_trait("problems", list(self._cell.problems))

    def run(self) -> None:
        """Run the cell in the notebook, as if it had been typed there."""
        self.refresh()
        if self._cell.problems:
            self._tell(False, self._cell.problems[0])
            return
        try:
            with capture_output() as printed:
                run = self._shell.run_cell_magic("swarm", self._cell.line, self._cell.body)  # type: ignore[no-untyped-call]
        except MantaError as error:
            self._tell(False, one_line(str(error)))
            return
        lines = " · ".join(printed.stdout.splitlines())
        name = getattr(run, "name", self._cell.line.partition(" ")[0])
        self._tell(
            True, f"{name} runs; type {name} in a cell to see it{f' ({lines})' if lines else ''}"[:300]
        )

    def insert(self) -> None:
        """Put the cell into the notebook: a kernel can do that when a cell has run, so it comes below the next one."""
        self.refresh()
        if self._cell.problems:
            self._tell(False, self._cell.problems[0])
            return
        self._shell.set_next_input(self._cell.text)
        self._tell(True, "the %%swarm cell comes below the next cell that you run")

    def _nodes(self) -> list[str]:
        notebook = notebook_of(self._shell)
        return [] if notebook is None or notebook.session is None else list(notebook.session.nodes)

    def _hear(self, widget: object, content: object, buffers: object) -> None:
        """A message of the browser; what is none is left alone."""
        actions: dict[str, Callable[[], None]] = {
            "run": self.run,
            "insert": self.insert,
            "refresh": self.refresh,
        }
        op = content.get("op") if isinstance(content, Mapping) else None
        if isinstance(op, str) and op in actions:
            actions[op]()

    def _tell(self, ok: bool, text: str) -> None:
        self._told += 1
        self.set_trait("told", {"ok": ok, "text": text, "count": self._told})

    def __repr__(self) -> str:
        modules = ", ".join(module["name"] for module in self.modules) or "none yet: write a %%module cell"
        return f"swarm builder · modules: {modules}\n{self.text}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if display_mode(shell=self._shell) == "widget":
            return super()._repr_mimebundle_(**kwargs)
        said = "the builder needs a notebook with widgets; this is the cell it stands at"
        return {"text/plain": f"{self!r}\n({said})"}
