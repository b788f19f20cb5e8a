"""`%manta modules`: the modules of the notebook, and which cell holds which file."""

from __future__ import annotations

from argparse import Namespace

from manta_nb.errors import UsageError
from manta_nb.render import Card, Shown
from manta_nb.sdk.module import Module
from manta_nb.sdk.names import did_you_mean, listed
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.source import MAIN
from manta_nb.ui.commands.module import Modules, module_source
from manta_nb.ui.notebook import CellModule, Notebook

__all__ = ["modules"]


def modules(notebook: Notebook, options: Namespace) -> Shown:
    """Which file is in which cell; with `--forget`, one module or one file fewer.

    Raises:
        UsageError: there is no such module or file.
    """
    if options.forget is not None:
        return _forget(notebook, options.forget, options.file)
    if options.file is not None:
        raise UsageError(
            one_line(f"--file {options.file} needs the module: --forget NAME --file {options.file}")
        )
    if not notebook.modules:
        return Card("no modules yet", ["a cell that begins with %%module worker --all makes one"])
    return Modules(tuple(entry.module for entry in notebook.modules.values()))


def _forget(notebook: Notebook, name: str, file: str | None) -> Shown:
    entry = notebook.modules.get(name)
    if entry is None:
        known = listed([*notebook.modules]) or "none yet"
        raise UsageError(
            one_line(f"no module {name}{did_you_mean(name, notebook.modules)}; there are: {known}")
        )
    if file is not None and file not in entry.cells:
        raise UsageError(one_line(f"module {name} has no file {file}; it has: {listed([*entry.cells])}"))
    if file is None or [*entry.cells] == [file]:
        return _forget_module(notebook, entry)
    del entry.cells[file]
    if file == MAIN:
        entry.options = {}
    source = module_source(name, entry.cells)
    revision = (entry.module.revision or 1) + 1
    entry.module = Module.of(source, revision=revision, **entry.options)
    object.__setattr__(entry.module, "trial", notebook.try_on)
    notebook.namespace[name] = entry.module
    return Card(f"{file} of module {name} is forgotten", [repr(entry.module)])


def _forget_module(notebook: Notebook, entry: CellModule) -> Card:
    del notebook.modules[entry.name]
    if entry.importer is not None:
        entry.importer.forget()
    if notebook.namespace.get(entry.name) is entry.module:
        del notebook.namespace[entry.name]
    return Card(f"module {entry.name} is forgotten", ["runs that use it go on"])
