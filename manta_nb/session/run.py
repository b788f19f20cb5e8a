"""`Run`: one execution of a swarm, to watch, to wait for, to stop and to read."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from manta_nb.engine.driver import Driver
from manta_nb.engine.events import RunEvent, StopRequested
from manta_nb.engine.instructions import Instruction
from manta_nb.engine.progress import Progress
from manta_nb.engine.records import Failure, RunPlan, Status
from manta_nb.engine.wording import one_line
from manta_nb.errors import MantaError, RunFailed
from manta_nb.sdk.graph import TaskGraph
from manta_nb.session.drawing import GraphView
from manta_nb.session.history import History
from manta_nb.session.nodeuse import RunNodes
from manta_nb.session.plotting import plot
from manta_nb.session.showing import Display, Shows, WaitingInterrupted
from manta_nb.session.summary import bundle, progress_line, summarise, summary_text
from manta_nb.session.views import GlobalsView, ResultsView, RunningNotice

if TYPE_CHECKING:
    from manta_nb.session.figure import RunFigure

__all__ = ["Run"]


_log = logging.getLogger(__name__)


class Run:
    """One execution of a swarm. Made by `Session.run`; goes on in the background until it ends.

    Example:
        >>> fl = session.run(FLSwarm(), iterations=20)
        >>> fl.wait()
        >>> fl.metrics.plot("val_acc")
        >>> fl.globals["global_model_params"]
    """

    def __init__(
        self,
        plan: RunPlan,
        graph: TaskGraph,
        driver: Driver,
        history: History,
        nodes: Sequence[str],
        on_end: Callable[[Run], None],
        planned: Mapping[str, int],
    ) -> None:
        self.run_id = plan.run_id
        self.name = plan.name
        self.seed = plan.seed
        self.iterations = plan.iterations
        #: nodes the run may use, and what each did
        self.nodes = RunNodes(nodes, history.seconds, history.bytes_out)
        self.started = time.time()
        self.ended: float | None = None
        self._display: Display | None = None
        self._driver = driver
        self._history = history
        self._on_end = on_end
        self._done = threading.Event()
        self._watchers: list[Callable[[Run], None]] = []
        self._clock = time.monotonic()
        self._took = 0.0
        notice = RunningNotice(self)
        history.notice(notice)
        self.metrics = history.metrics
        self.logs = history.logs
        self.events = history.events
        self.globals = GlobalsView(history.read_global, history.global_tags, notice)
        self.results = ResultsView(history.select, history.result_tags, notice)
        self.graph = GraphView(graph, lambda: self.progress.tasks, lambda: planned)

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
        """Whether it is over."""
        return self._done.is_set()

    @property
    def elapsed(self) -> float:
        """Seconds since it started, or that it took."""
        return self._took if self.finished else time.monotonic() - self._clock

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
        try:
            over = self._done.wait(timeout)
        except KeyboardInterrupt:
            told = f"{self.name} goes on ({self._counted()}); {self.name}.stop() ends it"
            raise WaitingInterrupted(told) from None
        if not over:
            raise MantaError(f"{self.name} is not over after {timeout:g} s ({self._counted()}); it goes on")
        if self.display is not None:
            self.display.settle(self)
        if check and self.status == "failed":
            raise RunFailed(self.error)
        return self

    def __await__(self) -> Generator[Any, None, Run]:
        # no thread that waits: it would outlive an interrupted cell, and keep the kernel from ending
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        unwatch = self.watch(lambda run: _tell(loop, over) if run.finished else None)
        try:
            yield from over
        finally:
            unwatch()
        return self.wait()

    def stop(self, reason: str = "stopped by the user", timeout: float = 10) -> Run:
        """End the run now, whatever its tasks do; the iteration under way is given up, the nodes stay."""
        self._driver.post(StopRequested(reason))
        self._done.wait(timeout)
        return self

    def watch(self, callback: Callable[[Run], None]) -> Callable[[], None]:
        """Call `callback(run)` from the run's thread after every change and after the end; returns what ends that."""
        self._watchers.append(callback)
        if self.finished:
            callback(self)
        return lambda: self._watchers.remove(callback) if callback in self._watchers else None

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
        for view in (
            self.metrics,
            self.logs,
            self.events,
            self.globals,
            self.results,
            self.graph,
            self.nodes,
        ):
            view.live = None if display is None else self._show

    def _show(self, view: Shows) -> None:
        if self._display is not None:
            self._display.show(self, view)

    def _start(self) -> None:
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._work,), name=f"manta-run-{self.run_id[:8]}", daemon=True
        ).start()

    def _work(self) -> None:
        try:
            self._driver.run()
        finally:
            self.ended = time.time()
            self._took = time.monotonic() - self._clock
            try:
                self._on_end(self)
            finally:
                self._done.set()
                self._notify()

    def _observe(self, what: RunEvent | Instruction) -> None:
        self._history.observe(what)
        self._notify()

    def _lines(self, iteration: int, task: str, node_ids: Sequence[str], lines: list[list[Any]]) -> None:
        self._history.lines(iteration, task, node_ids, lines)
        self._notify()

    def _notify(self) -> None:
        for watcher in list(self._watchers):
            try:
                watcher(self)
            except Exception:  # noqa: BLE001 - a watcher is a screen: its bug must not end a run
                _log.exception("a watcher of run %s failed", self.name)

    def _counted(self) -> str:
        return f"{self.iteration} of {self.iterations}" if self.iterations else f"iteration {self.iteration}"

    def __repr__(self) -> str:
        return progress_line(summarise(self))

    def __str__(self) -> str:
        return summary_text(summarise(self))

    def _ipython_display_(self) -> None:
        if self._display is None:
            # IPython's word for "show the other forms"
            raise NotImplementedError
        self._display.show(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return bundle(self)


def _tell(loop: asyncio.AbstractEventLoop, over: asyncio.Future[None]) -> None:
    """The run is over, says its thread; the loop may be, too."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, over)


def _settle(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
