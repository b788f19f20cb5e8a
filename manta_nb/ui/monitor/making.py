"""Putting a monitor together: the feed of a run, the look at its nodes, its buttons and its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from comm import get_comm_manager

from manta_nb.errors import NodeError
from manta_nb.session.feed import Buttons, Look, Message, NodeLook, NoLook, ProcessLook, RunFeed
from manta_nb.ui.follow import WatchedRun
from manta_nb.ui.goingon import OVER, resumable
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
    session: Callable[[], Session | None],
    before_resume: Callable[[Any], object],
    controls: Literal["live", "after-cell"],
    busy: Callable[[], bool],
    hindrance: Callable[[], str] = str,
) -> Monitor:
    """A monitor of a run; `session` tells the run's own: None where it has none (yet).

    `hindrance` tells why no run can go on in this kernel; "" where it can.
    """
    run = cast("Run", watched)
    feed = _ButtonFeed(run, session, controls, hindrance)

    def nodes() -> Mapping[str, Any]:
        found = session()
        if found is None or found.closed:
            raise NodeError("the nodes of this run are not there any more")
        return found.nodes

    def model(token: str) -> RunMonitor:
        return RunMonitor(run_id=run.run_id, control=token)

    actions = RunActions(run, nodes, before_resume)
    return Monitor(watched, feed, actions, model, switchboard(get_comm_manager()), busy)


class _SessionLook:
    """Looks at the nodes of a session that may start after the monitor, or be another one later; see `Look`."""

    def __init__(self, session: Callable[[], Session | None]) -> None:
        self._session = session
        self._seen: Session | None = None
        self._look: Look = NoLook()

    @property
    def nodes(self) -> Mapping[str, NodeLook]:
        """See `Look.nodes`."""
        return self._look.nodes

    def sample(self) -> None:
        """See `Look.sample`."""
        session = self._session()
        if session is not None and session is not self._seen:
            self._seen, self._look = session, ProcessLook(session)
        self._look.sample()


class _ButtonFeed(RunFeed):
    """A run's feed that knows what its buttons can do in this notebook."""

    def __init__(
        self,
        run: Run,
        session: Callable[[], Session | None],
        controls: Literal["live", "after-cell"],
        hindrance: Callable[[], str],
    ) -> None:
        super().__init__(run, _SessionLook(session))
        self._run = run
        self._session = session
        self._controls = controls
        self._hindrance = hindrance
        self._plain = Buttons(controls)
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
        if not run.finished:
            # ten times a second
            self.buttons = self._plain
            return
        session = self._session()
        able, note = session is not None and not session.closed, ""
        if session is None and run.stored_session is not None:
            able, note = _of_the_store(run, run.stored_session)
        if able and run.status in OVER and (hindrance := self._hindrance()):
            able, note = False, hindrance
        can_resume = able and run.status in OVER
        self.buttons = Buttons(self._controls, can_resume, note)


def _of_the_store(run: Run, stored: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether nodes can be had for a run that was opened from the store, and what is to be said of it."""
    if run.status in ("pending", "running", "stopping"):
        return False, f"this is how it stood when it was opened here; %manta stop {run.name} stops it there"
    if run.status not in OVER:
        return True, ""
    return resumable(stored, None, run.name)
