"""Settings of Dask that have to stand in the whole process for as long as any cluster of ours lives."""

from __future__ import annotations

import logging
import weakref
from typing import Any, ClassVar

import dask

__all__ = ["QUIET", "ProcessSettings"]

#: that a node was killed is an event of the run, not an error on the screen
QUIET = logging.CRITICAL
METHOD = "distributed.worker.multiprocessing-method"
#: so long after a worker went, the cluster looks whether it is there and, if it just then restarts once more,
#: ends its Nanny for good; read when a worker goes, so it has to stand as long as the cluster
LOST = "distributed.deploy.lost-worker-timeout"


class ProcessSettings:
    """What one cluster needs; several may overlap, and the last one to go restores what the first one found."""

    #: those that are in force; Dask's configuration is the process's, so this is, too
    _alive: ClassVar[weakref.WeakSet[ProcessSettings]] = weakref.WeakSet()

    def __init__(self, method: str) -> None:
        before = next(iter(self._alive), None)
        self._found: dict[str, Any] = (
            before._found if before else {key: dask.config.get(key) for key in (METHOD, LOST)}
        )
        self._levels: list[tuple[logging.Handler, int]] = before._levels if before else []
        dask.config.set({METHOD: method, LOST: "365d"})
        if before is None:
            for handler in logging.getLogger("distributed").handlers:
                self._levels.append((handler, handler.level))
                handler.setLevel(QUIET)
        self._alive.add(self)

    def restore(self) -> None:
        """The cluster is gone."""
        self._alive.discard(self)
        if self._alive:
            return
        dask.config.set(self._found)
        for handler, level in self._levels:
            handler.setLevel(level)
