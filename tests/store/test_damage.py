"""Files that are damaged, and files that are no longer needed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from manta_nb.errors import StoreError
from manta_nb.store.records import Committed
from manta_nb.store.sqlite import SqliteStore
from tests.store.making import BIG, Story, slim

Open = Callable[..., SqliteStore]


def file_of(folder: Path, story: Story, key: str) -> Path:
    """The file that holds the value of this key."""
    return next(path for path in folder.glob("values/*/*") if path.read_bytes() == story.values[key])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_damaged_database(folder: Path, opened: Open) -> None:
    """A damaged database is kept under another name with its values, and a new one is begun."""
    Story(opened(), result_bytes=BIG).commit(2)
    opened().close()
    shutil.rmtree(folder / "locks")
    for suffix in ("-wal", "-shm"):
        (folder / f"runs.db{suffix}").unlink(missing_ok=True)
    (folder / "runs.db").write_bytes(b"garbage" * 1000)

    store = opened()

    [note] = store.notes
    [aside] = folder.glob("runs.damaged-*.db")
    assert aside.name in note and aside.read_bytes().startswith(b"garbage")
    assert len(list(folder.glob("values.damaged-*/*/*"))) == 4
    assert store.runs() == []
    Story(store, result_bytes=BIG).commit(2)
    assert opened().notes == []


def test_damaged_page(folder: Path, opened: Open) -> None:
    """A database whose pages are overwritten is found out when it is opened."""
    store = opened()
    Story(store).commit(20)
    store.close()
    data = bytearray((folder / "runs.db").read_bytes())
    data[8192:40_000] = os.urandom(40_000 - 8192)
    (folder / "runs.db").write_bytes(data)

    assert "was damaged" in opened().notes[0]


@pytest.mark.parametrize("harm", [flip, lambda path: os.truncate(path, 5000), Path.unlink])
@pytest.mark.parametrize("what", ["result", "global"])
def test_damaged_value(folder: Path, opened: Open, harm: Callable[[Path], None], what: str) -> None:
    """Where a value of the latest checkpoint is damaged the one before it is given, and a note names the file."""
    first = opened()
    story = Story(first, global_bytes=BIG, result_bytes=BIG)
    latest = story.commit(4)
    segment = latest.globals["w"].segment if what == "global" else latest.results.batches[-1].segment
    assert segment is not None
    harm(path := file_of(folder, story, segment.key))

    store = opened()
    checkpoint = store.checkpoint(story.run_id)

    assert checkpoint == slim(story.checkpoints[3])
    assert story.same(checkpoint, store.segment)
    assert len(store.notes) == 1 and path.name[-20:] in store.notes[0]
    with pytest.raises(StoreError, match=path.name[-20:]):
        store.segment(segment.key)


def test_result_that_both_checkpoints_need(folder: Path, opened: Open) -> None:
    """A damaged result that the latest two checkpoints need does not keep a run from being looked at."""
    story = Story(opened(), result_bytes=BIG)
    story.commit(4)
    segment = story.checkpoints[3].results.batches[-1].segment
    assert segment is not None
    flip(file_of(folder, story, segment.key))

    store = opened()

    latest = slim(story.checkpoints[4])
    assert (
        store.checkpoint(story.run_id) == store.checkpoint(story.run_id, 4) == latest.without([segment.key])
    )
    assert "results cannot be read" in store.notes[0]


def test_global_that_both_checkpoints_need(folder: Path, opened: Open) -> None:
    """A damaged Global that the latest two checkpoints need is an error that names the file."""
    story = Story(opened(), global_bytes=BIG)
    for number in (1, 2):
        story.keep(type(story.checkpoints[0])(number, story.checkpoints[0].globals), ())
    flip(path := next(iter(folder.glob("values/*/*"))))

    for iterations in (None, 1):
        with pytest.raises(StoreError, match=path.name[-20:]):
            opened().checkpoint(story.run_id, iterations)


def test_damaged_value_is_written_again(folder: Path, opened: Open) -> None:
    """A value that was found damaged and that a commit needs once more is written anew."""
    story = Story(opened(), global_bytes=BIG)
    flip(file_of(folder, story, (key := story.checkpoints[0].globals["w"].segment.key)))
    store = opened()
    with pytest.raises(StoreError):
        store.segment(key)

    store.commit(
        story.run_id, Committed(type(story.checkpoints[0])(1, story.checkpoints[0].globals)), story.read
    )

    assert bytes(opened().segment(key)) == bytes(store.segment(key)) == story.values[key]


def test_small_value_in_the_database_is_checked(folder: Path, opened: Open) -> None:
    """Small values lie in the database, and a changed byte is found there, too."""
    story = Story(opened())
    story.commit(2)
    connection = sqlite3.connect(folder / "runs.db", isolation_level=None)
    connection.execute("UPDATE segments SET data = zeroblob(nbytes)")
    connection.close()
    assert not list(folder.glob("values/*/*"))

    with pytest.raises(StoreError, match="damaged"):
        opened().checkpoint(story.run_id)


def test_values_stay_readable(opened: Open) -> None:
    """The view of a value stays good when the run drops the value, and cannot be written to."""
    store = opened(keep_globals_bytes=0)
    story = Story(store, global_bytes=BIG)
    story.commit()
    key = story.checkpoints[1].globals["w"].segment.key
    view = store.segment(key)

    story.commit(5)

    assert view.readonly and bytes(view) == story.values[key]
    with pytest.raises(StoreError):
        store.segment(key)


def test_files_of_dropped_values_are_gone(folder: Path, opened: Open) -> None:
    """As many files are left as big values are held."""
    store = opened(keep_globals_bytes=3 * BIG)
    story = Story(store, global_bytes=BIG, result_bytes=BIG)
    story.commit(12)

    held = sum(each.held for each in store.versions(story.run_id))
    results = {batch.segment for k in (11, 12) for batch in story.checkpoints[k].results.batches}
    assert len(list(folder.glob("values/*/*"))) == held + len(results)
    assert store.nbytes() > BIG * (held + len(results))


def test_what_nodes_keep_goes_with_the_run(opened: Open) -> None:
    """What nodes keep of their own counts as bytes of the store, and is pruned with its run."""
    store = opened()
    story = Story(store)
    assert store.states is not None
    (store.states / story.run_id / "node_0").mkdir(parents=True)
    (store.states / story.run_id / "node_0" / "state").write_bytes(bytes(BIG))
    (store.states / "other").mkdir()

    assert store.prune([story.run_id], dry=True).nbytes >= BIG <= store.nbytes()
    store.prune([story.run_id])

    assert [path.name for path in store.states.iterdir()] == ["other"]
    assert not list((store.states.parent / "locks").glob(f"{story.run_id}*"))
