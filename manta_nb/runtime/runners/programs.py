"""The modules a process has imported: each version once, and those of one name one at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, TracebackType
from typing import Any

from manta_nb.runtime.runners.request import SharedRequest
from manta_nb.sdk.importing import SourceImporter, entry_point, free_name
from manta_nb.sdk.source import ModuleSource

__all__ = ["Programs"]


@dataclass
class _Program:
    """One version of a module: what finds it, and what came of its import."""

    importer: SourceImporter
    entry: Callable[[], Any] | None = None
    error: BaseException | None = None
    traceback: TracebackType | None = None
    #: its imported modules while another version has their names
    aside: dict[str, ModuleType] = field(default_factory=dict)

    def sleep(self) -> None:
        """Give up the names in `sys.modules`."""
        if self.importer in sys.meta_path:
            sys.meta_path.remove(self.importer)
        package = self.importer.package
        names = [name for name in sys.modules if name == package or name.startswith(f"{package}.")]
        self.aside = {name: sys.modules.pop(name) for name in names}

    def wake(self) -> None:
        """Take them again: what a function imports when it is called has to be of its own version."""
        sys.meta_path.insert(0, self.importer)
        sys.modules.update(self.aside)
        self.aside = {}


class Programs:
    """What requests run, imported when it is first needed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Program] = {}
        #: name → the version that has it now
        self._awake: dict[str, _Program] = {}

    def get(self, request: SharedRequest) -> Callable[[], Any]:
        """The entry of the request's module; raises again what its import raised."""
        source = request.source
        program = self._known.get((source.name, source.version))
        if program is None:
            program = self._import(source)
        elif self._awake[source.name] is not program:
            self._awake[source.name].sleep()
            program.wake()
            self._awake[source.name] = program
        if program.error is not None:
            # with the traceback of the import, which would grow with every node
            raise program.error.with_traceback(program.traceback)
        if program.entry is None:
            raise RuntimeError(f"module {source.name!r} was imported without an entry")
        return program.entry

    def _import(self, source: ModuleSource) -> _Program:
        if source.name in self._awake:
            self._awake[source.name].sleep()
        name = free_name(source)
        # somebody else's in this process, such as another worker's that runs tasks inline
        taken = name in sys.modules
        program = _Program(SourceImporter(source, f"{source.name}_{source.version}" if taken else name))
        program.wake()
        self._known[source.name, source.version] = self._awake[source.name] = program
        try:
            program.entry = entry_point(program.importer)
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - a user's top-level code
            program.error, program.traceback = error, error.__traceback__
        except BaseException:
            program.importer.forget()
            del self._known[source.name, source.version], self._awake[source.name]
            raise
        return program

    def forget(self) -> None:
        """Drop all imported modules."""
        for program in self._known.values():
            program.importer.forget()
            program.aside = {}
        self._known, self._awake = {}, {}
