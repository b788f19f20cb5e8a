"""Stop in every state: within two seconds, twice does no harm, the nodes as before (faults.md §4, rows 10-12, 33)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from manta_nb import Run, Session
from tests.cluster.parts import kill, module, pids, waiting
from tests.faults.parts import ENDLESS, adding, back, took
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]

#: seconds that a stop may take
LIMIT = 2.0
ALL = {"node_0", "node_1", "node_2"}


def healthy(session: Session) -> None:
    """Every node does a task."""
    run = session.run(module("world.results.add('x', world.node_id)"), iterations=1).wait(20)
    assert set(run.results.select("x")) == ALL


def stopped(session: Session, run: Run, before: dict[str, int]) -> None:
    """Stop it, twice; what follows from that."""
    committed = run.iteration
    seconds = took(run.stop)
    status, reason, kept = run.status, run.reason, run.iteration
    again = took(lambda: run.stop("once more"))

    assert (status, reason) == ("stopped", "stopped by the user")
    assert seconds < LIMIT, f"{seconds:.1f} s"
    assert again < 0.5
    assert (run.status, run.reason, run.iteration) == ("stopped", "stopped by the user", kept)
    assert kept >= committed
    healthy(session)
    assert pids(session) == before


@pytest.mark.parametrize("code", ENDLESS)
def test_in_a_task_that_cannot_be_asked(session: Session, code: str) -> None:
    """A loop, a sleep, a call that holds the GIL, one that swallows everything: on all nodes at once."""
    before = pids(session)
    run = session.run(module(f"world.metric('waiting', 1)\n{ENDLESS[code]}"), iterations=1)
    until(lambda: waiting(run) == ALL, 20)

    stopped(session, run, before)


class State(NamedTuple):
    """A moment of a run: how it is started, and when it has come."""

    start: Callable[[Session], Run]
    come: Callable[[Run], object]


SLEEP = "world.metric('waiting', 1)\ntime.sleep(1e6)"
STATES = {
    "pending": State(lambda s: s.run(adding(SLEEP), iterations=9), lambda run: True),
    "first task": State(lambda s: s.run(adding(SLEEP), iterations=9), lambda run: waiting(run) == ALL),
    "second task": State(
        lambda s: s.run(
            module("world.results.add('x', 1)", "a") >> module(SLEEP, "b", method="any"), iterations=9
        ),
        waiting,
    ),
    "one node is done": State(
        lambda s: s.run(
            adding(f"if world.node_id == 'node_1':\n    {SLEEP.replace(chr(10), '; ')}"), iterations=9
        ),
        waiting,
    ),
    "between iterations": State(
        lambda s: s.run(adding(), iterations="forever"), lambda run: run.iteration >= 3
    ),
    "turns are tried again": State(
        lambda s: s.run(adding("print('x')\nraise ValueError", retries=100_000), iterations=9),
        lambda run: len(run.logs) > 12,
    ),
    "importing": State(
        lambda s: s.run(
            module("pass", "slow").with_options(alias="slow") >> module("import time\ntime.sleep(1e6)", "b"),
            iterations=1,
        ),
        lambda run: run.progress.tasks[1].running,
    ),
    "streaming": State(
        lambda s: s.run(module("while True:\n    print('y' * 100)\n    world.metric('m', 1)"), iterations=1),
        lambda run: len(run.metrics) > 3000,
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_at_any_moment(session: Session, state: str) -> None:
    """Before the start, in each task, between iterations, while turns are tried again, while lines flood in."""
    before = pids(session)
    run = STATES[state].start(session)
    until(lambda: STATES[state].come(run), 20)

    stopped(session, run, before)


def test_while_a_node_stands_still(session: Session) -> None:
    """Nobody waits for its answer; when it goes on, its task is gone."""
    before = pids(session)
    run = session.run(module(SLEEP), iterations=1)
    until(lambda: waiting(run) == ALL, 20)
    session.nodes["node_1"].freeze(30)
    seconds = took(run.stop)
    status = run.status
    session._actions.freezer.thaw(before["node_1"])

    assert status == "stopped"
    assert seconds < LIMIT, f"{seconds:.1f} s"
    healthy(session)
    assert pids(session) == before


def test_while_a_node_restarts(session: Session) -> None:
    """What waits for it is taken back: it comes back idle."""
    run = session.run(adding("time.sleep(0.05)"), iterations="forever")
    until(lambda: run.iteration >= 2, 20)
    kill(session, "node_2")
    until(lambda: session.nodes["node_2"].state == "lost")
    seconds = took(run.stop)
    status = run.status
    back(session)

    assert status == "stopped"
    assert seconds < LIMIT, f"{seconds:.1f} s"
    healthy(session)


def test_after_the_end(session: Session) -> None:
    """What is complete or has failed stays so."""
    complete = session.run(adding(), iterations=1).wait(20)
    failed = session.run(module("raise ValueError('no')"), iterations=1).wait(20, check=False)
    reason = failed.reason
    seconds = took(lambda: (complete.stop(), failed.stop()))

    assert (complete.status, complete.reason) == ("completed", "1 iteration")
    assert (failed.status, failed.reason) == ("failed", reason)
    assert seconds < 0.5


def test_many_at_once(session: Session) -> None:
    """Ten impatient clicks from ten threads are one stop."""
    from concurrent.futures import ThreadPoolExecutor

    before = pids(session)
    run = session.run(module(SLEEP), iterations=1)
    until(lambda: waiting(run) == ALL, 20)
    with ThreadPoolExecutor(10) as pool:
        seconds = took(lambda: list(pool.map(lambda number: run.stop(f"click {number}"), range(10))))

    assert run.status == "stopped" and run.reason.startswith("click ")
    assert seconds < LIMIT
    healthy(session)
    assert pids(session) == before
