"""Processes that die while they write, hold locks, or run out of disk."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from manta_nb.errors import StoreError
from manta_nb.store.failpoints import Failpoint
from manta_nb.store.memory import MemoryStore
from manta_nb.store.sqlite import SqliteStore
from tests.store.child import child, heard
from tests.store.making import BIG, Story, intact, run_id, slim
from tests.waiting import until

Open = Callable[..., SqliteStore]


@pytest.mark.parametrize(
    ("place", "committed"),
    [("before_commit:3", 2), ("during_commit:3", 2), ("after_commit:3", 3), ("during_commit", -1)],
)
def test_killed_in_a_commit(folder: Path, opened: Open, place: str, committed: int) -> None:
    """Whenever a process is killed, all of the iterations it committed is there, and nothing of the others."""
    with child(folder, "record", MANTA_FAIL_AT=place) as process:
        assert process.wait(20) == -signal.SIGKILL
    expected = Story(MemoryStore(), result_bytes=BIG)
    expected.commit(5)

    store = opened()

    assert intact(folder)
    assert store.info(run_id()).status == "interrupted"
    if committed < 0:
        assert store.info(run_id()).iterations == 0 and store.versions(run_id()) == []
        return
    assert store.checkpoint(run_id()) == slim(expected.checkpoints[committed])
    assert expected.same(store.checkpoint(run_id()), store.segment)
    assert len(list(store.logs(run_id()))) == len(store.metrics(run_id())) == committed
    assert not store.notes


def test_what_a_killed_process_left_is_removed(folder: Path, opened: Open) -> None:
    """Files that nobody names go when they are old and somebody claims a run; young ones may be in the making."""
    with child(folder, "record", MANTA_FAIL_AT="during_commit:3") as process:
        process.wait(20)
    named = sorted(path.name for path in folder.glob("values/*/*"))
    opened().claim(run_id())()
    assert sorted(path.name for path in folder.glob("values/*/*")) == named

    left = next(iter(folder.glob("values/*"))) / f"{'0' * 64}.abcd.tmp"
    left.write_bytes(b"x")
    for path in folder.glob("values/*/*"):
        os.utime(path, (0, 0))
    store = opened()
    store.claim(run_id())()

    assert not left.exists() and 0 < len(list(folder.glob("values/*/*"))) < len(named)
    assert Story(MemoryStore(), result_bytes=BIG).commit(2) == store.checkpoint(run_id())


def test_a_run_in_another_process(folder: Path, opened: Open) -> None:
    """A run that another process has is refused and named; once that is killed it is free, whatever its children do."""
    store = opened()
    with child(folder, "claim") as process:
        assert heard(process) == "claimed"

        with pytest.raises(StoreError, match=f"in use by pid {process.pid} on"):
            store.claim(run_id())
        with pytest.raises(StoreError, match=f"in use by pid {process.pid}"):
            store.prune([run_id()])
        assert store.info(run_id()).status == "running"
        process.kill()
        process.wait()

        until(lambda: store.info(run_id()).status == "interrupted")
        store.claim(run_id())()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        # its children have gone when the pipe ends
        assert process.stdout.read() == ""


def test_two_stores_of_one_process(opened: Open) -> None:
    """Two stores on one folder in one process exclude each other, too, and see each other's owner."""
    first, second = opened(), opened()
    Story(first)
    release = first.claim(run_id())

    with pytest.raises(StoreError, match=f"pid {os.getpid()} on"):
        second.claim(run_id())
    assert second.info(run_id()).owner.startswith(f"pid {os.getpid()} on")

    release()
    second.claim(run_id())()
    assert first.info(run_id()).status == "interrupted"


def test_what_stands_beside_a_lock_is_hostile(folder: Path, opened: Open) -> None:
    """Whatever the file that names an owner holds, the message is one line."""
    first, second = opened(), opened()
    first.claim(run_id())
    for text in (
        b"",
        b"\xff",
        b"[" * 900,
        b'{"pid": "x", "host": 3}',
        b'{"pid": 1, "host": "a\\nb\\u001b' + b"x" * 800 + b'"}',
    ):
        (folder / "locks" / f"{run_id()}.json").write_bytes(text)

        with pytest.raises(StoreError, match="in use by") as caught:
            second.claim(run_id())

        assert len(str(caught.value)) <= 200 and str(caught.value).isprintable()


def test_locked_by_another_process(folder: Path, opened: Open) -> None:
    """A database that another program holds locked can be read; writing says so, and works again after that."""
    store = opened(patience=0.05)
    story = Story(store)
    with child(folder, "lock") as process:
        assert heard(process) == "locked"

        with pytest.raises(StoreError, match=r"another program holds .*runs\.db locked"):
            story.commit()
        assert store.info(story.run_id).iterations == 0

    story.keep(story.next())
    assert store.checkpoint(story.run_id).iterations == 2


def test_file_too_large(folder: Path, opened: Open) -> None:
    """Where a file cannot be written for lack of room the store says so, is as it was, and goes on when there is."""
    with child(folder, "limited") as process:
        message, iterations = heard(process), heard(process)
        process.wait(20)
    store = opened()

    assert "full" in message and len(message) <= 200
    assert iterations == "4"
    assert intact(folder)
    assert (
        len(list(folder.glob("values/*/*")))
        == len(store.checkpoint(run_id()).keys | store.checkpoint(run_id(), 2).keys) - 2
    )
    assert not list(folder.glob("values/*/*.tmp"))


@pytest.mark.parametrize("text", ["nowhere", "after_commit:x", "before_commit:-1", "during_commit:٣", ":3"])
def test_failpoint_that_is_none(text: str) -> None:
    """A failpoint that is none is refused."""
    with pytest.raises(StoreError, match="MANTA_FAIL_AT"):
        Failpoint.from_environment({"MANTA_FAIL_AT": text})
