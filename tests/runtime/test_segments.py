"""Segments: what a batch wrote, found again by key, and never mistaken for anything else."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from manta_nb.errors import CorruptBytes
from manta_nb.runtime.runners.segments import (
    HEADER_SIZE,
    Place,
    SegmentReader,
    header,
    new_key,
    open_place,
    table,
)
from manta_nb.runtime.runners.storage import BytesSegment, SegmentDraft, SharedSegment
from manta_nb.sdk.codec import encode

KEY = "0123456789abcdef" * 2
Draft = Callable[[], SegmentDraft]


def fill(draft: SegmentDraft, values: dict[tuple[str, str], object]) -> SegmentDraft:
    """Write `{(node, tag): value}` as a child would, and seal."""
    nodes = list(dict.fromkeys(node for node, _ in values))
    tags = list(dict.fromkeys(tag for _, tag in values))
    rows, at = [], HEADER_SIZE
    for (node, tag), value in values.items():
        data = b"".join(encode(value).buffers)
        padded = data + bytes(-len(data) % 64)
        if isinstance(draft, SharedSegment):
            os.pwrite(draft.fd, padded, at)
        else:
            draft.put(memoryview(padded), at)
        rows.append((nodes.index(node), tags.index(tag), at, len(data)))
        at += len(padded)
    draft.seal(at, nodes, tags, np.array(rows, dtype=np.int64).reshape(-1, 4))
    return draft


@pytest.fixture(params=[SharedSegment, BytesSegment])
def draft(request: pytest.FixtureRequest) -> Iterator[SegmentDraft]:
    """An empty segment of each kind."""
    made = request.param()
    yield made
    made.close()


def reader_of(draft: SegmentDraft) -> SegmentReader:
    """A reader of its bytes."""
    return SegmentReader(draft.key, draft.read())


def test_what_was_written_is_selected_by_node(draft: SegmentDraft) -> None:
    """`select` gives the values of one tag, by node, in the order they were written."""
    fill(draft, {("b", "w"): np.arange(3), ("a", "w"): [1, 2], ("a", "loss"): 0.5})
    found: dict[str, object] = {}
    reader = reader_of(draft)
    reader.select("w", found, reader.private())

    assert list(found) == ["b", "a"]
    assert found["a"] == [1, 2]
    np.testing.assert_array_equal(found["b"], np.arange(3))


def test_a_tag_nobody_wrote_selects_nothing(draft: SegmentDraft) -> None:
    """An unknown tag has no entries."""
    fill(draft, {("a", "w"): 1})

    assert list(reader_of(draft).entries("v")) == []


def test_an_empty_segment_can_be_read(draft: SegmentDraft) -> None:
    """A batch that wrote nothing leaves a segment without entries."""
    fill(draft, {})

    assert list(reader_of(draft).entries("w")) == []


def test_some_tags_are_extracted(draft: SegmentDraft) -> None:
    """`extract` makes a segment of its own, under its own key, that holds the asked tags only."""
    fill(draft, {("a", "big"): np.zeros(10_000), ("a", "w"): np.arange(5), ("b", "w"): "text"})
    copy = reader_of(draft).extract(KEY, ["w"])
    reader = SegmentReader(KEY, copy)
    found: dict[str, object] = {}
    reader.select("w", found, reader.private())

    assert (list(found), found["b"], list(reader.entries("big"))) == (["a", "b"], "text", [])
    assert len(copy) < 1000


def test_the_same_host_opens_a_shared_segment() -> None:
    """A shared segment is read through its place without its bytes being sent."""
    draft = fill(SharedSegment(), {("a", "w"): np.arange(100_000)})
    [(_, offset, nbytes)] = SegmentReader.at(draft.place()).entries("w")

    np.testing.assert_array_equal(SegmentReader.at(draft.place()).value(offset, nbytes), np.arange(100_000))
    draft.close()


def test_a_mapping_outlives_the_holder() -> None:
    """Whoever has opened a segment can read it after its holder let go."""
    draft = fill(SharedSegment(), {("a", "w"): np.arange(100_000)})
    reader = SegmentReader.at(draft.place())
    draft.close()
    [(_, offset, nbytes)] = reader.entries("w")

    assert reader.value(offset, nbytes)[-1] == 99_999


def test_a_closed_place_is_gone() -> None:
    """A descriptor that is closed is a `CorruptBytes` that says so."""
    draft = fill(SharedSegment(), {("a", "w"): 1})
    place = draft.place()
    draft.close()

    with pytest.raises(CorruptBytes, match="is gone"):
        open_place(place)


def test_a_dead_holder_is_gone() -> None:
    """A process that does not exist is a `CorruptBytes` that says so."""
    with pytest.raises(CorruptBytes, match="is gone"):
        open_place(Place(KEY, 2**22 + 1, 5, 100))


def test_a_recycled_descriptor_is_not_mistaken() -> None:
    """Another segment, or any other file, under the same number is refused by its key."""
    first = fill(SharedSegment(), {("a", "w"): 1})
    place = first.place()
    second = fill(SharedSegment(), {("a", "w"): 1})
    os.dup2(second.fd, first.fd)

    with pytest.raises(CorruptBytes, match="something else"):
        open_place(place)
    with open(os.devnull, "rb") as other, pytest.raises(CorruptBytes):
        open_place(place._replace(fd=other.fileno()))
    first.close()
    second.close()


def test_a_refused_place_leaves_no_descriptor_open() -> None:
    """Opening what is not there does not leak descriptors."""
    draft = fill(SharedSegment(), {("a", "w"): 1})
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(CorruptBytes):
            SegmentReader.at(draft.place()._replace(key=KEY))

    assert len(os.listdir("/proc/self/fd")) == before
    draft.close()


@pytest.mark.parametrize("cut", [0, 10, HEADER_SIZE - 1, HEADER_SIZE, HEADER_SIZE + 20, -1])
def test_a_truncated_segment_is_refused(cut: int) -> None:
    """Bytes that end too early raise `CorruptBytes`, wherever they end."""
    draft = fill(BytesSegment(), {("a", "w"): np.arange(10)})

    with pytest.raises(CorruptBytes):
        list(SegmentReader(draft.key, bytes(draft.read())[:cut]).entries("w"))


def test_a_wrong_key_is_refused(draft: SegmentDraft) -> None:
    """Bytes of another segment raise `CorruptBytes`."""
    fill(draft, {("a", "w"): 1})

    with pytest.raises(CorruptBytes, match="wrong header"):
        SegmentReader(KEY, draft.read())


def forged(directory: bytes) -> SegmentReader:
    """A segment with this table and 64 bytes of values."""
    end = HEADER_SIZE + 64
    size = end + len(directory)
    return SegmentReader(KEY, header(KEY, size, end, len(directory)) + bytes(64) + directory)


def packed(names: bytes, *rows: tuple[int, int, int, int]) -> bytes:
    """A table with any names at all."""
    names += b" " * (-len(names) % 8)
    return struct.pack("<QQ", len(names), len(rows)) + names + np.array(rows, dtype="<i8").tobytes()


@pytest.mark.parametrize(
    "directory",
    [
        b"",
        b"\xff" * 16,
        struct.pack("<QQ", 2**63, 1),
        struct.pack("<QQ", 8, 2**62) + b"[[],[]] ",
        packed(b"nonsense"),
        packed(b"[1,2]", (0, 0, 64, 1)),
        packed(b'["a"]', (0, 0, 64, 1)),
        packed(b'{"a":1,"b":2}', (0, 0, 64, 1)),
        packed(b"[" * 5000, (0, 0, 64, 1)),
        packed(b'[["a"],["w"]]', (0, 0, 64, 10_000)),
        packed(b'[["a"],["w"]]', (0, 0, -64, 10)),
        packed(b'[["a"],["w"]]', (1, 0, 64, 10)),
        packed(b'[["a"],["w"]]', (-1, 0, 64, 10)),
        packed(b'[["a"],["w"]]', (0, 0, 2**62, 2**62)),
    ],
)
def test_a_hostile_table_is_refused(directory: bytes) -> None:
    """A table that lies about itself raises `CorruptBytes`, never anything else."""
    with pytest.raises(CorruptBytes):
        list(forged(directory).entries("w"))


def test_a_header_that_points_out_of_the_segment_is_refused() -> None:
    """The place of the table is checked, also where the sum of its numbers overflows."""
    with pytest.raises(CorruptBytes):
        SegmentReader(KEY, header(KEY, 128, 2**64 - 8, 16) + bytes(64))


@pytest.mark.parametrize(("offset", "nbytes"), [(0, 10), (64, 10**9), (64, -1), (2**70, 1)])
def test_a_value_outside_is_refused(draft: SegmentDraft, offset: int, nbytes: int) -> None:
    """A value is read from inside the segment only."""
    fill(draft, {("a", "w"): 1})

    with pytest.raises(CorruptBytes):
        reader_of(draft).value(offset, nbytes)


def test_a_value_that_a_user_changes_stays_the_same_for_others() -> None:
    """Arrays that are read are writable, and writing to them changes nothing for other readers."""
    draft = fill(SharedSegment(), {("a", "w"): np.zeros(100_000), ("a", "s"): np.zeros(3)})
    reader = SegmentReader.at(draft.place())
    for tag in ("w", "s"):
        [(_, offset, nbytes)] = reader.entries(tag)
        reader.value(offset, nbytes)[:] = 7
        found: dict[str, np.ndarray] = {}
        reader.select(tag, found, reader.private())
        found["a"][:] = 8

        assert reader.value(offset, nbytes).max() == 0
    draft.close()


def test_a_kept_view_outlives_its_reader() -> None:
    """A value that a user kept stays what it was when its reader and its holder are closed."""
    draft = fill(SharedSegment(), {("a", "w"): np.arange(100_000)})
    reader = SegmentReader.at(draft.place())
    found: dict[str, np.ndarray] = {}
    reader.select("w", found, reader.private())
    reader.close()
    draft.close()

    np.testing.assert_array_equal(found["a"], np.arange(100_000))


def test_bytes_segments_take_values_in_order_only() -> None:
    """A value that would leave a gap, or overwrite the header, is refused."""
    draft = BytesSegment()
    draft.put(memoryview(bytes(64)), 64)

    for at in (0, 63, 1000):
        with pytest.raises(ValueError, match="follow"):
            draft.put(memoryview(bytes(64)), at)


def test_a_successor_overwrites_what_was_unfinished() -> None:
    """A child that takes over writes again from the end of what was reported."""
    draft = BytesSegment()
    draft.put(memoryview(b"a" * 64), 64)
    draft.put(memoryview(b"b" * 64), 128)
    draft.put(memoryview(b"c" * 64), 128)
    draft.seal(192, [], [], np.zeros((0, 4), dtype=np.int64))

    assert bytes(draft.read()[64:192]) == b"a" * 64 + b"c" * 64


def test_keys_are_random() -> None:
    """No two keys are alike, and each is 32 hexadecimal digits."""
    keys = {new_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(len(bytes.fromhex(key)) == 16 for key in keys)


def test_a_table_keeps_its_rows_aligned() -> None:
    """Rows start at a multiple of eight whatever the names are."""
    for names in (["n"], ["node_10"], ["é"]):
        assert (len(table(names, ["w"], np.zeros((1, 4), dtype=np.int64))) - 32) % 8 == 0
