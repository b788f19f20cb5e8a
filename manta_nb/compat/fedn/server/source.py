"""The text of a class `ServerFunctions`, from wherever it was defined: a cell, a file, a string."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from manta_nb.errors import UsageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["CLASS", "source_of"]

#: what the class is called
CLASS = "ServerFunctions"


def source_of(given: object) -> str:
    """The text of server functions, which travels to the node that combines.

    Args:
        given: the class, of a cell or of a file; the path of a file; or the text itself.

    Returns:
        Text with a class `ServerFunctions`: of a class also the imports, functions and constants of its cell or
        file that it uses.

    Raises:
        UsageError: there is no such file, or the class has no source.

    Example:
        >>> source_of("class ServerFunctions: pass")
        'class ServerFunctions: pass'
    """
    if isinstance(given, type):
        return _of_class(given)
    if isinstance(given, os.PathLike) or (
        isinstance(given, str) and "\n" not in given and given.endswith(".py")
    ):
        path = Path(given).expanduser()
        try:
            return _checked(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(
                one_line(f"server_functions: cannot read {shorten(str(path), 80)}: {why}")
            ) from error
    if isinstance(given, str):
        return _checked(given)
    raise UsageError(
        f"server_functions must be the class {CLASS}, its text or the path of its file, "
        f"got {shorten(type(given).__name__, 40)}"
    )


def _checked(text: str) -> str:
    """The text, if it is Python with a class: what it is not is said before nodes are started, and nothing executed."""
    try:
        found = any(isinstance(node, ast.ClassDef) for node in ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else f": {error}"
        raise UsageError(one_line(f"server_functions{where}")) from error
    if not found and CLASS not in text:
        raise UsageError(f"server_functions have no class {CLASS}: write class {CLASS}(ServerFunctionsBase)")
    return text


def _of_class(given: type) -> str:
    function = next((member for member in vars(given).values() if isinstance(member, FunctionType)), None)
    text = _file_text(given, function)
    tree = ast.parse(text)
    line = function.__code__.co_firstlineno if function else 0
    nodes = [
        node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == given.__name__
    ]
    found = [node for node in nodes if node.lineno <= line <= (node.end_lineno or line)] or nodes[-1:]
    if not found:
        raise UsageError(
            one_line(f"server_functions: the source of {given.__name__} has changed: define it again")
        )
    parts = [*_needed(tree, found[0]), found[0]]
    lines = [ast.unparse(node) for node in parts]
    bound = {name for node in parts for name in _bound(node)}
    values = function.__globals__ if function else {}
    lines[:0] = _elsewhere(_names([*parts]) - bound, values)
    return "\n".join([*lines, *([f"{CLASS} = {given.__name__}"] if given.__name__ != CLASS else [])])


def _file_text(given: type, function: FunctionType | None) -> str:
    """The whole cell or file of a class. `inspect` does not find classes of cells."""
    lines = linecache.getlines(function.__code__.co_filename) if function else []
    if not lines:
        try:
            lines = inspect.findsource(given)[0]
        except (OSError, TypeError):
            raise UsageError(
                f"server_functions: the source of {shorten(given.__name__, 60)} is not known: "
                "define it in a cell or a file, or give its text"
            ) from None
    return "".join(lines)


def _needed(tree: ast.Module, wanted: ast.ClassDef) -> list[ast.stmt]:
    """What stands beside a class and binds names that it uses, in the order of the text."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    beside = [node for node in tree.body if isinstance(node, kinds) and node is not wanted]
    taken: set[ast.stmt] = set()
    while True:
        names = _names([wanted, *taken])
        more = {node for node in beside if node not in taken and names & set(_bound(node))}
        if not more:
            return [node for node in beside if node in taken]
        taken |= more


def _names(nodes: list[ast.stmt]) -> set[str]:
    """The names that statements use; those of decorators and annotations, too."""
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement binds."""
    match node:
        case ast.Import(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (item.id for each in targets for item in ast.walk(each) if isinstance(item, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _elsewhere(names: set[str], values: Mapping[str, Any]) -> list[str]:
    """Names that other cells bind, as far as one line binds them again: modules, imported things, constants."""
    lines = []
    for name in sorted(names & values.keys()):
        value = values[name]
        if isinstance(value, ModuleType):
            lines.append(f"import {value.__name__} as {name}")
        elif isinstance(value, bool | int | float | str | None):
            lines.append(f"{name} = {value!r}")
        elif (home := getattr(value, "__module__", None)) not in {None, "__main__", "builtins"}:
            called = getattr(value, "__qualname__", getattr(value, "_name", None))
            if isinstance(called, str) and called.isidentifier():
                lines.append(f"from {home} import {called} as {name}")
    return lines
