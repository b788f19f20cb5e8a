"""A console whose streams are kept, and a session that runs nothing."""

from __future__ import annotations

import io
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from manta_nb.cli import run
from manta_nb.cli.console import Console
from manta_nb.cli.grammar import COMMANDS
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.table import Node, NodeTable
from manta_nb.ui.parser import parse
from tests.session.fake_run import FakeRun

__all__ = ["EndingRun", "FakeSession", "Streams", "interrupted", "typed"]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Streams:
    """A console and what was written to it."""

    def __init__(self, terminal: bool = False) -> None:
        self.console = Console(io.StringIO(), _Terminal() if terminal else io.StringIO())

    @property
    def out(self) -> str:
        return self.console.data.getvalue()  # type: ignore[attr-defined]

    @property
    def err(self) -> str:
        return self.console.talk.getvalue()  # type: ignore[attr-defined]


def three_iterations() -> MetricTable:
    """A metric that rises on two nodes; one value is missing."""
    values = [(0, 0.5, 0.7), (1, 0.6, float("nan")), (2, 0.8, 0.9)]
    return MetricTable(
        MetricRow(at, f"node_{node}", "worker", "val_acc", None, value)
        for at, *both in values
        for node, value in enumerate(both)
    )


@dataclass(eq=False)
class EndingRun(FakeRun):
    """A run that is over as soon as anybody looks at it."""

    iteration: int = 3
    iterations: int | None = 3
    metrics: MetricTable = field(default_factory=three_iterations)
    outcome: str = "completed"
    #: changes of the end, such as an error
    final: dict[str, Any] = field(default_factory=dict)
    #: how often looking at it is interrupted
    interrupts: int = 0

    def watch(self, callback: Callable[[FakeRun], None]) -> Callable[[], None]:
        unwatch = super().watch(callback)
        if not self.interrupts:
            self.end(self.outcome, **self.final)  # type: ignore[arg-type]
        return unwatch

    def stop(self, reason: str) -> None:
        self.end("stopped", reason=reason)


def interrupted(run: EndingRun) -> EndingRun:
    """The run, at the first look at which somebody presses Ctrl-C."""

    class Interrupted(EndingRun):
        @property
        def finished(self) -> bool:
            if self.interrupts:
                self.interrupts -= 1
                raise KeyboardInterrupt
            return self.status != "running"

        def watch(self, callback: Callable[[FakeRun], None]) -> Callable[[], None]:
            callback(self)
            return lambda: None

    return Interrupted(iteration=run.iteration, iterations=run.iterations, interrupts=1)


class FakeSession:
    """Nodes in name only; what it is asked for is kept."""

    def __init__(self, run: EndingRun, **options: Any) -> None:
        self.options = options
        self.closed = False
        self._run = run
        count = options.get("nodes") or 4
        names = [f"node_{index}" for index in range(count)]
        self.nodes = NodeTable({name: Node(name, "idle", "worker-0", 1, ("digits",)) for name in names})
        self.asked: list[tuple[Any, Any]] = []

    def run(self, swarm: Any, iterations: Any = None, *, seed: int | None = None) -> EndingRun:
        self.asked.append((iterations, seed))
        self.swarm = swarm
        return self._run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


@dataclass
class Told:
    """What a command gave."""

    code: int
    out: str
    err: str
    session: FakeSession


def typed(*words: str, ends: EndingRun | None = None, terminal: bool = False) -> Told:
    """`manta-nb run` with these words, on a session that runs nothing."""
    streams = Streams(terminal)
    opened: list[FakeSession] = []

    def open_session(**options: Any) -> Any:
        opened.append(FakeSession(ends or EndingRun(), **options))
        return opened[-1]

    options: Namespace = parse(COMMANDS["run"], words)
    code = run.main(options, streams.console, open_session)
    return Told(code, streams.out, streams.err, opened[0] if opened else FakeSession(EndingRun()))
