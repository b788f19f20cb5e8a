"""Nodes that the tests of one file share, and a look at what they leave behind."""

from __future__ import annotations

import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from manta_nb import Session
from tests.cluster.parts import Gate
from tests.waiting import until


def _children() -> set[int]:
    """Processes of this one that run; Python's own two helpers stay for the next nodes."""
    helpers = {
        getattr(multiprocessing.forkserver._forkserver, "_forkserver_pid", None),
        getattr(multiprocessing.resource_tracker._resource_tracker, "_pid", None),
    }
    found = psutil.Process().children(recursive=True)
    return {
        each.pid for each in found if each.is_running() and each.status() != psutil.STATUS_ZOMBIE
    } - helpers


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("manta-")}


def _folders() -> set[str]:
    """Folders of sessions of this process."""
    owners = Path(tempfile.gettempdir()).glob("manta-nb-*/owner")
    return {
        str(path.parent) for path in owners if path.read_text(encoding="ascii").split()[0] == str(os.getpid())
    }


@pytest.fixture(scope="module", autouse=True)
def nothing_left() -> Iterator[None]:
    """After the tests of a file no process, no thread and no folder of theirs is left."""
    before = _children(), _folders()
    yield
    until(lambda: _children() <= before[0], 5, "processes are left")
    until(lambda: not _threads(), 5, f"threads are left: {_threads()}")
    until(lambda: _folders() <= before[1], 5, f"folders are left: {_folders() - before[1]}")


@pytest.fixture(scope="module")
def session(nothing_left: None) -> Iterator[Session]:
    """Four nodes, a process each, for all tests of a file."""
    with Session(nodes=4) as started:
        yield started


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate that is closed."""
    return Gate(tmp_path)
