"""The text of a class `ServerFunctions`, from wherever it was defined: a cell, a file, a string."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from manta_nb.compat.excerpt import again, excerpt
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
    values = function.__globals__ if function else {}
    return _alone(text, tree, found[0], values)


def _alone(text: str, tree: ast.Module, wanted: ast.ClassDef, values: Mapping[str, Any]) -> str:
    """The class with what it uses, as a text of its own; `values` are what other cells bind."""
    part = excerpt(text, tree, wanted)
    before = [line for name in part.missing if name in values and (line := again(name, values[name]))]
    # they have to come first of all
    features = [
        node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    apart = {number for node in features for number in range(node.lineno, (node.end_lineno or 0) + 1)}
    lines = ["" if at in apart else line for at, line in enumerate(part.text.split("\n"), 1)]
    renamed = [f"{CLASS} = {wanted.name}"] if wanted.name != CLASS else []
    return "\n".join([*map(ast.unparse, features), *before, *lines, *renamed])


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
