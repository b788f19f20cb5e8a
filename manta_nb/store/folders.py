"""The folder that runs are kept in: made, owned, and on what kind of disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from manta_nb.errors import StoreError
from manta_nb.store.wording import explained, place

__all__ = ["Mount", "mounts", "network_of", "prepared", "tree_bytes"]

#: file systems whose locks, or shared memory, do not reach other machines
_NETWORK: Final = (
    *(
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
    ),
    *(
        "fuse.sshfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "panfs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
    ),
    *("virtiofs", "wekafs"),
)


class Mount(NamedTuple):
    """A file system and where it begins."""

    point: str
    kind: str


def mounts() -> list[Mount]:
    """All file systems of this machine; none where it does not say."""
    try:
        return [Mount(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]
    except (OSError, psutil.Error):
        return []


def network_of(folder: Path, known: Iterable[Mount]) -> str:
    """The kind of the network file system that `folder` lies on; "" where it is none."""
    real = os.path.realpath(folder)
    over = [mount for mount in known if _within(real, mount.point)]
    # the longest is the nearest, and of two at one place the later one covers the other
    nearest = max(reversed(over), key=lambda mount: len(mount.point), default=Mount("/", ""))
    return nearest.kind if nearest.kind.casefold() in _NETWORK else ""


def prepared(folder: Path) -> Path:
    """`folder`, absolute, with all it needs; one that is new is its owner's alone and none of git's business."""
    folder = folder.absolute()
    with explained(folder):
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{place(folder)} is a file: runs are kept in a folder")
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            (folder / ".gitignore").write_text("*\n", encoding="ascii")
        for name in ("locks", "states", "values"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
    return folder


def tree_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for place_, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place_, name)).st_size
    return total


def _within(path: str, point: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")
