"""Disks that are full, read-only or far away, and databases of other versions."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from manta_nb.errors import StoreError
from manta_nb.store.database import write_ahead
from manta_nb.store.files import open_file
from manta_nb.store.folders import Mount, network_of, prepared
from manta_nb.store.schema import MIGRATIONS, migrate
from manta_nb.store.sqlite import SqliteStore
from tests.store.making import BIG, Story, head, intact, slim

Open = Callable[..., SqliteStore]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    point, mount = tmp_path / "disk", shutil.which("mount")
    point.mkdir()
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=2m", "none", str(point)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("no disk can be mounted here")
    yield point
    subprocess.run(["umount", str(point)], check=True)  # noqa: S607


def test_disk_full(disk: Path) -> None:
    """On a full disk a commit says so and changes nothing; when there is room again the run goes on."""
    store = SqliteStore(disk / "store")
    story = Story(store, result_bytes=BIG)
    story.commit(2)
    filler = disk / "filler"
    filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - 4096))

    checkpoint = story.next()
    for _ in range(2):
        with pytest.raises(StoreError, match="full") as caught:
            story.keep(checkpoint)
        assert len(str(caught.value)) <= 200
    assert store.checkpoint(story.run_id) == slim(story.checkpoints[2])

    filler.unlink()
    story.keep(checkpoint)
    assert store.checkpoint(story.run_id) == slim(checkpoint)
    store.close()
    assert intact(disk / "store")


def test_read_only(disk: Path) -> None:
    """A store that cannot be written is not opened, and one that can no longer be written says so."""
    store = SqliteStore(disk / "store")
    story = Story(store)
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)  # noqa: S607

    for folder in (disk / "store", disk / "other"):
        with pytest.raises(StoreError, match="read-only") as caught:
            SqliteStore(folder)
        assert len(str(caught.value)) <= 200 and "MANTA_HOME" in str(caught.value)
    assert story.number == 0


def test_without_write_ahead(folder: Path, opened: Open) -> None:
    """Where a database cannot write ahead all is the same, and readers still see what is committed."""
    store = opened(wal=False)
    story = Story(store)
    story.commit(3)

    assert opened(wal=False).checkpoint(story.run_id) == slim(story.checkpoints[3])
    assert not list(folder.glob("*-wal"))


def test_network_disk(folder: Path) -> None:
    """On a network disk the database does not write ahead, and a note says so."""
    notes: list[str] = []

    database = open_file(
        prepared(folder), 1.0, None, notes, lambda: [Mount("/", "ext4"), Mount(str(folder), "nfs4")]
    )
    database.close()

    assert not database.wal
    assert "network disk (nfs4)" in notes[0]


def test_which_disk(tmp_path: Path) -> None:
    """The nearest file system counts, and of two at one place the later one."""
    inner = tmp_path / "a" / "b"
    root, near = Mount("/", "nfs"), Mount(str(tmp_path / "a"), "ext4")

    assert network_of(inner, [root]) == "nfs"
    assert not network_of(inner, [near, root])
    assert network_of(inner, [root, near, Mount(str(tmp_path / "a"), "cifs")]) == "cifs"
    assert network_of(tmp_path / "ab", [root, near]) == "nfs"
    assert not network_of(inner, [])


def test_disk_that_cannot_write_ahead(tmp_path: Path) -> None:
    """Where processes cannot share memory, writing ahead is not had, and that is no error."""
    connection = sqlite3.connect(f"file:{tmp_path / 'x.db'}?vfs=unix-dotfile", uri=True)

    assert not write_ahead(connection)
    connection.close()


def test_newer_version(folder: Path, opened: Open) -> None:
    """A database of a newer version is refused, and left as it is."""
    opened().close()
    connection = sqlite3.connect(folder / "runs.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreError, match="newer manta_nb") as caught:
        opened()
    assert len(str(caught.value)) <= 200
    assert not list(folder.glob("*damaged*"))


def test_database_of_another_program(folder: Path, opened: Open) -> None:
    """A database of another program is refused, and left as it is."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "runs.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()

    with pytest.raises(StoreError, match="another program"):
        opened()


def test_migration(folder: Path, opened: Open) -> None:
    """A database of version 1 becomes one of the newest version with all that is in it, or stays what it was."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "runs.db", isolation_level=None)
    migrate(connection, "runs.db", MIGRATIONS[:1])
    connection.execute(
        "INSERT INTO runs (run_id, name, status, reason, seed, source) VALUES ('a', 'fl', 'failed', '', '1', '')"
    )
    later = [*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN mood TEXT DEFAULT 'good'",)]

    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, "runs.db", [*later, ("CREATE TABLE t (x)", "NONSENSE")])
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert [info.name for info in opened().runs()] == ["fl"]
    migrate(connection, "runs.db", later)

    assert connection.execute("SELECT name, mood FROM runs").fetchall() == [("fl", "good")]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(later),)
    connection.close()


def test_closed_store(opened: Open) -> None:
    """A store that is closed says so, and lets go of its runs."""
    store = opened()
    store.begin(head())
    store.claim(head().plan.run_id)
    store.close()
    store.close()

    for call in (store.runs, lambda: store.begin(head())):
        with pytest.raises(StoreError, match="closed"):
            call()
    opened().claim(head().plan.run_id)()
