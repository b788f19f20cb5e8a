"""What is said where a store cannot be written or read: one line that names the place and what to do."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from manta_nb.errors import StoreError
from manta_nb.sdk.names import did_you_mean, shorten

__all__ = ["DAMAGED", "check_run_id", "explained", "is_run_id", "no_such_run", "place"]

_RUN_ID: Final = re.compile(r"[0-9a-f]{16}")
#: what SQLite says of a file that is no database, or a broken one
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FREE_IT: Final = "free some space, or set MANTA_HOME to a folder on another disk"
_ELSEWHERE: Final = "set MANTA_HOME to a folder that can be written"


def place(path: str | os.PathLike[str]) -> str:
    """A path as a message shows it."""
    text = os.fspath(path).encode("utf-8", "replace").decode()
    return shorten("".join(char if char.isprintable() else "?" for char in text), 70)


def is_run_id(text: object) -> bool:
    """Whether a run may be called so: 16 hexadecimal digits, so that it is safe as the name of a file."""
    return isinstance(text, str) and _RUN_ID.fullmatch(text) is not None


def check_run_id(text: str) -> str:
    """`text` if it is the id of a run, or `StoreError`."""
    if not is_run_id(text):
        raise StoreError(f"{shorten(ascii(text), 40)} is not the id of a run: that has 16 hexadecimal digits")
    return text


def no_such_run(key: str, where: str, names: Iterable[str] = ()) -> StoreError:
    """There is none; `names` are those of the others."""
    hint = did_you_mean(key, names) or "; `%manta runs` lists them"
    return StoreError(f"there is no run {shorten(ascii(key), 40)} in {shorten(where, 70)}{shorten(hint, 60)}")


@contextmanager
def explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever the system or SQLite raises about `path` becomes a `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_of_sqlite(error, place(path))) from error
    except OSError as error:
        raise StoreError(_of_system(error, place(error.filename or path))) from error
    except OverflowError as error:
        raise StoreError(f"{place(path)} cannot keep a number of more than 64 bits there") from error


def _of_sqlite(error: sqlite3.Error, where: str) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in _BUSY:
        return f"another program holds {where} locked: wait until it is done, or close it, and try again"
    if primary == sqlite3.SQLITE_FULL:
        return f"the disk of {where} is full: {_FREE_IT}"
    if primary in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return f"{where} cannot be written: it is read-only, or not yours; {_ELSEWHERE}"
    if primary in DAMAGED:
        return f"{where} is damaged: start again, which puts it aside and begins a new one"
    if primary == sqlite3.SQLITE_IOERR:
        return f"{where} cannot be written or read: its disk is full, gone or broken; {_FREE_IT}"
    return f"{where} cannot be used: {shorten(str(error), 80)}"


def _of_system(error: OSError, where: str) -> str:
    if error.errno in _FULL:
        return f"the disk is full, or a quota is used up: {where} cannot be written; {_FREE_IT}"
    if error.errno in _REFUSED:
        return f"{where} cannot be written: it is read-only, or not yours; {_ELSEWHERE}"
    return f"{where} cannot be used: {error.strerror or error}"
