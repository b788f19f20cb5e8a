"""The private folder of a session, and what killed sessions left behind."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import psutil

__all__ = ["remove", "session_folder"]

PREFIX = "manta-nb-"
OWNER = "owner"


def session_folder() -> Path:
    """A new folder that only this user can open; folders of kernels that are gone are removed first."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # another user's, or one that is being removed right now
        with contextlib.suppress(OSError, ValueError):
            if not _alive(path / OWNER):
                remove(path)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    process = psutil.Process()
    (folder / OWNER).write_text(f"{process.pid} {process.create_time()}", encoding="ascii")
    return folder


def _alive(owner: Path) -> bool:
    """Whether the kernel that made the folder still runs; a pid that another process has now does not count."""
    pid, started = owner.read_text(encoding="ascii").split()
    try:
        return psutil.Process(int(pid)).create_time() == float(started)
    except psutil.NoSuchProcess:
        return False


def remove(folder: Path) -> None:
    """Delete the folder and all in it."""
    shutil.rmtree(folder, ignore_errors=True)
