"""A small package and every way to pack it, for the tests."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["PACKED", "packed", "tar_of", "write_package", "zip_of"]

FILES = {
    "fedn.yaml": "entry_points:\n  train:\n    command: ./entrypoint train\n",
    "entrypoint": "#!/usr/bin/env python\nprint('hello')\n",
    "model.py": "import torch\n",
    "sub/Élève.py": "x = 1\n",
    "LICENSE": "free\n",
}


def write_package(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """The package's files in `folder`, as an author has them: an executable one, a link, an empty folder, leftovers."""
    for path, text in (files or FILES).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    if files is None:
        (folder / "entrypoint").chmod(0o755)
        (folder / "again.py").symlink_to("sub/Élève.py")
        (folder / "empty").mkdir()
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "model.cpython-311.pyc").write_bytes(b"\0")
        (folder / ".venv").mkdir()
        (folder / ".venv" / "pyvenv.cfg").touch()
    return folder


def _tar(folder: Path, mode: str, prefix: str, place: Path) -> Path:
    with tarfile.open(place, mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, prefix)
    return place


def _zip(folder: Path, place: Path) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            name = f"client/{path.relative_to(folder)}"
            if path.is_symlink():
                link = zipfile.ZipInfo(name)
                link.external_attr = 0o120777 << 16
                archive.writestr(link, str(path.readlink()))
            else:
                archive.write(path, name)
    return place


#: how → from the folder of a package and a folder for it to what a person gives
PACKED: Mapping[str, Callable[[Path, Path], Path]] = {
    "folder": lambda folder, out: folder,
    "project": lambda folder, out: (
        Path(shutil.copytree(folder, out / "project" / "client", symlinks=True)).parent
    ),
    "deeper project": lambda folder, out: (
        Path(shutil.copytree(folder, out / "deeper" / "examples" / "mine", symlinks=True)).parent.parent
    ),
    "tutorial's tgz": lambda folder, out: _tar(folder, "w:gz", "client", out / "a.tgz"),
    "flat tgz": lambda folder, out: _tar(folder, "w:gz", "", out / "b.tgz"),
    "./ tar.gz": lambda folder, out: _tar(folder, "w:gz", "./", out / "c.tar.gz"),
    "./client tar": lambda folder, out: _tar(folder, "w:", "./client", out / "d.tar"),
    "tar.bz2": lambda folder, out: _tar(folder, "w:bz2", "mine", out / "e.tar.bz2"),
    "deep tar.xz": lambda folder, out: _tar(folder, "w:xz", "a/b/c", out / "f.tar.xz"),
    "zip": lambda folder, out: _zip(folder, out / "g.zip"),
    "wrong suffix": lambda folder, out: _zip(folder, out / "h.tgz"),
}


def packed(how: str, folder: Path, out: Path) -> Path:
    """The package in `folder`, packed; `out` is made."""
    out.mkdir(parents=True, exist_ok=True)
    return PACKED[how](folder, out)


def tar_of(place: Path, members: Mapping[str, object], *, spec: bool = True) -> Path:
    """A tar of texts, and of `TarInfo` as they are."""
    given = {"fedn.yaml": FILES["fedn.yaml"], **members} if spec else dict(members)
    with tarfile.open(place, "w:gz") as archive:
        for name, member in given.items():
            if isinstance(member, tarfile.TarInfo):
                member.name = name
                archive.addfile(member)
            else:
                data = str(member).encode()
                header = tarfile.TarInfo(name)
                header.size = len(data)
                archive.addfile(header, io.BytesIO(data))
    return place


def zip_of(place: Path, members: Mapping[str | zipfile.ZipInfo, str]) -> Path:
    """A zip of texts."""
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("fedn.yaml", FILES["fedn.yaml"])
        for name, text in members.items():
            archive.writestr(name, text)
    return place
