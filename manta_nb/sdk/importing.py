"""Importing a module's source text, so that tracebacks show the cell or file and its line.

Used by whatever runs a task, and by a notebook cell that imports the package it defines.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from types import CodeType, ModuleType
from typing import Any

from manta_nb.errors import DefinitionError
from manta_nb.sdk.source import ModuleSource

__all__ = ["SourceImporter", "entry_point", "free_name"]


def free_name(source: ModuleSource) -> str:
    """The name to import `source` under: its own, unless that would hide another package."""
    loaded = sys.modules.get(source.name)
    if loaded is not None:
        mine = getattr(loaded, "__manta_version__", None) is not None
        return source.name if mine else f"{source.name}_{source.version}"
    taken = source.name in sys.stdlib_module_names or importlib.util.find_spec(source.name) is not None
    return f"{source.name}_{source.version}" if taken else source.name


class SourceImporter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the files of one `ModuleSource` as a package called `package`."""

    def __init__(self, source: ModuleSource, package: str | None = None) -> None:
        self.source = source
        self.package = package or free_name(source)
        self._files = self._places()

    def _places(self) -> dict[str, str | None]:
        """Full import name → file; None for a folder without a file of its own."""
        places: dict[str, str | None] = {self.package: None}
        for path in self.source.files:
            parts = list(PurePosixPath(path).with_suffix("").parts)
            if not path.endswith(".py"):
                continue
            if parts[-1] == "__init__":
                parts.pop()
            for depth in range(len(parts)):
                places.setdefault(".".join([self.package, *parts[:depth]]), None)
            places[".".join([self.package, *parts])] = path
        main = PurePosixPath(self.source.main)
        if (
            places[self.package] is None
            and main.parent == PurePosixPath(".")
            and main.stem == self.source.name
        ):
            # a single file is the package itself
            places[self.package] = self.source.main
        return places

    def __enter__(self) -> SourceImporter:
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        self.forget()

    def forget(self) -> None:
        """Stop finding, and drop what was imported."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in [
            name for name in sys.modules if name == self.package or name.startswith(self.package + ".")
        ]:
            del sys.modules[name]

    def entry_module(self) -> ModuleType:
        """Import and return the module that holds the entry."""
        wanted = self.source.entry_file
        names = [name for name, path in self._files.items() if path == wanted]
        return importlib.import_module(min(names, key=len))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if fullname not in self._files:
            return None
        file = self._files[fullname]
        inner = any(name.startswith(fullname + ".") for name in self._files)
        is_package = fullname == self.package or file is None or file.endswith("__init__.py") or inner
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=is_package)
        if file is not None:
            spec.origin = self.file_name(file)
            spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader`."""
        module.__dict__["__manta_version__"] = self.source.version
        file = self._files[module.__name__]
        if file is not None:
            exec(self.code(file), module.__dict__)  # noqa: S102 - running the user's module is the purpose

    def file_name(self, file: str) -> str:
        """What a traceback shows for `file`: the cell or path it came from."""
        return self.source.origins.get(file, f"{self.source.name}/{file}")

    def code(self, file: str) -> CodeType:
        """The compiled file; its lines are known to `linecache`."""
        text, name = self.source.files[file], self.file_name(file)
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        return compile(text, name, "exec", dont_inherit=True)


def entry_point(importer: SourceImporter) -> Callable[[], Any]:
    """What one turn calls: the module's `main`, or its Task's `run` on a new object."""
    source = importer.source
    module = importer.entry_module()
    entry = getattr(module, source.entry_name, None)
    if entry is None:
        raise DefinitionError(f"module {source.name!r} has no {source.entry_name!r} after it was imported")
    if not source.entry_is_class:
        return entry  # type: ignore[no-any-return]

    def run() -> Any:
        __tracebackhide__ = True
        return entry().run()

    return run
