"""The lines of a Python text that a function or class needs: itself, and what stands beside it and binds its names.

What is left out is blank lines, so that every line keeps its number. A notebook's function may use what other cells
bind: `again` writes the line that binds it once more, where one line can.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import ModuleType

__all__ = ["Excerpt", "again", "excerpt", "find_function"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
#: modules from which nothing can be imported by name, or needs to be
_NOWHERE = frozenset({"__main__", "builtins"})
_ALWAYS = frozenset({*dir(builtins), "__name__", "__file__", "__doc__"})


@dataclass(frozen=True)
class Excerpt:
    """What is kept of a text."""

    text: str
    #: names that it uses and does not bind, in order; none where it imports everything of a module
    missing: list[str]


def find_function(tree: ast.Module, name: str, line: int | None = None) -> ast.stmt | None:
    """The last statement that binds `name` at the top level; with `line`, the function around that line anywhere."""
    if line is not None:
        inside = [
            node
            for node in ast.walk(tree)
            if isinstance(node, _Function) and node.name == name and line in _lines(node)
        ]
        return inside[-1] if inside else None
    return next((node for node in reversed(tree.body) if name in _bound(node)), None)


def excerpt(text: str, tree: ast.Module, wanted: ast.stmt) -> Excerpt:
    """The lines of `text`, parsed as `tree`, that the statement `wanted` needs."""
    kept = [node for node in _needed(tree, wanted) if node is not wanted]
    # as Python counts them: splitlines also ends a line at a form feed
    lines = text.split("\n")
    chosen = {number for node in kept for number in _lines(node)}
    made = [line if number in chosen else "" for number, line in enumerate(lines, 1)]
    for number in _lines(wanted):
        line = lines[number - 1]
        # a function inside another block comes to the left margin
        blank = not line[: wanted.col_offset].strip()
        made[number - 1] = line[wanted.col_offset :] if blank else line
    nodes = [*kept, wanted]
    stars = any(
        alias.name == "*"
        for node in nodes
        for each in ast.walk(node)
        for alias in getattr(each, "names", [])
        if isinstance(alias, ast.alias)
    )
    missing = [] if stars else _missing(nodes)
    return Excerpt("\n".join(made).rstrip() + "\n", missing)


def again(name: str, value: object) -> str:
    """A line that binds `name` again; "" where one line cannot: modules, imported things and constants can.

    Example:
        >>> again("np", numpy)
        'import numpy as np'
    """
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}"
    home = getattr(value, "__module__", None)
    called = getattr(value, "__qualname__", getattr(value, "_name", None))
    importable = isinstance(home, str) and isinstance(called, str) and called.isidentifier()
    if importable and home not in _NOWHERE:
        return f"from {home} import {called} as {name}"
    try:
        same = ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return ""
    return f"{name} = {value!r}" if same is True else ""


def _needed(tree: ast.Module, wanted: ast.stmt) -> list[ast.stmt]:
    """The top-level statements, in order, that bind names which `wanted` uses, or which these use in turn."""
    taken = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module == "__future__" or _is_star(node))
    ]
    found = {id(node) for node in [*taken, wanted]}
    used = _used([wanted])
    grows = True
    while grows:
        grows = False
        for node in tree.body:
            if id(node) not in found and used & _bound(node):
                found.add(id(node))
                used |= _used([node])
                grows = True
    return [node for node in tree.body if id(node) in found]


def _is_star(node: ast.ImportFrom) -> bool:
    return any(alias.name == "*" for alias in node.names)


def _lines(node: ast.stmt) -> range:
    """The numbers of the lines of a statement, its decorators included."""
    decorators = [each.lineno for each in getattr(node, "decorator_list", [])]
    return range(min([node.lineno, *decorators]), (node.end_lineno or node.lineno) + 1)


def _used(nodes: list[ast.stmt]) -> set[str]:
    return {
        each.id
        for node in nodes
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }


def _bound(node: ast.stmt) -> set[str]:
    """The names that a top-level statement binds, those inside `if`, `try` and `with` included."""
    return set(_binds(node))


def _binds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.ExceptHandler(name=str(name)):
            yield name
            yield from _inner(node)
        case _:
            yield from _inner(node)


def _inner(node: ast.AST) -> Iterator[str]:
    for each in ast.iter_child_nodes(node):
        yield from _binds(each)


def _missing(nodes: Collection[ast.stmt]) -> list[str]:
    """Names that are read and bound nowhere, in whichever scope."""
    everything = [each for node in nodes for each in ast.walk(node)]
    bound = {name for each in everything for name in _binds(each)}
    bound |= {each.arg for each in everything if isinstance(each, ast.arg)}
    bound |= {each.name for each in everything if isinstance(each, ast.MatchAs | ast.MatchStar) and each.name}
    used = dict.fromkeys(
        each.id for each in everything if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    )
    return [name for name in used if name not in bound and name not in _ALWAYS]
