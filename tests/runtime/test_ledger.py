"""The ledger: what each turn did, row by row, readable whatever its writer does."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from manta_nb.errors import MantaError
from manta_nb.runtime.runners.ledger import COUNT, ROW, START, Kind, LedgerReader, LedgerWriter


@pytest.fixture
def descriptor() -> Iterator[int]:
    """Anonymous memory for a ledger."""
    made = os.memfd_create("test-ledger", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    yield made
    os.close(made)


def test_rows_are_read_while_they_are_written(descriptor: int) -> None:
    """A row can be read as soon as it is appended, without a system call."""
    reader = LedgerReader(descriptor, 3)
    writer = LedgerWriter(os.dup(descriptor))
    writer.append(Kind.TURN, 0, -1, 0, 0, 5)
    writer.append(Kind.RESULT, 0, 2, 64, 100, 6)

    assert reader.rows().tolist() == [[1, 0, -1, 0, 0, 5], [2, 0, 2, 64, 100, 6]]


def test_a_successor_goes_on_behind_the_last_row(descriptor: int) -> None:
    """A second writer keeps the rows of the first."""
    reader = LedgerReader(descriptor, 3)
    LedgerWriter(os.dup(descriptor)).append(Kind.TURN, 0, -1, 0, 0, 5)
    LedgerWriter(os.dup(descriptor)).append(Kind.TURN, 1, -1, 0, 0, 6)

    assert reader.rows()[:, 1].tolist() == [0, 1]


def test_a_full_ledger_is_an_error(descriptor: int) -> None:
    """A task that writes more rows than fit gets an error that says so, and nothing is overwritten."""
    reader = LedgerReader(descriptor, 1)
    room = (os.fstat(descriptor).st_size - START) // ROW.size
    os.pwrite(descriptor, COUNT.pack(room - 1), 0)
    writer = LedgerWriter(os.dup(descriptor))
    writer.append(Kind.DONE, 0, -1, 0, 0, 1)

    with pytest.raises(MantaError, match="fewer tags"):
        writer.append(Kind.DONE, 0, -1, 0, 0, 2)
    assert len(reader.rows()) == room


@pytest.mark.parametrize("count", [-1, -(2**63), 2**62])
def test_a_lying_count_reads_no_further_than_there_is(descriptor: int, count: int) -> None:
    """A count that a hostile child wrote gives at most the rows that fit."""
    reader = LedgerReader(descriptor, 2)
    os.pwrite(descriptor, COUNT.pack(count), 0)

    assert len(reader.rows()) <= (os.fstat(descriptor).st_size - START) // ROW.size
    assert reader.turn() is None


def test_a_child_cannot_take_the_memory_away(descriptor: int) -> None:
    """A ledger cannot be shortened by its writer: the worker that reads it would die of it."""
    reader = LedgerReader(descriptor, 2)

    with pytest.raises(OSError, match="not permitted"):
        os.ftruncate(descriptor, 0)
    assert len(reader.rows()) == 0


@pytest.mark.parametrize("rows", [[1, 2, 3], [1] * 7, [2**63, 0, 0, 0, 0, 0], [99, 0, 0, 0, 0, 0]])
def test_malformed_rows_are_refused(descriptor: int, rows: list[int]) -> None:
    """Rows that come in a message have six numbers each, of 64 bits, of a known kind."""
    reader = LedgerReader(descriptor, 2)

    with pytest.raises(ValueError, match="row"):
        reader.extend(rows)
    assert len(reader.rows()) == 0


@pytest.mark.parametrize("by_message", [True, False])
def test_the_turn_under_way_is_known(descriptor: int, by_message: bool) -> None:
    """`turn` is the node whose turn began last and has not ended, with the time it began."""
    reader = LedgerReader(descriptor, 3)
    writer = LedgerWriter(os.dup(descriptor))
    turns = []
    for row in [
        (Kind.TURN, 0, -1, 0, 0, 10),
        (Kind.RESULT, 0, 0, 64, 8, 11),
        (Kind.DONE, 0, -1, 0, 0, 12),
        (Kind.TURN, 1, -1, 0, 0, 13),
        (Kind.FAILED, 1, -1, 0, 0, 14),
    ]:
        if by_message:
            reader.extend([int(number) for number in row])
        else:
            writer.append(*row)
        turns.append(reader.turn())

    assert turns == [(0, 10), (0, 10), None, (1, 13), None]
