"""Results of finished runs are kept while there is room for them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from manta_nb.engine.records import ValueRef
from manta_nb.errors import MissingTag
from manta_nb.runtime.book import SegmentBook
from manta_nb.runtime.capabilities import host_tag
from manta_nb.runtime.spare import Spare

#: bytes of a value here
LARGE = 5 << 20


@pytest.fixture
def book() -> Iterator[SegmentBook]:
    """A book that has room for two values of finished runs."""
    made = SegmentBook(host_tag(shared_values=True), lambda entry: None, spare=Spare(2 * LARGE + (1 << 20)))
    yield made
    made.drop(list(made._entries))
    made.close()


def finished(book: SegmentBook, number: int) -> ValueRef:
    """The value of a run that has ended."""
    ref = book.create({"update": np.full(LARGE, number, dtype=np.uint8)})["update"]
    book.adopt([ref.segment.key], [ref.segment.key])
    return ref


def test_the_oldest_makes_room(book: SegmentBook) -> None:
    """The third of two goes in place of the first, which says what became of it."""
    first, second, third = (finished(book, number) for number in (1, 2, 3))

    assert [book.value(ref)[0] for ref in (second, third)] == [2, 3]
    with pytest.raises(MissingTag, match="make room for those of later runs"):
        book.value(first)


def test_the_latest_stays_however_large(book: SegmentBook) -> None:
    """Who has just run something sees it, and nothing else has to be there."""
    ref = book.create({"update": np.zeros(4 * LARGE, dtype=np.uint8)})["update"]
    book.adopt([ref.segment.key], [ref.segment.key])

    assert book.value(ref).nbytes == 4 * LARGE


def test_what_a_run_reads_again_does_not_go(book: SegmentBook) -> None:
    """A finished run that goes on has all its values, whatever ends meanwhile; so has one that shares them."""
    resumed, forked = finished(book, 1), finished(book, 2)
    book.lend([resumed.segment.key])
    book.share(forked.segment.key)
    for number in (3, 4, 5):
        finished(book, number)

    assert [book.value(ref)[0] for ref in (resumed, forked)] == [1, 2]


def test_globals_stay(book: SegmentBook) -> None:
    """What is adopted and not spare is there however many runs come later."""
    model = book.create({"model": np.ones(LARGE, dtype=np.uint8)})["model"]
    book.adopt([model.segment.key])
    for number in range(4):
        finished(book, number)

    assert book.value(model)[0] == 1
