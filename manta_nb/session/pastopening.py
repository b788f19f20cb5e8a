"""Where the list of past runs comes from: a session's store, or the one that lies here, if there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from manta_nb.session.pastruns import PastRuns

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.store.ports import Store

__all__ = ["default_store", "open_past"]


def open_past(
    store: Store | None = None,
    live: Callable[[], Sequence[Run]] = tuple,
    here: str = "",
    metric: str = "",
) -> PastRuns:
    """The runs of a store and of this kernel; see `PastRuns`.

    Args:
        store: None: the one in `.manta` here, or in `MANTA_HOME`. Where there is none, none is made.
        live: the runs of this kernel.
        here: the notebook or file whose runs are shown first.
        metric: what runs are judged by.

    Raises:
        StoreError: there is a store that cannot be read.
    """
    opened = store if store is not None else default_store()
    return PastRuns(opened, live, lambda run_id: _reopen(opened, run_id), here, metric)


def default_store() -> Store:
    """The store in `.manta` here, or in `MANTA_HOME`; where there is none, an empty one, and nothing is made."""
    # by name: whoever only asks for help needs no SQLite
    opening = import_module("manta_nb.store.opening")
    return cast("Store", opening.open_store(None if opening.default_folder().is_dir() else "memory"))


def _reopen(store: Store, run_id: str) -> Run:
    # by name: it takes Dask and most of a second, which a list of runs should not
    return cast("Run", import_module("manta_nb.session.reopening").reopen(store, run_id))
