"""Runs whose invariants are checked after every event."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from manta_nb.engine.events import RunEvent, RunStarted
from manta_nb.engine.instructions import FinishRun, Instruction, RunTask
from manta_nb.engine.records import NodeInfo, RunPlan, ValueRef
from manta_nb.engine.run_state import RunState
from tests.fakes import make_nodes, only


class Play:
    """A `RunState` with a short way to tell it things."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.said: list[Instruction] = []

    def __call__(self, *events: RunEvent) -> list[Instruction]:
        """Handle these events; returns all that was answered, and checks the state after each."""
        said: list[Instruction] = []
        for event in events:
            said += self.state.handle(event)
            self.state.validate()
        self.said += said
        return said

    def run(self, *events: RunEvent) -> RunTask:
        """Handle these events, which start exactly one dispatch; returns it."""
        [run] = only(RunTask, self(*events))
        return run

    def end(self, *events: RunEvent) -> FinishRun:
        """Handle these events, which end the run; returns how."""
        [finish] = only(FinishRun, self(*events))
        return finish


StartRun = Callable[..., tuple[Play, RunTask]]


@pytest.fixture
def play() -> Callable[..., Play]:
    """Make a `Play` of a plan, not started."""

    def make(
        plan: RunPlan,
        nodes: int | Sequence[NodeInfo] = 3,
        initial_globals: dict[str, ValueRef] | None = None,
    ) -> Play:
        infos = make_nodes(nodes) if isinstance(nodes, int) else nodes
        return Play(RunState(plan, infos, initial_globals))

    return make


@pytest.fixture
def start(play: Callable[..., Play]) -> StartRun:
    """Start a run whose first iteration begins with one task; returns it and that dispatch."""

    def make(
        plan: RunPlan,
        nodes: int | Sequence[NodeInfo] = 3,
        initial_globals: dict[str, ValueRef] | None = None,
    ) -> tuple[Play, RunTask]:
        played = play(plan, nodes, initial_globals)
        return played, played.run(RunStarted())

    return make
