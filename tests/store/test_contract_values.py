"""What every store does alike: checkpoints, versions, and what is kept of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Batch, Failure
from manta_nb.errors import StoreError
from manta_nb.store.ports import Store
from manta_nb.store.records import Committed, GlobalVersion, IterationInfo
from tests.store.making import BIG, Story, columns, head, run_id, slim

Make = Callable[..., Store]


def test_the_latest_checkpoint_comes_back(store: Store) -> None:
    """The latest checkpoint is given as it was committed, and all its values with it."""
    story = Story(store)
    story.commit(3)

    checkpoint = store.checkpoint(story.run_id)

    assert checkpoint == slim(story.checkpoints[3])
    assert story.same(checkpoint, store.segment)


def test_an_older_checkpoint_is_whole_while_there_is_room(store: Store) -> None:
    """Another run can go on from it exactly; the latest 64 are, where they are small."""
    story = Story(store)
    story.commit(70)

    assert store.checkpoint(story.run_id, 10) == slim(story.checkpoints[10])
    assert store.checkpoint(story.run_id, 4) != slim(story.checkpoints[4])


def test_an_older_checkpoint_has_its_globals_at_least(make: Make) -> None:
    """Where there is no room it has all its Globals, and of its results those that are still kept."""
    store = make(keep_globals_bytes=BIG)
    story = Story(store, global_bytes=10, result_bytes=BIG)
    story.commit(6)
    kept = story.checkpoints[6].keys | story.checkpoints[5].keys

    checkpoint = store.checkpoint(story.run_id, 2)

    old = slim(story.checkpoints[2])
    assert checkpoint == old.without(old.keys - kept - {old.globals["w"].segment.key})
    assert checkpoint.results.dropped == {"model": 1} and not checkpoint.results.batches


def test_the_checkpoint_before_the_latest_is_whole(make: Make) -> None:
    """The results of the latest two checkpoints are kept, whatever they take."""
    store = make(keep_globals_bytes=0)
    story = Story(store, keep_results=1)
    story.commit(5)

    assert store.checkpoint(story.run_id, 4) == slim(story.checkpoints[4])
    with pytest.raises(StoreError, match="no longer held"):
        store.segment(story.checkpoints[3].results.batches[0].segment.key)  # type: ignore[union-attr]


def test_results_that_are_never_forgotten(store: Store) -> None:
    """With `keep_results=None` every checkpoint is given whole."""
    story = Story(store, keep_results=None)
    story.commit(5)

    assert [store.checkpoint(story.run_id, k) for k in range(6)] == [
        slim(story.checkpoints[k]) for k in range(6)
    ]


def test_there_is_no_such_checkpoint(store: Store) -> None:
    """A checkpoint that was never committed is refused."""
    story = Story(store)

    with pytest.raises(StoreError, match="after 5 iterations"):
        store.checkpoint(story.run_id, 5)
    store.begin(head(1))
    with pytest.raises(StoreError, match="nothing"):
        store.checkpoint(run_id(1))


def test_a_batch_keeps_what_readers_need(store: Store) -> None:
    """Of a batch the nodes, the segment, the tags and its name survive; failures and seconds stand elsewhere."""
    story = Story(store)
    batch = Batch(
        0, "wörker", 2, "w0", ("node_1", "node_3"), (Failure("node_2", "error", "x"),), story.segment("r", 80),
        {"a": 40, "b": 40}, {"b": ("node_3",)}, seconds={"node_1": 1.0},
    )  # fmt: skip
    checkpoint = Checkpoint(1, results=replace(story.retention.index(()), batches=(batch,)))

    story.keep(checkpoint, ())

    [kept] = store.checkpoint(story.run_id).results.batches
    assert kept == replace(batch, failures=(), seconds={})


def test_states_schedule_and_fixed_nodes(store: Store) -> None:
    """Versions of local states, schedules and fixed nodes come back at every checkpoint, whatever changed."""
    story, nodes = Story(store), [f"node_{i}" for i in range(9)]
    states: dict[str, str] = {}
    for k in range(1, 80):
        states = {**states, nodes[k % 9]: f"{k}-a-0"} if k != 40 else {"other": "40-a-0"}
        story.keep(
            Checkpoint(k, states=states, schedule={"a": (nodes[k % 9],)}, fixed={"b": tuple(nodes)}), ()
        )

    assert all(store.checkpoint(story.run_id, k) == story.checkpoints[k] for k in range(1, 80))


def test_global_that_is_gone(store: Store) -> None:
    """A Global that a later checkpoint no longer has is not in it, and still in the earlier ones."""
    story = Story(store)
    a, b = story.ref("a", 50), story.ref("b", 50)

    story.keep(Checkpoint(1, {"a": a, "b": b}), ("a", "b"))
    story.keep(Checkpoint(2, {"a": a}), ())

    assert store.checkpoint(story.run_id).globals == {"a": a}
    assert store.checkpoint(story.run_id, 1).globals == {"a": a, "b": b}


def test_versions_of_globals(store: Store) -> None:
    """Every change of a Global is listed with where it lies, the start as -1, and no other."""
    story = Story(store)
    first = story.checkpoints[0].globals["w"]
    story.keep(Checkpoint(1, {"w": first, "lr": story.ref("lr", 40)}), ("lr",))
    story.at = 1
    story.commit()

    assert store.versions(story.run_id) == [
        GlobalVersion("w", -1, 300, first),
        GlobalVersion("lr", 0, 40, story.checkpoints[1].globals["lr"]),
        GlobalVersion("w", 1, 300, story.checkpoints[2].globals["w"]),
    ]


def test_globals_are_thinned(make: Make) -> None:
    """Beyond the budget the start, the latest two and about evenly spaced versions of the Globals remain."""
    story = Story(make(keep_globals_bytes=10 * 300))
    story.commit(100)

    held = [each.iteration for each in story.store.versions(story.run_id) if each.held]

    assert held[0] == -1 and held[-2:] == [98, 99]
    assert 7 <= len(held) <= 14
    assert max(after - before for before, after in pairwise(held)) <= 33
    assert [each.iteration for each in story.store.iterations(story.run_id) if each.held] == held[1:]


def test_thinned_globals_are_refused(make: Make) -> None:
    """A checkpoint whose Globals are gone says so, and where to look."""
    story = Story(make(keep_globals_bytes=0))
    story.commit(6)

    with pytest.raises(StoreError, match="no longer held") as caught:
        story.store.checkpoint(story.run_id, 3)
    assert len(str(caught.value)) <= 200


def test_what_never_changes_costs_nothing(make: Make) -> None:
    """A large Global that stays the same does not push out the versions of the others."""
    story = Story(make(keep_globals_bytes=5 * 300))
    data = story.ref("data", 10_000)
    for k in range(1, 5):
        story.keep(Checkpoint(k, {"data": data, "w": story.ref(f"w{k}", 300)}), ("w",))

    assert all(each.held for each in story.store.versions(story.run_id))


def test_iterations(store: Store) -> None:
    """Committed iterations are listed with what was moved in them; one that was passed over has no values."""
    story = Story(store)
    story.commit(2)
    story.next()
    story.keep(story.next(), moved={2: 20, 3: 30})

    assert store.iterations(story.run_id) == [
        IterationInfo(0, 1000, True),
        IterationInfo(1, 1001, True),
        IterationInfo(2, 20, False),
        IterationInfo(3, 30, True),
    ]
    assert store.info(story.run_id).iterations == 4


def test_a_fork_counts_on(store: Store) -> None:
    """A run that goes on from iteration 4 of another one has iterations from 5 on, and shares its values."""
    story = Story(store)
    story.commit(5)
    other = Story(store, 1, begin=False, parent=(story.run_id, 4))
    other.values, other.retention, other.at = story.values, story.retention, 5
    store.begin(other.head)
    other.keep(store.checkpoint(story.run_id), ())
    other.commit(2)

    store.prune([story.run_id])

    assert [each.iteration for each in store.iterations(other.run_id)] == [5, 6]
    assert other.same(store.checkpoint(other.run_id), store.segment)
    assert other.same(store.checkpoint(other.run_id, 5), store.segment)


def test_going_back(store: Store) -> None:
    """A run that goes back an iteration writes that again: its old values, metrics and versions are gone."""
    story = Story(store)
    story.commit(4)
    old = story.checkpoints[4]
    again = Story(store, begin=False)
    again.values, again.at = story.values, 3
    again.retention.commit(2, story.checkpoints[3].results.batches)
    checkpoint = again.next("again")

    again.keep(checkpoint, metrics=columns(3, value=0.7), moved={3: 5})

    assert store.checkpoint(story.run_id) == slim(checkpoint)
    assert store.checkpoint(story.run_id, 3) == slim(story.checkpoints[3])
    assert [table.value[0] for table in store.metrics(story.run_id)] == [0.5, 0.5, 0.5, 0.7]
    assert [each.moved for each in store.iterations(story.run_id)] == [1000, 1001, 1002, 5]
    assert [each.iteration for each in store.versions(story.run_id)] == [-1, 0, 1, 2, 3]
    with pytest.raises(StoreError):
        store.segment(old.globals["w"].segment.key)


def test_unreadable_value_changes_nothing(store: Store) -> None:
    """A commit whose values cannot be read leaves everything as it was, and can be made again."""
    story = Story(store)
    story.commit(2)
    checkpoint = story.next()

    def gone(key: str) -> memoryview:
        raise StoreError("gone")

    with pytest.raises(StoreError, match="gone"):
        store.commit(story.run_id, Committed(checkpoint, ("w",)), gone)

    assert store.checkpoint(story.run_id) == slim(story.checkpoints[2])
    story.keep(checkpoint)
    assert store.checkpoint(story.run_id) == slim(checkpoint)
