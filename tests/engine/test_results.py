"""Which results are readable, and for how long."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manta_nb.engine.events import IterationCommitted
from manta_nb.engine.instructions import DropSegments, RunTask
from manta_nb.engine.records import Batch, Segment, TaskPlan
from manta_nb.engine.results import ResultIndex, Retention
from tests.engine.conftest import Play
from tests.fakes import done, make_plan, only, worker_and_aggregator

StartRun = Callable[..., tuple[Play, RunTask]]


def batch(iteration: int, nodes: str, *tags: str, **partial: str) -> Batch:
    """A batch of nodes named by one letter each."""
    return Batch(
        iteration,
        "worker",
        0,
        "w0",
        tuple(nodes),
        segment=Segment(f"{iteration}{nodes}{''.join(tags)}", "w0", 1),
        result_bytes=dict.fromkeys((*tags, *partial), 1),
        partial_tags={tag: tuple(names) for tag, names in partial.items()},
    )


def readable(index: ResultIndex) -> list[str]:
    """The keys of the segments that can be read."""
    return [each.segment.key for each in index.batches if each.segment is not None]


def test_latest_two_iterations_are_readable(start: StartRun) -> None:
    """While iteration 3 runs, results of 1 and 2 can be read; those of 0 are dropped, and freed."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    for iteration in range(3):
        run = play.run(done(run, key=f"s{iteration}"), IterationCommitted(iteration))

    assert readable(run.results) == ["s1", "s2"]
    assert run.results.dropped == {"worker": 0}
    assert only(DropSegments, play.said) == [DropSegments(("s0",))]


def test_running_iteration_is_readable_too(start: StartRun) -> None:
    """A later task reads the two committed iterations and what its own has finished, oldest first."""
    play, run = start(worker_and_aggregator(iterations=None))
    for _ in range(3):
        run = play.run(done(play.run(done(run, key=f"s{run.iteration}")), result_bytes={}))
    aggregator = play.run(done(run, key="s3"))

    assert readable(aggregator.results) == ["s1", "s2", "s3"]
    assert aggregator.results.tags() == ["worker"]


def test_everything_can_be_kept(start: StartRun) -> None:
    """keep_results=None keeps every iteration."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None, keep_results=None))
    for iteration in range(6):
        run = play.run(done(run, key=f"s{iteration}"))

    assert readable(run.results) == [f"s{iteration}" for iteration in range(6)]
    assert not only(DropSegments, play.said)


def test_latest_value_of_a_node_outlives_its_iteration() -> None:
    """An old batch stays as long as it holds the latest value of some node under some tag."""
    kept = Retention(2)
    kept.commit(0, [batch(0, "ab", "m"), batch(0, "cd", "m")])
    kept.commit(1, [batch(1, "ab", "m")])
    kept.commit(2, [batch(2, "abc", "m")])

    assert readable(kept.index([])) == ["0cdm", "1abm", "2abcm"]
    assert kept.index([]).dropped == {"m": 0}

    kept.commit(3, [batch(3, "d", "m")])
    assert readable(kept.index([])) == ["2abcm", "3dm"]


def test_tag_written_once_stays(start: StartRun) -> None:
    """What only the first iteration wrote can be read for ever."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    run = play.run(done(run, key="first", result_bytes={"setup": 1}))
    for iteration in range(5):
        run = play.run(done(run, key=f"s{iteration}"))

    assert readable(run.results) == ["first", "s3", "s4"]


def test_tag_that_only_some_nodes_wrote_counts_for_those() -> None:
    """The latest value of node b keeps the old batch, as b was not among the later writers."""
    kept = Retention(1)
    kept.commit(0, [batch(0, "ab", "m")])
    kept.commit(1, [batch(1, "ab", m="a")])
    assert readable(kept.index([])) == ["0abm", "1ab"]

    kept.commit(2, [batch(2, "ab", m="b")])
    assert readable(kept.index([])) == ["1ab", "2ab"]


def test_index_that_was_handed_out_does_not_change() -> None:
    """A task keeps what it was given while later iterations are committed."""
    kept = Retention(1)
    kept.commit(0, [batch(0, "a", "m")])
    index = kept.index([])
    kept.commit(1, [batch(1, "a", "m")])

    assert (readable(index), index.dropped) == (["0am"], {})


def test_segment_of_a_dropped_result_stays_for_its_global(start: StartRun) -> None:
    """The batch is no longer readable, but a Global still lies in its segment."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None))
    run = play.run(done(run, key="s0", writes={"w": "node_0"}))
    for iteration in range(1, 5):
        run = play.run(IterationCommitted(iteration - 1), done(run, key=f"s{iteration}"))
    play(IterationCommitted(4))

    assert readable(run.results) == ["s3", "s4"]
    assert run.globals["w"].segment.key == "s0"
    assert [drop.keys for drop in only(DropSegments, play.said)] == [("s1",), ("s2",)]


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_retention_loses_nothing_that_is_promised(seed: int, keep: int) -> None:
    """Against a plain model: the window and each node's latest values are readable, and nothing else."""
    rng = random.Random(seed)
    kept = Retention(keep)
    everything: list[Batch] = []
    for iteration in range(8):
        fresh = []
        for _ in range(rng.randint(0, 3)):
            nodes = "".join(sorted(rng.sample("abcdef", rng.randint(1, 6))))
            fresh.append(batch(iteration, nodes, *rng.sample("xyz", rng.randint(1, 3))))
        kept.commit(iteration, fresh)
        everything += fresh
        latest = {
            (tag, node): each for each in everything for tag in each.result_bytes for node in each.nodes
        }
        holders = {id(each) for each in latest.values()}
        expected = [each for each in everything if each.iteration > iteration - keep or id(each) in holders]
        assert list(kept.index([]).batches) == expected


@pytest.mark.parametrize("nodes", [50, 2000])
def test_memory_of_results_stays_flat(start: StartRun, nodes: int) -> None:
    """After many iterations as many segments are kept as after three."""
    play, run = start(make_plan(TaskPlan("worker", method="all"), iterations=None), nodes)
    counts = []
    for iteration in range(20):
        run = play.run(done(run), IterationCommitted(iteration))
        counts.append(len(play.state.committed.segments))

    assert counts[2:] == [2] * 18
