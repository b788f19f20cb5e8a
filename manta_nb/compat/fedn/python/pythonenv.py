"""The Python of a package: what it asks for, and what of that a node has (`ambient`) or gets (`venv`)."""

from __future__ import annotations

import sys
from pathlib import Path

from manta_nb.compat.fedn.package.archive import Package
from manta_nb.compat.fedn.python.imports import missing_imports, missing_in_tail
from manta_nb.compat.fedn.python.requirements import PythonEnv, check, parse_python_env
from manta_nb.compat.fedn.python.venvs import build
from manta_nb.sdk.names import shorten

__all__ = [
    "PythonEnv",
    "build",
    "check",
    "look_at_python",
    "missing_imports",
    "missing_in_tail",
    "parse_python_env",
    "read_environment",
]


def read_environment(folder: Path, file_name: str | None) -> PythonEnv | None:
    """What a package in `folder` asks for; None where its `fedn.yaml` names no file for that, or one it has not.

    Raises:
        PackageError: see `parse_python_env`.
    """
    if file_name is None:
        return None
    file = (folder / file_name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    return parse_python_env(file.read_text(encoding="utf-8", errors="replace"), file_name)


def look_at_python(package: Package, interpreter: str = sys.executable) -> list[str]:
    """A line for whatever a package asks for or imports, and the Python of the node does not have."""
    notes = []
    wanted = package.spec.python_env
    if wanted is not None:
        data = package.file(wanted)
        if data is None:
            notes.append(
                f"{package.spec.file_name} names {shorten(wanted, 60)}, which the package does not have"
            )
        else:
            notes += check(parse_python_env(data.decode("utf-8", "replace"), wanted), interpreter)
    if interpreter == sys.executable:
        called = [word for command in package.spec.entry_points.values() for word in command.split()]
        notes += missing_imports(package.sources(), called)
    return notes
