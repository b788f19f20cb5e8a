"""The stores that keep the same contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from manta_nb.store.memory import MemoryStore
from manta_nb.store.ports import Store
from manta_nb.store.sqlite import SqliteStore

Make = Callable[..., Store]


@pytest.fixture(params=["memory", "sqlite in RAM", "sqlite in a file"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes a store of each kind; what it made is closed afterwards."""
    made: list[Store] = []

    def store(**options: Any) -> Store:
        if request.param == "memory":
            made.append(MemoryStore(**options))
        else:
            folder = tmp_path / "store" if request.param == "sqlite in a file" else ":memory:"
            made.append(SqliteStore(folder, **options))
        return made[-1]

    yield store
    for each in made:
        each.close()


@pytest.fixture
def store(make: Make) -> Store:
    """A store of each kind."""
    return make()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a store."""
    return tmp_path / "store"


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[..., SqliteStore]]:
    """Opens the store in `folder`, as often as it is called."""
    made: list[SqliteStore] = []

    def open_it(**options: Any) -> SqliteStore:
        made.append(SqliteStore(folder, **options))
        return made[-1]

    yield open_it
    for each in made:
        each.close()
