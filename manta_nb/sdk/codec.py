"""Values as bytes and back, without pickle and without copying arrays.

An encoded value is three things, one after the other:

* 16 bytes: `MAGIC`, which ends in the version, and the length of the header;
* the header: JSON. `null`, booleans, numbers, strings and lists stand for themselves, every other value is an
  object of one tag: `{"a": ["<f4", [2, 3]]}` is an array, `{"d": {"w": …}}` a dict; `_READERS` has them all;
* the memory of arrays, long bytes and long strings, in the order in which the header names them, each at a
  multiple of 64 bytes.

No offset is ever written down: each follows from what stands before, so none can be wrong or overlap.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from manta_nb.errors import CorruptBytes
from manta_nb.sdk.arrays import Array, dtype_of, has_nonfinite, raw_bytes, view_array
from manta_nb.sdk.lone import lone_array, lone_head
from manta_nb.sdk.wire import ALIGN, MAGIC, MAX_DEPTH, MAX_HEADER, is_crowded
from manta_nb.sdk.writer import Writer

__all__ = ["Encoded", "decode", "encode"]

_PREFIX: Final = len(MAGIC) + 8
#: dict keys that may share one hash: an honest dict has none, hostile ones would make it quadratic
_MAX_COLLISIONS: Final = 1000
_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value ready to be sent or stored: write `buffers` one after the other.

    They share memory with the arrays of the value, so write them before the value changes.
    """

    #: the header first, then memory of arrays and padding; arrays lie at multiples of 64 bytes
    buffers: list[memoryview | bytes]
    #: length of all buffers together, in bytes
    nbytes: int
    #: paths, such as `value["w"]`, of the float and complex arrays that hold NaN or an infinity
    nonfinite: tuple[str, ...]


def encode(value: Any, what: str = "value", limit: int = 2**31) -> Encoded:
    """Encode `value`, which error messages call `what`; no array is copied unless it is strided.

    Allowed are None, bool, int, float, str, bytes, list, tuple, dict, numpy arrays and scalars, torch tensors
    (which become arrays) and dataclasses (which become dicts). Anything else, a structure nested more than
    100 levels deep, or more than `limit` bytes raises `ValueRefused`, naming the type and the path.

    >>> decode(b"".join(encode({"lr": 0.1}).buffers))
    {'lr': 0.1}
    """
    if type(value) is np.ndarray and (head := lone_head(value)) is not None:
        nbytes = len(head) + value.nbytes
        if nbytes <= limit:
            nonfinite = value.dtype.kind in "fc" and has_nonfinite(value)
            return Encoded([head, raw_bytes(value)], nbytes, (what,) if nonfinite else ())
    writer = Writer(what, limit)
    header = writer.header(value)
    start = _PREFIX + len(header)
    head = MAGIC + len(header).to_bytes(8, "little") + header
    if writer.blobs:
        head += bytes(-start % ALIGN)
    writer.check_limit(len(head))
    buffers: list[memoryview | bytes] = [head]
    buffers += [blob if isinstance(blob, bytes) else raw_bytes(blob) for blob in writer.blobs]
    return Encoded(buffers, len(head) + writer.nbytes, tuple(writer.nonfinite))


def decode(buffer: memoryview | bytes, writable: bool = False) -> Any:
    """The value that `encode` wrote into `buffer`; bytes that it did not write raise `CorruptBytes`.

    Arrays are views into `buffer`, read-only unless `writable` is set and `buffer` is writable.
    """
    view = memoryview(buffer)
    try:
        if view.format != "B" or view.ndim != 1:
            view = view.cast("B")
        if not writable:
            view = view.toreadonly()
        array = lone_array(view)
        return _Reader(view).value() if array is None else array
    except CorruptBytes:
        raise
    except _ERRORS as error:
        raise CorruptBytes(f"these {view.nbytes} bytes are not a value of manta_nb") from error


def _short_int(text: str) -> int:
    """An integer of the header; reading one of thousands of digits would take long."""
    if len(text) > 20:
        raise CorruptBytes("the header has a number of too many digits")
    return int(text)


class _Reader:
    """One decoding under way: the bytes, and how far they have been read."""

    __slots__ = ("_depth", "_end", "_view")

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._depth = 0
        #: where the last blob that was read ends
        self._end = 0

    def value(self) -> Any:
        """The whole value."""
        view = self._view
        length = int.from_bytes(view[len(MAGIC) : _PREFIX], "little")
        if bytes(view[: len(MAGIC)]) != MAGIC:
            raise CorruptBytes(f"these {len(view)} bytes are not a value of manta_nb, or of another version")
        self._end = _PREFIX + length
        if length > MAX_HEADER or self._end > len(view):
            raise CorruptBytes("the header is longer than it may be: the bytes are truncated or hostile")
        text = str(view[_PREFIX : self._end], "utf-8")
        if is_crowded(text):
            raise CorruptBytes("the header has more items than it may have")
        tree, end = _JSON.raw_decode(text)
        value = self.node(tree)
        if end != len(text) or self._end != len(view):
            raise CorruptBytes(f"the value ends after {self._end} of {len(view)} bytes")
        return value

    def node(self, tree: Any) -> Any:
        """The value that one node of the header stands for."""
        kind = type(tree)
        if kind is dict:
            [(tag, body)] = tree.items()
            return _READERS[tag](self, body)
        return self.items(tree) if kind is list else tree

    def items(self, trees: Any) -> list[Any]:
        """The values of several nodes, one level deeper."""
        _require(type(trees) is list)
        self._enter()
        values = [self.node(tree) if type(tree) in _NESTED else tree for tree in trees]
        self._depth -= 1
        return values

    def dict_of_names(self, body: Any) -> dict[str, Any]:
        """A dict whose keys are all strings."""
        _require(type(body) is dict)
        self._enter()
        values = {key: self.node(tree) for key, tree in body.items()}
        self._depth -= 1
        return values

    def dict_of_keys(self, body: Any) -> dict[Any, Any]:
        """A dict with keys of any kind, as a list of key, value, key, value and so on."""
        flat = self.items(body)
        keys = flat[::2]
        _require(len(keys) * 2 == len(flat))
        if len(keys) - len(set(map(hash, keys))) > _MAX_COLLISIONS:
            raise CorruptBytes("the bytes hold a dict whose keys are made to collide")
        return dict(zip(keys, flat[1::2], strict=True))

    def array(self, body: Any) -> Array:
        """An array, a view of its blob."""
        dtype, shape, *order = body
        _require(order in ([], ["F"]))
        start = -(-self._end // ALIGN) * ALIGN
        array = view_array(self._view, start, dtype_of(dtype), shape, bool(order))
        self._end = start + array.nbytes
        return array

    def list_of_numbers(self, body: Any) -> list[Any]:
        """A long list of floats or ints, which travels as an array."""
        array = self.array(body)
        _require(array.ndim == 1 and array.dtype.str in ("<f8", "<i8"))
        values: list[Any] = array.tolist()
        return values

    def blob(self, body: Any) -> memoryview:
        """The next blob, which has `body` bytes."""
        _require(type(body) is int and body >= 0)
        start = -(-self._end // ALIGN) * ALIGN
        self._end = start + int(body)
        if self._end > len(self._view):
            raise CorruptBytes("the bytes are truncated: a blob in them is larger than they are")
        return self._view[start : self._end]

    def scalar(self, body: Any) -> Any:
        """A numpy scalar: its dtype and its memory; text and bytes as they are."""
        dtype, tree = body
        data = self.node(tree)
        if dtype in _TEXT_SCALARS:
            kind, scalar = _TEXT_SCALARS[dtype]
            _require(type(data) is kind)
            return scalar(data)
        _require(type(data) is bytes and len(data) == dtype_of(dtype).itemsize)
        return view_array(memoryview(data), 0, dtype_of(dtype), (), False)[()]

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CorruptBytes(f"the bytes hold a structure nested more than {MAX_DEPTH} levels deep")


def _require(condition: bool) -> None:
    if not condition:
        raise CorruptBytes("the header is malformed")


def _big_int(text: Any) -> int:
    _require(type(text) is str and len(text) < 4000)
    return int(text, 16)


_JSON: Final = json.JSONDecoder(parse_int=_short_int)
_NESTED: Final = frozenset((dict, list))
_TEXT_SCALARS: Final[Mapping[str, tuple[type, Callable[[Any], Any]]]] = MappingProxyType(
    {"U": (str, np.str_), "S": (bytes, np.bytes_)}
)
_READERS: Final[Mapping[str, Callable[[_Reader, Any], Any]]] = MappingProxyType(
    {
        "a": _Reader.array,
        "b": lambda _, text: a2b_base64(text),
        "B": lambda reader, length: bytes(reader.blob(length)),
        "d": _Reader.dict_of_names,
        "i": lambda _, text: _big_int(text),
        "k": _Reader.dict_of_keys,
        "l": _Reader.list_of_numbers,
        "n": _Reader.scalar,
        "s": lambda reader, length: str(reader.blob(length), "utf-8", "surrogatepass"),
        "t": lambda reader, body: tuple(reader.items(body)),
    }
)
