"""The magics, `%manta` and those of cells: they split the line, call one command, and return what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, Enum, Unicode

from manta_nb.errors import UsageError
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.ui.commands import command
from manta_nb.ui.grammar import MODULE, SWARM
from manta_nb.ui.grammar_swarm_learning import SCRIPT_CELL
from manta_nb.ui.grammar_verbs import VERBS
from manta_nb.ui.help import asks_for_help, documented, overview, verb_help
from manta_nb.ui.line import split
from manta_nb.ui.notebook import Notebook
from manta_nb.ui.parser import Verb, parse

__all__ = ["MantaMagics"]

Scope = Mapping[str, Any] | None


@magics_class
class MantaMagics(Magics):
    """The magics of manta_nb; `%config MantaMagics` lists what can be set."""

    rerun = Enum(
        ["replace", "refuse", "keep"],
        default_value="replace",
        help="What becomes of a running run when its cell is run again: replaced, kept, or the cell is refused.",
    ).tag(config=True)
    metric = Unicode(
        "",
        help='The metric %manta runs compares by, such as "val_acc"; "": the first that looks like an accuracy.',
    ).tag(config=True)
    shims = Enum(
        ["first", "last", "off"],
        default_value="first",
        help="Where manta_nb's own manta and manta_light stand: before installed ones, after them, or nowhere.",
    ).tag(config=True)
    block = Bool(False, help="Every run is waited for, as with --wait.").tag(config=True)

    def __init__(self, shell: InteractiveShell, notebook: Callable[[MantaMagics], Notebook]) -> None:
        super().__init__(shell)
        self.notebook = notebook(self)

    # IPython's own expansion would turn `--data $arrays` into the text of the arrays; `split` expands instead.
    @documented(overview())
    @no_var_expand
    @needs_local_scope
    @line_magic
    def manta(self, line: str, local_ns: Scope = None) -> Any:  # noqa: D102 - the help is its docstring
        __tracebackhide__ = True
        words = self._words(line, local_ns)
        if not words or asks_for_help(words[:1]):
            return overview()
        verb = VERBS.get(words[0])
        if verb is None:
            hint = did_you_mean(words[0], VERBS)
            raise UsageError(f"%manta has no verb {shorten(words[0], 40)}{hint}; %manta lists all")
        if asks_for_help(words):
            return verb_help(verb)
        return command(words[0])(self.notebook, parse(verb, words[1:]))

    @documented(verb_help(MODULE))
    @no_var_expand
    @needs_local_scope
    @cell_magic
    def module(self, line: str, cell: str, local_ns: Scope = None) -> Any:  # noqa: D102 - the help is its docstring
        __tracebackhide__ = True
        return self._cell(MODULE, line, cell, local_ns)

    @documented(verb_help(SWARM))
    @no_var_expand
    @needs_local_scope
    @cell_magic
    def swarm(self, line: str, cell: str, local_ns: Scope = None) -> Any:  # noqa: D102 - the help is its docstring
        __tracebackhide__ = True
        return self._cell(SWARM, line, cell, local_ns)

    @documented(verb_help(SCRIPT_CELL))
    @no_var_expand
    @needs_local_scope
    @cell_magic
    def swarm_learning(self, line: str, cell: str, local_ns: Scope = None) -> Any:  # noqa: D102 - the help, as above
        __tracebackhide__ = True
        return self._cell(SCRIPT_CELL, line, cell, local_ns)

    def _cell(self, verb: Verb, line: str, cell: str, local_ns: Scope) -> Any:
        __tracebackhide__ = True
        words = self._words(line, local_ns)
        if asks_for_help(words):
            return verb_help(verb)
        return command(verb.name)(self.notebook, parse(verb, words), cell)

    def _words(self, line: str, local_ns: Scope) -> list[str]:
        return split(line, {**self.notebook.namespace, **(local_ns or {})})
