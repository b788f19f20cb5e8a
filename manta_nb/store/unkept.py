"""A run's history in dicts: for tests and for runs that need not outlive the kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from manta_nb.engine.events import IterationCommitted, RunEvent
from manta_nb.engine.instructions import CommitIteration, FinishRun
from manta_nb.engine.records import Event, RunPlan, Status, ValueRef

__all__ = ["Unkept"]


class Unkept:
    """Keeps one run as long as this object lives. Implements `engine.ports.RunStore`."""

    def __init__(self) -> None:
        self.plan: RunPlan | None = None
        #: iteration → the Globals as they were after it
        self.globals: dict[int, Mapping[str, ValueRef]] = {}
        self.events: list[Event] = []
        self.status: Status = "pending"
        self.reason = ""

    def begin(self, plan: RunPlan, post: Callable[[RunEvent], None]) -> None:
        """A run begins, or goes on."""
        self.plan, self._post = plan, post
        self.status, self.reason = "running", ""

    def commit(self, commit: CommitIteration) -> None:
        """An iteration is complete."""
        self.globals[commit.iteration] = commit.globals
        self._post(IterationCommitted(commit.iteration))

    def record(self, event: Event) -> None:
        """Something happened that a person may want to know."""
        self.events.append(event)

    def hurry(self) -> None:
        """Nothing is ever late."""

    def finish(self, end: FinishRun) -> None:
        """The run is over."""
        self.status, self.reason = end.status, end.reason
