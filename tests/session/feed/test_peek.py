"""Values are read in passing: only what is asked for, and never wrongly."""

from __future__ import annotations

import os

import numpy as np
import pytest

from manta_nb.sdk.bytes import numpy_to_bytes
from manta_nb.session.feed import sketch as sketches
from manta_nb.session.feed.peek import Gone, Peek
from manta_nb.session.feed.sketch import Sketches, sketch
from tests.monitor.stage import Stage

BIG = np.arange(1 << 20, dtype="float64").reshape(1024, 1024)


def placed(**values: object):
    """A book with these Globals, and where they lie."""
    stage = Stage(["a"], values)
    return stage, {tag: stage.history.global_ref(tag)[0] for tag in values}


@pytest.mark.parametrize(
    ("value", "type_", "preview"),
    [
        (np.array([[1.0, 2.5], [0, 1e-9]], "float32"), "float32 (2, 2)", "1, 2.5, 0, 1e-09"),
        (np.arange(10), "int64 (10,)", "0, 1, 2, 3, 4, 5, …"),
        (numpy_to_bytes(np.zeros(3)), "float64 (3,)", "0, 0, 0"),
        ({"lr": 0.1, "n": 3}, "dict of 2", "lr 0.1, n 3"),
        (0.5, "float", "0.5"),
        ("text", "str", "'text'"),
        (None, "None", "None"),
        (b"abc", "bytes, 3 B", "bytes, 3 B"),
    ],
)
def test_a_value_in_a_line(value, type_, preview):
    """What it is, and how it begins."""
    assert sketch(value) == (type_, preview)


@pytest.mark.parametrize("form", [lambda value: value, numpy_to_bytes, lambda value: {"w": value}])
def test_of_a_large_value_the_beginning_is_read(form, monkeypatch):
    """An array of 8 MB, plain or as bytes, is described from its first 64 kB."""
    stage, refs = placed(w=form(BIG))
    read: list[int] = []
    fetch = Peek.fetch
    monkeypatch.setattr(Peek, "fetch", lambda self, at, n: (read.append(n), fetch(self, at, n))[1])
    known = Sketches()
    for _ in range(2):
        with Peek(stage.book, refs["w"].segment.key) as peek:
            made = known.of("w", peek, refs["w"])

    assert sum(read) < 300_000
    assert "float64 (1024, 1024)" in f"{made.type} {made.preview}" or made.preview == "0, 1, 2, 3, 4, 5, …"


def test_a_value_is_read_whole_and_is_the_same():
    """What `value` gives is what was stored, and stays valid after the segment is freed."""
    stage, refs = placed(w=BIG, lr=0.1)
    with Peek(stage.book, refs["w"].segment.key) as peek:
        value = peek.value(refs["w"])
    stage.book.drop([refs["w"].segment.key])

    assert np.array_equal(value, BIG)


def test_looking_does_not_count_as_using():
    """A segment that was only peeked at may be used again by its worker."""
    stage, refs = placed(w=BIG)
    with Peek(stage.book, refs["w"].segment.key) as peek:
        peek.value(refs["w"])

    assert stage.book.entry(refs["w"].segment.key).viewed is False


def test_a_value_that_was_freed_is_gone():
    """What the run has dropped cannot be peeked at."""
    stage, refs = placed(w=BIG)
    stage.book.drop([refs["w"].segment.key])

    with pytest.raises(Gone, match="no longer kept"), Peek(stage.book, refs["w"].segment.key):
        pass


def test_memory_that_is_used_again_meanwhile_is_noticed():
    """Bytes that were written over while they were read are not taken for the value."""
    stage, refs = placed(w=np.ones(100))
    key = refs["w"].segment.key

    with pytest.raises(Gone, match="no longer kept"), Peek(stage.book, key) as peek:
        peek.value(refs["w"]), os.pwrite(stage.book.entry(key).fd, bytes(64), 0)


def test_a_value_elsewhere_is_not_fetched():
    """A segment that only another machine has is left where it is."""
    stage, refs = placed(w=BIG)
    entry = stage.book.entry(refs["w"].segment.key)
    fd, entry.fd = entry.fd, -1

    with pytest.raises(Gone, match="another machine"), Peek(stage.book, refs["w"].segment.key):
        pass
    os.close(fd)


def test_numbers_stop_early():
    """Of an array of any layout only the first numbers are formatted."""
    assert sketches.numbers(np.asfortranarray(np.arange(12).reshape(3, 4))) == "0, 1, 2, 3, 4, 5, …"
