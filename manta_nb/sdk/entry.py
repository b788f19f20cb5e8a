"""What a node calls: a module's `main()`, or `run` of its one Task class.

In this order: `main` of `__init__.py` · the only file that defines a `main` · the only Task class.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from manta_nb.errors import DefinitionError
from manta_nb.sdk.package import Package
from manta_nb.sdk.parse import Function, SourceFile, one_line, place

__all__ = ["Entry", "find_entry"]

WRITE_ONE = 'write "class Worker(Task):" with a "def run(self):", or a "def main():"'


@dataclass(frozen=True)
class Entry:
    """The one thing of a module that runs: a function `main`, or a Task class."""

    #: path of the file it is defined in
    file: str
    #: "main", or the name of the class
    name: str
    is_class: bool


def find_entry(package: Package, where: str) -> Entry | None:
    """The entry of a package, checked; None where nothing in it looks like a task.

    Args:
        package: the parsed files.
        where: what an error calls the module, such as "module worker".

    Raises:
        DefinitionError: there is more than one candidate, or the one that is there cannot run.
    """
    root = package.root
    if root is not None and _has_main(root):
        return _main_entry(package, root)
    mains = [file for file in package.files.values() if "main" in file.functions]
    if len(mains) == 1:
        return _main_entry(package, mains[0])
    tasks = package.tasks()
    if len(tasks) == 1:
        _check_run(package, *tasks[0])
        return Entry(tasks[0][0].path, tasks[0][1].name, is_class=True)
    candidates = [f"main() ({file.origin})" for file in mains]
    candidates += [f"{node.name} ({place(file.origin, node.lineno)})" for file, node in tasks]
    if candidates:
        raise DefinitionError(
            one_line(
                f"{where} has {len(candidates)} tasks, {', '.join(candidates)}: keep one, or add one main()"
            )
        )
    _check_near_misses(package, where)
    return None


def _has_main(file: SourceFile) -> bool:
    return "main" in file.functions or "main" in file.imports or "main" in file.assigned


def _main_entry(package: Package, file: SourceFile) -> Entry:
    function = file.functions.get("main")
    if function is not None:
        _check_main(file, function)
        for node in ast.walk(function):
            found = package.find_class(f"{file.dotted}.{name}") if (name := _started(node)) else None
            if found is not None and package.is_task(*found):
                _check_run(package, *found)
    return Entry(file.path, "main", is_class=False)


def _started(node: ast.AST) -> str:
    """`Worker` where `node` is `Worker().run()`."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id=name), args=[], keywords=[]), attr="run")
        ):
            return str(name)
    return ""


def _check_main(file: SourceFile, function: Function) -> None:
    where = place(file.origin, function.lineno)
    if isinstance(function, ast.AsyncFunctionDef):
        raise DefinitionError(f'{where}: main is called without await: write "def main():"')
    if required := _required(function):
        raise DefinitionError(
            one_line(f"{where}: main is called without arguments, it asks for {required[0]}")
        )
    if _is_empty(function):
        raise DefinitionError(f'{where}: main is empty: write what the task does, such as "Worker().run()"')


def _check_run(package: Package, file: SourceFile, node: ast.ClassDef) -> None:
    found = package.find_method(file, node, "run")
    if found is None:
        if _assigns_run(node):
            return
        raise DefinitionError(
            one_line(
                f"{place(file.origin, node.lineno)}: {node.name} has no run: "
                f'add "def run(self):" with what the task does'
            )
        )
    file, function = found
    where = f"{place(file.origin, function.lineno)}: run of {node.name}"
    if isinstance(function, ast.AsyncFunctionDef):
        raise DefinitionError(one_line(f'{where} is called without await: write "def run(self):"'))
    if not function.decorator_list:
        _check_self(function, where)
    if _is_empty(function):
        raise DefinitionError(one_line(f"{where} is empty: write what the task does there"))


def _check_self(function: Function, where: str) -> None:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if not positional and arguments.vararg is None:
        raise DefinitionError(one_line(f'{where} has no self: write "def run(self):"'))
    required = _required(function)
    if required and required[0] == positional[0].arg:
        required = required[1:]
    if required:
        raise DefinitionError(
            one_line(f"{where} is called with self only, it asks for {required[0]}: read self.world.globals")
        )


def _required(function: Function) -> list[str]:
    arguments = function.args
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    needed = positional[: len(positional) - len(arguments.defaults)]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return needed + [argument.arg for argument, default in pairs if default is None]


def _is_empty(function: Function) -> bool:
    return all(
        isinstance(item, ast.Pass) or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for item in function.body
    )


def _assigns_run(node: ast.ClassDef) -> bool:
    targets = [target for item in node.body if isinstance(item, ast.Assign) for target in item.targets]
    return any(isinstance(target, ast.Name) and target.id == "run" for target in targets)


def _check_near_misses(package: Package, where: str) -> None:
    """Name the class that was meant to be the task: `Task` not imported, or not written as its base."""
    for file in package.files.values():
        for node in file.classes.values():
            at = place(file.origin, node.lineno)
            if f"{file.dotted}.Task" in package.bases(file, node):
                raise DefinitionError(
                    one_line(
                        f'{at}: Task is not imported in {where}: add "from manta_light.task import Task"'
                    )
                )
            if package.find_method(file, node, "run") and not node.bases:
                raise DefinitionError(
                    one_line(f'{at}: {node.name} has a run but is no Task: write "class {node.name}(Task):"')
                )
