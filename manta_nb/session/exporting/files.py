"""Files that are there as a whole or not at all: written beside their place, then put there."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from manta_nb.engine.wording import one_line
from manta_nb.errors import StoreError, UsageError
from manta_nb.render import plain
from manta_nb.sdk.names import shorten

__all__ = ["check_place", "named", "replacing"]


def named(path: Path) -> str:
    """A path as an error shows it."""
    return shorten(plain(path), 80)


def check_place(path: Path) -> None:
    """Refuse a path at which no file can be made: its folder is not there, or it is a folder.

    Raises:
        UsageError: one line that says which.
    """
    try:
        there, folder = path.parent.is_dir(), path.is_dir()
    except OSError as error:
        raise _unwritable(path, error) from error
    if not there:
        raise UsageError(
            one_line(f"there is no folder {named(path.parent)} for {named(Path(path.name))}: make it first")
        )
    if folder:
        raise UsageError(one_line(f"{named(path)} is a folder: give the name of a file"))


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(one_line(f"cannot write {named(path)}: {error.strerror or error}; give another place"))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write; it takes the place of `path` when the block ends, and is gone where the block fails.

    Raises:
        StoreError: it cannot be written; what was at `path` stays.
    """
    check_place(path)
    # beside its place: a rename is one step only within a file system. A long name leaves no room for more
    beside = path.with_name(f".{path.name[:60]}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        beside.unlink(missing_ok=True)
