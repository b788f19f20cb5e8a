"""Where runs are kept, and opening it."""

from __future__ import annotations

import os
from pathlib import Path

from manta_nb.store.memory import MemoryStore
from manta_nb.store.ports import Store
from manta_nb.store.sqlite import SqliteStore

__all__ = ["default_folder", "open_store"]


def default_folder() -> Path:
    """`MANTA_HOME` if that is set, else `.manta` in the working directory; absolute, as it is now."""
    asked = os.environ.get("MANTA_HOME", "")
    return (Path(asked).expanduser() if asked else Path(".manta")).absolute()


def open_store(where: str | os.PathLike[str] | None = None) -> Store:
    """The store in a folder, which is made where there is none.

    Args:
        where: the folder; None: `default_folder()`; "memory": nothing outlives the kernel.

    Raises:
        StoreError: it cannot be opened; the message says why and what to do.
    """
    if where is None:
        return SqliteStore(default_folder())
    if where == "memory":
        return MemoryStore()
    return SqliteStore(Path(where).expanduser())
