"""A value in a line and a few numbers, without reading more of a huge one than its beginning."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from manta_nb.engine.records import ValueRef
from manta_nb.errors import CorruptBytes
from manta_nb.sdk.arrays import NPY_MAGIC, Array, npy_view
from manta_nb.sdk.codec import decode
from manta_nb.sdk.describe import describe
from manta_nb.sdk.wire import ALIGN, MAGIC
from manta_nb.session.feed.peek import Peek

__all__ = ["Sketch", "Sketches", "array_in", "numbers", "sketch"]

#: values up to so many bytes are read whole
SMALL = 1 << 20
#: of larger ones the beginning, which says what they are
_HEAD = 1 << 16
_PREFIX = len(MAGIC) + 8
#: numbers of an array, characters of a preview
_NUMBERS, _PREVIEW = 6, 200


class Sketch(NamedTuple):
    """What a value is, such as `float32 (64, 784)`, and how it begins."""

    type: str
    preview: str


class Sketches:
    """Remembers what large values were, by tag: a new one with the same header is the same kind of thing."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, Sketch]] = {}

    def of(self, tag: str, peek: Peek, ref: ValueRef) -> Sketch:
        """What lies at `ref`. Raises `Gone`, `CorruptBytes`."""
        if ref.nbytes <= SMALL:
            return sketch(peek.value(ref))
        peek.fetch(ref.offset, _HEAD)
        view = peek.view(ref.offset, ref.nbytes)
        head = bytes(view[: _start(view)])
        known = self._known.get(tag)
        if known is not None and known[0] == head:
            return known[1]._replace(preview=_first_numbers(view) or known[1].preview)
        peek.fetch(ref.offset, min(ref.nbytes, len(head)))
        made = sketch(_opened(view))
        self._known[tag] = (head, made)
        return made


def sketch(value: Any) -> Sketch:
    """A value that was read, or of which at least the beginning was."""
    text = describe(value)
    value = array_in(value)
    if isinstance(value, np.ndarray):
        return Sketch(text, numbers(value))
    kind, _, rest = text.partition(": ")
    if isinstance(value, dict | list | tuple):
        return Sketch(kind, rest[:_PREVIEW])
    return Sketch(
        type(value).__name__ if isinstance(value, str | int | float | bool) else text, text[:_PREVIEW]
    )


def numbers(array: Array) -> str:
    """`0.12, -0.5, 3, …`."""
    first = array.reshape(-1)[:_NUMBERS] if array.flags.c_contiguous else array.flat[:_NUMBERS]
    said = [f"{item:.4g}" if isinstance(item, float) else str(item) for item in first.tolist()]
    return ", ".join([*said, *(["…"] if array.size > _NUMBERS else [])])[:_PREVIEW]


def _start(view: memoryview) -> int:
    """Where the header of an encoded value ends, and its memory begins."""
    length = int.from_bytes(view[len(MAGIC) : _PREFIX], "little")
    return -(-min(_PREFIX + length, len(view)) // ALIGN) * ALIGN


def _opened(view: memoryview) -> Any:
    """The value; long bytes as a view, since decoding them would copy them."""
    length = int.from_bytes(view[len(MAGIC) : _PREFIX], "little")
    if length < 64:
        try:
            tree = json.loads(bytes(view[_PREFIX : _PREFIX + length]))
        except ValueError as error:
            raise CorruptBytes("the header is malformed") from error
        if isinstance(tree, dict) and list(tree) == ["B"]:
            return view[_start(view) :]
    return decode(view)


def array_in(value: Any) -> Any:
    """The array in the bytes of `numpy_to_bytes`; any other value as it is."""
    if isinstance(value, bytes | bytearray | memoryview) and bytes(value[:6]) == NPY_MAGIC:
        try:
            return npy_view(memoryview(value))
        except CorruptBytes:
            return value
    return value


def _first_numbers(view: memoryview) -> str:
    try:
        value = array_in(_opened(view))
    except CorruptBytes:
        return ""
    return numbers(value) if isinstance(value, np.ndarray) else ""
