"""Going on without all nodes of a task: as `World.quorum` asks for, in its time.

As long as nodes of a task with a quorum are awaited, it is in one of two phases, and each phase has its timer:

* `short`: too few nodes are done. The deadline runs; when it is over, so is the run;
* `enough`: the others have some patience left, those that are away none; then the iteration goes on without them.

The engine knows no clock: it asks for a timer by `SetTimer`, and what comes back names the phase it was set in. A
phase that begins again (a value was lost, and a node that was done runs again) begins with its whole time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from manta_nb.engine.endings import below_quorum
from manta_nb.engine.events import DeadlineOver, PatienceOver
from manta_nb.engine.instructions import FinishRun, Instruction, Record, ReleaseNodes, SetTimer
from manta_nb.engine.iteration import Iteration
from manta_nb.engine.records import Event
from manta_nb.engine.roster import Roster
from manta_nb.engine.task_state import TaskState, Watch
from manta_nb.engine.wording import name_some, one_line

__all__ = ["attend", "deadline_over", "patience_over"]


def attend(iteration: Iteration, roster: Roster) -> list[Instruction]:
    """What follows for tasks with a quorum from what has happened: timers, and nodes that are left out."""
    instructions: list[Instruction] = []
    for task in iteration.tasks.values():
        if task.quorum is not None or task.watch.phase:
            instructions += _attend(iteration, task, roster)
    return instructions


def _attend(iteration: Iteration, task: TaskState, roster: Roster) -> list[Instruction]:
    quorum, told = task.quorum, list[Instruction]()
    if quorum is None or task.phase == "":
        task.watch.phase = ""
        return told
    if task.phase != task.watch.phase:
        task.watch = Watch(task.phase, task.watch.serial + 1)
        if task.phase == "short":
            told += _timer(quorum.deadline, DeadlineOver(*_about(iteration, task), quorum.deadline))
    if task.phase == "enough":
        if quorum.patience < task.watch.patience:
            task.watch.patience = quorum.patience
            told += _timer(quorum.patience, PatienceOver(*_about(iteration, task), quorum.patience))
        if roster.away and not quorum.away:
            away = [node for node in task.awaited if node in roster.away]
            told += _leave_out(iteration, task, away, f"away when {_others(task)} had done it")
    return told


def _about(iteration: Iteration, task: TaskState) -> tuple[int, str, int]:
    return iteration.number, task.plan.alias, task.watch.serial


def patience_over(iteration: Iteration | None, event: PatienceOver) -> list[Instruction]:
    """The nodes that are still awaited had their time."""
    task = _timed(iteration, event)
    if iteration is None or task is None or task.watch.phase != "enough":
        return []
    why = f"not done {event.seconds:g} s after {_others(task)}"
    return _leave_out(iteration, task, task.awaited, why)


def deadline_over(
    iteration: Iteration | None, event: DeadlineOver, roster: Roster
) -> tuple[list[SetTimer], FinishRun | None]:
    """By now enough nodes had to be done: the end of the run, or a timer for what was granted since."""
    task = _timed(iteration, event)
    if task is None or task.quorum is None or task.watch.phase != "short":
        return [], None
    granted = task.quorum.deadline
    if granted > event.seconds:
        return _timer(granted - event.seconds, replace(event, seconds=granted)), None
    return [], below_quorum(task, roster.away, event.seconds)


def _timed(iteration: Iteration | None, event: PatienceOver | DeadlineOver) -> TaskState | None:
    """The task that a timer is of; None where the timer is stale."""
    if iteration is None or not iteration.open or iteration.number != event.iteration:
        return None
    task = iteration.tasks.get(event.task)
    return task if task is not None and task.watch.serial == event.serial and not task.idle else None


def _timer(seconds: float, event: PatienceOver | DeadlineOver) -> list[SetTimer]:
    return [SetTimer(seconds, event)] if math.isfinite(seconds) else []


def _others(task: TaskState) -> str:
    return f"{len(task.done)} other{'s' * (len(task.done) != 1)}"


def _leave_out(iteration: Iteration, task: TaskState, nodes: Iterable[str], why: str) -> list[Instruction]:
    left = tuple(task.leave_out(nodes))
    if not left:
        return []
    if task.idle:
        task.watch.phase = ""
    alias, node = task.plan.alias, left[0] if len(left) == 1 else ""
    text = one_line(f"{alias} goes on without {name_some(left)}: {why}")
    told = Event(iteration.number, "left_out", text, node, alias)
    return [Record(told), ReleaseNodes(iteration.number, alias, left)]
