"""A run's history in dicts: for tests and for runs that need not outlive the kernel."""

from __future__ import annotations

from collections.abc import Mapping

from manta_nb.engine.instructions import CommitIteration
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

    def begin(self, plan: RunPlan) -> None:
        """A run begins, or goes on."""
        self.plan = plan
        self.status, self.reason = "running", ""

    def commit(self, commit: CommitIteration) -> None:
        """An iteration is complete."""
        self.globals[commit.iteration] = commit.globals

    def record(self, event: Event) -> None:
        """Something happened that a person may want to know."""
        self.events.append(event)

    def finish(self, status: Status, reason: str) -> None:
        """The run is over."""
        self.status, self.reason = status, reason
