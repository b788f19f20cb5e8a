"""What shall be done: the only things a `RunState` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.events import RunEvent
from manta_nb.engine.records import Change, Event, Failure, Status, ValueRef
from manta_nb.engine.results import ResultIndex

__all__ = [
    "CommitIteration",
    "DropSegments",
    "EditGlobals",
    "FinishRun",
    "Instruction",
    "Record",
    "ReleaseNodes",
    "RunTask",
    "SetTimer",
    "StopTasks",
]


@dataclass(frozen=True)
class RunTask:
    """Run `alias` on `node_ids`; the dispatcher groups them by worker and reports a batch each."""

    iteration: int
    alias: str
    attempt: int
    node_ids: tuple[str, ...]
    #: what the task may read: the committed Globals and the writes of earlier tasks of this iteration
    globals: Mapping[str, ValueRef]
    results: ResultIndex
    #: node → version of its `local.state` to start from; absent: none yet
    states: Mapping[str, str]
    #: iterations that the store has: what they left can be asked for again
    kept: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CommitIteration:
    """Make what this iteration left the committed state, in one transaction."""

    checkpoint: Checkpoint
    #: tags of Globals written in this iteration
    changed: tuple[str, ...]

    @property
    def iteration(self) -> int:
        """The number of the iteration."""
        return self.checkpoint.iterations - 1

    @property
    def globals(self) -> Mapping[str, ValueRef]:
        """All Globals as they are after it."""
        return self.checkpoint.globals


@dataclass(frozen=True)
class EditGlobals:
    """Make these Globals anew, as a person wants them, and report `GlobalsEdited`; the next iteration waits for it."""

    iteration: int
    #: all Globals as the complete iteration leaves them
    globals: Mapping[str, ValueRef]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class DropSegments:
    """Nobody can read these any more: free their memory."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class ReleaseNodes:
    """Nobody waits for the turns of these nodes any more: let those under way know, and start no others."""

    iteration: int
    alias: str
    node_ids: tuple[str, ...]


@dataclass(frozen=True)
class SetTimer:
    """Report `event` in so many seconds. It is never taken back: an event that is stale by then changes nothing."""

    seconds: float
    event: RunEvent


@dataclass(frozen=True)
class StopTasks:
    """Stop whatever of this run is still running on any node."""


@dataclass(frozen=True)
class Record:
    """Keep and show this event."""

    event: Event


@dataclass(frozen=True)
class FinishRun:
    """The run is over."""

    status: Status
    reason: str
    failure: Failure | None = None
    #: alias of the task that failed or that stopped the swarm
    task: str = ""


Instruction = (
    RunTask
    | CommitIteration
    | EditGlobals
    | DropSegments
    | ReleaseNodes
    | SetTimer
    | StopTasks
    | Record
    | FinishRun
)
