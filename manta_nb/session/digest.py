"""One moment of a run in a few facts: what its one-screen summary says, before it is written as text or HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from manta_nb.engine.progress import Progress, TaskProgress
from manta_nb.engine.records import Event, Failure, Status
from manta_nb.session.curves import Spread
from manta_nb.session.drawing import GraphView
from manta_nb.session.logs import EventTable, LogRow, LogTable
from manta_nb.session.metrics import MetricTable
from manta_nb.session.views import GlobalsView, ResultsView

__all__ = ["RunLike", "Summary", "seconds_text", "summarise"]

#: up to so many nodes each one's last lines are shown; of more, the last lines of all
FEW_NODES = 8
_LINES, _LINES_OF_ALL, _OUTPUT, _EVENTS, _METRICS = 5, 9, 10, 4, 12
#: characters; a saved notebook holds all of it, as text and as HTML
_LONGEST_LINE, _LONGEST_TRACE = 300, 4_000


class RunLike(Protocol):
    """What is looked at; a `Run` is one."""

    @property
    def run_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def reason(self) -> str: ...
    @property
    def iteration(self) -> int: ...
    @property
    def iterations(self) -> int | None: ...
    @property
    def seed(self) -> int: ...
    @property
    def started(self) -> float: ...
    @property
    def elapsed(self) -> float: ...
    @property
    def bytes_moved(self) -> Mapping[int, int]: ...
    @property
    def finished(self) -> bool: ...
    @property
    def error(self) -> str: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def progress(self) -> Progress: ...
    @property
    def nodes(self) -> Sequence[str]: ...
    @property
    def metrics(self) -> MetricTable: ...
    @property
    def logs(self) -> LogTable: ...
    @property
    def events(self) -> EventTable: ...
    @property
    def graph(self) -> GraphView: ...
    @property
    def globals(self) -> GlobalsView: ...
    @property
    def results(self) -> ResultsView: ...


@dataclass(frozen=True)
class Summary:
    """A run at one moment. `iteration` counts the committed ones; `left` is the expected rest in seconds."""

    name: str
    #: its first eight characters, which are enough to find the run
    run_id: str
    status: Status
    reason: str
    iteration: int
    iterations: int | None
    elapsed: float
    left: float | None
    finished: bool
    tasks: tuple[TaskProgress, ...]
    metrics: tuple[tuple[str, Spread], ...]
    #: how many metrics there are beyond those in `metrics`
    more_metrics: int
    lines: tuple[LogRow, ...]
    events: tuple[Event, ...]
    #: how many events came before those in `events`
    earlier_events: int
    error: str
    failure: Failure | None

    @property
    def counted(self) -> str:
        """`iteration 3 of 20`, or `iteration 3` where no number was asked for."""
        return f"iteration {self.iteration}" + ("" if self.iterations is None else f" of {self.iterations}")

    @property
    def fraction(self) -> float | None:
        """The part of the iterations that is committed; None where no number was asked for."""
        return self.iteration / self.iterations if self.iterations else None

    @property
    def times(self) -> str:
        """`12 s · about 1 min left`."""
        left = f" · about {seconds_text(self.left)} left" if self.left is not None else ""
        return seconds_text(self.elapsed) + left

    @property
    def left_behind(self) -> str:
        """What a notebook that was saved in mid-run says; "" for a run that is over."""
        if self.finished:
            return ""
        return f"was running at iteration {self.iteration}; %manta monitor {self.name} shows the rest"


def _standing(name: str) -> bool:
    """Accuracies stand before other metrics: they are what one looks for."""
    return "acc" not in name.lower()


def summarise(run: RunLike) -> Summary:
    """Look at a run once; cheap enough for twice a second."""
    names = sorted(run.metrics.names(), key=_standing)
    metrics = [(name, run.metrics.last(name)) for name in names[:_METRICS]]
    events = list(run.events)
    left = None
    if run.iterations and not run.finished and 0 < run.iteration < run.iterations:
        left = run.elapsed / run.iteration * (run.iterations - run.iteration)
    return Summary(
        name=_cut(run.name),
        run_id=run.run_id[:8],
        status=run.status,
        reason=_cut(run.reason),
        iteration=run.iteration,
        iterations=run.iterations,
        elapsed=run.elapsed,
        left=left,
        finished=run.finished,
        tasks=tuple(run.progress.tasks),
        metrics=tuple(metrics),
        more_metrics=len(names) - len(metrics),
        lines=tuple(row._replace(text=_cut(row.text)) for row in _last_lines(run)),
        events=tuple(replace(event, message=_cut(event.message)) for event in events[-_EVENTS:]),
        earlier_events=max(0, len(events) - _EVENTS),
        error=_cut(run.error),
        failure=_shortened(run.failure),
    )


def seconds_text(seconds: float) -> str:
    """`0.8 s`, `12 s`, `1 min 5 s`, `2 h 3 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 and whole < 600 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


def _shortened(failure: Failure | None) -> Failure | None:
    """The end of the traceback and of the output: what tells most, and keeps a notebook small."""
    if failure is None:
        return None
    trace = failure.traceback
    if len(trace) > _LONGEST_TRACE:
        trace = "…\n" + trace[-_LONGEST_TRACE:].partition("\n")[2]
    output = tuple(_cut(line) for line in failure.output[-_OUTPUT:])
    return replace(failure, traceback=trace, output=output)


def _last_lines(run: RunLike) -> list[LogRow]:
    if len(run.nodes) > FEW_NODES:
        return list(run.logs.tail(_LINES_OF_ALL))
    of_nodes = run.logs.last_of_each(run.nodes, _LINES)
    return [line for lines in of_nodes.values() for line in lines]
