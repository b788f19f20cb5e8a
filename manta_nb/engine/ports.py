"""What the engine asks of the outside: protocols that `runtime`, `store` and a test's fakes implement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from manta_nb.engine.events import RunEvent
from manta_nb.engine.instructions import CommitIteration, FinishRun, ReleaseNodes, RunTask
from manta_nb.engine.records import Event, RunPlan

__all__ = ["Dispatcher", "RunStore"]


class Dispatcher(Protocol):
    """Carries `RunTask`s to nodes and reports what became of them through `post`.

    Every node of every `RunTask` is reported exactly once, in a `BatchFinished`, a `BatchLost` or a
    `NodesGone`, unless `stop` was called or it was released. `post` may be called from any thread. Two
    `RunTask`s of one iteration, task and attempt may be under way at once, for different nodes. A `RunTask` for a node
    that is away waits for it; the dispatcher has the deadline, and posts `NodesGone` when it has passed. Nothing that
    belongs to an earlier execution of the same run (it was resumed) is reported.
    """

    def open(self, plan: RunPlan, post: Callable[[RunEvent], None]) -> None:
        """Get ready for a run; joins and losses of nodes are posted from now on."""

    def run(self, task: RunTask) -> None:
        """Start the task on its nodes and return at once."""

    def release(self, release: ReleaseNodes) -> None:
        """Tell the turns of these nodes that nobody waits for them, and start none that has not begun.

        They go on until they end by themselves; what comes of them is not reported. Returns at once.
        """

    def drop(self, keys: tuple[str, ...]) -> None:
        """Free the segments with these keys; one that is not known (any more) is no error."""

    def stop(self) -> None:
        """Stop what runs, whatever the user's code does; the nodes stay."""

    def close(self) -> None:
        """The run is over: keep what its `Run` still shows, free the rest."""


class RunStore(Protocol):
    """Keeps a run's history. One transaction an iteration.

    The driver calls it on its own thread, after the nodes have got their next tasks; what takes time is done on
    another one. `post` may be called from any thread.
    """

    def begin(self, plan: RunPlan, post: Callable[[RunEvent], None]) -> None:
        """A run begins, or goes on where it was stopped, perhaps with more iterations."""

    def commit(self, commit: CommitIteration) -> None:
        """An iteration is complete.

        Each is reported once: `IterationCommitted` as soon as it is safe,
        `IterationSkipped` where a later one takes its place (the latest one is never skipped), or `StoreFailed`.
        """

    def record(self, event: Event) -> None:
        """Something happened that a person may want to know."""

    def hurry(self) -> None:
        """The run is over but for what it has committed: it waits for that now."""

    def finish(self, end: FinishRun) -> None:
        """The run is over."""
