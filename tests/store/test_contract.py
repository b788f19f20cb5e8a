"""What every store does alike: runs, their metrics and lines, owners, pruning."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from manta_nb.engine.checkpoint import Checkpoint
from manta_nb.engine.records import Event, Failure
from manta_nb.errors import StoreError
from manta_nb.store.ports import Store
from manta_nb.store.records import Loose
from tests.store.making import ENDING, Story, columns, head, run_id, slim

Make = Callable[..., Store]


def test_what_was_asked_for_is_kept(store: Store) -> None:
    """The head of a run comes back equal, with its options, versions and parent."""
    asked = head(
        modules={"worker": {"code": "x = 1\n" * 5000, "options": {"retries": 2, "lr": 0.1}}},
        session={"nodes": 4, "partition": ("iid", None)},
        versions={"numpy": "2.0"},
        source="/home/élève/fl.ipynb",
        parent=(run_id(9), 7),
    )

    store.begin(asked)

    assert store.head(run_id()) == asked


def test_metrics_come_back_in_order(store: Store) -> None:
    """Metrics come back as they were, NaN and infinities too."""
    story = Story(store)
    tables = [replace(columns(k), value=np.array([np.nan, -np.inf])) for k in range(3)]
    for k, table in enumerate(tables):
        story.keep(Checkpoint(k + 1), (), metrics=table)

    found = store.metrics(story.run_id)

    assert [table.nodes for table in found] == [("node_0", "node_1")] * 3
    for table, expected in zip(found, tables, strict=True):
        for name in ("iteration", "node", "task", "name", "step", "value"):
            np.testing.assert_array_equal(getattr(table, name), getattr(expected, name))
            assert getattr(table, name).dtype == getattr(expected, name).dtype
        assert (table.tasks, table.names) == (expected.tasks, expected.names)


def test_metrics_of_uncommitted_iterations_are_forgotten(store: Store) -> None:
    """A run that goes on forgets what was measured in an iteration that was never complete."""
    story = Story(store)
    both = columns(0)
    both = replace(both, iteration=np.array([0, 1], np.int32))
    story.keep(story.next(), metrics=both)

    store.begin(story.head)

    [left] = store.metrics(story.run_id)
    assert left.iteration.tolist() == [0] and left.value.tolist() == [0.5]


def test_logs_and_events(store: Store) -> None:
    """Log lines and events come back in order, from commits, from between them and from the end."""
    story = Story(store)
    story.commit()
    line = (1, "node_1", "worker", "ERROR", "é\ud800\0 'quoted'\n" * 500)
    store.append(story.run_id, Loose((line,), (Event(1, "lost", "node_1", "node_1", "worker"),)))
    last = (2, "", "", "INFO", "end")
    store.finish(story.run_id, replace(ENDING, loose=Loose((last,), (Event(2, "gone", "x"),))))

    assert list(store.logs(story.run_id)) == [(0, "node_0", "worker", "INFO", "line 0"), line, last]
    assert store.events(story.run_id) == [
        Event(0, "retry", "event 0"),
        Event(1, "lost", "node_1", "node_1", "worker"),
        Event(2, "gone", "x"),
    ]


def test_a_flood_of_lines(store: Store) -> None:
    """A hundred thousand log lines at once are kept, every one."""
    story = Story(store)
    lines = tuple((k, "node_0", "worker", "INFO", f"line {k}") for k in range(100_000))

    store.append(story.run_id, Loose(lines))

    assert tuple(store.logs(story.run_id)) == lines


def test_extras_replace_what_was_there(store: Store) -> None:
    """What else shall be found again replaces what was there; None leaves it."""
    story = Story(store)
    assert store.extras(story.run_id) == {}

    story.commit(extras={"seconds": {"node_0": 1.5}})
    story.commit()

    assert store.extras(story.run_id) == {"seconds": {"node_0": 1.5}}
    store.finish(story.run_id, replace(ENDING, extras={"n": 2**80}))
    assert store.extras(story.run_id) == {"n": 2**80}


def test_the_end_is_kept(store: Store) -> None:
    """How a run ended comes back, until it goes on."""
    story = Story(store)
    end = replace(
        ENDING, status="failed", failure=Failure("node_1", "error", "ValueError: é", output=("a", "b"))
    )
    assert store.ending(story.run_id) is None

    store.finish(story.run_id, end)

    info = store.info(story.run_id)
    assert store.ending(story.run_id) == end
    assert (info.status, info.reason, info.elapsed, info.best) == ("failed", end.reason, 12.5, end.best)
    store.begin(story.head)
    assert store.ending(story.run_id) is None


def test_runs_oldest_first(store: Store) -> None:
    """Runs are listed in the order they were begun, whatever the clock said and whichever went on later."""
    for number, started in enumerate([3e9, 1e9, 2e9]):
        store.begin(head(number, name=f"run{number}", started=started, source="a.ipynb"))
    store.begin(head(0, name="run0", iterations=20))

    infos = store.runs()

    assert [info.run_id for info in infos] == [run_id(0), run_id(1), run_id(2)]
    assert [info.limit for info in infos] == [20, 8, 8]
    assert infos[1] == store.info(run_id(1)) and infos[1].seed == 7 and infos[1].source == "a.ipynb"


def test_nobody_has_it(store: Store) -> None:
    """A run that was running is interrupted as soon as nobody has it, and is not while somebody has."""
    release = store.claim(run_id())
    Story(store)
    running = store.info(run_id())
    release()
    release()

    left = store.info(run_id())

    assert running.status == "running" and running.owner.startswith("pid ")
    assert left.status == "interrupted" and not left.owner
    assert store.runs() == [left]


def test_one_owner(store: Store) -> None:
    """A run that somebody has cannot be claimed again before it is let go of, by any thread."""
    release = store.claim(run_id())
    with pytest.raises(StoreError, match="in use by pid"):
        store.claim(run_id())

    other = threading.Thread(target=release)
    other.start()
    other.join()

    store.claim(run_id())()


@pytest.mark.parametrize(
    "hostile", ["", "../../etc/passwd", "A" * 16, "0" * 17, "0123456789abcde\n", "0" * 15 + "٣", "a\0b"]
)
def test_hostile_ids(store: Store, hostile: str) -> None:
    """What is no id of a run is refused, in one line, whatever it says."""
    plan = replace(head().plan, run_id=hostile)

    for call in (
        lambda: store.claim(hostile),
        lambda: store.begin(replace(head(), plan=plan)),
        lambda: store.info(hostile),
        lambda: store.prune([hostile]),
        lambda: store.segment(hostile),
        lambda: store.head("\ud800" + hostile * 50),
        lambda: store.find("\ud800" + hostile * 50),
        lambda: store.segment("\ud800" + hostile * 50),
    ):
        with pytest.raises(StoreError) as caught:
            call()
        assert len(str(caught.value)) <= 200 and str(caught.value).isprintable()


def test_find(store: Store) -> None:
    """A run is found by its id, by the latest of its name, or by how its id begins; else a name is proposed."""
    for number, name in enumerate(["fl", "fl", "swarm"]):
        store.begin(head(number, name=name))

    assert store.find("fl") == run_id(1)
    assert store.find(run_id(0)) == run_id(0) and store.find(run_id(0)[:4]) == run_id(0)
    with pytest.raises(StoreError, match="did you mean 'swarm'"):
        store.find("swrm")
    with pytest.raises(StoreError, match="no run"):
        store.find(run_id(0)[:3])


def test_prune(store: Store) -> None:
    """A run that is pruned is gone with its values; the others are as they were."""
    first, second = Story(store, 0, result_bytes=100_000), Story(store, 1)
    first.commit(3)
    second.commit(3)
    before = store.nbytes()

    counted = store.prune([first.run_id], dry=True)
    assert [info.run_id for info in store.runs()] == [first.run_id, second.run_id]
    pruned = store.prune([first.run_id])

    assert pruned.run_ids == counted.run_ids == (first.run_id,)
    assert pruned.nbytes >= 400_000 and counted.nbytes >= 400_000 and pruned.left == store.nbytes()
    assert store.nbytes() <= before - 400_000
    assert [info.run_id for info in store.runs()] == [second.run_id]
    assert second.same(store.checkpoint(second.run_id), store.segment)
    with pytest.raises(StoreError, match="no run"):
        store.checkpoint(first.run_id)


def test_a_run_in_use_is_not_pruned(store: Store) -> None:
    """Pruning a run that somebody has is refused, and the others with it."""
    Story(store, 0), Story(store, 1)
    release = store.claim(run_id(1))

    for dry in (True, False):
        with pytest.raises(StoreError, match="in use by pid"):
            store.prune([run_id(0), run_id(1)], dry=dry)

    release()
    assert len(store.runs()) == 2
    assert store.claim(run_id(0)) is not None


def test_what_is_no_plain_value_is_refused(store: Store) -> None:
    """Extras that are not made of plain values are refused by name, and nothing is kept of that commit."""
    story = Story(store)

    with pytest.raises(StoreError, match="extras"):
        story.commit(extras={"x": object()})

    assert store.info(story.run_id).iterations == 0


def test_a_run_that_never_began(store: Store) -> None:
    """Writing to a run that never began is refused."""
    story = Story(store, begin=False)

    with pytest.raises(StoreError, match="no run"):
        story.commit()
    with pytest.raises(StoreError, match="no run"):
        store.finish(story.run_id, ENDING)


def test_many_threads(store: Store) -> None:
    """Runs that are recorded at the same time, and read meanwhile, do not disturb one another."""
    stories = [Story(store, number) for number in range(3)]
    writers = [threading.Thread(target=story.commit, args=(10,)) for story in stories]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        for info in store.runs():
            assert store.checkpoint(info.run_id).iterations >= info.iterations
    for writer in writers:
        writer.join()

    assert [store.checkpoint(story.run_id) for story in stories] == [
        slim(story.checkpoints[10]) for story in stories
    ]
