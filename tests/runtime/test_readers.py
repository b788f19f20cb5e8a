"""What a batch reads: each segment opened once, views private to a turn, losses told."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from manta_nb.runtime.runners.readers import LostSegment, Readers
from manta_nb.runtime.runners.segments import Place
from manta_nb.runtime.runners.storage import SharedSegment
from tests.runtime.test_segments import KEY, fill


@pytest.fixture
def shared() -> Iterator[SharedSegment]:
    """A shared segment with a tag of two nodes."""
    made = SharedSegment()
    fill(made, {("a", "w"): np.zeros(100), ("b", "w"): np.ones(100)})
    yield made
    made.close()


def using(*places: Place, **received: bytes) -> Readers:
    """Readers of a batch that may read these."""
    readers = Readers()
    readers.use(places, received)
    readers.next_turn()
    return readers


def test_what_one_node_changes_no_other_node_sees(shared: SharedSegment) -> None:
    """Arrays are views that share memory within a turn, and the next turn gets them as they were written."""
    readers = using(shared.place())
    first = readers.select("w", [0])["a"]
    first[:] = 9
    readers.next_turn()

    assert readers.select("w", [0])["a"].max() == 0
    assert first.max() == 9


def test_bytes_that_came_along_are_read_like_shared_ones(shared: SharedSegment) -> None:
    """A segment whose bytes came with the request reads the same, and is private to a turn, too."""
    readers = using(Place(shared.key, 0, -1, shared.nbytes), **{shared.key: bytes(shared.read())})
    readers.select("w", [0])["b"][:] = 9
    readers.next_turn()

    assert readers.select("w", [0])["b"].max() == 1


def test_later_segments_win(shared: SharedSegment) -> None:
    """Where two segments hold a value of one node, the later one counts."""
    later = SharedSegment()
    fill(later, {("a", "w"): "later"})

    assert using(shared.place(), later.place()).select("w", [0, 1])["a"] == "later"
    later.close()


@pytest.mark.parametrize("place", [Place(KEY, 0, -1, 100), Place(KEY, 2**22 + 1, 5, 100)])
def test_a_missing_segment_is_lost(place: Place) -> None:
    """A segment that did not come, or whose holder is gone, raises `LostSegment` with its key."""
    with pytest.raises(LostSegment) as caught:
        using(place).select("w", [0])

    assert caught.value.key == KEY


def test_a_swallowed_loss_is_remembered() -> None:
    """A loss stays known for the turn, also where the task swallowed it; the next turn starts anew."""
    readers = using(Place(KEY, 0, -1, 100))
    with pytest.raises(LostSegment):
        readers.value(0, 64, 8)
    lost = readers.lost
    readers.next_turn()

    assert (lost, readers.lost) == (KEY, None)


def test_a_loss_is_no_exception_that_a_task_catches() -> None:
    """`except Exception` in a task does not swallow a loss."""
    assert not issubclass(LostSegment, Exception)


def test_segments_no_longer_named_are_closed(shared: SharedSegment) -> None:
    """A new batch closes what it does not read, and keeps what it reads again."""
    other = SharedSegment()
    fill(other, {("a", "v"): 1})
    readers = using(shared.place(), other.place())
    readers.select("w", [0])
    readers.select("v", [1])
    readers.use([other.place()], {})

    assert readers.keys() == [other.key]
    readers.close()
    assert readers.keys() == []
    other.close()
