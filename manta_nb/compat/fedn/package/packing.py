"""The files of a package as one canonical tar, and written to a folder."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from manta_nb.compat.fedn.package.members import Limits, Member
from manta_nb.compat.fedn.package.reading import read_archive
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["pack", "unpack"]

_LIMITS = Limits()


def pack(members: Mapping[str, Member]) -> bytes:
    """A tar of `members` in the order of names, without times and owners; of folders only the empty ones."""
    stream = io.BytesIO()
    # a folder that holds something is known by what it holds, and some archives name no folders
    needed = {path.rpartition("/")[0] for path in members}
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        for path in sorted(members):
            member = members[path]
            if member.kind != "folder" or not _holds(path, needed):
                archive.addfile(_header(path, member), io.BytesIO(member.data))
    return stream.getvalue()


def unpack(content: bytes, folder: Path, limits: Limits = _LIMITS) -> None:
    """Write the files of a package into `folder`, which is made, or is empty.

    Raises:
        PackageError: something in `content` has no place in a package (nothing is written then), or writing failed.
    """
    members = read_archive(content, "the package", limits)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise PackageError(
                one_line(f"{shorten(str(folder), 100)} is not empty: a package goes into a new folder")
            )
        # links come last: nothing is ever written through one
        for path, member in sorted(members.items(), key=lambda item: item[1].kind == "link"):
            _write(folder / path, member)
    except OSError as error:
        raise PackageError(one_line(f"the package cannot be unpacked: {error.strerror or error}")) from error


def _holds(folder: str, needed: set[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for path in needed)


def _header(path: str, member: Member) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.type = {"file": tarfile.REGTYPE, "link": tarfile.SYMTYPE, "folder": tarfile.DIRTYPE}[member.kind]
    header.mode = 0o755 if member.executable or member.kind == "folder" else 0o644
    header.linkname = member.target
    header.size = len(member.data)
    return header


def _write(path: Path, member: Member) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.kind == "folder":
        path.mkdir(exist_ok=True)
    elif member.kind == "link":
        path.symlink_to(member.target)
    else:
        # what may be read, written and run by others is for the umask to say
        mode = 0o777 if member.executable else 0o666
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
        with open(descriptor, "wb") as stream:
            stream.write(member.data)
