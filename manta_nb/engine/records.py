"""The facts the engine passes around: frozen, small, and free of any machine.

* `TaskPlan`, `RunPlan`: what was asked for, fixed for the whole run;
* `Segment`, `ValueRef`: where a value lies, opaque to the engine;
* `Batch`, `Failure`, `Quorum`: what came of one dispatch of a task to the nodes of one worker;
* `Event`: something worth telling a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Batch",
    "Change",
    "Event",
    "Failure",
    "NodeInfo",
    "Quorum",
    "RunPlan",
    "Segment",
    "Status",
    "TaskPlan",
    "ValueRef",
    "state_version",
]

Status = Literal["pending", "running", "stopping", "completed", "stopped", "failed", "interrupted"]


@dataclass(frozen=True)
class NodeInfo:
    """A node that is alive: its name, the worker process that hosts it, and the datasets it holds."""

    node_id: str
    worker_id: str
    datasets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TaskPlan:
    """One task of the graph with its placement and failure policy, as its `Module` states them."""

    alias: str
    #: aliases of the tasks it waits for
    inputs: tuple[str, ...] = ()
    method: Literal["any", "all"] = "any"
    maximum: int | float | None = None
    fixed: bool = False
    specified_ids: tuple[str, ...] | None = None
    excepted_ids: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    #: how many nodes must succeed for the iteration to go on; None: all of them
    min_nodes: int | None = None
    #: how often a node's failed turn is tried again (a lost node is not a failure of the task)
    retries: int = 0
    #: seconds from the start of a node's turn
    timeout: float | None = None


@dataclass(frozen=True)
class RunPlan:
    """One run: its graph in topological order, its end, its seed."""

    run_id: str
    name: str
    tasks: tuple[TaskPlan, ...]
    #: complete iterations to run; None: until `stop_swarm()` or a person stops it
    iterations: int | None
    seed: int
    #: iterations whose results stay readable; None: all
    keep_results: int | None = 2


@dataclass(frozen=True)
class Change:
    """What a person wants of a Global: another value at `path` inside it, or, where that is empty, of the whole."""

    tag: str
    value: object
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Segment:
    """A piece of memory somewhere that holds the values one batch wrote. The engine only counts it.

    `key` is unique and random; `holder` is the id of the worker that made it ("" for the kernel).
    """

    key: str
    holder: str
    nbytes: int


@dataclass(frozen=True)
class ValueRef:
    """One encoded value inside a segment."""

    segment: Segment
    offset: int
    nbytes: int


@dataclass(frozen=True)
class Failure:
    """Why one node's turn failed, as plain text; `kind` says who is to blame.

    `error`: the user's code raised; `died`: its process ended; `timeout`: over the task's time limit;
    `lost`: the node's machine is gone; `refused`: the node would not start it; `stopped`: a person did it.
    """

    node_id: str
    kind: Literal["error", "died", "timeout", "lost", "refused", "stopped"]
    #: one line: type and message
    message: str
    #: where in the user's code: "Cell In[3], line 4" or "worker.py, line 12"; "" if unknown
    where: str = ""
    #: the user's frames only, as text
    traceback: str = ""
    #: last lines the task printed on that node
    output: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quorum:
    """When the iteration may go on from a task without all of its nodes, as one that is done said it.

    >>> Quorum.of([Quorum(2, 30.0, 600.0), Quorum(3, 10.0, 60.0, away=True)])
    Quorum(nodes=3, patience=10.0, deadline=600.0, away=False)
    """

    #: how many must be done
    nodes: int
    #: seconds for the others, from when so many are done
    patience: float
    #: seconds to get so many, from when the first that said so is done
    deadline: float
    #: whether nodes that are away are waited for like the others, or not at all
    away: bool = False

    @classmethod
    def of(cls, said: Iterable[Quorum]) -> Quorum | None:
        """What several nodes said, as one; None where nobody said anything."""
        known = tuple(said)
        if not known:
            return None
        return cls(
            max(each.nodes for each in known),
            min(each.patience for each in known),
            max(each.deadline for each in known),
            all(each.away for each in known),
        )


@dataclass(frozen=True)
class Batch:
    """What one dispatch wrote: the nodes that finished, the nodes that failed, and where the values lie."""

    iteration: int
    task: str
    attempt: int
    worker_id: str
    #: nodes that finished and count, in the order of their turns. The engine leaves out a node whose report
    #: came too late, so a reader goes by these names, never by what else the segment holds
    nodes: tuple[str, ...]
    failures: tuple[Failure, ...] = ()
    #: None where nothing was written
    segment: Segment | None = None
    #: result tags → bytes written under it by the nodes of this batch
    result_bytes: Mapping[str, int] = field(default_factory=dict)
    #: result tags that only some of `nodes` wrote → those nodes; a tag absent here was written by all
    partial_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: global tag → (node that wrote last, where)
    globals: Mapping[str, tuple[str, ValueRef]] = field(default_factory=dict)
    #: global tags that more than one node of this batch wrote
    contested: tuple[str, ...] = ()
    #: alias → nodes asked for in the next iteration (last call wins)
    schedule: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: node that called stop_swarm(), or None
    stop: str | None = None
    #: what its nodes said by `World.quorum`, as one; None: nothing
    quorum: Quorum | None = None
    #: nodes whose `local.state` has a new version, named by `state_version`
    stateful: tuple[str, ...] = ()
    #: node → bytes it wrote (results and globals); a node that wrote nothing may be absent
    bytes_out: Mapping[str, int] = field(default_factory=dict)
    #: node → seconds of its turn
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Something a person may want to know: a retry, a lost node, two writers of one tag, a NaN.

    The engine's own kinds: `retry`, `lost` (a turn that is done again), `failure` (a node the iteration does
    without), `left_out` (one that it does not wait for), `away`, `back`, `joined`, `gone`, `conflict`, `late`,
    `schedule`.
    """

    iteration: int
    kind: str
    message: str
    node_id: str = ""
    task: str = ""


def state_version(iteration: int, task: str, attempt: int) -> str:
    """The name of the `local.state` that a node's turn leaves behind.

    >>> state_version(3, "worker", 0)
    '3-worker-0'
    """
    return f"{iteration}-{task}-{attempt}"
