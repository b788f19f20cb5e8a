"""Which runs are deleted, and what is said before and after."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manta_nb.engine.wording import one_line
from manta_nb.errors import UsageError
from manta_nb.render import Card, Shown, Table, plain
from manta_nb.sdk.names import shorten
from manta_nb.sdk.refusal import size_text
from manta_nb.session.pastlist import PastRun, when_text
from manta_nb.store.records import Pruned

if TYPE_CHECKING:
    from manta_nb.store.ports import Store

__all__ = ["PruneReport", "prune"]

_DAY = 86_400


@dataclass(frozen=True, repr=False)
class PruneReport(Shown):
    """What was deleted, or would be."""

    runs: tuple[PastRun, ...]
    pruned: Pruned
    #: runs that stay
    staying: int
    #: nothing was deleted
    dry: bool
    #: what to type to do it; "": nothing
    then: str = ""

    def __str__(self) -> str:
        return str(self._card())

    def _repr_html_(self) -> str:
        return self._card()._repr_html_()

    def _card(self) -> Card:
        left = f"{_count(self.staying)} and {size_text(self.pruned.left)} stay"
        if not self.runs:
            return Card("nothing to delete", [left])
        verb = "would be deleted" if self.dry else f"{'are' if len(self.runs) > 1 else 'is'} deleted"
        now = time.time()
        rows = [
            [
                shorten(plain(run.name), 40),
                run.run_id[:8],
                run.status,
                run.counted,
                when_text(run.started, now),
                size_text(run.nbytes or 0),
            ]
            for run in self.runs
        ]
        table = Table(["run", "id", "status", "iterations", "when", "size"], rows, limit=len(rows))
        title = f"{_count(len(self.runs))}, {size_text(self.pruned.nbytes)}, {verb}; {left}"
        return Card(title, [table, *([self.then] if self.dry and self.then else [])])


def prune(
    store: Store,
    runs: Sequence[PastRun],
    named: Sequence[PastRun],
    older: float | None,
    keep: int | None,
    dry: bool,
) -> PruneReport:
    """Delete those of `runs` that are named and old enough; see `PastRuns.prune`."""
    if older is not None and not older >= 0:
        raise UsageError(f"older is a number of days of at least 0, got {str(older)[:40]}")
    if keep is not None and keep < 0:
        raise UsageError(f"keep is a number of runs of at least 0, got {str(keep)[:40]}")
    bare = not named and older is None and keep is None
    if bare and not dry:
        raise UsageError("say which runs to delete: names, older=DAYS or keep=N (keep=0: all of them)")
    for run in named:
        _check(run)
    stored = [run for run in runs if run.nbytes is not None]
    ids = {run.run_id for run in named}
    spared = (
        {run.run_id for run in stored[len(stored) - min(keep, len(stored)) :]} if keep is not None else set()
    )
    before = time.time() - older * _DAY if older is not None else None
    chosen = tuple(
        run
        for run in stored
        if not run.active
        and (not ids or run.run_id in ids)
        and run.run_id not in spared
        and (before is None or run.updated < before)
    )
    pruned = store.prune([run.run_id for run in chosen], dry=dry)
    then = (
        "choose some: names, older=DAYS, keep=N" if bare else "nothing is deleted yet: dry=False deletes them"
    )
    return PruneReport(chosen, pruned, len(stored) - len(chosen), dry, then)


def _check(run: PastRun) -> None:
    """A run that was named can be deleted."""
    if run.active:
        where = f" ({run.owner})" if run.owner else ""
        raise UsageError(one_line(f"{run.name} is {run.status}{where}: stop it before you delete it"))
    if run.nbytes is None:
        raise UsageError(one_line(f"{run.name} is in no store: it goes when this kernel ends"))


def _count(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"
