"""Runs that ended and go on: with a seed, the numbers are those of a run that nothing disturbed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from distributed import LocalCluster

from manta_nb import MantaError, Run, Session
from manta_nb.sdk.swarm import FlowSwarm
from tests.cluster.parts import Gate, kill, mean_swarm, module, same, waiting
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


def learning_swarm(most: int = 1000) -> FlowSwarm:
    """Uses all that an iteration hands to the next: Globals, results, states of nodes, the schedule, fixed nodes."""
    worker = module(
        f"""
        at = world.globals["at"]
        local.state["n"] = local.state.get("n", 0) + 1
        local.state["sum"] = local.state.get("sum", np.zeros(3)) + np.random.normal(size=3)
        world.results.add("moved", at + local.state["sum"] * world.globals["lr"])
        world.results.add("turns", local.state["n"])
        world.metric("norm", float(np.abs(at).sum()))
        world.results.add("big", np.full({most}, world.iteration, "f4"))
        """,
        "worker",
    )
    aggregator = module(
        """
        moved = world.results.select("moved")
        world.globals["at"] = sum(moved.values()) / len(moved)
        if world.iteration:
            world.globals["before"] = sum(world.results.select("turns", iteration=world.iteration - 1).values())
        if world.iteration % 2:
            world.schedule_next_iter(sorted(moved)[:3], "worker")
        """,
        "aggregator",
        method="any",
    )
    pick = module(
        "world.globals['picked'] = world.globals.get('picked', []) + [world.node_id]",
        "pick",
        method="any",
        fixed=True,
    )
    return FlowSwarm("fl", worker >> aggregator >> pick, {"at": np.zeros(3), "lr": 0.1})


def values(run: Run) -> dict[str, Any]:
    """All Globals, in one order."""
    return {tag: run.globals[tag] for tag in sorted(run.globals)}


def reached(run: Run, iteration: int) -> Callable[[], bool]:
    """Whether the run is that far."""
    return lambda: run.finished or run.iteration >= iteration


@pytest.mark.parametrize(("seed", "stops"), [(0, 1), (1, 1), (2, 2), (3, 3)])
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(session: Session, seed: int, stops: int) -> None:
    """Stopped anywhere, once or more often; metrics, history and numbers go on."""
    chance = random.Random(seed)
    expected = session.run(learning_swarm(), iterations=8, seed=9).wait(60)
    run = session.run(learning_swarm(), iterations=8, seed=9)
    for at in sorted(chance.sample(range(7), stops)):
        until(reached(run, at), 30)
        before = run.stop().iteration
        assert run.finished and run.status == "stopped"
        assert not [row for row in run.metrics.rows() if row.iteration >= before]
        assert run.resume() is run
        assert run.iteration >= before
    run.wait(60)

    assert (run.status, run.reason, run.iteration) == ("completed", "all 8 iterations", 8)
    assert same(values(run), values(expected))
    assert sorted(map(repr, run.metrics.rows())) == sorted(map(repr, expected.metrics.rows()))
    assert same(run.results.select("big"), expected.results.select("big"))


def test_a_run_is_the_same_object_while_it_goes_on(session: Session, gate: Gate) -> None:
    """Name, id, seed and watchers stay; it can be waited for again, and what it took is added up."""
    told: list[str] = []
    run = session.run(module(gate.wait), iterations=2, name="held")
    run.watch(lambda run: told.append(run.status))
    until(lambda: len(waiting(run)) == 4)
    same_as = (run.run_id, run.name, run.seed, run.started)
    run.stop()
    took = run.elapsed
    run.resume()
    until(lambda: run.status == "running")
    again = (run.run_id, run.name, run.seed, run.started)
    told.clear()
    assert not run.finished and run.ended is None and run.elapsed >= took
    assert run in session.active
    gate.open()
    run.wait(30)

    assert again == same_as
    assert told[-1] == "completed"
    assert run.finished


def test_a_failed_run_goes_on_once_its_cause_is_gone(session: Session, gate: Gate) -> None:
    """From the last complete iteration; the failure is no longer told."""
    body = f"""
        world.globals["n"] = world.globals.get("n", 0) + 1
        if world.iteration == 2 and not os.path.exists({str(gate.path)!r}):
            1 / 0
    """
    run = session.run(module(body, method="any"), iterations=4).wait(30, check=False)
    failed = (run.status, run.iteration)
    gate.open()
    run.resume().wait(30)

    assert failed == ("failed", 2)
    assert (run.status, run.error, run.globals["n"]) == ("completed", "", 4)


def test_a_complete_run_needs_more_iterations(session: Session) -> None:
    """It is refused in one line that says so, and goes on where more are given."""
    expected = session.run(mean_swarm(), iterations=5, seed=2).wait(30).globals["at"]
    run = session.run(mean_swarm(), iterations=3, seed=2, name="fl").wait(30)
    with pytest.raises(MantaError) as caught:
        run.resume()
    with pytest.raises(MantaError, match="fl has 3 iterations: give more, got 3"):
        run.resume(iterations=3)
    run.resume(iterations=5).wait(30)

    assert str(caught.value) == (
        "fl is complete (3 of 3): run it again, or give more iterations: fl.resume(iterations=10)"
    )
    assert (run.iterations, run.reason) == (5, "all 5 iterations")
    assert same(run.globals["at"], expected)


def test_what_cannot_go_on_is_refused(session: Session, gate: Gate) -> None:
    """A run that still goes on, a number that is none, a session that is closed: one line each."""
    run = session.run(module(gate.wait), iterations=2, name="held")
    until(lambda: waiting(run))
    with pytest.raises(MantaError, match=r"held is running \(0 of 2\): it goes on by itself"):
        run.resume()
    run.stop()
    with pytest.raises(MantaError, match="iterations must be a whole number"):
        run.resume(iterations=0)
    with Session(nodes=1) as other:
        ended = other.run(module("pass"), iterations=5, name="gone").stop()
    with pytest.raises(MantaError, match="this session is closed"):
        ended.resume()


def test_two_threads_resume_once(session: Session, gate: Gate) -> None:
    """A button and a cell at the same time: one of them goes on, the other is told so."""
    run = session.run(module(gate.wait), iterations=1).stop()
    came: list[str] = []

    def resume() -> None:
        try:
            run.resume()
            came.append("went on")
        except MantaError as error:
            came.append(str(error))

    threads = [threading.Thread(target=resume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate.open()
    run.wait(30)

    assert came.count("went on") == 1
    assert all("it goes on by itself" in text for text in came if text != "went on")


def test_values_outlive_their_nodes_between_stop_and_resume(session: Session) -> None:
    """Every process is killed while nothing runs: what the run needs is with the kernel, large values, too."""
    expected = session.run(learning_swarm(2_000_000), iterations=5, seed=4).wait(60)
    run = session.run(learning_swarm(2_000_000), iterations=5, seed=4)
    # what is written lags behind where values are large
    until(lambda: run.finished or run.progress.iteration >= 2, 30)
    run.stop()
    for node_id in list(session.nodes):
        kill(session, node_id)
    run.resume().wait(60)

    assert same(values(run), values(expected))


@pytest.fixture(scope="module")
def foreign() -> Iterator[Session]:
    """Nodes of a cluster that somebody else started."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster,
        Session(client=cluster, nodes=4) as session,
    ):
        yield session


@pytest.fixture(scope="module")
def apart() -> Iterator[Session]:
    """Nodes that share no memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANTA_NB_VALUES", "transfer")
        with Session(nodes=4) as session:
            yield session


@pytest.mark.parametrize("where", ["apart", "foreign"])
def test_a_run_goes_on_wherever_its_values_lie(where: str, request: pytest.FixtureRequest) -> None:
    """Values that travel, and workers that somebody else started."""
    session: Session = request.getfixturevalue(where)
    expected = session.run(learning_swarm(), iterations=6, seed=5).wait(60)
    run = session.run(learning_swarm(), iterations=6, seed=5)
    for at in (1, 3):
        until(reached(run, at), 30)
        run.stop()
        run.resume()
    run.wait(60)

    assert same(values(run), values(expected))
