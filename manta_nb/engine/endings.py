"""How a run ends, and the line that says why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from manta_nb.engine.events import StopRequested
from manta_nb.engine.instructions import FinishRun
from manta_nb.engine.iteration import Iteration
from manta_nb.engine.records import Failure
from manta_nb.engine.scheduling import stopper
from manta_nb.engine.task_state import TaskState
from manta_nb.engine.wording import LIMIT, failed_task, fit, name_some, one_line

__all__ = ["below_quorum", "end_after", "lost_globals", "not_stored", "stopped", "too_few"]


def end_after(iteration: Iteration, iterations: int | None, stop: StopRequested | None) -> FinishRun | None:
    """The end of a run that ends with this complete iteration, or None where it goes on."""
    if caller := stopper(iteration.batches()):
        alias, node = caller
        return FinishRun("completed", f"stop_swarm() by {alias} on {node}", task=alias)
    if iteration.number + 1 == iterations:
        return FinishRun("completed", f"all {iterations} iterations" if iterations > 1 else "1 iteration")
    return stopped(stop) if stop is not None else None


def stopped(stop: StopRequested) -> FinishRun:
    """A person wanted it."""
    return FinishRun("stopped", one_line(stop.reason))


def too_few(task: TaskState) -> FinishRun:
    """Too few nodes of a task succeeded: names the first one that failed, where and why."""
    if task.quorum is not None:
        return below_quorum(task)
    failure = next(iter(task.failed.values()), None)
    alias, placed = task.plan.alias, len(task.placed)
    if failure is None:
        text = f"{alias}: only {len(task.done)} of the {task.needed} nodes that must succeed could run it"
        return FinishRun("failed", text, task=alias)
    reason = failed_task(alias, failure, len(task.failed), placed, task.needed)
    return FinishRun("failed", reason, failure, alias)


def below_quorum(
    task: TaskState, away: AbstractSet[str] = frozenset(), seconds: float | None = None
) -> FinishRun:
    """Fewer nodes of a task are done than one of them asked for: who is, who is not, and why.

    `seconds` after the first one; None: nothing more is awaited. `away` are the nodes whose machine is.
    """
    done = [node for node in task.placed if node in task.done]
    when = "" if seconds is None else f" {seconds:g} s after the first"
    head = f"{task.plan.alias}: {len(done)} of {task.needed} nodes done{when} ({name_some(done, 3)}); "
    missing = list(_missing(task, away))
    if missing:
        reason = f"{head}missing: {fit(missing, LIMIT - len(head) - len('missing: '))}"
    else:
        reason = f"{head}it ran on {len(task.placed)}: ask for a quorum of fewer"
    return FinishRun("failed", one_line(reason), next(iter(task.failed.values()), None), task.plan.alias)


def _missing(task: TaskState, away: AbstractSet[str]) -> Iterator[str]:
    for node, failure in task.failed.items():
        yield f"{node} failed: {one_line(failure.message, 80)}"
    awaited = task.awaited
    yield from (f"{node} is away" for node in awaited if node in away)
    yield from (f"{node} still runs" for node in awaited if node not in away)
    yield from (f"{node} was left out" for node in task.placed if node in task.left_out)


def not_stored(message: str, done: int, limit: int | None) -> FinishRun:
    """The store cannot keep what is committed; the run itself is whole, and can go on once that is mended."""
    how = "resume()" if limit is None or done < limit else f"resume(iterations={done + 1})"
    return FinishRun("failed", one_line(f"not saved: {message}; {how} goes on from iteration {done}"))


def lost_globals(tags: Sequence[str], reason: str, failure: Failure | None) -> FinishRun:
    """Committed values that nothing can make again are lost."""
    names = name_some([repr(tag) for tag in tags], 3)
    return FinishRun("failed", one_line(f"the committed value of Global {names} is lost: {reason}"), failure)
