"""A run: waited for, awaited, stopped, watched and read, while it goes on and afterwards."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import traceback
from collections.abc import Iterator

import numpy as np
import pytest

from manta_nb import Run, Session
from manta_nb.errors import MantaError, MissingTag, NodeError, RunFailed
from manta_nb.sdk.swarm import FlowSwarm
from manta_nb.session.showing import WaitingInterrupted
from tests.cluster.parts import Gate, module, waiting
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(60)]


@pytest.fixture
def held(session: Session, gate: Gate) -> Iterator[Run]:
    """A run of three iterations whose second one waits at a gate on every node."""
    body = (
        "world.metric('m', world.iteration)\nworld.results.add('x', world.iteration)\n"
        "print('in', world.iteration)\nif world.iteration == 1:\n" + _indented(gate.wait)
    )
    run = session.run(module(body), iterations=3, name="held", seed=1)
    until(lambda: len(waiting(run)) == 3)
    yield run
    run.stop()


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def threads() -> list[str]:
    """Threads that might outlive what they waited for."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("asyncio")]


# waiting


def test_waiting_returns_the_run(held: Run, gate: Gate) -> None:
    """`wait` returns when it is over, and what is over can be waited for again."""
    gate.open()

    assert held.wait(30) is held
    assert held.wait(0) is held
    assert (held.status, held.reason, held.iteration, held.finished) == (
        "completed",
        "all 3 iterations",
        3,
        True,
    )


def test_a_timeout_ends_the_waiting_only(held: Run, gate: Gate) -> None:
    """Too short a wait is an error that says how far it is, and who is waited for; the run goes on."""
    said = r"held is not over after 0.01 s \(1 of 3; work runs on node_0, node_1, node_2\); it goes on"
    with pytest.raises(MantaError, match=said):
        held.wait(0.01)
    gate.open()

    assert held.wait(30).status == "completed"


def test_an_interrupt_ends_the_waiting_only(held: Run, gate: Gate) -> None:
    """Ctrl-C in `wait` raises one line that says how to stop the run, which goes on."""
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(WaitingInterrupted, match=r"held goes on \(1 of 3\); held.stop\(\) ends it"):
        held.wait(30)
    gate.open()

    assert held.wait(30).status == "completed"


def test_a_failed_run_raises_where_it_is_waited_for(session: Session) -> None:
    """`wait` raises one line; with check=False the run is returned, and says the same."""
    run = session.run(
        module("print('last words')\n1 / 0", specified_ids=["node_1"]), iterations=1, name="bad"
    )
    with pytest.raises(RunFailed) as caught:
        run.wait(30)

    assert run.wait(check=False).status == "failed"
    assert str(caught.value) == run.error
    assert len(run.error) <= 200
    assert "work failed on node_1 at work.py, line 12: ZeroDivisionError: division by zero" in run.error
    assert run.error.endswith("last output: last words")
    assert run.failure is not None
    assert run.failure.output == ("last words",)
    assert "1 / 0" in run.failure.traceback
    assert "manta_nb" not in run.failure.traceback


def test_a_run_can_be_awaited(held: Run, gate: Gate) -> None:
    """`await run` returns it, in several coroutines at once; the loop stays free."""

    async def main() -> list[Run]:
        first, second = asyncio.ensure_future(_wait(held)), asyncio.ensure_future(_wait(held))
        await asyncio.sleep(0)
        gate.open()
        return [await first, await second, await held]

    assert asyncio.run(main()) == [held] * 3


async def _wait(run: Run) -> Run:
    return await run


def test_awaiting_a_failed_run_raises(session: Session) -> None:
    """`await` raises as `wait` does."""
    run = session.run(module("1 / 0"), iterations=1)

    with pytest.raises(RunFailed, match="ZeroDivisionError"):
        asyncio.run(_wait(run))


def test_an_interrupted_await_leaves_nothing_behind(held: Run, gate: Gate) -> None:
    """A coroutine that is cancelled while it waits leaves no thread, and the loop can end at once."""

    async def main() -> None:
        task = asyncio.ensure_future(_wait(held))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    began = time.monotonic()
    asyncio.run(main())

    assert time.monotonic() - began < 5
    assert threads() == []
    gate.open()
    assert held.wait(30).status == "completed"


# stopping


def test_stop_gives_up_the_iteration_under_way(held: Run, session: Session) -> None:
    """Within two seconds; what was committed stays, what was not is gone, the nodes take the next run."""
    began = time.monotonic()
    held.stop()
    took = time.monotonic() - began

    assert took < 2
    assert (held.status, held.reason, held.iteration) == ("stopped", "stopped by the user", 1)
    assert {row.iteration for row in held.metrics.rows()} == {0}
    assert set(held.results.select("x").values()) == {0}
    assert session.run(module("world.results.add('x', 1)"), iterations=1).wait(30).status == "completed"
    assert {node.state for node in session.nodes.values()} == {"idle"}


def test_a_second_stop_is_harmless(held: Run, gate: Gate) -> None:
    """Stopping what is stopped, or over, changes nothing."""
    held.stop("enough")
    held.stop("again")

    assert (held.status, held.reason) == ("stopped", "enough")


def test_a_run_that_is_over_cannot_be_stopped(held: Run, gate: Gate) -> None:
    """A completed run stays completed."""
    gate.open()
    held.wait(30)
    held.stop()

    assert held.status == "completed"


def test_stop_swarm_ends_after_the_iteration(session: Session) -> None:
    """A task that calls `stop_swarm` ends the run once its iteration is committed."""
    body = "world.globals['n'] = world.iteration\nif world.iteration == 2: world.stop_swarm()"
    run = session.run(module(body, method="any")).wait(30)

    assert (run.status, run.iteration, run.globals["n"]) == ("completed", 3, 2)
    assert "stop_swarm" in run.reason


def test_forever_goes_on_until_it_is_stopped(session: Session) -> None:
    """`iterations="forever"` has no end of its own."""
    run = session.run(module("world.globals['n'] = world.iteration"), iterations="forever")
    until(lambda: run.iteration > 5)
    run.stop()

    assert (run.iterations, run.status) == (None, "stopped")
    assert run.globals["n"] == run.iteration - 1


# watching


def test_a_watcher_sees_every_change_and_the_end(held: Run, gate: Gate) -> None:
    """Called after changes, a last time when the run is over; not any more once it is taken away."""
    seen: list[tuple[int, bool]] = []
    stray: list[int] = []
    held.watch(lambda run: seen.append((run.iteration, run.finished)))
    unwatch = held.watch(lambda run: stray.append(1))
    unwatch()
    unwatch()
    gate.open()
    held.wait(30)
    until(lambda: bool(seen) and seen[-1][1])

    assert {iteration for iteration, _ in seen} >= {1, 2, 3}
    assert seen == sorted(seen)
    assert stray == []


def test_a_watcher_that_raises_does_no_harm(held: Run, gate: Gate) -> None:
    """An error on a screen does not stop a run, nor keep others from seeing it."""
    seen: list[bool] = []
    held.watch(lambda run: 1 / 0)
    held.watch(lambda run: seen.append(run.finished))
    gate.open()

    assert held.wait(30).status == "completed"
    until(lambda: bool(seen) and seen[-1])


def test_a_watcher_that_comes_late_is_told(session: Session) -> None:
    """Watching a run that is over calls at once."""
    run = session.run(module("print(1)"), iterations=1).wait(30)
    seen: list[Run] = []
    run.watch(seen.append)

    assert seen == [run]


# reading


def test_while_it_runs_it_shows_what_is_committed(held: Run, gate: Gate) -> None:
    """Results, metrics, logs and progress of a run under way; texts of every view work."""
    assert held.iteration == 1
    assert set(held.results.select("x").values()) == {0}
    assert {row.value for row in held.metrics.rows() if row.name == "m"} == {0, 1}
    assert [row.text for row in held.logs.filter(node="node_0", level="stdout")] == ["in 0", "in 1"]
    [progress] = held.progress.tasks
    assert (progress.running, progress.done, progress.failed) == (3, 0, 0)
    for view in (
        held,
        held.graph,
        held.metrics,
        held.globals,
        held.results,
        held.logs,
        held.events,
        held.nodes,
    ):
        assert str(view)
        assert repr(view)
    assert held.elapsed > 0
    assert held.ended is None


def test_results_of_an_iteration_are_kept_for_two(session: Session) -> None:
    """The latest two iterations can be read; an older one is an error that says what to do."""
    run = session.run(module("world.results.add('x', world.iteration)"), iterations=4).wait(30)

    assert [set(run.results.select("x", iteration=k).values()) for k in (2, 3)] == [{2}, {3}]
    with pytest.raises(MissingTag, match="no longer kept"):
        run.results.select("x", iteration=1)
    with pytest.raises(MissingTag, match="did you mean 'x'"):
        run.results.select("xx")


def test_more_results_are_kept_where_a_module_asks(session: Session) -> None:
    """`keep_results="all"` keeps every iteration."""
    run = session.run(module("world.results.add('x', world.iteration)", keep_results="all"), iterations=5)

    found = [set(run.wait(30).results.select("x", iteration=k).values()) for k in range(5)]
    assert found == [{0}, {1}, {2}, {3}, {4}]


def test_a_value_that_is_read_is_a_copy(session: Session) -> None:
    """Changing a value that was read does not change the run."""
    run = session.run(module("world.globals['w'] = np.zeros(200_000)"), iterations=1).wait(30)
    run.globals["w"][:] = 5

    assert run.globals["w"].max() == 0


def test_nodes_can_be_chosen(session: Session) -> None:
    """`nodes=` are the only ones a run may use; unknown ones, or none, are refused."""
    run = session.run(module("world.results.add('x', 1)"), iterations=1, nodes=["node_2", "node_0"]).wait(30)

    assert sorted(run.results.select("x")) == ["node_0", "node_2"]
    assert sorted(run.nodes) == ["node_0", "node_2"]
    with pytest.raises(NodeError, match="no node 'node_9'.*did you mean"):
        session.run(module("print(1)"), iterations=1, nodes=["node_9"])
    with pytest.raises(NodeError, match="takes a list of names with at least one"):
        session.run(module("print(1)"), iterations=1, nodes=[])
    with pytest.raises(NodeError, match="takes a list of names"):
        session.run(module("print(1)"), iterations=1, nodes="node_0")


def test_bytes_and_seconds_are_counted(session: Session) -> None:
    """What left each node, and how long it worked, over all iterations."""
    run = session.run(module("world.results.add('x', np.zeros(1000))"), iterations=3).wait(30)

    assert all(3 * 8000 < nbytes < 3 * 8500 for nbytes in run.nodes.bytes_out.values())
    assert set(run.nodes.seconds) == {"node_0", "node_1", "node_2"}
    assert all(seconds > 0 for seconds in run.nodes.seconds.values())
    assert sorted(run.bytes_moved) == [0, 1, 2]


def test_it_is_known_when_it_ran(session: Session) -> None:
    """Begin and end by the clock on the wall, and how long it took."""
    before = time.time()
    run = session.run(module("print(1)"), iterations=1).wait(30)

    assert run.ended is not None
    assert before <= run.started <= run.ended <= time.time()
    assert run.elapsed == pytest.approx(run.ended - run.started, abs=0.1)


def test_two_runs_at_once_are_two(session: Session, gate: Gate) -> None:
    """Runs on the same nodes at the same time have their own Globals, results, logs and states."""

    def body(name: str) -> str:
        return (
            f"local.state['n'] = local.state.get('n', 0) + 1\nprint({name!r})\n"
            f"world.globals['w'] = np.full(50_000, {len(name)}.0) * local.state['n']\n"
            f"seen = world.globals['who']\nworld.results.add('seen', seen)"
        )

    runs = {
        name: session.run(FlowSwarm(name, module(body(name)), {"who": name}), iterations=8)
        for name in ("one", "three", "seventeen")
    }
    for name, run in runs.items():
        run.wait(60)

        assert set(run.results.select("seen").values()) == {name}
        assert {row.text for row in run.logs} == {name}
        np.testing.assert_array_equal(run.globals["w"], np.full(50_000, len(name) * 8.0))


def test_an_error_of_ours_ends_the_run(session: Session) -> None:
    """A Global that cannot be encoded is refused before anything runs, with its frames where it was given."""
    with pytest.raises(MantaError) as caught:
        session.run(FlowSwarm("fl", module("print(1)"), {"f": print}), iterations=1)

    assert traceback.extract_tb(caught.tb)[0].filename == __file__
