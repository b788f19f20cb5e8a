"""Reads a module's folder: its Python files and the small texts beside them, and nothing from elsewhere."""

from __future__ import annotations

import os
import tokenize
from collections.abc import Iterator
from pathlib import Path

from manta_nb.errors import DefinitionError
from manta_nb.sdk.parse import one_line

__all__ = ["read_folder", "read_python"]

#: bytes of one file; a larger text that is not Python stays behind
LARGEST_FILE = 1_000_000
#: bytes of all files of a module: code travels with every run
LARGEST_FOLDER = 8_000_000


def read_python(path: Path, shown: str) -> str:
    """The text of a Python file, decoded as Python would; `shown` is its name in an error."""
    if path.suffix != ".py":
        raise DefinitionError(one_line(f"{shown} is not a Python file: give a .py file or a folder"))
    if path.stat().st_size > LARGEST_FILE:
        raise DefinitionError(
            one_line(f"{shown} is larger than 1 MB: a module is code, data belongs on the nodes")
        )
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise DefinitionError(one_line(f"{shown} cannot be read: {error}")) from error


def read_folder(folder: Path, shown: str) -> dict[str, str]:
    """`{relative posix path: text}` of a folder, hidden files and `__pycache__` left out.

    Raises:
        DefinitionError: a Python file cannot be read or is a link that leads out, or all is over 8 MB.
    """
    texts: dict[str, str] = {}
    total = 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        inside = path.resolve().is_relative_to(folder.resolve())
        if not inside and path.suffix == ".py":
            raise DefinitionError(
                one_line(f"{shown}/{name} is a link that leads out of the module: copy it there")
            )
        text = (
            read_python(path, f"{shown}/{name}")
            if path.suffix == ".py"
            else _small_text(path)
            if inside
            else None
        )
        if text is not None:
            texts[name] = text
            total += len(text)
        if total > LARGEST_FOLDER:
            raise DefinitionError(
                one_line(f"{shown} holds more than 8 MB of text: keep data out of a module")
            )
    if not any(name.endswith(".py") for name in texts):
        raise DefinitionError(
            one_line(f"{shown} holds no Python file: a module is a .py file or a folder of them")
        )
    return texts


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        yield from (
            path
            for name in sorted(names)
            if not name.startswith(".") and (path := Path(parent, name)).is_file()
        )


def _small_text(path: Path) -> str | None:
    if path.stat().st_size > LARGEST_FILE:
        return None
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if "\0" in text else text
