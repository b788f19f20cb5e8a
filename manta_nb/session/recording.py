"""`Recorder`: writes one run into a store, on a thread of its own, at a pace that the run does not feel."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.events import IterationCommitted, IterationSkipped, RunEvent, StopRequested, StoreFailed
from manta_nb.engine.instructions import CommitIteration, FinishRun
from manta_nb.engine.records import Event, RunPlan
from manta_nb.engine.wording import one_line
from manta_nb.errors import MantaError, MissingTag
from manta_nb.session.keeping import Gatherer
from manta_nb.store.ports import Read, Store
from manta_nb.store.records import RunHead

__all__ = ["Recorder"]

#: after a write the writer rests so many times as long as it kept a processor busy, at most so many seconds
REST, LONGEST_REST = 40, 10.0
#: a write that takes less than this needs no rest
QUICK = 0.015
#: seconds after which log lines and events are written where no iteration is complete, and after which the store is
#: asked whether somebody elsewhere wants the run to stop
LOOSE_EVERY, ASK_EVERY = 1.0, 0.5

_log = logging.getLogger(__name__)


class Recorder:
    """Implements `engine.ports.RunStore` for one leg of a run.

    Small iterations are written as they come. Of iterations that take long to write, as their values are large, one is
    written now and then: the later ones stand for those before them, and the last one is never left out.

    Args:
        store: where to.
        head: what was asked for.
        gatherer: what there is to keep; the same one for every leg of the run.
        read: all bytes of a segment.
        lost: which of some segments nobody has any more.
        first: the checkpoint before the first iteration, to be kept, too; None where the store has it.
        check: called when the run is this one's: raises where it may not go on.

    Raises:
        StoreError: somebody else has the run, such as another kernel that goes on with it, or nothing can be written.
    """

    def __init__(
        self,
        store: Store,
        head: RunHead,
        gatherer: Gatherer,
        read: Read,
        lost: Callable[[Iterable[str]], list[str]],
        first: Checkpoint | None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._head = head
        self._first = first
        self._gatherer = gatherer
        self._lost = lost
        self._read_now = read
        self._release = store.claim(head.plan.run_id)
        try:
            check()
            # the first iteration may drop them before they are written
            self._early = {key: read(key) for key in (first.keys if first is not None else ())}
            store.begin(head)
        except BaseException:
            self._release()
            raise
        self._wake = threading.Condition()
        self._waiting: CommitIteration | None = None
        self._hurry = self._closing = self._failed = False
        self._free_at = self._ask_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def _run_id(self) -> str:
        return self._head.plan.run_id

    def begin(self, plan: RunPlan, post: Callable[[RunEvent], None]) -> None:
        """See `RunStore.begin`."""
        self._post = post
        self._thread = threading.Thread(target=self._work, name=f"manta-store-{plan.run_id[:8]}", daemon=True)
        self._thread.start()

    def commit(self, commit: CommitIteration) -> None:
        """See `RunStore.commit`."""
        with self._wake:
            if self._failed:
                self._post(StoreFailed("the store failed before"))
                return
            passed, self._waiting = self._waiting, commit
            self._wake.notify()
        if passed is not None:
            # at once: until then its memory cannot be used again
            self._post(IterationSkipped(passed.iteration))

    def hurry(self) -> None:
        """See `RunStore.hurry`."""
        with self._wake:
            self._hurry = True
            self._wake.notify()

    def record(self, event: Event) -> None:
        """See `RunStore.record`: the history has it, and is asked for it."""

    def finish(self, end: FinishRun) -> None:
        """See `RunStore.finish`."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        try:
            self._store.finish(self._run_id, self._gatherer.ending(end))
        except MantaError as error:
            _log.warning("the end of run %s is not stored: %s", self._head.plan.name, error)
        finally:
            self._release()

    def _work(self) -> None:
        try:
            if self._first is not None:
                self._keep(self._first)
            while self._next():
                pass
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the run must hear of it
            self._fail(error)

    def _next(self) -> bool:
        """Wait for something to write and write it; False where the run is over."""
        commit = self._wait()
        if time.monotonic() >= self._ask_at:
            self._ask()
        if commit is not None:
            began = time.thread_time()
            self._keep(commit.checkpoint)
            spent = time.thread_time() - began
            self._free_at = time.monotonic() + (min(REST * spent, LONGEST_REST) if spent > QUICK else 0)
            self._post(IterationCommitted(commit.iteration))
        elif loose := self._gatherer.loose():
            self._store.append(self._run_id, loose)
            self._gatherer.stored()
        return commit is not None or not self._closing

    def _keep(self, checkpoint: Checkpoint) -> None:
        try:
            self._store.commit(self._run_id, self._gatherer.committed(checkpoint), self._read)
        except MissingTag:
            # results that went with their node since: the run itself goes on without them, too
            gone = self._lost(checkpoint.keys)
            if not gone or checkpoint.lost(gone):
                raise
            checkpoint = checkpoint.without(gone)
            self._store.commit(self._run_id, self._gatherer.committed(checkpoint), self._read)
        self._gatherer.stored(checkpoint)
        self._early = {}

    def _read(self, key: str) -> memoryview:
        early = self._early.get(key)
        return self._read_now(key) if early is None else early

    def _wait(self) -> CommitIteration | None:
        """The commit that came last, once it is time to write it; None where it is time for lines and events."""
        with self._wake:
            began = time.monotonic()
            while not self._closing and time.monotonic() < began + LOOSE_EVERY:
                rest = self._free_at - time.monotonic()
                if self._waiting is not None and (rest <= 0 or self._hurry):
                    break
                self._wake.wait(min(rest, ASK_EVERY) if self._waiting is not None else ASK_EVERY)
                if time.monotonic() >= self._ask_at:
                    self._ask()
            if self._hurry or self._closing or time.monotonic() >= self._free_at:
                commit, self._waiting = self._waiting, None
                return commit
        return None

    def _ask(self) -> None:
        self._ask_at = time.monotonic() + ASK_EVERY
        reason = self._store.asked_to_stop(self._run_id)
        if reason is not None:
            self._post(StopRequested(reason))

    def _fail(self, error: Exception) -> None:
        expected = isinstance(error, MantaError)
        if not expected:
            _log.exception("run %s cannot be stored", self._head.plan.name)
        with self._wake:
            self._failed = True
        self._post(StoreFailed(one_line(str(error) if expected else f"{type(error).__name__}: {error}")))
