"""`Ground`: what a run stands on in a session: workers, nodes, and the store that keeps it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
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

__all__ = ["Ground", "bring_back", "check_states", "copy_states", "keep_values"]


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

    def recorder(
        self, head: RunHead, gatherer: Gatherer, first: Checkpoint | None, check: Callable[[], None]
    ) -> RunStore:
        """What keeps one leg of a run.

        Raises:
            StoreError: another kernel has the run.
        """
        if self.store is None:
            return Unkept()
        return Recorder(self.store, head, gatherer, self.book.look, self.book.lost, first, check)

    def check_latest(self, name: str, run_id: str, seen: int) -> None:
        """Raise `UsageError` where another kernel has gone on with the run since it had `seen` iterations."""
        if self.store is None:
            return
        try:
            known = self.store.info(run_id).iterations
        except StoreError:
            # it was deleted: then it begins anew there
            return
        if known > seen:
            raise UsageError(
                f"{name} has {known} iterations by now, as another kernel went on with it: "
                f"manta_nb.runs[{run_id[:8]!r}] is that one"
            )


def states_of(store: Store | None, run_id: str, checkpoint: Checkpoint) -> dict[str, Path]:
    """Node → the file of its `local.state` as `checkpoint` has it."""
    folder = (store.states if store is not None else None) or Path("nowhere")
    return {
        node_id: folder / run_id / node_id / state_file(version)
        for node_id, version in checkpoint.states.items()
    }


def check_states(store: Store | None, run_id: str, checkpoint: Checkpoint) -> None:
    """Raise `StoreError` where a node no longer has its `local.state` as it was then."""
    for node_id, path in states_of(store, run_id, checkpoint).items():
        if not path.is_file() or not path.stat().st_size:
            raise StoreError(
                f"local.state of {node_id} as it was then is no longer kept: held() lists the iterations that are"
            )


def copy_states(store: Store, parent: str, run_id: str, checkpoint: Checkpoint) -> None:
    """The `local.state` of every node as `checkpoint` has it, for another run.

    Raises:
        StoreError: it is no longer kept.
    """
    check_states(store, parent, checkpoint)
    targets = states_of(store, run_id, checkpoint)
    for node_id, old in states_of(store, parent, checkpoint).items():
        targets[node_id].parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(old, targets[node_id])


def keep_values(book: SegmentBook, store: Store, checkpoint: Checkpoint) -> None:
    """Let a run that begins with `checkpoint` have its values: shared with others in `book`, or from the store."""
    segments = {ref.segment.key: ref.segment for ref in checkpoint.globals.values()}
    for batch in checkpoint.results.batches:
        if batch.segment is not None:
            segments[batch.segment.key] = batch.segment
    for key, segment in segments.items():
        if book.lost([key]) or not book.share(key):
            book.keep(segment, partial(store.segment, key))


def bring_back(book: SegmentBook, store: Store, checkpoint: Checkpoint) -> None:
    """What memory has lost of a checkpoint is read from the store, where that has it."""
    gone = frozenset(book.lost(checkpoint.keys))
    segments = [ref.segment for ref in checkpoint.globals.values()]
    segments += [batch.segment for batch in checkpoint.results.batches if batch.segment is not None]
    for segment in segments:
        if segment.key in gone:
            with suppress(StoreError):
                store.segment(segment.key)
                book.keep(segment, partial(store.segment, segment.key))
