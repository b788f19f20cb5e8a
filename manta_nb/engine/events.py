"""What happened: the only things that change a `RunState`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from manta_nb.engine.records import Batch, Change, Event, Failure, NodeInfo, ValueRef

__all__ = [
    "BatchFinished",
    "BatchLost",
    "ChangeRequested",
    "DeadlineOver",
    "GlobalsEdited",
    "IterationCommitted",
    "IterationSkipped",
    "NodesGone",
    "NodesJoined",
    "NodesLost",
    "Noted",
    "PatienceOver",
    "RunEvent",
    "RunStarted",
    "SegmentsLost",
    "StopRequested",
    "StoreFailed",
]


@dataclass(frozen=True)
class RunStarted:
    """The run may begin."""


@dataclass(frozen=True)
class BatchFinished:
    """One dispatch to the nodes of one worker ended; each node in it finished or failed."""

    batch: Batch


@dataclass(frozen=True)
class BatchLost:
    """A dispatch ended without an outcome for these nodes: their machine, or a value it needed, is lost."""

    task: str
    iteration: int
    attempt: int
    node_ids: tuple[str, ...]
    failure: Failure
    #: keys of segments that cannot be read any more; the tasks that made them have to run again
    lost_segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodesJoined:
    """Nodes came (back)."""

    nodes: tuple[NodeInfo, ...]


@dataclass(frozen=True)
class NodesLost:
    """Nodes went away and are expected back; dispatches under way on them are reported by `BatchLost`.

    They stay eligible: what is sent to them waits for their return.
    """

    node_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class NodesGone:
    """Nodes did not come back in time: what they still owed has failed. No `BatchLost` needs to follow."""

    node_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class PatienceOver:
    """A timer of a task with a quorum: the nodes that are still awaited had their time."""

    iteration: int
    task: str
    #: which state of the quorum it is about; one that has passed makes the timer stale
    serial: int
    #: how long it was
    seconds: float


@dataclass(frozen=True)
class DeadlineOver:
    """A timer of a task with a quorum: by now enough nodes had to be done. Fields: see `PatienceOver`."""

    iteration: int
    task: str
    serial: int
    seconds: float


@dataclass(frozen=True)
class SegmentsLost:
    """Segments cannot be read any more, found out before a task asked for them (their holder died)."""

    keys: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class IterationCommitted:
    """The store has the iteration."""

    iteration: int


@dataclass(frozen=True)
class IterationSkipped:
    """The store has not kept the values of this iteration, as a later one was there before it came to it."""

    iteration: int


@dataclass(frozen=True)
class StoreFailed:
    """The store cannot keep what is committed; `message` says why, and what to do."""

    message: str


@dataclass(frozen=True)
class StopRequested:
    """A person wants the run to end; `now` gives up the running iteration."""

    reason: str = "stopped by the user"
    now: bool = True


@dataclass(frozen=True)
class ChangeRequested:
    """A person wants a Global to be another one from the next iteration on."""

    change: Change


@dataclass(frozen=True)
class GlobalsEdited:
    """What came of an `EditGlobals`: where the changed Globals lie, and a line for each change."""

    globals: Mapping[str, ValueRef]
    told: tuple[str, ...]


@dataclass(frozen=True)
class Noted:
    """A node reported something worth keeping (a NaN, a value returned from run)."""

    event: Event


RunEvent = (
    RunStarted
    | BatchFinished
    | BatchLost
    | NodesJoined
    | NodesLost
    | NodesGone
    | PatienceOver
    | DeadlineOver
    | SegmentsLost
    | IterationCommitted
    | IterationSkipped
    | StoreFailed
    | StopRequested
    | ChangeRequested
    | GlobalsEdited
    | Noted
)
