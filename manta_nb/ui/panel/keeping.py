"""`Keeper`: the store whose runs are shown, opened once for as long as somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from manta_nb.errors import StoreError
from manta_nb.session.pastopening import default_store
from manta_nb.store.opening import default_folder

if TYPE_CHECKING:
    from manta_nb.session.pastruns import PastRuns
    from manta_nb.store.ports import Store
    from manta_nb.ui.panel.sources import Source

__all__ = ["Keeper"]


class Keeper:
    """Gives the runs of a source; any thread may ask.

    Args:
        source: whose runs these are.
        in_use: whether somebody may still read from the store that was opened: it is left to them then.
    """

    def __init__(self, source: Source, in_use: Callable[[], bool] = lambda: False) -> None:
        self._source = source
        self._in_use = in_use
        self._lock = threading.Lock()
        self._store: Store | None = None
        #: the folder that it was opened for, and whether that was there
        self._of: tuple[Path, bool] | None = None

    def store(self) -> Store:
        """The store of the nodes in use; where there are none, that of the working folder.

        Raises:
            StoreError: it cannot be read.
        """
        session = self._source.session
        if session is not None:
            return session.store
        with self._lock:
            folder = default_folder()
            wanted = (folder, folder.is_dir())
            if self._store is None or self._of != wanted:
                self._end()
                self._store, self._of = default_store(), wanted
            return self._store

    def past(self) -> PastRuns:
        """All runs there are."""
        return self._source.past(self.store())

    def close(self) -> None:
        """Nobody looks any more."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        store, self._store, self._of = self._store, None, None
        if store is not None and not self._in_use():
            with suppress(StoreError):
                store.close()
