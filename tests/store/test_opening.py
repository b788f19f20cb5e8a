"""Where runs are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manta_nb.errors import StoreError
from manta_nb.store.memory import MemoryStore
from manta_nb.store.opening import default_folder, open_store
from manta_nb.store.ports import Store
from manta_nb.store.sqlite import SqliteStore


def test_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`MANTA_HOME` counts where it is set, else it is `.manta` in the working directory as that is now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MANTA_HOME", raising=False)
    here = default_folder()
    monkeypatch.setenv("MANTA_HOME", str(tmp_path / "home"))

    assert here == tmp_path / ".manta"
    assert default_folder() == tmp_path / "home"


def test_a_new_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is made is its owner's alone, and git does not look into it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MANTA_HOME", raising=False)

    store = open_store()
    store.close()

    folder = tmp_path / ".manta"
    assert store.where == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_folder_with_other_things(tmp_path: Path) -> None:
    """A folder that somebody has filled keeps its files in git."""
    (tmp_path / "notes.txt").write_text("mine")

    open_store(tmp_path).close()

    assert not (tmp_path / ".gitignore").exists()
    assert (tmp_path / "runs.db").exists()


def test_in_memory() -> None:
    """The word "memory" means that nothing is written; both stores are stores."""
    store = open_store("memory")
    ram: Store = SqliteStore()

    assert isinstance(store, MemoryStore) and store.states is None and ram.states is None
    ram.close()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A file in the place of the folder is named."""
    (tmp_path / "file").write_text("")

    for path in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(StoreError, match="file") as caught:
            open_store(os.fspath(path))
        assert len(str(caught.value)) <= 200
