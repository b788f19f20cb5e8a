"""What another process does to a store: `python -m tests.store.child FOLDER WHAT`, told and asked by its pipes."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from manta_nb.errors import StoreError
from manta_nb.store.sqlite import SqliteStore
from tests.store.making import BIG, Story, run_id


@contextmanager
def child(folder: Path, what: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A process that does `what`; it ends when its standard input does."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.child", str(folder), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    """The next line that it says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _record(store: SqliteStore) -> None:
    store.claim(run_id())
    Story(store, result_bytes=BIG).commit(5)


def _limited(store: SqliteStore) -> None:
    story = Story(store, result_bytes=BIG)
    story.commit(2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (BIG // 2, resource.RLIM_INFINITY))
    try:
        story.keep(story.next())
    except StoreError as error:
        print(error, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    story.keep(story.next())
    print(store.info(story.run_id).iterations, flush=True)


def _claim(store: SqliteStore) -> None:
    store.claim(run_id())
    Story(store)
    # children of both kinds: they live as long as the pipe, longer than this process
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    with subprocess.Popen(["cat"], close_fds=False):  # noqa: S607
        print("claimed", flush=True)
        sys.stdin.read()


def _lock(store: SqliteStore) -> None:
    connection = sqlite3.connect(Path(store.where) / "runs.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    sys.stdin.read()
    connection.close()


if __name__ == "__main__":
    opened = SqliteStore(sys.argv[1])
    {"record": _record, "limited": _limited, "claim": _claim, "lock": _lock}[sys.argv[2]](opened)
    opened.close()
