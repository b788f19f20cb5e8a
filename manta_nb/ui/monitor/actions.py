"""What the buttons of a monitor do to a run and its nodes; each says what it did in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from manta_nb.errors import MantaError, UsageError

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["RunActions"]


class RunActions:
    """A run's buttons; used from threads of their own, so that it may wait.

    `nodes` gives the nodes of the run's session by name; raises where they are not known. `before_resume` raises where
    the run must not go on.
    """

    def __init__(
        self,
        run: Run,
        nodes: Callable[[], Mapping[str, Any]],
        before_resume: Callable[[Run], object] = lambda run: None,
    ) -> None:
        self._run = run
        self._nodes = nodes
        self._before_resume = before_resume

    def stop(self) -> str:
        """End the run now; what it committed stays."""
        run = self._run
        if run.finished:
            raise UsageError(f"{run.name} is over: {run.status}")
        run.stop()
        if not run.finished:
            return f"{run.name} is being stopped"
        return f"{run.name} is {run.status} after {run.iteration} iterations"

    def resume(self) -> str:
        """Let it go on after its last committed iteration."""
        run = self._run
        self._before_resume(run)
        run.resume()
        return f"{run.name} goes on after {run.iteration} iteration{'s' * (run.iteration != 1)}"

    def node(self, action: str, node_id: str, factor: float | None, seconds: float | None) -> str:
        """Kill, freeze, slow or restart a node."""
        node = self._nodes()[node_id]
        if action == "freeze":
            told = node.freeze(30.0 if seconds is None else seconds)
        elif action == "slow":
            told = node.slow(5.0 if factor is None else factor)
        elif action in ("kill", "restart"):
            told = getattr(node, action)()
        else:
            raise MantaError(f"no such thing can be done to a node: {action[:40]}")
        return str(told)
