"""What holds in a `RunState` after every event, checked by its tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set

from manta_nb.engine.committed import Committed
from manta_nb.engine.iteration import Iteration
from manta_nb.engine.records import Quorum
from manta_nb.engine.roster import Roster
from manta_nb.engine.task_state import TaskState

__all__ = ["check", "check_liveness"]


def check(iteration: Iteration | None, committed: Committed, roster: Roster, edited: Set[str]) -> None:
    """Raise `AssertionError`, naming what is wrong, where the parts of a run contradict one another."""
    needed = committed.needed().union(iteration.segment_keys() if iteration else (), edited)
    _claim(needed == set(committed.segments), "segments kept and segments needed differ")
    _claim(roster.nodes.keys().isdisjoint(roster.gone), "a node is both there and gone")
    _claim(roster.away <= roster.nodes.keys(), "a node that is away is not in the roster")
    if iteration is not None:
        _check_iteration(iteration)


def check_liveness(iteration: Iteration | None, committed: Committed, ending: bool, active: bool) -> None:
    """Raise `AssertionError` where a run could hang: `ending` waits for the store, `active` for its nodes."""
    _claim(not ending or bool(committed.unconfirmed), "the run is over but FinishRun was not given")
    _claim(not active or (iteration is not None and iteration.busy), "the run goes on but nothing runs")
    for alias, task in iteration.tasks.items() if iteration is not None and active else ():
        _claim(
            task.watch.phase == task.phase, f"{alias} is timed for {task.watch.phase!r}, not {task.phase!r}"
        )


def _check_iteration(iteration: Iteration) -> None:
    for alias, task in iteration.tasks.items():
        _check_task(alias, task)
        _claim(task.visible >= set(task.plan.inputs), f"{alias} started before its inputs had finished")
        _claim(task.visible <= set(iteration.order), f"{alias} reads a task that never finished")
        if iteration.open:
            _claim((alias in iteration.settled) == (task.idle and task.enough), f"{alias} is wrongly settled")
        for held in task.waiting.values():
            _claim(bool(held) and not task.visible <= iteration.settled, f"{alias} waits for nothing")


def _check_task(alias: str, task: TaskState) -> None:
    where: Counter[str] = Counter()
    for nodes in (*task.running.values(), *task.waiting.values(), task.done, task.failed, task.left_out):
        where.update(list(nodes))
    _claim(where.keys() == set(task.placed), f"{alias} lost sight of a node")
    _claim(not where or max(where.values()) == 1, f"a node of {alias} is in two places")
    said = [batch.quorum for batch in task.batches if batch.quorum is not None]
    _claim(task.quorum == Quorum.of(said), f"{alias} has a quorum that none of its nodes asked for")
    written = Counter(node for batch in task.batches for node in batch.nodes)
    _claim(written.keys() == task.done, f"{alias} has a batch of a node that is not done")
    _claim(not written or max(written.values()) == 1, f"{alias} has two accepted results of one node")


def _claim(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
