"""A compute package as it comes (folder, `.tgz`, `.tar.gz`, `.tar.bz2`, `.tar`, `.zip`), and as nodes get it.

However it was packed, its files make the same `content`: one tar, in the order of names, without times and owners.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from manta_nb.compat.fedn.package.layout import (
    CLIENT,
    SETTINGS_FILE,
    SPEC_FILES,
    Ignored,
    Root,
    find_root,
    is_clutter,
    missing_spec,
)
from manta_nb.compat.fedn.package.members import Limits, Member, leads_to
from manta_nb.compat.fedn.package.packing import pack, unpack
from manta_nb.compat.fedn.package.reading import read_archive, read_folder, walk
from manta_nb.compat.fedn.package.spec import PackageSpec, parse_spec
from manta_nb.errors import PackageError
from manta_nb.sdk.names import listed, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["Limits", "Package", "read_package", "unpack"]

_LIMITS = Limits()
#: folders below the one given in which a `fedn.yaml` is looked for
_DEPTH = 4
_LARGEST_SETTINGS = 1_000_000
_SUFFIXES = re.compile(r"(\.tar)?\.(tgz|gz|bz2|xz|tar|zip)$", re.IGNORECASE)
_PYTHON_SHEBANG = re.compile(rb"#![^\n]*python")


@dataclass(frozen=True)
class Package:
    """A compute package that was read, and found to be one; `read_package` makes it."""

    #: what its file or project is called: "mnist-pytorch"
    name: str
    #: sha256 hex: of the archive as it was given; of `content` where a folder was
    checksum: str
    #: the files of the package as a canonical tar: the same, however it was packed
    content: bytes
    spec: PackageSpec
    #: the `client_settings.yaml` that was beside it
    settings: bytes | None = None
    #: what a person should know: what was left out, and why
    notes: tuple[str, ...] = ()

    @classmethod
    def from_content(cls, name: str, content: bytes, limits: Limits = _LIMITS) -> Package:
        """The package whose `content` came out of a store, or off a network; raises `PackageError`."""
        return _package(name, read_archive(content, name, limits), _Origin(name, _digest(content)))

    def members(self) -> dict[str, Member]:
        """Path → file, link or empty folder."""
        return read_archive(self.content, self.name, _LIMITS)

    def file(self, path: str) -> bytes | None:
        """The bytes of one file, such as `package.file("python_env.yaml")`; None where there is none."""
        member = self.members().get(path)
        return member.data if member is not None and member.kind == "file" else None

    def sources(self) -> dict[str, str]:
        """Path → text of its Python programs: `*.py`, and files without suffix that a command or `#!` calls so."""
        called = {
            word.removeprefix("./") for command in self.spec.entry_points.values() for word in command.split()
        }
        return {
            path: member.data.decode("utf-8", "replace").removeprefix("\ufeff")
            for path, member in self.members().items()
            if member.kind == "file" and b"\0" not in member.data and _is_source(path, member.data, called)
        }


def read_package(path: Path | str, checksum: str | None = None, limits: Limits = _LIMITS) -> Package:
    """Read a package and look at everything in it before anything of it is used.

    Args:
        path: an archive, the folder with `fedn.yaml`, or a project with that folder in it (`client/` first).
        checksum: sha256 hex that the archive must have.
        limits: how many files, and how large.

    Raises:
        PackageError: there is no such file, it is damaged or not safe to unpack, has no (good) `fedn.yaml`, or its
            checksum is another one.

    Example:
        `read_package("package.tgz").spec.command("train")`
    """
    place = Path(path).expanduser()
    of = shorten(place.name or str(place), 60)
    try:
        package = (
            _from_folder(place, of, limits) if place.is_dir() else _from_file(place, of, checksum, limits)
        )
    except FileNotFoundError as error:
        raise PackageError(
            one_line(f"there is no package at {shorten(str(path), 120)}: give an archive or a folder")
        ) from error
    except OSError as error:
        raise PackageError(one_line(f"{of} cannot be read: {error.strerror or error}")) from error
    _compare(package.checksum, checksum, of)
    return package


@dataclass(frozen=True)
class _Origin:
    """Where members came from."""

    #: in errors
    of: str
    #: "": that of the content
    checksum: str = ""
    settings: bytes | None = None
    notes: tuple[str, ...] = ()


def _from_file(place: Path, of: str, checksum: str | None, limits: Limits) -> Package:
    if place.stat().st_size > limits.nbytes:
        raise PackageError(f"{of} is refused: it has more than {limits.nbytes / 2**20:,.0f} MB")
    data = place.read_bytes()
    digest = _digest(data)
    # before the archive is opened: what is not what was promised is not looked into
    _compare(digest, checksum, of)
    origin = _Origin(of, digest, _settings(place.parent))
    return _package(_SUFFIXES.sub("", place.name) or of, read_archive(data, of, limits), origin)


def _from_folder(place: Path, of: str, limits: Limits) -> Package:
    folder = _locate(place, of)
    members, notes = read_folder(folder, of, limits)
    name = folder.resolve().parent.name if folder.resolve().name == CLIENT else folder.resolve().name
    return _package(name or of, members, _Origin(of, "", _settings(folder.parent), tuple(notes)))


def _locate(place: Path, of: str) -> Path:
    """The folder with `fedn.yaml`: `place`, or the nearest one below it."""
    if any((place / name).is_file() for name in SPEC_FILES):
        return place
    found = [
        path
        for path, entry in walk(place, Ignored(), deepest=_DEPTH)
        if entry.name in SPEC_FILES and entry.is_file()
    ]
    root = find_root(found)
    if root is None:
        raise missing_spec(of, [entry.name for entry in place.iterdir()])
    if root.rivals and Path(root.folder).name != CLIENT:
        raise PackageError(
            one_line(f"{of} has several packages: {listed([root.folder, *root.rivals])}; name one of them")
        )
    return place / root.folder


def _package(name: str, members: Mapping[str, Member], origin: _Origin) -> Package:
    """The package that is somewhere in `members`."""
    root = find_root(
        [path for path, member in members.items() if member.kind == "file" and not is_clutter(path)]
    )
    if root is None:
        raise missing_spec(origin.of, {path.partition("/")[0] for path in members})
    inside = {path: member for full, member in members.items() if (path := root.inside(full))}
    environments = [path.rpartition("/")[0] for path in inside if path.rpartition("/")[2] == "pyvenv.cfg"]
    own = {path: member for path, member in inside.items() if not is_clutter(path, environments)}
    outside = [path for path, member in own.items() if member.kind == "link" and leads_to(path, own) is None]
    notes = [f"left out {shorten(path, 60)}: the link leads out of the package" for path in outside]
    own = {path: member for path, member in own.items() if path not in outside}
    if beside := _names_beside(members, root):
        notes.append(f"left out what is beside {shorten(root.folder, 60)}/: {listed(beside)}")
    if root.rivals:
        notes.append(
            f"of {1 + len(root.rivals)} folders with {root.spec_file}, {shorten(root.folder, 60)}/ is used"
        )
    spec = parse_spec(own[root.spec_file].data.decode("utf-8", "replace"), root.spec_file)
    settings = _data(members, root.beside) if root.folder else None
    content = pack(own)
    return Package(
        name=shorten(name, 100),
        checksum=origin.checksum or _digest(content),
        content=content,
        spec=spec,
        settings=settings or origin.settings or _data(own, SETTINGS_FILE),
        notes=(*origin.notes, *notes),
    )


def _names_beside(members: Mapping[str, Member], root: Root) -> list[str]:
    """What lies beside the folder of the package in its archive, and is no clutter."""
    if not root.folder:
        return []
    top = root.folder.rpartition("/")[0]
    others = {path.removeprefix(f"{top}/").partition("/")[0] for path in members if path.startswith(top)}
    return sorted(
        name for name in others - {root.folder.rpartition("/")[2], SETTINGS_FILE, ""} if not is_clutter(name)
    )


def _data(members: Mapping[str, Member], path: str) -> bytes | None:
    member = members.get(path)
    return member.data if member is not None and member.kind == "file" else None


def _settings(folder: Path) -> bytes | None:
    """The `client_settings.yaml` in `folder`."""
    file = folder / SETTINGS_FILE
    return file.read_bytes() if file.is_file() and file.stat().st_size <= _LARGEST_SETTINGS else None


def _is_source(path: str, data: bytes, called: set[str]) -> bool:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix:
        return suffix in {".py", ".pyw"}
    return path in called or bool(_PYTHON_SHEBANG.match(data))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _compare(found: str, asked: str | None, of: str) -> None:
    if asked is not None and (wanted := asked.strip().lower().removeprefix("sha256:")) != found:
        raise PackageError(
            one_line(
                f"the checksum of {of} is {found[:16]}…, not {shorten(wanted, 17)}: it is not the package it should be"
            )
        )
