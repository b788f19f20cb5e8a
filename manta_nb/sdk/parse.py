"""One Python file as text: its place, its syntax, its top-level names and imports. Nothing is executed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from manta_nb.errors import DefinitionError

__all__ = [
    "Function",
    "SourceFile",
    "class_function",
    "constants",
    "dotted_name",
    "imported_module",
    "in_order",
    "one_line",
    "parse_file",
    "parse_text",
    "place",
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class SourceFile:
    """One Python file of a package, parsed."""

    #: relative posix path, such as "model.py"
    path: str
    #: what a traceback shows for it, such as "Cell In[3]"
    origin: str
    #: name it is imported under, such as "worker.model"
    dotted: str
    #: name of the package its relative imports start from
    home: str
    tree: ast.Module
    #: top-level name → dotted name of what was imported under it
    imports: Mapping[str, str]
    #: dotted names of the modules it imports everything from
    stars: tuple[str, ...]
    classes: Mapping[str, ast.ClassDef]
    functions: Mapping[str, Function]
    #: names it assigns at its top level
    assigned: frozenset[str]


def parse_file(package: str, path: str, text: str, origin: str) -> SourceFile:
    """One file of a package, parsed; a syntax error is a `DefinitionError` with place and text."""
    tree = parse_text(text, origin)
    dotted = dotted_name(package, path)
    home = dotted if PurePosixPath(path).name == "__init__.py" else dotted.rpartition(".")[0]
    statements = list(_statements(tree.body))
    imports: dict[str, str] = {}
    stars: list[str] = []
    for statement in statements:
        if isinstance(statement, ast.Import):
            imports.update(_plain_imports(statement))
        elif isinstance(statement, ast.ImportFrom):
            module = imported_module(home, statement)
            names = {alias.asname or alias.name: f"{module}.{alias.name}" for alias in statement.names}
            stars += [module] if names.pop("*", "") else []
            imports.update(names)
    return SourceFile(
        path=path,
        origin=origin,
        dotted=dotted,
        home=home,
        tree=tree,
        imports=imports,
        stars=tuple(stars),
        classes={item.name: item for item in statements if isinstance(item, ast.ClassDef)},
        functions={item.name: item for item in statements if isinstance(item, Function)},
        assigned=frozenset(_assigned(statements)),
    )


def dotted_name(package: str, path: str) -> str:
    """The name a file is imported under: `model.py` of package worker is `worker.model`."""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imported_module(home: str, node: ast.ImportFrom) -> str:
    """The absolute dotted name of the module a `from … import` in package `home` reads."""
    if not node.level:
        return node.module or ""
    parts = home.split(".")
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def parse_text(text: str, origin: str) -> ast.Module:
    """The syntax tree of Python text, or a `DefinitionError` that names the line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            # ast alone lets a `return` outside a function pass.
            compile(text, origin, "exec", dont_inherit=True)
            return ast.parse(text, origin)
    except SyntaxError as error:
        line = error.lineno or 1
        lines = text.splitlines()
        wrong = lines[line - 1].strip() if line <= len(lines) else ""
        hint = "a module is plain Python, no % or ! lines" if wrong[:1] in ("%", "!") else ""
        message = ": ".join(part for part in (place(origin, line), error.msg, hint, wrong) if part)
        raise DefinitionError(one_line(message)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise DefinitionError(one_line(f"{origin} is not Python text: {error}")) from None


def place(origin: str, line: int) -> str:
    """`Cell In[3], line 4`."""
    return f"{origin}, line {line}"


def one_line(text: str) -> str:
    """`text` on one line of at most 200 characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"


def class_function(node: ast.ClassDef, name: str) -> Function | None:
    """The last method of that name a class body defines."""
    found = [item for item in _statements(node.body) if isinstance(item, Function) and item.name == name]
    return found[-1] if found else None


def in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, in the order of the text (ast.walk goes level by level)."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(list(ast.iter_child_nodes(node)))


def constants(tree: ast.Module) -> Mapping[str, str]:
    """The names that stand for one text in the whole file."""
    texts: dict[str, str] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                texts[name] = text
    bound = [
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    ]
    bound += [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    return {name: text for name, text in texts.items() if bound.count(name) == 1}


def _plain_imports(node: ast.Import) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        root = alias.name.partition(".")[0]
        yield (alias.asname, alias.name) if alias.asname else (root, root)


def _assigned(statements: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
            targets = [statement.target]
        for target in targets:
            yield from (item.id for item in ast.walk(target) if isinstance(item, ast.Name))


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of one scope, those inside `if`, `try` and `with` included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.With | ast.Try):
            yield from _statements(statement.body)
        if isinstance(statement, ast.If | ast.Try):
            yield from _statements(statement.orelse)
        if isinstance(statement, ast.Try):
            for handler in statement.handlers:
                yield from _statements(handler.body)
            yield from _statements(statement.finalbody)
