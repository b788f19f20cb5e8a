"""Makes what executes a run, each time anew: a driver, its state, a dispatcher, and what keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.driver import Driver
from manta_nb.engine.records import RunPlan
from manta_nb.engine.run_state import RunState
from manta_nb.engine.wording import name_some, one_line
from manta_nb.errors import UsageError
from manta_nb.runtime.dispatcher import DaskDispatcher
from manta_nb.sdk.graph import TaskGraph
from manta_nb.session.changing import edit_globals
from manta_nb.session.ground import Ground, bring_back, check_states
from manta_nb.session.history import History
from manta_nb.session.keeping import Gatherer
from manta_nb.session.leg import Leg, Past
from manta_nb.session.planning import Blueprint, programs_of, run_limit
from manta_nb.store.records import RunHead

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["Legs"]


class Legs:
    """Makes the legs of one run.

    Args:
        made: what runs.
        ground: where; None for a run that was opened from a store: it has no nodes until `settle`.
        state: where the run stands.
        history: what is known of it; made here for a run that begins.
        stored: what the store has of it; None: nothing yet.
        past: how it ended, where another process executed it.
        seen: iterations that the store had then; of these the last one may be damaged.
    """

    def __init__(
        self,
        made: Blueprint,
        ground: Ground | None,
        state: RunState,
        history: History,
        stored: Checkpoint | None = None,
        past: Past | None = None,
        seen: int = 0,
    ) -> None:
        self.plan: RunPlan = made.plan
        self.graph = made.graph
        self.made = made
        self.history = history
        self.node_ids = list(state.roster.nodes)
        #: task → on how many nodes it is going to run
        self.planned = made.counts(state.roster.nodes.values())
        self._ground = ground
        self._state = state
        self._nodes = dict(state.roster.nodes)
        self._stored = stored
        self._past = past
        self._seen = seen
        self._gatherer: Gatherer | None = None
        #: what was asked for, as it is kept
        self.head: RunHead | None = None
        self._count = 0

    @classmethod
    def begin(cls, made: Blueprint, ground: Ground, start: Checkpoint | None = None) -> Legs:
        """A run that begins, with the Globals of its swarm or where another one stood."""
        nodes = dict(ground.infos())
        first = start or Checkpoint(globals=ground.book.create(made.globals))
        state = RunState.resumed(made.plan, list(nodes.values()), first)
        history = History(state, ground.book, first.globals)
        if start is not None:
            history.reopen(state)
        return cls(made, ground, state, history)

    @property
    def homeless(self) -> bool:
        """Whether it has no nodes to go on with."""
        return self._ground is None

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the run stands."""
        return self._state.committed.checkpoint

    def settle(self, ground: Ground) -> None:
        """Go on there from now on; the nodes' names have to be those that the run had.

        Raises:
            UsageError: there are nodes missing.
        """
        there = ground.known
        if missing := [node_id for node_id in self.node_ids if node_id not in there]:
            raise UsageError(
                one_line(
                    f"{self.plan.name} ran on {name_some(self.node_ids, 3)}: there is no {missing[0]} here"
                )
            )
        old, keys = self.history.book, {*self.history.shown(), *self.checkpoint.keys}
        if old is not ground.book:
            ground.book.take_over(old, keys)
            self.history.book = ground.book
        self._ground = ground

    def use(self, graph: TaskGraph) -> None:
        """Go on with this code: the same tasks, with other texts."""
        self.graph = graph
        self.made = replace(self.made, graph=graph, programs=programs_of(graph))

    def check(self, run: Run, iterations: int | str | None) -> None:
        """Raise `UsageError` where there is nothing to go on with."""
        self._limit(run, iterations)

    def first(self, run: Run) -> Leg:
        """From the start, or what is left of one that is over."""
        if self._past is not None:
            return Leg.over(self._state, self._past)
        return self._leg(run, 0.0)

    def next(self, run: Run, iterations: int | str | None) -> Leg:
        """From the last committed iteration, as if the run had never ended.

        Raises:
            UsageError: it is complete, or a value it needs is gone. NodeError: the session is closed.
            StoreError: another kernel has it.
        """
        ground = self._ground
        if ground is None:
            raise UsageError(f"{self.plan.name} has no nodes: {self.plan.name}.resume(session=s)")
        checkpoint = self.checkpoint
        limit = self._limit(run, iterations)
        infos = dict(ground.infos())
        if ground.store is not None:
            check_states(ground.store, self.plan.run_id, checkpoint)
            bring_back(ground.book, ground.store, checkpoint)
        gone = ground.book.lost(checkpoint.keys)
        if tags := checkpoint.lost(gone):
            names = name_some([repr(tag) for tag in tags], 3)
            raise UsageError(one_line(f"{run.name} cannot go on: Global {names} is gone; run it again"))
        if ground.book.made_room(gone):
            raise UsageError(
                f"{run.name} cannot go on: Results it may read had to make room for later runs: run it again"
            )
        ground.book.lend(checkpoint.keys)
        before = self.plan, self._nodes, self._state
        self.plan = replace(self.plan, iterations=limit)
        # in the order in which the run knew them: samples are drawn from it
        order = [*(node for node in self._state.roster.nodes if node in infos), *infos]
        self._nodes = {node_id: infos[node_id] for node_id in dict.fromkeys(order)}
        self._state = RunState.resumed(self.plan, list(self._nodes.values()), checkpoint.without(gone))
        # workers know each leg by a name of its own
        self._count += 1
        try:
            leg = self._leg(run, run.elapsed)
        except BaseException:
            self.plan, self._nodes, self._state = before
            raise
        self.history.reopen(self._state)
        return leg

    def end(self, committed: int) -> None:
        """A leg is over: hold what the run still shows, and what it can go on from; its nodes may go away."""
        checkpoint = self.checkpoint
        keys = [*self.history.finished(committed), *checkpoint.keys]
        needed = {ref.segment.key for ref in checkpoint.globals.values()}.union(self.history.global_keys())
        self.history.book.adopt(
            dict.fromkeys(keys), [key for key in dict.fromkeys(keys) if key not in needed]
        )

    def _limit(self, run: Run, iterations: int | str | None) -> int | None:
        done = self.checkpoint.iterations
        limit = self.plan.iterations if iterations is None else run_limit(iterations)
        if run.status == "completed" and iterations is None:
            more = max(10, 10 * round(1.5 * run.iteration / 10))
            raise UsageError(
                f"{run.name} is complete ({run._counted()}): run it again, or give more iterations: "
                f"{run.name}.resume(iterations={more})"
            )
        if limit is not None and limit <= done:
            raise UsageError(f"{run.name} has {done} iterations: give more, got {limit}")
        return limit

    def _leg(self, run: Run, before: float) -> Leg:
        assert self._ground is not None  # noqa: S101 - for the type checker
        ground = self._ground

        def lines(iteration: int, task: str, node_ids: Sequence[str], found: list[list[Any]]) -> None:
            self.history.lines(iteration, task, node_ids, found)
            run._changed()

        def observe(what: Any) -> None:
            self.history.observe(what)
            run._changed()

        start, first = self.checkpoint, None
        if self._gatherer is None:
            has = self._stored or Checkpoint(start.iterations)
            self._gatherer = Gatherer(self.history, has, lambda: run.elapsed)
            first = start if self._stored is None else None
        made = replace(self.made, plan=self.plan)
        self.head = ground.head(made, self._nodes, run.started)
        seen = max(self._seen, start.iterations)
        check = partial(ground.check_latest, self.plan.name, self.plan.run_id, seen)
        keeper = ground.recorder(self.head, self._gatherer, first, check)
        dispatcher = DaskDispatcher(ground.fleet, self.made.programs, self._nodes, lines, self._count)
        edit = partial(edit_globals, ground.book)
        return Leg(self._state, Driver(self._state, dispatcher, keeper, [observe], edit), before)
