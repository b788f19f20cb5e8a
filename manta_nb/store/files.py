"""Opening `runs.db` in a folder: on any kind of disk, made where there is none, put aside where it is damaged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from manta_nb.errors import StoreError
from manta_nb.store.database import Database, is_damage
from manta_nb.store.folders import Mount, mounts, network_of
from manta_nb.store.wording import explained, place

__all__ = ["PATIENCE", "open_file"]

#: seconds to wait for another program that writes
PATIENCE: Final = 5.0
_NAME: Final = "runs.db"


def open_file(
    folder: Path,
    patience: float,
    wal: bool | None,
    notes: list[str],
    known: Callable[[], Iterable[Mount]] = mounts,
) -> Database:
    """The database in `folder`; what does not hold there is added to `notes`. `known` says what disks there are."""
    path = folder / _NAME
    network = network_of(folder, known()) if wal is None else ""
    ahead = not network if wal is None else wal
    lock = FileLock(folder / "locks" / "opening.lock", thread_local=False)
    with explained(folder):
        try:
            # one at a time: the first one makes the tables, or puts a damaged database aside
            lock.acquire(timeout=max(patience, 1.0))
        except Timeout as error:
            raise StoreError(f"another program is just opening {place(path)}: try again") from error
    try:
        database = _opened(path, patience, ahead, notes)
    finally:
        lock.release()
    if network:
        notes.append(f"{place(folder)} is on a network disk ({network}): written safely, but more slowly")
    elif ahead and not database.wal:
        notes.append(f"the disk of {place(folder)} cannot write ahead: written safely, but more slowly")
    return database


def _opened(path: Path, patience: float, ahead: bool, notes: list[str]) -> Database:
    try:
        return Database(path, patience, wal=ahead)
    except StoreError as error:
        if not is_damage(error.__cause__):
            raise
    with explained(path):
        aside = _put_aside(path)
    notes.append(f"{place(path)} was damaged: it is kept as {aside}, and a new one is begun")
    return Database(path, patience, wal=ahead)


def _put_aside(path: Path) -> str:
    """Rename a damaged database and what belongs to it, so that whatever can be saved of it is there."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    stamps = (stamp, *(f"{stamp}-{number}" for number in range(2, 100)))
    name = next(
        name for name in stamps if not path.with_name(f"{path.stem}.damaged-{name}{path.suffix}").exists()
    )
    aside = path.with_name(f"{path.stem}.damaged-{name}{path.suffix}")
    path.rename(aside)
    for suffix in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    values = path.with_name("values")
    if any(values.iterdir()):
        values.rename(path.with_name(f"values.damaged-{name}"))
        values.mkdir(mode=0o700)
    return aside.name
