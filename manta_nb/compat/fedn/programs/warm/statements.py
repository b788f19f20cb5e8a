"""The statements of a module that run whenever it is imported, and what they do to imports that come after them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

__all__ = ["Statements"]

_MAIN = ("__name__ == '__main__'", "'__main__' == __name__")
#: what may decide what a later import finds, or does: nobody can tell from the text
_UNKNOWN = re.compile(
    r"\bsys\.modules\b|\bsys\.path\.insert\b|\bsys\.path\s*=|\bsys\.path\[|\bputenv\b|dotenv|\bchdir\b|\bexec\(|\bsite\."
    r"|\bimport_module\b|__import__|\bmeta_path\b|\bsetattr\("
)
#: what reads variables, or sets one that is named
_KNOWN = frozenset({"get", "setdefault", "pop", "copy", "items", "keys", "values"})


class Statements:
    """Goes through the statements of a module, except the definitions.

    Args:
        body: of the module.
        main: whether what stands behind `if __name__ == "__main__":` runs, too.
    """

    def __init__(self, body: list[ast.stmt], main: bool) -> None:
        self._body = body
        self._main = main
        #: functions and classes of the package: nobody can tell what a call of one does
        self._mine = {
            each.name
            for each in body
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }

    def mine(self, *names: str) -> None:
        """These come from another module of the package."""
        self._mine.update(names)

    def __iter__(self) -> Iterator[ast.stmt]:
        return self._through(self._body)

    def _through(self, body: list[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or _is_text(
                statement
            ):
                continue
            if isinstance(statement, ast.Try | ast.With) or (self._main and _asks_for_main(statement)):
                yield from self._through(getattr(statement, "body", []))
            elif not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
                yield statement

    def sets(self, statement: ast.stmt) -> list[str] | None:
        """The variables of the environment that a statement sets; None where nobody can tell what it does."""
        text = ast.unparse(statement)
        nodes = list(ast.walk(statement))
        calls = [_root(node.func) for node in nodes if isinstance(node, ast.Call)]
        if _UNKNOWN.search(text) or self._mine.intersection(calls):
            return None
        if "environ" not in text:
            return []
        names = [name for node in nodes for name in _assigned(node)]
        return None if None in names else [name for name in names if name is not None]


def _assigned(node: ast.AST) -> Iterable[str | None]:
    """The variables that a part of a statement sets; None for one whose name only the running program knows."""
    if isinstance(node, ast.Subscript) and _is_environ(node.value) and not isinstance(node.ctx, ast.Load):
        return [_text(node.slice)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_environ(node.func.value):
        method = node.func.attr
        if method in {"setdefault", "pop"}:
            return [_text(node.args[0]) if node.args else None]
        return [] if method in _KNOWN else [None]
    if isinstance(node, ast.AugAssign) and _is_environ(node.target):
        return [None]
    return []


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_environ(node: ast.AST) -> bool:
    return ast.unparse(node) in {"os.environ", "environ"}


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _root(node: ast.AST) -> str:
    """The first name of `name.of.something`."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _asks_for_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in _MAIN
