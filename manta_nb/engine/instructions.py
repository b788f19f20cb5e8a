"""What shall be done: the only things a `RunState` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from manta_nb.engine.records import Event, Failure, Status, ValueRef
from manta_nb.engine.results import ResultIndex

__all__ = ["CommitIteration", "DropSegments", "FinishRun", "Instruction", "Record", "RunTask", "StopTasks"]


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


@dataclass(frozen=True)
class CommitIteration:
    """Make this iteration's Globals the committed ones, in one transaction."""

    iteration: int
    globals: Mapping[str, ValueRef]
    #: tags written in this iteration
    changed: tuple[str, ...]


@dataclass(frozen=True)
class DropSegments:
    """Nobody can read these any more: free their memory."""

    keys: tuple[str, ...]


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


Instruction = RunTask | CommitIteration | DropSegments | StopTasks | Record | FinishRun
