"""A script with the folder it lies in, as it travels to the nodes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["Program", "read_program"]

#: what no script needs: caches, environments, what earlier runs left
_CLUTTER = frozenset({"__pycache__", "node_modules"})
#: a model directory is a script and what it needs, not a disk
MOST_BYTES = 256 << 20
MOST_FILES = 5_000
#: bytes of a file that may be a configuration; what is larger are data
MOST_CONFIGURATION = 64 << 10
_CODE = (".py", ".sh")
_CONFIGURATION = (".cfg", ".conf", ".ini", ".json", ".toml", ".txt", ".yaml", ".yml")


@dataclass(frozen=True)
class Program:
    """The files of a model directory by path; `script` is the one that is run.

    Example:
        >>> program = read_program(Path("train.py"))
        >>> program.unpack(Path("copy"))
    """

    script: str
    files: Mapping[str, bytes]
    #: paths that may be run
    executable: frozenset[str] = frozenset()
    #: links that were not taken along, as they lead out of the folder, or to folders
    left_out: tuple[str, ...] = ()

    @property
    def checksum(self) -> str:
        """What tells it from another one: sha256 of all its files."""
        digest = hashlib.sha256(self.script.encode())
        for path in sorted(self.files):
            digest.update(f"\0{path}\0{len(self.files[path])}\0".encode())
            digest.update(self.files[path])
        return digest.hexdigest()

    def texts(self) -> Iterator[str]:
        """The text of its Python files, and of those that they may be configured by."""
        for path, data in self.files.items():
            if path.endswith(_CODE) or (path.endswith(_CONFIGURATION) and len(data) <= MOST_CONFIGURATION):
                yield data.decode("utf-8", "replace")

    def as_value(self) -> dict[str, Any]:
        """As a value that can travel."""
        return {"script": self.script, "files": dict(self.files), "executable": sorted(self.executable)}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_value`."""
        return cls(value["script"], value["files"], frozenset(value["executable"]))

    def unpack(self, folder: Path) -> None:
        """Write the files into `folder`, which is made, whole or not at all.

        Raises:
            PackageError: a path leads out of the folder, or writing failed.
        """
        draft = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            for name, data in self.files.items():
                path = draft / _checked(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                if name in self.executable:
                    path.chmod(0o755)
            draft.rename(folder)
        except OSError as error:
            where = shorten(str(folder), 100)
            raise PackageError(
                one_line(f"the script's folder cannot be copied to {where}: {error.strerror}")
            ) from error


def read_program(script: Path, model_dir: Path | None = None, without: Path | None = None) -> Program:
    """A script with the whole folder it lies in.

    Args:
        script: the file that is run.
        model_dir: the folder to take instead; the script lies in it, or is put into it.
        without: a folder that is left out where it lies inside: the data of the nodes.

    Raises:
        PackageError: it is no file, or the folder holds more than a model directory may.
    """
    if not script.is_file():
        raise PackageError(one_line(f"there is no script {shorten(str(script), 120)}: name a .py file"))
    whole = script.resolve()
    root = (model_dir or script.parent).resolve()
    if not root.is_dir():
        raise PackageError(one_line(f"--model-dir {shorten(str(model_dir), 120)} is no folder"))
    name = whole.relative_to(root).as_posix() if whole.is_relative_to(root) else whole.name
    try:
        return _gather(root, whole, name, None if without is None else without.resolve())
    except OSError as error:
        what = shorten(str(error.filename or root), 110)
        raise PackageError(one_line(f"{what} cannot be read: {error.strerror or error}")) from error


def _gather(root: Path, script: Path, name: str, without: Path | None) -> Program:
    files, executable, size = {name: script.read_bytes()}, set(), 0
    left_out: list[str] = []
    for path in _walk(root, without, left_out):
        relative = path.relative_to(root).as_posix()
        size += path.stat().st_size
        if size > MOST_BYTES or len(files) > MOST_FILES:
            raise PackageError(
                one_line(
                    f"{shorten(str(root), 90)} holds more than {MOST_BYTES >> 20} MB or {MOST_FILES} files, and is "
                    "copied to each node: put the script into a folder of its own"
                )
            )
        if not relative.isprintable():
            raise PackageError(
                one_line(f"{shorten(repr(relative), 110)} is no name that can travel: rename it")
            )
        files[relative] = path.read_bytes()
        if os.access(path, os.X_OK):
            executable.add(relative)
    return Program(name, files, frozenset(executable), tuple(left_out))


def _walk(
    folder: Path, without: Path | None, left_out: list[str], root: Path | None = None
) -> Iterator[Path]:
    top = root or folder
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in _CLUTTER or (entry / "pyvenv.cfg").exists():
            continue
        if entry.is_symlink() and not (entry.is_file() and entry.resolve().is_relative_to(top)):
            # what it leads to belongs to somebody else, or is there under its own name
            left_out.append(entry.relative_to(top).as_posix())
        elif entry.is_dir():
            if entry != without:
                yield from _walk(entry, without, left_out, top)
        elif entry.is_file():
            yield entry


def _checked(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise PackageError(
            one_line(f"{shorten(repr(name), 120)} leads out of the script's folder: it is refused")
        )
    return path
