"""Records as bytes and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manta_nb.engine.records import Event, Failure, RunPlan, TaskPlan
from manta_nb.errors import StoreError
from manta_nb.store.encoding import (
    expand_names,
    pack_columns,
    pack_ending,
    pack_events,
    pack_head,
    pack_lines,
    squeeze_names,
    unpack,
    unpack_columns,
    unpack_ending,
    unpack_events,
    unpack_head,
    unpack_lines,
)
from manta_nb.store.records import Columns, Ending, RunHead

#: any text: accents, NUL, halves of surrogate pairs
texts = st.text(st.characters(), max_size=12)
names = st.lists(texts, max_size=5).map(tuple)
numbers = st.floats() | st.integers()
plain: Any = st.recursive(
    st.none() | st.booleans() | numbers | texts | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
tasks = st.builds(
    TaskPlan, texts, names, st.sampled_from(["any", "all"]), st.none() | numbers, st.booleans(), st.none() | names,
    names, names, st.none() | st.integers(), st.integers(), st.none() | st.floats(),
)  # fmt: skip
plans = st.builds(
    RunPlan, texts, texts, st.lists(tasks, max_size=3).map(tuple), st.none() | st.integers(), st.integers(),
    st.none() | st.integers(),
)  # fmt: skip
dicts = st.dictionaries(texts, plain, max_size=3)
heads = st.builds(
    RunHead, plans, st.floats(), dicts, dicts, st.dictionaries(texts, texts, max_size=3), texts,
    st.none() | st.tuples(texts, st.none() | st.integers()),
)  # fmt: skip
failures = st.builds(Failure, texts, st.sampled_from(["error", "died"]), texts, texts, texts, names)
endings = st.builds(
    Ending, st.just("failed"), texts, st.floats(), st.floats(), st.none() | failures, texts,
    best=st.dictionaries(texts, st.tuples(st.floats(), st.integers(), st.floats(), st.integers()), max_size=3),
)  # fmt: skip


def same(one: object, other: object) -> bool:
    """Equal and of the same types, NaN too."""
    return repr(one) == repr(other)


@settings(max_examples=60, deadline=None)
@given(heads)
def test_heads(head: RunHead) -> None:
    """What was asked for comes back exactly."""
    assert same(unpack_head(pack_head(head)), head)


@settings(max_examples=60, deadline=None)
@given(endings)
def test_endings(ending: Ending) -> None:
    """How a run ended comes back exactly."""
    assert same(unpack_ending(pack_ending(ending)), ending)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(), texts, texts, texts, texts), max_size=40), names)
def test_lines_and_names(lines: list[Any], nodes: tuple[str, ...]) -> None:
    """Log lines, events and lists of names come back exactly."""
    events = [Event(at, kind, message, node, task) for at, kind, message, node, task in lines]

    assert [line for piece in pack_lines(lines) for line in unpack_lines(piece)] == lines
    assert [event for piece in pack_events(events) for event in unpack_events(piece)] == events
    assert expand_names(squeeze_names(nodes)[1]) == nodes


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 4, st.floats(), st.floats()), max_size=40), names
)
def test_metrics(rows: list[Any], texts_: tuple[str, ...]) -> None:
    """Metrics come back bit by bit, NaN and infinities too."""
    ints = np.array([row[:4] for row in rows], np.int32).reshape(-1, 4).T
    floats = np.array([row[4:] for row in rows], np.float64).reshape(-1, 2).T
    columns = Columns(*ints, *floats, tasks=texts_, names=texts_)

    found, nodes = unpack_columns(pack_columns(columns, 17))

    assert nodes == 17 and (found.tasks, found.names) == (texts_, texts_)
    for name in ("iteration", "node", "task", "name", "step", "value"):
        assert getattr(found, name).tobytes() == getattr(columns, name).tobytes()
        assert getattr(found, name).dtype == getattr(columns, name).dtype


def test_what_a_later_version_adds() -> None:
    """A field that this version does not know is left out."""
    head = RunHead(RunPlan("r", "fl", (), None, 0), 1.0)
    later = unpack(pack_head(head)) | {"mood": "good"}

    from manta_nb.store.encoding import pack

    assert unpack_head(pack(later, "run")) == head


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_bytes(data: st.DataObject) -> None:
    """Bytes that were changed or cut off are read as something, or refused with one line."""
    [piece] = pack_lines([(1, "node_0", "worker", "INFO", "x" * 50)] * 3)
    harmed = bytearray(piece)
    harmed[data.draw(st.integers(0, len(harmed) - 1))] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(harmed), piece[: data.draw(st.integers(0, len(piece) - 1))]):
        try:
            list(unpack_lines(damaged))
        except StoreError as error:
            assert len(str(error)) <= 200


def test_a_head_that_cannot_be_kept() -> None:
    """What is no plain value is refused, and named."""
    with pytest.raises(StoreError, match="session"):
        pack_head(replace(RunHead(RunPlan("r", "fl", (), None, 0), 1.0), session={"x": object()}))
