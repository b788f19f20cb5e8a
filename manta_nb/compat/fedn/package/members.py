"""The files of a package while they are read, looked at with suspicion: nothing is written before all was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO, Literal

from manta_nb.compat.fedn.package.layout import clean
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["Gathering", "Limits", "Member", "leads_to"]

_CHUNK = 1 << 20
#: a path that meets more links than this goes round in circles
_MOST_LINKS = 40


@dataclass(frozen=True)
class Limits:
    """What a package may be at most."""

    #: files, links and folders
    members: int = 10_000
    #: bytes of all files together, unpacked
    nbytes: int = 2 * 2**30


@dataclass(frozen=True)
class Member:
    """A file, a symbolic link or a folder."""

    kind: Literal["file", "link", "folder"]
    #: the bytes of a file
    data: bytes = b""
    #: where a link points, as it is written
    target: str = ""
    executable: bool = False


class Gathering:
    """Takes members one by one, as an archive has them, and refuses what no package may have.

    Args:
        of: what the archive is called in errors.
        limits: how many and how much.
    """

    def __init__(self, of: str, limits: Limits) -> None:
        self.of = of
        #: clean path → member; of two with the same name the later one counts, as with tar
        self.members: dict[str, Member] = {}
        self._limits = limits
        self._seen = self._nbytes = 0

    def folder(self, name: str) -> None:
        """A folder; the top itself is none."""
        if path := self._path(name):
            self.members.setdefault(path, Member("folder"))

    def file(self, name: str, stream: IO[bytes], size: int, executable: bool) -> None:
        """A file; `size` is what the archive says, and not believed."""
        path = self._path(name)
        if not path:
            raise PackageError(f"{self.of} is refused: it has a file without a name")
        self._make_room(size)
        # of two with the same name both count: an archive may not hide its size
        self.members[path] = Member("file", self._read(stream), executable=executable)

    def mark_scripts(self, name: str) -> None:
        """The file is executable if it begins with `#!`."""
        path = clean(name, self.of)
        member = self.members[path]
        self.members[path] = replace(member, executable=member.data.startswith(b"#!"))

    def hard_link(self, name: str, target: str) -> None:
        """Another name of a file that came before."""
        path, original = self._path(name), self.members.get(clean(target, self.of))
        if not path or original is None or original.kind != "file":
            raise PackageError(
                f"{self.of} is refused: {_told(name)} is another name of {_told(target)}, which is not in it"
            )
        self._nbytes += len(original.data)
        self._make_room(0)
        self.members[path] = original

    def link(self, name: str, target: str) -> None:
        """A symbolic link; where it leads is looked at in the end, by `checked`."""
        if path := self._path(name):
            self.members[path] = Member("link", target=target)

    def refuse(self, name: str, what: str) -> PackageError:
        """The error for a device, a pipe or whatever else has no place in a package."""
        return PackageError(one_line(f"{self.of} is refused: its member {_told(name)} is {what}"))

    def checked(self) -> dict[str, Member]:
        """All of them, once links are known to stay inside and no file is below another file or a link."""
        for path, member in self.members.items():
            for above in _parents(path):
                if above in self.members and self.members[above].kind != "folder":
                    raise self.refuse(path, f"inside {_told(above)}, which is a {self.members[above].kind}")
            if member.kind == "link" and leads_to(path, self.members) is None:
                raise self.refuse(path, f"a link that leads outside: {_told(member.target)}")
        return self.members

    def _path(self, name: str) -> str:
        self._seen += 1
        if self._seen > self._limits.members:
            raise PackageError(
                f"{self.of} is refused: it has more than {self._limits.members:,} files and folders"
            )
        return clean(name, self.of)

    def _make_room(self, more: int) -> None:
        if more < 0 or self._nbytes + more > self._limits.nbytes:
            raise PackageError(
                f"{self.of} is refused: unpacked it has more than {self._limits.nbytes / 2**20:,.0f} MB; "
                "data goes into a folder of its own, given as data="
            )

    def _read(self, stream: IO[bytes]) -> bytes:
        """Everything in `stream`, as long as there is room."""
        chunks = []
        while chunk := stream.read(_CHUNK):
            self._make_room(len(chunk))
            self._nbytes += len(chunk)
            chunks.append(chunk)
        return b"".join(chunks)


def leads_to(path: str, members: Mapping[str, Member]) -> str | None:
    """What the link at `path` is in the end, following links as a system does; None: something outside, or a circle.

    `..` after a link means the folder above what the link leads to, so that names alone decide nothing.
    """
    ahead, at, met = path.split("/")[::-1], list[str](), 0
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not at:
                return None
            at.pop()
            continue
        at.append(part)
        member = members.get("/".join(at))
        if member is not None and member.kind == "link":
            met += 1
            if (
                met > _MOST_LINKS
                or member.target.startswith("/")
                or "\0" in member.target
                or not member.target
            ):
                return None
            at.pop()
            ahead += member.target.split("/")[::-1]
    return "/".join(at)


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _told(name: str) -> str:
    return shorten(repr(name), 60)
