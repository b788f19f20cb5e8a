"""`Run`: one execution of a swarm, to watch, to wait for, to stop, to go on with and to read."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from manta_nb.engine.events import StopRequested
from manta_nb.engine.progress import Progress
from manta_nb.engine.records import Failure, Status
from manta_nb.engine.wording import one_line
from manta_nb.errors import RunFailed, UsageError
from manta_nb.session.branching import Branches, Limit
from manta_nb.session.changing import change
from manta_nb.session.controls import Controls
from manta_nb.session.displayed import Displayed
from manta_nb.session.drawing import GraphView
from manta_nb.session.leg import Drives, Leg
from manta_nb.session.legs import Legs
from manta_nb.session.nodeuse import RunNodes
from manta_nb.session.plotting import plot
from manta_nb.session.showing import Display
from manta_nb.session.views import GlobalsView, ResultsView, RunningNotice, View
from manta_nb.session.waiting import Watchers, await_end, wait_for_end

if TYPE_CHECKING:
    from manta_nb.session.figure import RunFigure
    from manta_nb.session.session import Session

__all__ = ["Run"]


class Run(Branches, Displayed):
    """One execution of a swarm. Made by `Session.run`; goes on in the background until it ends.

    One that was stopped, or that failed, goes on from its last complete iteration with `resume`.

    Example:
        >>> fl = session.run(FLSwarm(), iterations=20)
        >>> fl.wait()
        >>> fl.metrics.plot("val_acc")
        >>> fl.globals["global_model_params"]
    """

    def __init__(self, legs: Legs) -> None:
        plan, history = legs.plan, legs.history
        self.run_id = plan.run_id
        self.name = plan.name
        self.seed = plan.seed
        #: nodes the run may use, and what each did
        self.nodes = RunNodes(legs.node_ids, history.seconds, history.bytes_out)
        self.started = time.time()
        self.ended: float | None = None
        self._legs = legs
        self._history = history
        self._watchers = Watchers()
        self._resuming = threading.Lock()
        notice = RunningNotice(self)
        history.notice(notice)
        self.metrics = history.metrics
        self.logs = history.logs
        self.events = history.events
        self.globals = GlobalsView(history.read_global, history.global_tags, notice)
        self.results = ResultsView(history.select, history.result_tags, notice)
        self.graph = GraphView(legs.graph, lambda: self.progress.tasks, lambda: legs.planned)
        self._leg: Leg = legs.first(self)

    @property
    def _driver(self) -> Drives:
        return self._leg.driver

    @property
    def iterations(self) -> int | None:
        """Iterations asked for; None: until something stops the run."""
        return self._legs.plan.iterations

    @property
    def progress(self) -> Progress:
        """One moment of the run, complete in itself."""
        progress = self._driver.progress
        if self._driver.finish is None:
            return progress
        # what a stop gave up does not go on running
        return replace(progress, tasks=tuple(replace(task, running=0) for task in progress.tasks))

    @property
    def status(self) -> Status:
        """`pending`, `running`, `stopping`, `completed`, `stopped` or `failed`."""
        return self.progress.status

    @property
    def reason(self) -> str:
        """Why it ended; "" before."""
        return self.progress.reason

    @property
    def iteration(self) -> int:
        """Iterations that are complete and committed."""
        return self.progress.committed

    @property
    def finished(self) -> bool:
        """Whether it is over; one that was resumed is not."""
        return self._leg.done.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since it started, or that it took; the time between an end and `resume` is not counted."""
        return self._leg.elapsed

    @property
    def failure(self) -> Failure | None:
        """What failed, with the task's traceback and last output; None where nothing did."""
        finish = self._driver.finish
        return finish.failure if finish is not None else None

    @property
    def error(self) -> str:
        """One line: why it failed; "" where it did not."""
        if self.status != "failed":
            return ""
        output = self.failure.output if self.failure is not None else ()
        whole = f"{self.reason} · last output: {output[-1]}" if output else self.reason
        return whole if whole == one_line(whole) else one_line(self.reason)

    @property
    def bytes_moved(self) -> dict[int, int]:
        """Iteration → bytes that left the nodes in it, as results and Globals."""
        return dict(self._history.bytes_moved)

    def wait(self, timeout: float | None = None, check: bool = True) -> Run:
        """Wait until it is over; returns the run.

        Args:
            timeout: seconds after which to give up waiting (the run goes on) with a `MantaError`.
            check: raise `RunFailed` where it failed.

        An interrupt ends the waiting only: `stop()` ends the run.
        """
        leg = self._leg
        wait_for_end(self, leg, timeout)
        if self.display is not None:
            self.display.settle(self)
        if check and leg is self._leg and self.status == "failed":
            raise RunFailed(self.error)
        return self

    def __await__(self) -> Generator[Any, None, Run]:
        yield from await_end(self)
        return self.wait()

    def stop(self, reason: str = "stopped by the user", timeout: float = 10) -> Run:
        """End the run now, whatever its tasks do; the iteration under way is given up, the nodes stay."""
        leg = self._leg
        leg.driver.post(StopRequested(reason))
        leg.done.wait(timeout)
        return self

    def resume(self, iterations: Limit = None, session: Session | None = None) -> Run:
        """Go on after a stop, a failure or the death of its kernel, from the last complete iteration.

        Args:
            iterations: complete iterations in all, where that is to change; a run that is complete needs more.
            session: nodes to go on with; by default those it had. A run of an earlier kernel starts the like of them.

        With a seed the numbers are those of a run that was never stopped. Returns the run at once.

        Raises:
            UsageError: it still goes on, is complete, or a value it needs is gone. NodeError: the session is closed.
            StoreError: another kernel has it.
        """
        with self._resuming:
            if not self.finished:
                raise UsageError(f"{self.name} is {self.status} ({self._counted()}): it goes on by itself")
            if session is not None or self._session is None:
                (session or self._in_session())._take_in(self)
            self._leg = self._legs.next(self, iterations)
            self.ended = None
            self._start()
        self._changed()
        return self

    def set_global(self, tag: str, value: Any, path: Sequence[str | int] = ()) -> Run:
        """Change a Global, or the entry at `path` inside it, from the next iteration on; returns the run.

        It takes effect when the running iteration is complete, over what that wrote, and is an event `change`.
        ```
        fl.set_global("hyperparameters", 0.05, path=["lr"])
        ```
        Raises:
            MissingTag: there is no such Global or entry. UsageError: the run is over.
        """
        change(self, tag, value, path)
        return self

    def controls(self) -> Controls:
        """The numbers of its Globals, to change while it runs, and to run it again with: fields in a notebook."""
        return Controls(self)

    def monitor(self) -> object:
        """The live monitor of the run; where there is no notebook, what a card says of it."""
        opens = getattr(self._display, "monitor", None)
        return self if opens is None else opens(self)

    def watch(self, callback: Callable[[Run], None]) -> Callable[[], None]:
        """Call `callback(run)` from the run's thread after every change and after the end; returns what ends that.

        It is called on where the run is resumed.
        """
        unwatch = self._watchers.add(callback)
        if self.finished:
            callback(self)
        return unwatch

    def plot(self, name: str | None = None) -> RunFigure:
        """The curves of one metric or of all: thin lines a node, a thick mean."""
        figure = cast("RunFigure", plot(self.metrics, name))
        return figure if self._display is None else figure.follow(self._show)

    @property
    def display(self) -> Display | None:
        """What shows it and its views live; None where there is no notebook."""
        return self._display

    @display.setter
    def display(self, display: Display | None) -> None:
        self._display = display
        views: tuple[View, ...] = (self.metrics, self.logs, self.events, self.globals, self.results)
        for view in (*views, self.graph, self.nodes):
            view.live = None if display is None else self._show

    def _changed(self) -> None:
        """Something has changed: tell who watches."""
        self._watchers.tell(self)

    def _start(self) -> None:
        context, name = contextvars.copy_context(), f"manta-run-{self.run_id[:8]}"
        threading.Thread(target=context.run, args=(self._work, self._leg), name=name, daemon=True).start()

    def _work(self, leg: Leg) -> None:
        try:
            leg.work(self._tidy)
        finally:
            self._changed()

    def _tidy(self) -> None:
        self.ended = time.time()
        self._legs.end(self.iteration)

    def _counted(self) -> str:
        return f"{self.iteration} of {self.iterations}" if self.iterations else f"iteration {self.iteration}"
