"""Putting a monitor together: the feed of a run, the look at its nodes, its buttons and its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from comm import get_comm_manager

from manta_nb.errors import NodeError
from manta_nb.session.feed import Buttons, Message, NoLook, ProcessLook, RunFeed
from manta_nb.ui.follow import WatchedRun
from manta_nb.ui.monitor.actions import RunActions
from manta_nb.ui.monitor.control import switchboard
from manta_nb.ui.monitor.monitor import Monitor
from manta_nb.ui.monitor.widget import RunMonitor

if TYPE_CHECKING:
    from manta_nb.session.run import Run
    from manta_nb.session.session import Session

__all__ = ["make_monitor"]


def make_monitor(
    watched: WatchedRun,
    session: Session | None,
    controls: Literal["live", "after-cell"],
    busy: Callable[[], bool],
) -> Monitor:
    """A monitor of a run; `session` is the run's own, None where nobody knows it any more."""
    run = cast("Run", watched)
    feed = _ButtonFeed(run, session, controls)

    def nodes() -> Mapping[str, Any]:
        if session is None or session.closed:
            raise NodeError("the nodes of this run are not there any more")
        return session.nodes

    def model(token: str) -> RunMonitor:
        return RunMonitor(run_id=run.run_id, control=token)

    return Monitor(watched, feed, RunActions(run, nodes), model, switchboard(get_comm_manager()), busy)


class _ButtonFeed(RunFeed):
    """A run's feed that knows what its buttons can do in this notebook."""

    def __init__(self, run: Run, session: Session | None, controls: Literal["live", "after-cell"]) -> None:
        super().__init__(run, NoLook() if session is None else ProcessLook(session))
        self._run = run
        self._session = session
        self._controls = controls
        self._press()

    def full(self) -> Message:
        """See `RunFeed.full`."""
        self._press()
        return super().full()

    def delta(self) -> Message | None:
        """See `RunFeed.delta`."""
        self._press()
        return super().delta()

    def _press(self) -> None:
        run = self._run
        nodes = self._session is not None and not self._session.closed
        can_resume = nodes and run.finished and run.status in ("stopped", "failed")
        self.buttons = Buttons(self._controls, can_resume)
