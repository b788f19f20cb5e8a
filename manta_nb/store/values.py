"""Big values as files, each named by the sha256 of its bytes: written whole or not at all."""

from __future__ import annotations

import mmap
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from manta_nb.errors import StoreError
from manta_nb.store.wording import explained, place

__all__ = ["ValueFiles"]

_NAME: Final = re.compile(r"[0-9a-f]{64}")
_TEMPORARY: Final = ".tmp"
#: bytes in one call of the system, which takes 2 GB at the most
_PIECE: Final = 1 << 28
#: what the system writes past its cache has to be a multiple of this, and to begin at one
_BLOCK: Final = 4096
_DIRECT: Final[int | None] = getattr(os, "O_DIRECT", None)
#: seconds after which a file that nobody names is no longer one that somebody is just writing
_STRAY_AFTER: Final = 600.0


class ValueFiles:
    """The files of `values/`: `ab/ab12…`, where the name is the hash. Knows nothing of what they mean."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: folders that are known to be on disk
        self._made: set[Path] = set()

    def write(self, data: memoryview) -> str:
        """Write `data`, on disk when this returns; returns its hash. Other threads go on meanwhile."""
        name = sha256(data).hexdigest()
        path = self.path(name)
        temporary = path.with_name(f"{name}.{secrets.token_hex(4)}{_TEMPORARY}")
        with explained(path):
            try:
                self._make(path.parent)
                _write(temporary, data)
                temporary.replace(path)
            except BaseException:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise
            _sync(path.parent)
        return name

    def read(self, name: str, nbytes: int) -> memoryview:
        """The bytes of a file, mapped and not checked: they come from disk as they are looked at."""
        path = self.path(name)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size != nbytes:
                    raise StoreError(f"{place(path)} is damaged: it has {size} bytes instead of {nbytes}")
                return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
        except FileNotFoundError as error:
            raise StoreError(f"{place(path)} is gone: a value of a run was in it") from error
        except OSError as error:
            raise StoreError(f"{place(path)} cannot be read: {error.strerror}") from error

    def path(self, name: str) -> Path:
        """Where the file of this hash is."""
        if not _NAME.fullmatch(name):
            raise StoreError("a record in the store is damaged: it names a file that cannot be one")
        return self._folder / name[:2] / name

    def exist(self, names: Iterable[str]) -> bool:
        """Whether all of these are there."""
        return all(self.path(name).is_file() for name in names)

    def remove(self, names: Iterable[str]) -> None:
        """Remove these; one that cannot be removed now is a stray later."""
        for name in names:
            with suppress(OSError):
                self.path(name).unlink(missing_ok=True)

    def strays(self) -> list[Path]:
        """Old files: what a killed process may have left. Those of values that are in use are among them."""
        before = time.time() - _STRAY_AFTER
        return [path for path, status in self._files() if status.st_mtime < before]

    def nbytes(self) -> int:
        """Bytes of all files."""
        return sum(status.st_size for _, status in self._files())

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            name = path.name.split(".")[0]
            if _NAME.fullmatch(name) and (path.name == name or path.suffix == _TEMPORARY):
                with suppress(OSError):
                    yield path, path.stat()

    def _make(self, folder: Path) -> None:
        if folder in self._made and folder.is_dir():
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(folder.parent)
        self._made.add(folder)


def _write(path: Path, data: memoryview) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        written = _write_past_cache(path, data)
        os.lseek(descriptor, written, os.SEEK_SET)
        while written < len(data):
            written += os.write(descriptor, data[written : written + _PIECE])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_past_cache(path: Path, data: memoryview) -> int:
    """Write whole blocks from memory straight to disk; returns how many bytes that were.

    The system's cache would take as much memory again, and on a virtual machine fresh memory costs more than the
    disk. Where the file system, or the place of `data` in memory, does not allow it, nothing is written.
    """
    whole = len(data) // _BLOCK * _BLOCK
    if not whole or _DIRECT is None:
        return 0
    written = 0
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | _DIRECT)
        try:
            while written < whole:
                written += os.write(descriptor, data[written : min(whole, written + _PIECE)])
        finally:
            os.close(descriptor)
    return written


def _sync(folder: Path) -> None:
    """What happened in a folder is on disk; where folders cannot be synced, the system does it itself."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
