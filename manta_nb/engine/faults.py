"""What becomes of reports, failed turns, lost machines and lost values within one iteration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from manta_nb.engine.events import BatchLost
from manta_nb.engine.instructions import Instruction, Record
from manta_nb.engine.iteration import Iteration
from manta_nb.engine.records import Batch, Event, Failure
from manta_nb.engine.roster import Roster
from manta_nb.engine.task_state import TaskState, restrict
from manta_nb.engine.wording import name_some, one_line

__all__ = ["lose_batch", "lose_nodes", "lose_segments", "take_report"]

#: how many events one report may cause, so that 10,000 failing nodes stay readable
_MAX_EVENTS = 8


def take_report(iteration: Iteration, batch: Batch) -> list[Instruction]:
    """Take in what counts of a report: only nodes that this very attempt was awaited of."""
    reported = {*batch.nodes, *(failure.node_id for failure in batch.failures)}
    task = _task(iteration, batch.iteration, batch.task)
    counted = task.take(batch.attempt, reported) if task else frozenset()
    notes: list[Instruction] = []
    if len(counted) < len(reported):
        late = [node for node in (*batch.nodes, *(f.node_id for f in batch.failures)) if node not in counted]
        notes.append(_late(batch.iteration, batch.task, batch.attempt, late))
    if task is None or not counted:
        return notes
    finished = _finished_part(batch, counted)
    if finished.nodes:
        task.accept(finished)
        notes += [Record(event) for event in iteration.writers.note(finished)]
    failures = [failure for failure in batch.failures if failure.node_id in counted]
    return [*notes, *_run_again(iteration, task, batch.attempt, failures)]


def lose_batch(iteration: Iteration, event: BatchLost) -> list[Instruction]:
    """Nodes whose turn was lost through no fault of the task run again."""
    task = _task(iteration, event.iteration, event.task)
    counted = task.take(event.attempt, frozenset(event.node_ids)) if task else frozenset()
    # that one is left out was told already
    known = counted | task.left_out if task else counted
    late = [node for node in event.node_ids if node not in known]
    notes = [_late(event.iteration, event.task, event.attempt, late)] if late else []
    if task is None or not counted:
        return [*notes]
    lost = dict.fromkeys(node for node in event.node_ids if node in counted)
    failures = [replace(event.failure, node_id=node, kind="lost") for node in lost]
    return [*notes, *_run_again(iteration, task, event.attempt, failures)]


def lose_segments(
    iteration: Iteration, keys: AbstractSet[str], reason: str, roster: Roster
) -> list[Instruction]:
    """The nodes that wrote what lay in these segments run again."""
    undone = [(task, batch) for task in iteration.tasks.values() for batch in task.undo(keys)]
    # First all of them: what is made again must not read another one that is lost as well.
    iteration.settled.difference_update(task.plan.alias for task, _ in undone)
    instructions: list[Instruction] = []
    for task, batch in undone:
        gone = [node for node in batch.nodes if node not in roster.nodes]
        instructions += _records(iteration, task, task.give_up(gone, reason))
        failures = [Failure(node, "lost", reason) for node in batch.nodes if node in roster.nodes]
        instructions += _run_again(iteration, task, batch.attempt, failures)
    return instructions


def lose_nodes(iteration: Iteration, node_ids: Sequence[str], reason: str) -> list[Instruction]:
    """Nodes are gone for good: what they still owed has failed."""
    return [
        record
        for task in iteration.tasks.values()
        for record in _records(iteration, task, task.give_up(task.withdraw(node_ids), reason))
    ]


def _task(iteration: Iteration, number: int, alias: str) -> TaskState | None:
    return iteration.tasks.get(alias) if iteration.open and number == iteration.number else None


def _finished_part(batch: Batch, counted: AbstractSet[str]) -> Batch:
    finished = (
        counted if not batch.failures and len(counted) == len(batch.nodes) else counted & set(batch.nodes)
    )
    whole = len(finished) == len(batch.nodes)
    # A node that failed after it wrote may stand as the writer of a Global.
    if whole and all(node in finished for node, _ in batch.globals.values()):
        return batch
    return restrict(batch, finished)


def _run_again(
    iteration: Iteration, task: TaskState, attempt: int, failures: Sequence[Failure]
) -> list[Instruction]:
    """Another turn for the nodes that may have one; the others have failed."""
    again = [failure for failure in failures if task.charge(failure)]
    nodes = [failure.node_id for failure in again]
    return [*_records(iteration, task, failures), *iteration.launch(task, attempt + 1, nodes)]


def _records(iteration: Iteration, task: TaskState, failures: Iterable[Failure]) -> list[Instruction]:
    """One event for all nodes that failed alike."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for failure in failures:
        if failure.node_id in task.failed:
            kind, outcome = "failure", "given up"
        else:
            kind, outcome = ("lost" if failure.kind in ("lost", "refused") else "retry"), "runs again"
        where = f" at {failure.where}" if failure.where else ""
        text = f"{where}: {one_line(failure.message, 120)} ({failure.kind}, {outcome})"
        alike.setdefault((kind, text, failure.kind), []).append(failure.node_id)
    alias = task.plan.alias
    events = [
        Event(
            iteration.number,
            kind,
            one_line(f"{alias} on {name_some(nodes, 3)}{text}"),
            nodes[0] if len(nodes) == 1 else "",
            alias,
        )
        for (kind, text, _), nodes in alike.items()
    ]
    if len(events) > _MAX_EVENTS:
        more = f"{alias} failed on nodes in {len(events) - _MAX_EVENTS} more ways"
        events[_MAX_EVENTS:] = [Event(iteration.number, "failure", more, "", alias)]
    return [Record(event) for event in events]


def _late(iteration: int, task: str, attempt: int, nodes: Sequence[str]) -> Record:
    who = f"{name_some(nodes, 3)} (iteration {iteration}, attempt {attempt})"
    text = f"a report of {task} on {who} came too late and was ignored"
    return Record(Event(iteration, "late", one_line(text), nodes[0] if len(nodes) == 1 else "", task))
