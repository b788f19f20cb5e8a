"""Running the text below a magic as an ordinary cell, so that every traceback shows `Cell In[3], line 4`.

* `Cell` is that text with its number; line 1 is the magic's own line, as the reader sees it;
* `Refusal` says which cell was refused, and why;
* `CellImporter` imports a module's package from its cells;
* `run_body` runs the body of `%%swarm` in the notebook's namespace and gives its last value.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from manta_nb.errors import DefinitionError, MantaError
from manta_nb.sdk.importing import SourceImporter
from manta_nb.sdk.parse import one_line, parse_text
from manta_nb.sdk.source import ModuleSource
from manta_nb.ui.panel.digest import digest

__all__ = [
    "Cell",
    "CellImporter",
    "Refusal",
    "added_names",
    "cell_number",
    "current_cell",
    "parse_body",
    "run_body",
]

#: where the value of the last expression is kept for a moment; no user types it
_VALUE = "__manta_nb_value__"
#: characters of an id that a front end may give to a cell, as in a notebook's file
_LONGEST_ID = 64


@dataclass(frozen=True)
class Cell:
    """The text of a cell and its execution number."""

    number: int
    #: starts with an empty line in place of the magic's
    text: str
    #: what the front end calls it; "" where it does not tell
    id: str = ""

    @cached_property
    def digest(self) -> str:
        """What names the text below the magic's line; see `manta_nb.ui.panel.digest`."""
        return digest(self.text[1:])

    @property
    def label(self) -> str:
        """What tracebacks and errors call it: `Cell In[3]`."""
        return f"Cell In[{self.number}]"

    def place(self, line: int) -> str:
        """`Cell In[3], line 4`."""
        return f"{self.label}, line {line}"


@dataclass(frozen=True)
class Refusal:
    """A cell whose text was not taken, and why, in one line."""

    cell: Cell
    error: str


def current_cell(shell: InteractiveShell, body: str) -> Cell:
    """The cell that runs now; `body` is the text below its first line."""
    return Cell(cell_number(shell), f"\n{body}", _cell_id(shell))


def _cell_id(shell: Any) -> str:
    """What the front end calls the cell that runs now: JupyterLab tells it with each request."""
    try:
        told = shell.get_parent()["metadata"].get("cellId")
    except (AttributeError, LookupError, TypeError):
        return ""
    if not isinstance(told, str) or len(told) > _LONGEST_ID:
        return ""
    # it goes into messages: halves of characters cannot be sent
    return told if told.isascii() and told.isprintable() else ""


def cell_number(shell: InteractiveShell) -> int:
    """The n of the `In[n]` that runs now."""
    # Newer IPythons count on before the cell runs, older ones after it; its result knows.
    running = getattr(shell.displayhook.exec_result, "execution_count", None)
    return int(running if running is not None else shell.execution_count)


class CellImporter(SourceImporter):
    """Imports a module's files in the kernel; those that are cells are known to IPython's tracebacks."""

    def __init__(self, source: ModuleSource, shell: InteractiveShell, numbers: Mapping[str, int]) -> None:
        super().__init__(source)
        self._shell = shell
        self._numbers = numbers

    def code(self, file: str) -> CodeType:
        """The compiled file, under the name IPython gives to that cell."""
        if file not in self._numbers:
            return super().code(file)
        text = self.source.files[file]
        name = self._shell.compile.cache(text, self._numbers[file], raw_code=text)
        return compile(text, name, "exec", dont_inherit=True)


def parse_body(shell: InteractiveShell, cell: Cell) -> ast.Module:
    """The syntax tree of a `%%swarm` body; what cannot be in one is a one-line error.

    Raises:
        DefinitionError: a syntax error, or an `await` outside a function.
    """
    text = _plain_python(shell, cell.text)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = parse_text(text, cell.label)
    for node in _outside_functions(tree):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            raise DefinitionError(
                f"{cell.place(node.lineno)}: await cannot be used in a %%swarm cell: move it to a cell of its own"
            )
    parse_text(text, cell.label)
    return tree


def run_body(shell: InteractiveShell, cell: Cell, tree: ast.Module) -> Any:
    """Run the body in the notebook's namespace; the value of its last expression, or None.

    An error of ours, such as a value that cannot travel, gets the cell's line in front of it.
    """
    __tracebackhide__ = True
    filename = shell.compile.cache(_plain_python(shell, cell.text), cell.number, raw_code=cell.text)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        kept = ast.Assign(targets=[ast.Name(id=_VALUE, ctx=ast.Store())], value=last.value)
        tree.body[-1] = ast.fix_missing_locations(ast.copy_location(kept, last))
    namespace = shell.user_ns
    try:
        exec(compile(tree, filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - it is the user's cell
        return namespace.get(_VALUE)
    except MantaError as error:
        raise _located(error, filename, cell) from error
    finally:
        namespace.pop(_VALUE, None)


@contextmanager
def added_names(namespace: MutableMapping[str, Any], added: Mapping[str, Any]) -> Iterator[list[str]]:
    """Put `added` into `namespace` while the block runs; gives the names that already meant something else."""
    taken = [name for name, value in added.items() if name in namespace and namespace[name] is not value]
    ours = {name: value for name, value in added.items() if name not in namespace}
    namespace.update(ours)
    try:
        yield taken
    finally:
        for name, value in ours.items():
            if namespace.get(name) is value:
                del namespace[name]


def _plain_python(shell: InteractiveShell, text: str) -> str:
    """`text` with `!` and `%` lines as Python; IPython drops the empty lines at its start, they are put back."""
    blank = len(text) - len(text.lstrip("\n"))
    plain: str = shell.transform_cell(text[blank:])  # type: ignore[no-untyped-call]
    return "\n" * blank + plain


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            stack += ast.iter_child_nodes(node)


def _located(error: MantaError, filename: str, cell: Cell) -> MantaError:
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename
    ]
    message = str(error)
    if not lines or lines[-1] is None or message.startswith("Cell In["):
        return error
    return type(error)(one_line(f"{cell.place(lines[-1])}: {message}"))
