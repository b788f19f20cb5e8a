"""Which run is meant by a name or by the beginning of an id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from manta_nb.engine.records import Status
from manta_nb.store.wording import no_such_run

__all__ = ["found", "shown_status"]

#: characters of an id that are enough to mean it
_FEWEST: Final = 4
_ALIVE: Final = frozenset({"pending", "running", "stopping"})


def found(key: str, runs: Sequence[tuple[str, str]], where: str) -> str:
    """The run that `key` means, of `(id, name)` with the latest first; `StoreError` where there is none.

    A whole id counts before a name, and a name before the beginning of an id.
    """
    matches = [run_id for run_id, _ in runs if run_id == key]
    matches += [run_id for run_id, name in runs if name == key]
    if len(key) >= _FEWEST:
        matches += [run_id for run_id, _ in runs if run_id.startswith(key)]
    if not matches:
        raise no_such_run(key, where, [name for _, name in runs])
    return matches[0]


def shown_status(status: Status, owner: str) -> Status:
    """The status of a run: one that was running and that nobody has was interrupted."""
    return "interrupted" if status in _ALIVE and not owner else status
