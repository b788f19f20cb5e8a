"""`%%module`: one file of a module's package."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from manta_nb.errors import UsageError
from manta_nb.render import Shown
from manta_nb.sdk.module import Module
from manta_nb.sdk.parse import dotted_name, one_line
from manta_nb.sdk.source import MAIN, ModuleSource, source_from_text
from manta_nb.ui.cells import Cell, CellImporter, Refusal, current_cell
from manta_nb.ui.check import check_names
from manta_nb.ui.notebook import CellModule, Notebook

__all__ = ["Modules", "define_module", "module_source"]


@dataclass(frozen=True, repr=False)
class Modules(Shown):
    """Several module cards, one under the other."""

    modules: tuple[Module, ...]

    def __str__(self) -> str:
        return "\n".join(map(repr, self.modules))

    def _repr_html_(self) -> str:
        return "".join(module._repr_html_() for module in self.modules)


def define_module(notebook: Notebook, options: Namespace, body: str) -> Module | Modules:
    """Define or change the modules named on the line by the text of the cell.

    Raises:
        DefinitionError: the text could not run on a node; an earlier version stays.
        UsageError: options that do not go together.
    """
    __tracebackhide__ = True
    cell = current_cell(notebook.shell, body)
    notebook.traces.ran(cell)
    try:
        return _defined(notebook, options, cell)
    except BaseException as error:
        for entry in filter(None, map(notebook.modules.get, options.name)):
            entry.refused = Refusal(cell, one_line(f"{error}" or type(error).__name__))
        raise


def _defined(notebook: Notebook, options: Namespace, cell: Cell) -> Module | Modules:
    __tracebackhide__ = True
    file = _file(options)
    check_names(cell.text, cell.label, notebook.namespace)
    entries = [_changed(notebook.modules.get(name), name, file, cell, options) for name in options.name]
    notes = []
    for entry in entries:
        object.__setattr__(entry.module, "trial", notebook.try_on)
        notes += _run_here(notebook, entry, file) if not options.no_local else []
    for entry in entries:
        notebook.modules[entry.name] = entry
        notebook.bind(entry.name, entry.module, "module")
    notebook.say(*dict.fromkeys(notes))
    modules = tuple(entry.module for entry in entries)
    return modules[0] if len(modules) == 1 else Modules(modules)


def _file(options: Namespace) -> str:
    if options.file is None:
        if len(options.name) > 1:
            names = ",".join(options.name)
            raise UsageError(
                one_line(f"%%module {names}: two modules share a file only: add --file model.py")
            )
        return MAIN
    if others := sorted(options.given - {"NAME", "--file"}):
        raise UsageError(
            f"--file takes no other option, got {others[0]}: options belong to the main cell, without --file"
        )
    if not options.file.endswith(".py"):
        raise UsageError(
            one_line(f"--file must be the name of a Python file such as model.py, got {options.file}")
        )
    return str(options.file)


def _changed(before: CellModule | None, name: str, file: str, cell: Cell, options: Namespace) -> CellModule:
    """The module with this file in place of the earlier one; checked, not yet in use."""
    cells = {**(before.cells if before else {}), file: cell}
    source = module_source(name, cells)
    revision = 1
    if before is not None:
        revision = before.module.revision or 1
        revision += source.version != before.module.source.version
    settings = _module_options(options) if file == MAIN else (before.options if before else {})
    module = Module.of(source, revision=revision, **settings)
    return CellModule(name, cells, settings, module, before.importer if before else None)


def module_source(name: str, cells: Mapping[str, Cell]) -> ModuleSource:
    """The package that these cells are the files of."""
    main = cells[MAIN].text if MAIN in cells else None
    others = {path: cell.text for path, cell in cells.items() if path != MAIN}
    labels = {path: cell.label for path, cell in cells.items()}
    return source_from_text(main, name, others, labels, complete=main is not None)


def _module_options(options: Namespace) -> dict[str, Any]:
    given = vars(options)
    return {
        "method": "all" if options.all else "any",
        "maximum": options.maximum,
        "fixed": options.fixed,
        "specified_ids": options.nodes,
        "excepted_ids": given["except"],
        "datasets": options.needs,
        "min_nodes": options.min_nodes,
        "retries": options.retries,
        "timeout": options.timeout,
    }


def _run_here(notebook: Notebook, entry: CellModule, file: str) -> list[str]:
    """Import the package as an ordinary cell would run, and bind its public names; returns notes."""
    __tracebackhide__ = True
    if entry.module.usage.missing:
        return [f"not run here yet: {entry.module.usage.missing[0]}"]
    before = entry.importer
    if before is not None:
        before.forget()
    numbers = {path: cell.number for path, cell in entry.cells.items()}
    importer = CellImporter(entry.module.source, notebook.shell, numbers)
    sys.meta_path.insert(0, importer)
    try:
        imported = importlib.import_module(dotted_name(importer.package, file))
    except ImportError as error:
        importer.forget()
        return [
            one_line(
                f"{entry.name} is kept but cannot be imported here: {error}; it runs where that is installed"
            )
        ]
    except BaseException as error:  # noqa: BLE001 - the user's code, which may raise anything
        importer.forget()
        if before is not None:
            sys.meta_path.insert(0, before)
        raise _from_cell(error, entry, notebook) from None
    entry.importer = importer
    _bind_names(notebook, entry, imported)
    return []


def _bind_names(notebook: Notebook, entry: CellModule, imported: ModuleType) -> None:
    public = {
        name: value for name, value in vars(imported).items() if not name.startswith("_") and name != "main"
    }
    public.pop(entry.name, None)
    for path in entry.cells:
        # `worker.model` is an attribute of the package `worker`; it is no name that the cell defines.
        inner = public.get(path.removesuffix(".py"))
        if isinstance(inner, ModuleType) and inner.__name__.startswith(f"{imported.__name__}."):
            del public[path.removesuffix(".py")]
    notebook.namespace.update(public)


def _from_cell(error: BaseException, entry: CellModule, notebook: Notebook) -> BaseException:
    """`error` with the frames of the import machinery cut off, so that its traceback starts in the cell."""
    files = {
        notebook.shell.compile.get_code_name(cell.text, cell.text, cell.number)
        for cell in entry.cells.values()
    }
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename not in files:
        trace = trace.tb_next
    return error.with_traceback(trace) if trace is not None else error
