"""The members of a `.tgz`, `.tar.gz`, `.tar.bz2`, `.tar` or `.zip`, told apart by what they hold, and of a folder."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from manta_nb.compat.fedn.package.layout import IGNORE_FILES, Ignored, is_clutter
from manta_nb.compat.fedn.package.members import Gathering, Limits, Member, leads_to
from manta_nb.errors import PackageError
from manta_nb.sdk.parse import one_line

__all__ = ["read_archive", "read_folder", "walk"]

_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
#: of a tar with so many bytes of headers more than its files have, something is wrong
_HEADERS = 64 * 2**20
_LONGEST_TARGET = 4096


def read_archive(data: bytes, of: str, limits: Limits) -> dict[str, Member]:
    """Path → member of everything in an archive.

    Args:
        data: the archive.
        of: what it is called in errors.
        limits: see `Limits`.

    Raises:
        PackageError: it is none of the archives above, is damaged, or has what no package may have.
    """
    found = Gathering(of, limits)
    try:
        if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            _read_zip(data, found)
        else:
            _read_tar(data, found, limits)
        return found.checked()
    except _DAMAGED as error:
        raise PackageError(
            one_line(
                f"{of} cannot be read as .tgz, .tar.gz, .tar.bz2, .tar or .zip: {error or type(error).__name__}"
            )
        ) from error


def read_folder(folder: Path, of: str, limits: Limits) -> tuple[dict[str, Member], list[str]]:
    """Path → member of what belongs to the package in `folder`, and a note for each link that was left out."""
    ignored = Ignored(_ignore_text(folder))
    found = Gathering(of, limits)
    for path, entry in walk(folder, ignored):
        status = entry.lstat()
        if stat.S_ISLNK(status.st_mode):
            found.link(path, os.readlink(entry))
        elif stat.S_ISDIR(status.st_mode):
            found.folder(path)
        elif stat.S_ISREG(status.st_mode):
            with entry.open("rb") as stream:
                found.file(path, stream, status.st_size, bool(status.st_mode & 0o111))
    outside = [p for p, m in found.members.items() if m.kind == "link" and leads_to(p, found.members) is None]
    notes = [f"left out {path}: the link leads out of the package" for path in outside]
    for path in outside:
        del found.members[path]
    return found.checked(), notes


def walk(folder: Path, ignored: Ignored, deepest: int = 100, below: str = "") -> Iterator[tuple[str, Path]]:
    """The files, links and folders of a package's folder, without what tools leave in it, in the order of names."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{below}{entry.name}"
        real_folder = entry.is_dir() and not entry.is_symlink()
        if is_clutter(path) or ignored(path) or (real_folder and (entry / "pyvenv.cfg").exists()):
            continue
        yield path, entry
        if real_folder and deepest:
            yield from walk(entry, ignored, deepest - 1, f"{path}/")


def _ignore_text(folder: Path) -> str:
    files = [folder / name for name in IGNORE_FILES]
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file())


def _read_tar(data: bytes, found: Gathering, limits: Limits) -> None:
    stream = cast("IO[bytes]", _Bounded(_plain(data), limits.nbytes + _HEADERS, found.of))
    # as a stream: nothing is skipped unread, and nothing is read twice
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8") as archive:
        for member in archive:
            if member.isfile():
                content = archive.extractfile(member) or io.BytesIO()
                found.file(member.name, content, member.size, bool(member.mode & 0o111))
            elif member.isdir():
                found.folder(member.name)
            elif member.issym():
                found.link(member.name, member.linkname)
            elif member.islnk():
                found.hard_link(member.name, member.linkname)
            else:
                raise found.refuse(member.name, "a device, a pipe or something else that is no file")


def _plain(data: bytes) -> IO[bytes]:
    """The tar in `data`, whatever it is compressed with."""
    stream = io.BytesIO(data)
    if data.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if data.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.BZ2File(stream))
    if data.startswith(b"\xfd7zXZ\x00"):
        return cast("IO[bytes]", lzma.LZMAFile(stream))
    return stream


class _Bounded:
    """A stream that ends with an error where it turns out longer than it may be: a header can ask for any length."""

    def __init__(self, stream: IO[bytes], most: int, of: str) -> None:
        self._stream, self._left, self._of = stream, most, of

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if 0 <= size <= self._left else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise PackageError(f"{self._of} is refused: unpacked it is too large")
        return data


def _read_zip(data: bytes, found: Gathering) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            name, mode = _zip_name(member), member.external_attr >> 16
            if member.flag_bits & 1:
                raise found.refuse(name, "encrypted")
            if member.is_dir() or name.endswith("/"):
                found.folder(name)
            elif stat.S_ISLNK(mode) and member.file_size < _LONGEST_TARGET:
                found.link(name, archive.read(member).decode("utf-8", "surrogateescape"))
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise found.refuse(name, "a device, a pipe or something else that is no file")
            else:
                with archive.open(member) as content:
                    found.file(name, content, member.file_size, bool(mode & 0o111))
                if not mode:
                    # made where no file can be called executable: what says what runs it, is
                    found.mark_scripts(name)


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: many programs write UTF-8 without saying so, some of Windows write `\\`."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = member.filename
    return name.replace("\\", "/") if member.create_system == 0 and "/" not in name else name
