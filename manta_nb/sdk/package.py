"""What the text of a module's package says about itself: who derives from whom. Nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from manta_nb.sdk.parse import (
    Function,
    SourceFile,
    class_function,
    imported_module,
    one_line,
    parse_file,
    place,
)

__all__ = ["Package", "missing_files", "parse_package"]

#: packages whose `Task` is the class a user derives from
TASK_ROOTS = ("manta", "manta_light", "manta_nb")
#: an import that is re-exported through more files than this is taken for a circle
LONGEST_CHAIN = 30


@dataclass(frozen=True)
class Package:
    """All Python files of a module, by the dotted name they are imported under."""

    name: str
    files: Mapping[str, SourceFile]

    @property
    def root(self) -> SourceFile | None:
        """The package's `__init__.py`, if it has one."""
        return self.files.get(self.name)

    def find_class(self, dotted: str) -> tuple[SourceFile, ast.ClassDef] | None:
        """The class of this package with that dotted name, following re-exports."""
        head, _, last = self.resolve(dotted).rpartition(".")
        file = self.files.get(head)
        if file is None or last not in file.classes:
            return None
        return file, file.classes[last]

    def resolve(self, dotted: str, hops: int = LONGEST_CHAIN) -> str:
        """Where a dotted name is really defined: `worker.Base` → `worker.base.Base`."""
        head, _, last = dotted.rpartition(".")
        file = self.files.get(head)
        if file is None or hops == 0 or last in file.classes or last in file.functions:
            return dotted
        if last in file.imports:
            return self.resolve(file.imports[last], hops - 1)
        for star in file.stars:
            if self._offers(star, last):
                return self.resolve(f"{star}.{last}", hops - 1)
        return dotted

    def _offers(self, module: str, name: str) -> bool:
        file = self.files.get(module)
        if file is None:
            # An installed module is not read; the one name that matters here is Task.
            return name == "Task"
        return name in file.classes or name in file.functions or name in file.imports or bool(file.stars)

    def bases(self, file: SourceFile, node: ast.ClassDef) -> list[str]:
        """The resolved dotted names of a class's bases."""
        return [name for base in node.bases if (name := self._dotted(file, base))]

    def _dotted(self, file: SourceFile, node: ast.expr) -> str:
        if isinstance(node, ast.Subscript):
            return self._dotted(file, node.value)
        if isinstance(node, ast.Name):
            return self.resolve(f"{file.dotted}.{node.id}")
        if isinstance(node, ast.Attribute):
            head = self._dotted(file, node.value)
            return self.resolve(f"{head}.{node.attr}") if head else ""
        return ""

    def is_task(self, file: SourceFile, node: ast.ClassDef, hops: int = LONGEST_CHAIN) -> bool:
        """Whether a class derives from `Task`, directly or through classes of this package."""
        for base in self.bases(file, node):
            if base.rpartition(".")[2] == "Task" and self._outside(base):
                return True
            found = self.find_class(base)
            if found is not None and hops and self.is_task(*found, hops - 1):
                return True
        return False

    def _outside(self, dotted: str) -> bool:
        root = dotted.partition(".")[0]
        return root in TASK_ROOTS or (root != self.name and self._imported_by_star(dotted))

    def _imported_by_star(self, dotted: str) -> bool:
        module = dotted.rpartition(".")[0]
        return any(module in file.stars for file in self.files.values())

    def tasks(self) -> list[tuple[SourceFile, ast.ClassDef]]:
        """The Task classes that no other Task class of the package derives from, in order of the files."""
        found = [
            (file, node)
            for file in self.files.values()
            for node in file.classes.values()
            if self.is_task(file, node)
        ]
        parents = {base for file, node in found for base in self.bases(file, node)}
        return [(file, node) for file, node in found if f"{file.dotted}.{node.name}" not in parents]

    def find_method(
        self, file: SourceFile, node: ast.ClassDef, name: str
    ) -> tuple[SourceFile, Function] | None:
        """The method a class defines or inherits inside the package; None where it is not there."""
        queue, seen = [(file, node)], set[int]()
        while queue:
            file, node = queue.pop(0)
            if id(node) in seen:
                continue
            seen.add(id(node))
            function = class_function(node, name)
            if function is not None:
                return file, function
            queue += [found for base in self.bases(file, node) if (found := self.find_class(base))]
        return None


def parse_package(name: str, files: Mapping[str, str], origins: Mapping[str, str]) -> Package:
    """Parse every Python file of a package; a syntax error is one `DefinitionError` with place and text."""
    parsed = [
        parse_file(name, path, text, origins.get(path, path))
        for path, text in files.items()
        if path.endswith(".py")
    ]
    return Package(name, {file.dotted: file for file in parsed})


def missing_files(package: Package) -> Iterator[str]:
    """One line for each relative import of a file that is not there, except those a `try` expects to fail."""
    for file in package.files.values():
        tried = {
            child for node in ast.walk(file.tree) if isinstance(node, ast.Try) for child in ast.walk(node)
        }
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.ImportFrom) or not node.level or node in tried:
                continue
            where = place(file.origin, node.lineno)
            if node.level > len(file.home.split(".")):
                yield one_line(
                    f"{where}: this import leads out of module {package.name}: it has its own files only"
                )
                continue
            for module in _absent(package, file, node):
                path = module.removeprefix(f"{package.name}.").replace(".", "/") + ".py"
                in_cell = file.origin.startswith("Cell ")
                cure = (
                    f"write it in a cell: %%module {package.name} --file {path}"
                    if in_cell
                    else "add it there"
                )
                yield one_line(f"{where}: module {package.name} has no file {path}: {cure}")


def _absent(package: Package, file: SourceFile, node: ast.ImportFrom) -> list[str]:
    """The modules a relative import needs and the package does not have."""
    module = imported_module(file.home, node)
    if module not in package.files and not any(other.startswith(f"{module}.") for other in package.files):
        return [module]
    if node.module is not None and module in package.files:
        return []
    # `from . import model`: a name of that file, or else a file of its own
    root = package.files.get(module)
    if root is not None and root.stars:
        return []
    # That the file says `from . import model` does not make it define one.
    imports = (
        {name for name, target in root.imports.items() if target != f"{module}.{name}"} if root else set()
    )
    known = imports | {*root.classes, *root.functions, *root.assigned} if root else imports
    wanted = [f"{module}.{alias.name}" for alias in node.names if alias.name not in known | {"*"}]
    return [name for name in wanted if not any(f"{other}.".startswith(f"{name}.") for other in package.files)]
