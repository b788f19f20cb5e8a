"""What a task may ask of the node that runs it: the only door between `sdk` and a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from manta_nb.errors import MantaError

__all__ = ["Dataset", "Host", "TaskContext", "current_context", "use_context"]


@dataclass(frozen=True)
class Dataset:
    """One dataset of a node: a file or folder, or one `.npy` file for each array.

    Exactly one of the two is given. `arrays` maps a key such as `"x_train"` to its file.
    """

    path: Path | None = None
    arrays: Mapping[str, Path] | None = None


class Host(Protocol):
    """How a `World` reads and records; implemented by whatever runs the task."""

    def read_global(self, tag: str) -> Any:
        """The value of `tag`, fresh each time, or `MissingTag`."""

    def global_tags(self) -> list[str]:
        """All tags that can be read now, in the order they were first written."""

    def write_global(self, tag: str, value: Any) -> None:
        """Record a write; raises `ValueRefused` at once where the value cannot travel."""

    def select(self, tag: str, iteration: int | None, latest: bool) -> dict[str, Any]:
        """`{node_id: value}`; see `Results.select`."""

    def add_result(self, tag: str, value: Any) -> None:
        """Record a result; raises `ValueRefused` at once where the value cannot travel."""

    def add_metric(self, name: str, value: float, step: float | None) -> None:
        """Record a metric that is already checked."""

    def schedule(self, node_ids: Sequence[str], alias: str) -> None:
        """Restrict `alias` to `node_ids` in the next iteration; an unknown one raises."""

    def stop(self) -> None:
        """End the run after this iteration."""

    def quorum(self, nodes: int, patience: float, deadline: float, away: bool) -> None:
        """Record what `World.quorum` was given, which is already checked."""

    @property
    def released(self) -> bool:
        """Whether nobody waits for this turn any more; false where that cannot be known."""

    @property
    def state(self) -> MutableMapping[str, Any]:
        """What stays on this node, committed and rolled back with the iteration."""


@dataclass(frozen=True)
class TaskContext:
    """One turn of one node: who runs what, and the host it talks to."""

    run_id: str
    iteration: int
    task: str
    node_id: str
    datasets: Mapping[str, Dataset]
    host: Host
    #: a folder of this node for this run, which may not exist yet; None: it has none
    folder: str | None = None
    #: objects that the node's process keeps from turn to turn of this run
    live: MutableMapping[str, Any] = field(default_factory=dict)


_current: ContextVar[TaskContext | None] = ContextVar("manta_nb_task", default=None)


def current_context(what: str) -> TaskContext:
    """The context of the task that runs here; `what` names who asks, for the error."""
    context = _current.get()
    if context is None:
        raise MantaError(
            f"{what} works inside a run only: put it in a swarm, or try it once with module.try_on('node_0')"
        )
    return context


@contextmanager
def use_context(context: TaskContext) -> Iterator[TaskContext]:
    """Make `context` the current one while the block runs."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
