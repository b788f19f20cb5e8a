"""Turns a `RunState` into a run: takes events one by one, carries out the instructions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import SimpleQueue
from traceback import format_exception

from manta_nb.engine.events import GlobalsEdited, RunEvent, RunStarted
from manta_nb.engine.instructions import (
    CommitIteration,
    DropSegments,
    EditGlobals,
    FinishRun,
    Instruction,
    Record,
    ReleaseNodes,
    RunTask,
    SetTimer,
    StopTasks,
)
from manta_nb.engine.ports import Dispatcher, RunStore
from manta_nb.engine.progress import Progress
from manta_nb.engine.records import Failure
from manta_nb.engine.run_state import RunState
from manta_nb.engine.timers import Timers
from manta_nb.engine.wording import one_line
from manta_nb.errors import MantaError

__all__ = ["Driver", "Observer"]

#: is called on the driver's thread with every event and every instruction carried out; must be quick
Observer = Callable[[RunEvent | Instruction], None]

_log = logging.getLogger(__name__)


class Driver:
    """Runs one `RunState` on one thread, which calls `run`. Other threads may `post` and read `progress`.

    A run that it started always ends: a bug in the engine, the dispatcher or the store ends it as `failed`,
    with the traceback in `FinishRun.failure`. An observer that raises is logged and does no harm.
    """

    def __init__(
        self,
        state: RunState,
        dispatcher: Dispatcher,
        store: RunStore,
        observers: Sequence[Observer] = (),
        edit: Callable[[EditGlobals], GlobalsEdited] | None = None,
    ) -> None:
        self._edit = edit
        self._state = state
        self._dispatcher = dispatcher
        self._store = store
        self._observers = tuple(observers)
        self._events: SimpleQueue[RunEvent] = SimpleQueue()
        self._timers = Timers()
        #: how far the run is; replaced as a whole after every event
        self.progress: Progress = state.progress()
        #: the end of the run; None while it goes on
        self.finish: FinishRun | None = None

    def post(self, event: RunEvent) -> None:
        """Report what happened; any thread may call it, also after the end."""
        self._events.put(event)

    def run(self) -> FinishRun:
        """Run to the end, on the calling thread; returns how it ended."""
        try:
            self._store.begin(self._state.plan, self.post)
            self._dispatcher.open(self._state.plan, self.post)
            self.post(RunStarted())
            while self.finish is None:
                self.step(self._timers.next_event(self._events))
        except BaseException as error:
            # The last line of defence: without it the run would hang.
            self._crash(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._attempt(self._dispatcher.close)
        assert self.finish is not None  # noqa: S101 - for the type checker: the loop ends with it
        return self.finish

    def step(self, event: RunEvent) -> None:
        """Handle one event and carry out what follows from it."""
        # Nodes get to work before memory is freed and the store writes: neither costs the run any time.
        instructions = sorted(self._state.handle(event), key=_urgency)
        self.progress = self._state.progress()
        self._observe(event)
        for instruction in instructions:
            self._perform(instruction)
            self._observe(instruction)
        if self._state.ending is not None and self.finish is None:
            self._store.hurry()

    def _perform(self, instruction: Instruction) -> None:
        match instruction:
            case RunTask():
                self._dispatcher.run(instruction)
            case EditGlobals():
                if self._edit is not None:
                    self.post(self._edit(instruction))
            case CommitIteration():
                self._store.commit(instruction)
            case DropSegments(keys):
                self._dispatcher.drop(keys)
            case ReleaseNodes():
                self._dispatcher.release(instruction)
            case SetTimer(seconds, later):
                self._timers.set(seconds, later)
            case StopTasks():
                self._dispatcher.stop()
            case Record(event):
                self._store.record(event)
            case FinishRun():
                self._store.finish(instruction)
                # Whoever sees `finish` must not find a picture of a run that still goes on.
                self.progress = self._state.progress()
                self.finish = instruction

    def _observe(self, what: RunEvent | Instruction) -> None:
        for observer in self._observers:
            try:
                observer(what)
            except Exception:  # noqa: BLE001 - an observer is a screen: its bug must not end a run
                _log.exception("an observer of run %s failed", self._state.plan.run_id)

    def _crash(self, error: BaseException) -> None:
        """End the run after an error of ours, keeping its traceback."""
        expected = isinstance(error, MantaError)
        message = str(error) if expected else f"{type(error).__name__}: {error}"
        reason = one_line(message if expected else f"an error inside manta_nb ended the run: {message}")
        failure = Failure("", "error", one_line(message), traceback="".join(format_exception(error)))
        finish = FinishRun("failed", reason, failure)
        self._attempt(self._dispatcher.stop)
        self._attempt(self._store.finish, finish)
        self.progress = replace(self.progress, status="failed", reason=reason)
        self.finish = finish
        self._observe(finish)

    def _attempt(self, action: Callable[..., None], *args: object) -> None:
        try:
            action(*args)
        except Exception:  # noqa: BLE001 - the run is over: what fails now must not hide how it ended
            _log.exception("run %s ended, but not everything could be tidied up", self._state.plan.run_id)


def _urgency(instruction: Instruction) -> int:
    match instruction:
        case RunTask() | StopTasks():
            return 0
        case CommitIteration() | Record():
            return 2
        case DropSegments():
            # who looks at the run while it goes on reads what was committed last, until the next commit is observed
            return 3
        case FinishRun():
            return 4
        case _:
            return 1
