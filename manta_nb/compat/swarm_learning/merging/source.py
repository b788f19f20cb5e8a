"""A user's merge function as text, which travels to the node that merges, and back.

Only the function and what it uses travels: the file it stands in may well be the one that trains.
"""

from __future__ import annotations

import ast
import inspect
import json
import linecache
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

from manta_nb.compat.excerpt import again, excerpt, find_function
from manta_nb.compat.swarm_learning.merging.own import MARK
from manta_nb.errors import PackageError, UsageError
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["load_merge", "merge_source"]

#: what `__name__` is to the text
_MODULE = "manta_nb_merge"


def merge_source(spec: object) -> str:
    """The text of a merge function, for `load_merge`.

    Args:
        spec: `FILE.py:function`, or a function of a file or a cell. It is called with a list of models (dicts of
            arrays by name, read-only) and a list of weights, and returns a model. See `methods.merge`.

    Returns:
        Text that holds the function, and the imports, functions, classes and constants beside it that it uses; of a
        function of a notebook also constants and imports of other cells.

    Raises:
        UsageError: there is no such file or function, or it uses something that cannot travel.

    Example:
        >>> load_merge(merge_source("mine.py:trimmed_mean"))
        <function trimmed_mean at …>
    """
    if isinstance(spec, str | os.PathLike):
        return _of_file(os.fspath(spec))
    if isinstance(spec, FunctionType):
        return _of_function(inspect.unwrap(spec))
    told = shorten(getattr(spec, "__name__", type(spec).__name__), 40)
    raise UsageError(one_line(f"merge must be FILE.py:function or a function written with def, got {told}"))


def load_merge(source: str) -> Callable[..., Any]:
    """The function of a text that `merge_source` made.

    Raises:
        PackageError: the text fails, say because it imports what is not installed here.
    """
    parts = json.loads(source)
    space: dict[str, Any] = {"__name__": _MODULE}
    for name, text in (("its imports", parts["before"]), (parts["file"], parts["text"])):
        try:
            exec(compile(text, f"{MARK}{name}>", "exec", dont_inherit=True), space)  # noqa: S102 - the user's own code
        except Exception as error:
            told = f"merge: {shorten(name, 60)} failed: {type(error).__name__}: {error}"
            raise PackageError(one_line(told)) from error
    function = space.get(parts["function"])
    if not callable(function):
        raise PackageError(one_line(f"merge: {shorten(parts['function'], 60)} is not a function"))
    made: Callable[..., Any] = function
    return made


def _of_file(spec: str) -> str:
    path, _, name = spec.rpartition(":")
    if not path or not name.isidentifier():
        raise UsageError(one_line(f"merge is FILE.py:function, got {shorten(spec, 80)}"))
    shown = shorten(path, 80)
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(one_line(f"merge: cannot read {shown}: {why}")) from error
    tree = _parsed(text, shown)
    wanted = find_function(tree, name)
    if wanted is None:
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        near = did_you_mean(name, functions)
        has = listed(functions) or "none"
        raise UsageError(one_line(f"merge: {shown} has no function {name}{near}; its functions: {has}"))
    return _text(Path(path).name, name, text, tree, wanted, {})


def _of_function(function: FunctionType) -> str:
    name, code = function.__name__, function.__code__
    if not name.isidentifier():
        raise UsageError("merge must be a function written with def, got a lambda")
    if code.co_freevars:
        told = f"{shorten(name, 40)} uses {listed(code.co_freevars)} of the function around it"
        raise UsageError(one_line(f"merge: {told}: define it at the top level"))
    lines: Sequence[str] = linecache.getlines(code.co_filename)
    if not lines:
        raise UsageError(
            one_line(f"merge: the source of {shorten(name, 60)} is not known: define it in a cell or a file")
        )
    text = "".join(lines)
    tree = _parsed(text, shorten(name, 60))
    wanted = find_function(tree, name, code.co_firstlineno)
    if wanted is None:
        raise UsageError(one_line(f"merge: the source of {shorten(name, 60)} has changed: define it again"))
    file = (
        "the cell"
        if code.co_filename.startswith("<") or "ipykernel" in code.co_filename
        else code.co_filename
    )
    return _text(Path(file).name, name, text, tree, wanted, function.__globals__)


def _parsed(text: str, shown: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        where = f", line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else f": {error}"
        raise UsageError(one_line(f"merge: {shown} is no Python{where}")) from error


def _text(
    file: str, name: str, text: str, tree: ast.Module, wanted: ast.stmt, values: Mapping[str, Any]
) -> str:
    found = excerpt(text, tree, wanted)
    lines = {
        each: line for each in found.missing if each in values and (line := _rebound(each, values[each]))
    }
    if unknown := [each for each in found.missing if each not in lines]:
        where = "define it beside the function" if values else "it is defined nowhere in the file"
        raise UsageError(one_line(f"merge: {shorten(name, 40)} uses {listed(unknown)}: {where}"))
    return json.dumps(
        {"file": file, "function": name, "before": "\n".join(lines.values()), "text": found.text}
    )


def _rebound(name: str, value: object) -> str:
    # a function that was itself made of such a text has no module to import it from
    return "" if getattr(value, "__module__", None) == _MODULE else again(name, value)
