"""Runs that are over, opened from a store: `reopen` needs no nodes, `resume_stored` starts those the run had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from manta_nb.engine.instructions import FinishRun
from manta_nb.engine.progress import Progress, TaskProgress
from manta_nb.engine.records import NodeInfo
from manta_nb.engine.run_state import RunState
from manta_nb.engine.wording import name_some, one_line
from manta_nb.errors import UsageError
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.capabilities import host_tag
from manta_nb.runtime.runners.segments import have_memfd
from manta_nb.session.code import Code, use_current
from manta_nb.session.describing import session_options
from manta_nb.session.ground import keep_values
from manta_nb.session.leg import Past
from manta_nb.session.legs import Legs
from manta_nb.session.planning import Blueprint, programs_of
from manta_nb.session.refilling import refilled
from manta_nb.session.run import Run
from manta_nb.session.session import Session
from manta_nb.session.storedcode import graph_of

if TYPE_CHECKING:
    from manta_nb.store.ports import Store
    from manta_nb.store.records import RunHead, RunInfo

__all__ = ["Code", "check_resume", "reopen", "resume_stored"]

Say = Callable[[str], None]


class _FirstGlobals(Mapping[str, Any]):
    """The Globals a run began with, read from the store when they are asked for."""

    def __init__(self, store: Store, run_id: str, book: SegmentBook) -> None:
        self._store, self._run_id, self._book = store, run_id, book

    @cached_property
    def _values(self) -> dict[str, Any]:
        first = self._store.checkpoint(self._run_id, 0)
        keep_values(self._book, self._store, first)
        return {tag: self._book.value(ref) for tag, ref in first.globals.items()}

    def __getitem__(self, tag: str) -> Any:
        return self._values[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def reopen(store: Store, run_id: str) -> Run:
    """A run as the store has it: metrics, Globals, Results, logs, events and plots, without any node.

    `resume()` goes on with it, on nodes like those it had. One that goes on in another kernel is shown as it stands.

    Raises:
        StoreError: there is no such run, or it cannot be read.
    """
    head, info = store.head(run_id), store.info(run_id)
    checkpoint = store.checkpoint(run_id)
    plan = head.plan
    graph = graph_of(head.modules, {task.alias: task.inputs for task in plan.tasks})
    # the kernel's own copies are put into shared memory only when the run goes on somewhere
    book = SegmentBook(host_tag(have_memfd()), lambda entry: None)
    keep_values(book, store, checkpoint)
    made = Blueprint(plan, graph, programs_of(graph), _FirstGlobals(store, run_id, book), head.parent)
    held: Mapping[str, list[str]] = head.session.get("nodes", {})
    nodes = [NodeInfo(node_id, "", frozenset(datasets)) for node_id, datasets in held.items()]
    state = RunState.resumed(plan, nodes, checkpoint)
    past = _past(store, info, made, nodes, checkpoint.iterations)
    history = refilled(store, run_id, state, book)
    legs = Legs(made, None, state, history, checkpoint, past, info.iterations)
    legs.head = head
    run = Run(legs)
    run.started, run.ended = head.started, info.updated
    run.stored_session = {"options": {}, "missing": [], **head.session}
    run._store = store
    run._home = lambda: _session_like(store, head, lambda line: None)
    return run


def _past(store: Store, info: RunInfo, made: Blueprint, nodes: list[NodeInfo], whole: int) -> Past:
    """How it ended; `whole` of its iterations are undamaged."""
    ending = store.ending(info.run_id)
    reason = info.reason
    if whole < info.iterations and not info.owner:
        told = (
            f"values of iteration {info.iterations - 1} are damaged; resume() goes on from iteration {whole}"
        )
        info, reason = replace(info, status="interrupted", iterations=whole), told
    elif info.status == "interrupted":
        reason = f"its kernel died after {_counted(info.iterations)}; resume() goes on"
    elif info.owner:
        reason = f"in another kernel, {info.owner}"
    counts = made.counts(nodes) if info.status == "completed" else {}
    tasks = tuple(
        TaskProgress(task.alias, counts.get(task.alias, 0), 0, counts.get(task.alias, 0))
        for task in made.plan.tasks
    )
    last = max(0, info.iterations - 1)
    progress = Progress(info.status, reason, last, info.iterations, made.plan.iterations, tasks)
    failure = ending.failure if ending is not None else None
    ask = partial(store.ask_to_stop, info.run_id) if info.owner else None
    return Past(progress, FinishRun(info.status, reason, failure), info.elapsed, ask)


def _counted(iterations: int) -> str:
    return f"{iterations} iteration{'s' * (iterations != 1)}"


def check_resume(run: Run, iterations: int | Literal["forever"] | None) -> None:
    """See before nodes are started for it that a run of an earlier kernel can go on.

    Raises:
        UsageError: another kernel executes it, or there is nothing to go on with.
    """
    if run.status in ("pending", "running", "stopping"):
        raise UsageError(one_line(f"{run.name} is {run.status} {run.reason}: it goes on by itself"))
    run._legs.check(run, iterations)


def resume_stored(
    store: Store, run_id: str, *, iterations: int | Literal["forever"] | None, code: Code, say: Say
) -> tuple[Session, Run]:
    """Start nodes as a run had them, and go on with it; the caller closes the session.

    Raises:
        UsageError: its code has changed and `code` does not say which to use, or its data cannot be had again.
        StoreError: there is no such run, or somebody else has it.
    """
    run, head = reopen(store, run_id), store.head(run_id)
    check_resume(run, iterations)
    use_current(run, head, code, say)
    session = _session_like(store, head, say)
    try:
        return session, run.resume(iterations, session)
    except BaseException:
        session.close()
        raise


def _session_like(store: Store, head: RunHead, say: Say) -> Session:
    """Nodes as the run had them.

    Raises:
        UsageError: something they were started with cannot be had again.
    """
    options, missing = session_options(head.session)
    if missing:
        raise UsageError(
            one_line(
                f"{head.plan.name} ran on nodes started with {name_some(missing, 3)} of a notebook: start the like of "
                f"them and give resume(session=s)"
            )
        )
    session = Session(**options, store=store, say=say)
    session.source, session.params = head.source, dict(head.session.get("params", {}))
    return session
