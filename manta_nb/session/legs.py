"""What executes a run: a driver, its state and a dispatcher, made anew each time the run goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from manta_nb.engine.driver import Driver
from manta_nb.engine.records import NodeInfo, RunPlan
from manta_nb.engine.run_state import RunState
from manta_nb.engine.wording import name_some, one_line
from manta_nb.errors import UsageError
from manta_nb.runtime.dispatcher import DaskDispatcher
from manta_nb.session.changing import edit_globals
from manta_nb.session.history import History
from manta_nb.session.planning import Blueprint, run_limit
from manta_nb.store.unkept import Unkept

if TYPE_CHECKING:
    from manta_nb.runtime.fleet import Fleet
    from manta_nb.session.run import Run

__all__ = ["Leg", "Legs"]


class Leg:
    """One execution of a run, from its start or from where it was resumed, to its end."""

    def __init__(self, state: RunState, driver: Driver, before: float = 0.0) -> None:
        self.state = state
        self.driver = driver
        #: set when it is over
        self.done = threading.Event()
        self._before = before
        self._clock = time.monotonic()
        self._took = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds the run has taken so far, its earlier legs included; what lay between them is not counted."""
        return self._took if self.done.is_set() else self._before + time.monotonic() - self._clock

    def work(self, tidy: Callable[[], None]) -> None:
        """Run to the end on this thread; then `tidy`, whatever happened."""
        try:
            self.driver.run()
        finally:
            self._took = self._before + time.monotonic() - self._clock
            try:
                tidy()
            finally:
                self.done.set()


class Legs:
    """Makes the legs of one run. Made by a session for each run.

    Args:
        made: what runs.
        fleet: the workers.
        infos: the nodes the run may use, as they are now; raises where the session is closed.
    """

    def __init__(self, made: Blueprint, fleet: Fleet, infos: Callable[[], Mapping[str, NodeInfo]]) -> None:
        self.plan: RunPlan = made.plan
        self.graph = made.graph
        self.made = made
        self._fleet = fleet
        self._infos = infos
        self._store = Unkept()
        self._count = 0
        self._nodes = dict(infos())
        self.node_ids = list(self._nodes)
        #: task → on how many nodes it is going to run
        self.planned = made.counts(self._nodes.values())
        initial = fleet.book.create(made.globals)
        self._state = RunState(made.plan, list(self._nodes.values()), initial)
        self.history = History(self._state, fleet.book, initial)

    def first(self, run: Run) -> Leg:
        """From the start."""
        return self._leg(run, 0.0)

    def next(self, run: Run, iterations: int | str | None) -> Leg:
        """From the last committed iteration, as if the run had never ended.

        Raises:
            UsageError: it is complete, or a value it needs is gone. NodeError: the session is closed.
        """
        checkpoint = self._state.committed.checkpoint
        limit = self.plan.iterations if iterations is None else run_limit(iterations)
        if run.status == "completed" and iterations is None:
            more = max(10, 10 * round(1.5 * run.iteration / 10))
            raise UsageError(
                f"{run.name} is complete ({run._counted()}): run it again, or give more iterations: "
                f"{run.name}.resume(iterations={more})"
            )
        if limit is not None and limit <= checkpoint.iterations:
            raise UsageError(f"{run.name} has {checkpoint.iterations} iterations: give more, got {limit}")
        infos = dict(self._infos())
        gone = self._fleet.book.lost(checkpoint.keys)
        if tags := checkpoint.lost(gone):
            names = name_some([repr(tag) for tag in tags], 3)
            raise UsageError(one_line(f"{run.name} cannot go on: Global {names} is gone; run it again"))
        self._fleet.book.lend(checkpoint.keys)
        self.plan = replace(self.plan, iterations=limit)
        # in the order in which the run knew them: samples are drawn from it
        order = [*(node for node in self._state.roster.nodes if node in infos), *infos]
        self._nodes = {node_id: infos[node_id] for node_id in dict.fromkeys(order)}
        self._state = RunState.resumed(self.plan, list(self._nodes.values()), checkpoint.without(gone))
        self.history.reopen(self._state)
        self._count += 1
        return self._leg(run, run.elapsed)

    def end(self, committed: int) -> None:
        """A leg is over: hold what the run still shows, and what it can go on from; its nodes may go away."""
        keys = [*self.history.finished(committed), *self._state.committed.checkpoint.keys]
        self._fleet.book.adopt(dict.fromkeys(keys))

    def _leg(self, run: Run, before: float) -> Leg:
        def lines(iteration: int, task: str, node_ids: Sequence[str], found: list[list[Any]]) -> None:
            self.history.lines(iteration, task, node_ids, found)
            run._changed()

        def observe(what: Any) -> None:
            self.history.observe(what)
            run._changed()

        dispatcher = DaskDispatcher(self._fleet, self.made.programs, self._nodes, lines, self._count)
        edit = partial(edit_globals, self._fleet.book)
        return Leg(self._state, Driver(self._state, dispatcher, self._store, [observe], edit), before)
