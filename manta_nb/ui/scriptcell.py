"""The text of a `%%swarm_learning` cell: what is wrong with it before it runs anywhere, and the script it becomes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from manta_nb.compat.swarm_learning.folder import Program, read_program
from manta_nb.errors import DefinitionError
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.parse import one_line, parse_text
from manta_nb.ui.check import import_of, undefined_names, usual_import

if TYPE_CHECKING:
    from manta_nb.swarm_learning.preparing import Wishes
    from manta_nb.ui.cells import Cell

__all__ = ["check_script", "program_of"]


def check_script(cell: Cell, namespace: Mapping[str, Any]) -> None:
    """Refuse, before anything runs, what could not run on a node.

    Raises:
        DefinitionError: nothing in it, a syntax error, or a name that it does not define.
    """
    if not cell.text.strip():
        raise DefinitionError(
            f"{cell.label}: there is nothing below the %%swarm_learning line: write the script there"
        )
    parse_text(cell.text, cell.label)
    for name, line in undefined_names(cell.text, cell.label)[:1]:
        raise DefinitionError(one_line(f"{cell.place(line)}: {_cure(name, namespace)}"))


def program_of(cell: Cell, name: str, wishes: Wishes) -> Program:
    """The cell as a script; its lines have the numbers that they have in the cell.

    Raises:
        PackageError: `--model-dir` cannot be used.
    """
    script, text = f"{_free(name)}.py", cell.text.encode()
    if wishes.model_dir is None:
        return Program(script, {script: text})
    data = wishes.data if isinstance(wishes.data, str | Path) else None
    with tempfile.TemporaryDirectory(prefix="manta-nb-cell-") as folder:
        path = Path(folder) / script
        path.write_bytes(text)
        model_dir = Path(wishes.model_dir).expanduser()
        found = read_program(path, model_dir, None if data is None else Path(data).expanduser())
    # an earlier version of it may lie there, too
    return replace(found, files={**found.files, script: text})


def _free(name: str) -> str:
    """A name that hides no module from the script, which stands first on its own path."""
    taken = name in sys.stdlib_module_names or PathFinder.find_spec(name) is not None
    return f"{name}_script" if taken else name


def _cure(name: str, namespace: Mapping[str, Any]) -> str:
    shown = shorten(name, 40)
    value = namespace.get(name)
    if value is None:
        if usual := usual_import(name):
            return f'{shown} is not imported in this script: add "{usual}" here'
        likely = did_you_mean(name, [known for known in namespace if not known.startswith("_")])
        return f"{shown} is not defined in this script{likely}: import it or define it in this cell"
    if found := import_of(name, value):
        return f'{shown} is not imported in this script (in the notebook it is "{found}"): add that line here'
    travels = "nothing of the notebook travels but this text"
    if isinstance(value, type | FunctionType | ModuleType):
        return f"{shown} is of the notebook; {travels}: define it in this cell, or in a file of --model-dir"
    return (
        f"{shown} is a variable of the notebook; {travels}: define it here, "
        f"or --env {shown.upper()}=… and os.environ"
    )
