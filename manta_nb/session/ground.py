"""`Ground`: what a run stands on in a session: workers, nodes, and the store that keeps it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.ports import RunStore
from manta_nb.engine.records import NodeInfo
from manta_nb.errors import StoreError, UsageError
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.fleet import Fleet
from manta_nb.runtime.runners.state import state_file
from manta_nb.session.keeping import Gatherer
from manta_nb.session.planning import Blueprint
from manta_nb.session.recording import Recorder
from manta_nb.session.storedcode import module_record, versions
from manta_nb.store.ports import Store
from manta_nb.store.records import RunHead
from manta_nb.store.unkept import Unkept

__all__ = ["Ground", "keep_values"]


@dataclass(frozen=True)
class Ground:
    """Where a run takes place.

    Args:
        fleet: the workers.
        infos: the nodes the run may use, as they are now; raises where the session is closed.
        known: all nodes there are.
        store: keeps the run; None: nobody does.
        session: what the nodes were started with, as plain values.
        source: the notebook or file the run is started from.
    """

    fleet: Fleet
    infos: Callable[[], Mapping[str, NodeInfo]]

    known: Collection[str] = ()
    store: Store | None = None
    session: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    @property
    def book(self) -> SegmentBook:
        """Where the values of the session lie."""
        return self.fleet.book

    def head(self, made: Blueprint, nodes: Mapping[str, NodeInfo], started: float) -> RunHead:
        """What was asked for at that time, to be kept."""
        held = {node_id: sorted(info.datasets) for node_id, info in nodes.items()}
        modules = {task.alias: module_record(task.module) for task in made.graph.tasks}
        return RunHead(
            made.plan,
            started,
            modules,
            {**self.session, "nodes": held},
            versions(),
            self.source,
            made.parent,
        )

    def recorder(self, head: RunHead, gatherer: Gatherer, first: Checkpoint | None) -> RunStore:
        """What keeps one leg of a run.

        Raises:
            StoreError: another kernel has the run.
        """
        if self.store is None:
            return Unkept()
        return Recorder(self.store, head, gatherer, self.book.look, first)

    def check_latest(self, name: str, run_id: str, checkpoint: Checkpoint) -> None:
        """Raise `UsageError` where another kernel has gone on with the run meanwhile."""
        if self.store is None:
            return
        try:
            known = self.store.info(run_id).iterations
        except StoreError:
            # it was deleted: then it begins anew there
            return
        if known > checkpoint.iterations:
            raise UsageError(
                f"{name} has {known} iterations by now, as another kernel went on with it: "
                f"manta_nb.runs[{run_id[:8]!r}] is that one"
            )

    def _states(self, run_id: str, checkpoint: Checkpoint) -> dict[str, Path]:
        """Node → the file of its `local.state` as `checkpoint` has it."""
        root = self.store.states if self.store is not None else None
        folder = root or Path("nowhere")
        return {
            node_id: folder / run_id / node_id / state_file(version)
            for node_id, version in checkpoint.states.items()
        }

    def has_states(self, run_id: str, checkpoint: Checkpoint) -> bool:
        """Whether every node still has its `local.state` as `checkpoint` has it."""
        return all(path.is_file() for path in self._states(run_id, checkpoint).values())

    def copy_states(self, parent: str, run_id: str, checkpoint: Checkpoint) -> None:
        """The `local.state` of every node as `checkpoint` has it, for another run.

        Raises:
            StoreError: it is no longer kept.
        """
        targets = self._states(run_id, checkpoint)
        for node_id, old in self._states(parent, checkpoint).items():
            if not old.is_file():
                raise StoreError(
                    f"local.state of {node_id} as it was then is no longer kept: held() lists the iterations that are"
                )
            targets[node_id].parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(old, targets[node_id])


def keep_values(book: SegmentBook, store: Store, checkpoint: Checkpoint) -> None:
    """Let a run that begins with `checkpoint` have its values in `book`: shared with others there, or from the store."""
    segments = {ref.segment.key: ref.segment for ref in checkpoint.globals.values()}
    for batch in checkpoint.results.batches:
        if batch.segment is not None:
            segments[batch.segment.key] = batch.segment
    for key, segment in segments.items():
        if not book.share(key):
            book.keep(segment, partial(store.segment, key))
