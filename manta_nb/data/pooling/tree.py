"""What lies in the data folder of a node, file by file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from manta_nb.errors import DataError
from manta_nb.sdk.names import natural_key, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["files_of"]


def files_of(node: str, folder: Path) -> dict[str, Path]:
    """The files of a node: their paths inside its folder, with `/`, in natural order → where they lie.

    The entries of the folder are its datasets, and may be links to them; a link further down must stay inside its
    dataset. Hidden files are left out, and so is what is neither a file nor a folder.

    Raises:
        DataError: a link leads out, or in a circle, or the folder cannot be read.
    """
    found: dict[str, Path] = {}
    for entry in _entries(folder, node):
        if entry.is_file():
            found[entry.name] = entry
        elif entry.is_dir():
            root = entry.resolve()
            found |= {f"{entry.name}/{name}": path for name, path in _below(node, root, entry.name)}
    return found


def _below(node: str, root: Path, shown: str) -> Iterator[tuple[str, Path]]:
    """The files below a folder that is no link, by their paths from there."""
    open_folders: list[tuple[str, Path, frozenset[Path]]] = [("", root, frozenset({root}))]
    while open_folders:
        prefix, folder, above = open_folders.pop(0)
        for entry in _entries(folder, node):
            name = f"{prefix}{entry.name}"
            real = entry.resolve() if entry.is_symlink() else folder / entry.name
            if not real.is_relative_to(root):
                _refuse(f"{shown}/{name}", node, "is a link that leads out of it")
            if real.is_file():
                yield name, real
            elif real.is_dir():
                if real in above:
                    _refuse(f"{shown}/{name}", node, "is a link to a folder it lies in")
                open_folders.append((f"{name}/", real, above | {real}))


def _entries(folder: Path, node: str) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            entries = [Path(entry.path) for entry in found if not entry.name.startswith(".")]
    except OSError as error:
        told = f"cannot look into {shorten(folder.name, 60)} of {shorten(node, 40)}: {error.strerror}"
        raise DataError(one_line(told)) from error
    return sorted(entries, key=lambda entry: natural_key(entry.name))


def _refuse(name: str, node: str, trouble: str) -> None:
    told = f"{shorten(name, 60)} in the data of {shorten(node, 40)} {trouble}: put the file itself there"
    raise DataError(one_line(told))
