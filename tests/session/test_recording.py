"""A run is written on a thread of its own: in order, completely, and never in the way of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.events import IterationCommitted, IterationSkipped, RunEvent, StoreFailed
from manta_nb.engine.instructions import CommitIteration, FinishRun
from manta_nb.engine.records import Event, TaskPlan
from manta_nb.engine.run_state import RunState
from manta_nb.errors import StoreError
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.capabilities import HostTag
from manta_nb.session.history import History
from manta_nb.session.keeping import Gatherer
from manta_nb.session.recording import Recorder
from manta_nb.store.memory import MemoryStore
from manta_nb.store.records import Committed, RunHead
from tests.fakes import make_nodes, make_plan
from tests.waiting import until

PLAN = replace(make_plan(TaskPlan("worker", method="all"), iterations=None), run_id="3f2a9c0177aa4be2")


class Gated(MemoryStore):
    """A store that writes an iteration when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.fails: Exception | None = None
        self.given: list[Committed] = []

    def commit(self, run_id: str, committed: Committed, read: Callable[[str], memoryview]) -> None:
        """Wait for the gate, then write."""
        self.begun.set()
        self.gate.wait(10)
        if self.fails is not None:
            raise self.fails
        self.given.append(committed)
        super().commit(run_id, committed, read)


class Bench:
    """A run of a recorder, without an engine."""

    def __init__(self) -> None:
        self.store = Gated()
        self.posted: list[RunEvent] = []
        book = SegmentBook(HostTag("here", "", 0, True), lambda entry: None)
        self.history = History(RunState(PLAN, make_nodes(2)), book, {})
        self.gatherer = Gatherer(self.history, Checkpoint(), lambda: 1.5)
        self.recorder = self.leg()

    def leg(self) -> Recorder:
        """A recorder for the run."""
        return Recorder(
            self.store,
            RunHead(PLAN, 0.0),
            self.gatherer,
            self.history.book.look,
            self.history.book.lost,
            None,
        )

    def begin(self) -> None:
        """The run begins."""
        self.recorder.begin(PLAN, self.posted.append)

    def commit(self, *iterations: int) -> None:
        """These iterations are complete."""
        for number in iterations:
            self.history.metrics.extend([(number, "node_0", "worker", "acc", None, number / 10)])
            self.recorder.commit(CommitIteration(Checkpoint(number + 1), ()))

    def end(self, status: Any = "completed") -> None:
        """The run is over."""
        self.recorder.finish(FinishRun(status, "enough"))


@pytest.fixture
def bench() -> Iterator[Bench]:
    """One whose store writes at once."""
    made = Bench()
    made.store.gate.set()
    yield made
    made.store.gate.set()
    made.end()


def test_what_is_committed_is_confirmed_when_it_is_written(bench: Bench) -> None:
    """Not before: a run counts what would be there after a crash."""
    bench.store.gate.clear()
    bench.begin()
    bench.commit(0)
    bench.store.begun.wait(10)
    before = list(bench.posted)
    bench.store.gate.set()
    until(lambda: bench.posted)

    assert before == []
    assert bench.posted == [IterationCommitted(0)]
    assert bench.store.info(PLAN.run_id).iterations == 1


def test_a_slow_store_passes_over_iterations_but_not_over_their_metrics(bench: Bench) -> None:
    """While one is written three more are complete: the last of them stands for all, with the numbers of each."""
    bench.store.gate.clear()
    bench.begin()
    bench.commit(0)
    bench.store.begun.wait(10)
    bench.commit(1, 2, 3)
    bench.store.gate.set()
    until(lambda: IterationCommitted(3) in bench.posted)

    assert bench.posted == [
        IterationSkipped(1),
        IterationSkipped(2),
        IterationCommitted(0),
        IterationCommitted(3),
    ]
    assert [columns.iteration.tolist() for columns in bench.store.metrics(PLAN.run_id)] == [[0], [1, 2, 3]]


def test_lines_and_events_are_written_between_commits(bench: Bench) -> None:
    """An iteration may take hours: what happens in it is kept meanwhile, and once."""
    bench.begin()
    bench.history.events.extend([Event(0, "retry", "again")])
    until(lambda: bench.store.events(PLAN.run_id), 10)
    bench.commit(0)
    bench.end()

    assert [event.message for event in bench.store.events(PLAN.run_id)] == ["again"]


def test_a_store_that_fails_is_told_once_and_for_all(bench: Bench) -> None:
    """The run hears why; whatever is committed later is answered at once, and nothing hangs."""
    bench.store.fails = StoreError("the disk is full")
    bench.begin()
    bench.commit(0)
    until(lambda: bench.posted)
    bench.commit(1)

    assert bench.posted == [StoreFailed("the disk is full"), StoreFailed("the store failed before")]


def test_what_a_failed_leg_did_not_write_the_next_one_does(bench: Bench) -> None:
    """A run that goes on after the disk was full has all its numbers on disk."""
    bench.store.fails = StoreError("the disk is full")
    bench.begin()
    bench.commit(0)
    until(lambda: bench.posted)
    bench.end("failed")
    bench.store.fails, bench.recorder = None, bench.leg()
    bench.begin()
    bench.commit(1)
    until(lambda: IterationCommitted(1) in bench.posted)

    assert [columns.iteration.tolist() for columns in bench.store.metrics(PLAN.run_id)] == [[0, 1]]


def test_an_error_of_ours_is_told_too(bench: Bench) -> None:
    """With its type; its traceback is logged."""
    bench.store.fails = ZeroDivisionError("no")
    bench.begin()
    bench.commit(0)
    until(lambda: bench.posted)

    assert bench.posted == [StoreFailed("ZeroDivisionError: no")]


def test_large_writes_rest_and_the_end_does_not_wait_for_that(bench: Bench) -> None:
    """After a write that took long the next one waits, unless the run has nothing else to do."""
    bench.begin()
    bench.commit(0)
    until(lambda: IterationCommitted(0) in bench.posted)
    bench.recorder._free_at = float("inf")
    bench.commit(1)
    waiting = list(bench.posted)
    bench.recorder.hurry()
    until(lambda: IterationCommitted(1) in bench.posted, 5)

    assert waiting == [IterationCommitted(0)]


def test_a_run_belongs_to_one_recorder_at_a_time(bench: Bench) -> None:
    """Another one is refused while it goes on, and not after its end."""
    with pytest.raises(StoreError):
        bench.leg()
    bench.begin()
    bench.end()

    bench.recorder = bench.leg()


def test_the_end_is_kept_with_what_was_best(bench: Bench) -> None:
    """Status, reason, and for lists of runs where each metric was lowest and highest."""
    bench.begin()
    bench.commit(0, 1)
    until(lambda: IterationCommitted(1) in bench.posted)
    bench.end()

    ending, info = bench.store.ending(PLAN.run_id), bench.store.info(PLAN.run_id)
    assert ending is not None
    assert (ending.status, ending.reason, ending.elapsed) == ("completed", "enough", 1.5)
    assert info.best == {"acc": (0.0, 0, 0.1, 1)}
