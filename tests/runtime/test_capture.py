"""What a task prints and logs arrives line by line, for the node whose turn it is."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from manta_nb.runtime.runners.capture import LONGEST_LINE, Capture, LineWriter

Line = tuple[int, str, str]


@contextmanager
def capturing() -> Iterator[tuple[Capture, list[Line]]]:
    """A capture in the turn of node number 0, and what it captured: (node, level, text)."""
    lines: list[Line] = []
    capture = Capture(lambda *line: lines.append(line))
    with capture.active():
        capture.begin(0)
        yield capture, lines


def test_prints_and_logs_keep_their_order() -> None:
    """Standard output, standard error and the logger arrive in the order they were written, with their level."""
    with capturing() as (_, lines):
        print("one")
        print("two", file=sys.stderr)
        logging.getLogger("manta.worker").warning("%d", 3)

    assert lines == [(0, "stdout", "one"), (0, "stderr", "two"), (0, "WARNING", "3")]


def test_a_line_goes_out_when_it_is_whole() -> None:
    """Parts of a line are held back until it ends, or until the turn does."""
    with capturing() as (capture, lines):
        print("a", end="")
        print("b")
        print("rest", end="")
        before = list(lines)
        capture.end()

    assert before == [(0, "stdout", "ab")]
    assert lines[1:] == [(0, "stdout", "rest")]


def test_empty_lines_are_left_out() -> None:
    """`print()` alone is no line of a log."""
    with capturing() as (_, lines):
        print()
        print("a\n\nb\r\nc")

    assert [text for _, _, text in lines] == ["a", "b", "c"]


def test_a_progress_bar_is_lines() -> None:
    """A bare carriage return ends a line."""
    with capturing() as (_, lines):
        print("10 %", end="\r")
        print("20 %", end="\r")

    assert [text for _, _, text in lines] == ["10 %", "20 %"]


def test_each_turn_has_its_node() -> None:
    """After `begin` lines belong to the next node, and its last lines are its own."""
    with capturing() as (capture, lines):
        print("zero")
        capture.end()
        capture.begin(1)
        print("one")

    assert [(node, text) for node, _, text in lines] == [(0, "zero"), (1, "one")]
    assert list(capture.last) == ["one"]


def test_streams_that_a_task_replaced_come_back() -> None:
    """A task that replaces `sys.stdout` does so for its own turn only."""
    with capturing() as (capture, lines):
        sys.stdout = None  # type: ignore[assignment]
        capture.end()
        capture.begin(1)
        print("there")

    assert lines == [(1, "stdout", "there")]


def test_the_last_twenty_lines_are_kept() -> None:
    """What a failure shows are the last lines, not the first."""
    with capturing() as (capture, _):
        for number in range(100):
            print(number)

    assert list(capture.last) == [str(number) for number in range(80, 100)]


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_is_bounded(end: str) -> None:
    """A line of 5 MB is cut."""
    with capturing() as (capture, lines):
        print("x" * 5_000_000, end=end)
        capture.end()

    assert [len(text) for _, _, text in lines] == [LONGEST_LINE]


def test_everything_is_as_before_afterwards() -> None:
    """Streams and logger are given back, also where the block raises."""
    logger = logging.getLogger("manta")
    before = sys.stdout, sys.stderr, logger.level, logger.propagate, list(logger.handlers)

    with pytest.raises(ZeroDivisionError), capturing():
        print(1 / 0)

    assert (sys.stdout, sys.stderr, logger.level, logger.propagate, list(logger.handlers)) == before


def test_other_loggers_are_left_alone() -> None:
    """What libraries log to their own loggers is not a line of the task."""
    with capturing() as (_, lines):
        logging.getLogger("some.library").info("noise")

    assert lines == []


def test_threads_of_a_task_write_whole_lines() -> None:
    """Threads that print at the same time never lose or tear a line."""
    lines: list[str] = []
    writer = LineWriter("stdout", lambda _, text: lines.append(text))

    def work(letter: str) -> None:
        for _ in range(2000):
            writer.write(letter * 50 + "\n")

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(lines) == sorted(letter * 50 for letter in "abcd" for _ in range(2000))


def test_it_looks_like_a_stream() -> None:
    """Programs that ask a stream what it is get an answer."""
    writer = LineWriter("stdout", lambda *_: None)

    assert (writer.writable(), writer.isatty(), writer.encoding, writer.errors) == (
        True,
        False,
        "utf-8",
        "replace",
    )
    assert writer.write("é\n") == 2
    writer.flush()
