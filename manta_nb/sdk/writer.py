"""The walk through a value that `codec.encode` makes: header text, and the memory that follows it."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from json import dumps
from json.encoder import encode_basestring as quote
from math import isfinite
from types import MappingProxyType, NoneType
from typing import Any, Final, NoReturn

import numpy as np

from manta_nb.errors import ValueRefused
from manta_nb.sdk import arrays
from manta_nb.sdk.arrays import KINDS, NPY_MAGIC, Array, has_nonfinite
from manta_nb.sdk.refusal import path_text, refuse_crowd, refuse_depth, refuse_size, refuse_type, type_text
from manta_nb.sdk.wire import ALIGN, MAX_DEPTH, MAX_HEADER, is_crowded

__all__ = ["Writer", "array_text"]

#: bytes up to this length stand in the header
_SHORT_BYTES: Final = 64
_SHORT_TEXT: Final = 4096
#: lists of floats or ints from this length on travel as an array
_LONG_LIST: Final = 32
#: 4000 decimal digits
_MAX_BITS: Final = 13288


class Writer:
    """One encoding under way; `codec.encode` makes one for each value."""

    def __init__(self, what: str, limit: int) -> None:
        self._what = what
        self._limit = limit
        #: keys and indices from the value to the part that is being written
        self._path: list[Any] = []
        #: characters of the header so far, at least
        self._length = 0
        #: memory that follows the header, with its padding
        self.blobs: list[bytes | Array] = []
        #: length of `blobs` in bytes
        self.nbytes = 0
        #: paths of the arrays that hold NaN or an infinity
        self.nonfinite: list[str] = []

    def header(self, value: Any) -> bytes:
        """The header of `value`; fills `blobs`."""
        text = self._text(value)
        data = text.encode()
        if len(data) > MAX_HEADER or is_crowded(text):
            refuse_crowd(self._what)
        return data

    def check_limit(self, more: int) -> None:
        """Raise `ValueRefused` if `blobs` and `more` bytes exceed the limit."""
        if self.nbytes + more > self._limit:
            refuse_size(self._where(), self.nbytes + more, self._limit)

    def _text(self, value: Any) -> str:
        return (_WRITERS.get(type(value)) or _writer_of(value))(self, value)

    def _where(self) -> str:
        return path_text(self._what, self._path)

    def _refuse(self, value: Any) -> NoReturn:
        refuse_type(value, self._where())

    def _enter(self, count: int) -> None:
        """Go one level deeper, into `count` items, which take two characters each at least."""
        if len(self._path) >= MAX_DEPTH:
            refuse_depth(path_text(self._what, self._path[:3]), MAX_DEPTH)
        self._grow(2 * count)

    def _grow(self, length: int) -> None:
        """Count `length` characters of header, lest a few lists that share their items fill the memory."""
        self._length += length
        if self._length > MAX_HEADER:
            refuse_crowd(self._where())

    def _put(self, blob: bytes | Array, nbytes: int) -> None:
        """Add `nbytes` bytes that follow the header."""
        padding = -self.nbytes % ALIGN
        self.nbytes += padding
        self.check_limit(nbytes)
        self.nbytes += nbytes
        if padding:
            self.blobs.append(bytes(padding))
        self.blobs.append(blob)

    def _array(self, value: Any) -> str:
        array: Array = value if type(value) is np.ndarray else value.view(np.ndarray)
        flags = array.flags
        text = array_text(array.dtype, array.shape, flags.f_contiguous and not flags.c_contiguous)
        if text is None:
            self._refuse(value)
        self._put(array, array.nbytes)
        if array.dtype.kind in "fc" and has_nonfinite(array):
            self.nonfinite.append(self._where())
        return text

    def _tensor(self, value: Any) -> str:
        try:
            self.check_limit(value.numel() * value.element_size())
            array = arrays.tensor_to_array(value)
        except ValueRefused:
            raise
        except (TypeError, ValueError) as error:
            text = f"cannot send a tensor of {value.dtype} at {self._where()}: {error}"
            raise ValueRefused(text.splitlines()[0][:200]) from error
        return self._array(array)

    def _scalar(self, value: Any) -> str:
        if isinstance(value, np.str_):
            return f'{{"n":["U",{self._string(str(value))}]}}'
        if isinstance(value, np.bytes_):
            return f'{{"n":["S",{self._bytes(bytes(value))}]}}'
        if value.dtype.kind not in KINDS:
            self._refuse(value)
        return f'{{"n":["{value.dtype.str}",{self._bytes(value.tobytes())}]}}'

    def _bytes(self, value: bytes | bytearray) -> str:
        length = len(value)
        if length <= _SHORT_BYTES:
            self._grow(length)
            return f'{{"b":"{b2a_base64(value, newline=False).decode()}"}}'
        self.check_limit(length)
        self._put(bytes(value), length)
        if value.startswith(NPY_MAGIC) and arrays.npy_has_nonfinite(memoryview(value)):
            self.nonfinite.append(self._where())
        return f'{{"B":{length}}}'

    def _string(self, value: str) -> str:
        if len(value) <= _SHORT_TEXT and _is_utf8(value):
            self._grow(len(value))
            return quote(value)
        data = value.encode("utf-8", "surrogatepass")
        self._put(data, len(data))
        return f'{{"s":{len(data)}}}'

    def _integer(self, value: int) -> str:
        bits = value.bit_length()
        if bits < 64:
            return int.__repr__(value)
        if bits > _MAX_BITS:
            raise ValueRefused(f"cannot send an int of more than 4000 digits at {self._where()}")
        return f'{{"i":"{int(value):x}"}}'

    def _list(self, value: list[Any]) -> str:
        if len(value) >= _LONG_LIST and (packed := arrays.packed(value)) is not None:
            self._put(packed, packed.nbytes)
            return f'{{"l":["{packed.dtype.str}",[{len(value)}]]}}'
        return f"[{self._parts(value)}]"

    def _parts(self, values: Sequence[Any]) -> str:
        """The nodes of several values, one level deeper."""
        self._enter(len(values))
        path, texts = self._path, []
        for index, value in enumerate(values):
            path.append(index)
            texts.append(self._text(value))
            path.pop()
        return ",".join(texts)

    def _dict(self, value: dict[Any, Any]) -> str:
        self._enter(len(value))
        named = all(type(key) is str for key in value)
        if named:
            names = "".join(value)
            self._grow(len(names))
            named = _is_utf8(names)
        path, texts = self._path, []
        for key, item in value.items():
            path.append(key)
            start = f"{quote(key)}:" if named else f"{self._key(key)},"
            texts.append(start + self._text(item))
            path.pop()
        body = ",".join(texts)
        return f'{{"d":{{{body}}}}}' if named else f'{{"k":[{body}]}}'

    def _key(self, key: Any) -> str:
        if not _may_be_key(key):
            self._path.pop()
            raise ValueRefused(f"cannot send {type_text(key)} as a key of {self._where()}: use a str instead")
        return self._text(key)

    def _dataclass(self, value: Any) -> str:
        return self._dict({field.name: getattr(value, field.name) for field in fields(value)})


@lru_cache(maxsize=1024)
def array_text(dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> str | None:
    """The node of an array in a header; None where its dtype cannot travel."""
    if dtype.kind not in KINDS or dtype.itemsize == 0:
        return None
    order = ',"F"' if fortran else ""
    return f'{{"a":["{dtype.str}",[{",".join(map(str, shape))}]{order}]}}'


def _is_utf8(text: str) -> bool:
    """Whether `text` is free of lone surrogates, which JSON would join to other characters."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _may_be_key(key: object) -> bool:
    if isinstance(key, tuple):
        return all(map(_may_be_key, key))
    return key is None or isinstance(key, int | float | str | bytes | np.generic)


_Write = Callable[[Writer, Any], str]
_WRITERS: Final[Mapping[type, _Write]] = MappingProxyType(
    {
        np.ndarray: Writer._array,
        dict: Writer._dict,
        float: lambda _, value: float.__repr__(value) if isfinite(value) else dumps(float(value)),
        int: Writer._integer,
        str: Writer._string,
        bool: lambda _, value: "true" if value else "false",
        NoneType: lambda _, value: "null",
        list: Writer._list,
        tuple: lambda writer, value: f'{{"t":[{writer._parts(value)}]}}',
        bytes: Writer._bytes,
        bytearray: Writer._bytes,
    }
)


def _writer_of(value: Any) -> _Write:
    """How to write a value whose exact type is not in `_WRITERS`: a subclass counts as its base."""
    if isinstance(value, np.generic):
        return Writer._scalar
    if isinstance(value, np.ma.MaskedArray):
        return Writer._refuse
    for base, write in _WRITERS.items():
        if isinstance(value, base):
            return write
    if arrays.is_tensor(value):
        return Writer._tensor
    return Writer._dataclass if is_dataclass(value) and not isinstance(value, type) else Writer._refuse
