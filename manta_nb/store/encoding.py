"""Records as bytes and back, by the codec of values: exactly equal, NaN and large numbers too, and no pickle."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

import numpy as np

from manta_nb.engine.records import Event, Failure, RunPlan, TaskPlan
from manta_nb.errors import CorruptBytes, StoreError, ValueRefused
from manta_nb.sdk.codec import decode, encode
from manta_nb.store.records import Columns, Ending, LogLine, Loose, RunHead

__all__ = [
    "expand_names",
    "pack",
    "pack_columns",
    "pack_ending",
    "pack_events",
    "pack_head",
    "pack_lines",
    "pack_texts",
    "squeeze_names",
    "unpack",
    "unpack_columns",
    "unpack_ending",
    "unpack_events",
    "unpack_head",
    "unpack_lines",
    "unpack_texts",
]

#: more than this, unpacked, was not written by us
_MOST_BYTES: Final = 1 << 30
#: log lines or events in one piece
_PIECE: Final = 20_000
#: the columns of numbers that repeat themselves, so that compressing them pays; the values do not
_REPEATING: Final = ("iteration", "node", "task", "name", "step")

R_ = TypeVar("R_")


def pack(value: Any, what: str) -> bytes:
    """`value` as bytes; `StoreError`, which calls it `what`, where it is not made of plain values and arrays."""
    try:
        return b"".join(encode(value, what).buffers)
    except ValueRefused as error:
        raise StoreError(f"this cannot be kept: {error}"[:200]) from error


def unpack(data: bytes) -> Any:
    """What `pack` wrote."""
    try:
        return decode(data)
    except CorruptBytes as error:
        raise StoreError(f"a record in the store is damaged: {error}"[:200]) from error


# --- texts: names of nodes, log lines ---------------------------------------------------------------------------


def pack_texts(texts: Sequence[str]) -> tuple[Any, bytes]:
    """Many texts as one: their lengths, and all their characters."""
    lengths = np.fromiter(map(len, texts), np.int32, len(texts))
    return lengths, "".join(texts).encode("utf-8", "surrogatepass")


def unpack_texts(packed: tuple[Any, bytes]) -> list[str]:
    """What `pack_texts` wrote."""
    text = packed[1].decode("utf-8", "surrogatepass")
    ends = np.cumsum(packed[0]).tolist()
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def pack_lines(lines: Sequence[LogLine]) -> Iterator[bytes]:
    """Log lines in pieces, column by column, since nodes, tasks and levels repeat themselves."""
    for start in range(0, len(lines), _PIECE):
        iteration, *texts = zip(*lines[start : start + _PIECE], strict=True)
        yield _squeezed(pack((list(iteration), [pack_texts(column) for column in texts]), "log"))


def unpack_lines(data: bytes) -> Iterator[LogLine]:
    """The lines of one piece."""
    iteration, texts = unpack(_expanded(data))
    yield from zip(iteration, *map(unpack_texts, texts), strict=True)


def pack_events(events: Sequence[Event]) -> Iterator[bytes]:
    """Events in pieces."""
    return pack_lines([(e.iteration, e.node_id, e.task, e.kind, e.message) for e in events])


def unpack_events(data: bytes) -> Iterator[Event]:
    """The events of one piece."""
    for iteration, node_id, task, kind, message in unpack_lines(data):
        yield Event(iteration, kind, message, node_id, task)


# --- metrics ----------------------------------------------------------------------------------------------------


def pack_columns(columns: Columns, nodes: int) -> bytes:
    """Metrics; `nodes` is where the names of the nodes are kept, since they are the same again and again."""
    parts = [_shuffled(getattr(columns, name), _dtype(name)) for name in _REPEATING]
    value = np.ascontiguousarray(columns.value, np.float64)
    repeating = zlib.compress(b"".join(parts), 1)
    return pack((nodes, columns.tasks, columns.names, repeating, value.tobytes()), "metrics")


def unpack_columns(data: bytes) -> tuple[Columns, int]:
    """Metrics without the names of the nodes, and where those are kept."""
    nodes, tasks, names, repeating, value = unpack(data)
    count, at = len(value) // 8, 0
    parts = _expanded(repeating)
    arrays = {}
    for name in _REPEATING:
        dtype = np.dtype(_dtype(name))
        end = at + count * dtype.itemsize
        bytes_ = np.frombuffer(parts[at:end], np.uint8).reshape(dtype.itemsize, -1)
        arrays[name] = np.ascontiguousarray(bytes_.T).view(dtype).reshape(-1)
        at = end
    return Columns(**arrays, value=np.frombuffer(value), tasks=tasks, names=names), nodes


def _dtype(column: str) -> Any:
    return np.float64 if column == "step" else np.int32


def _shuffled(array: Any, dtype: Any) -> bytes:
    """All first bytes, then all second ones, and so on: what hardly changes stands together."""
    numbers = np.ascontiguousarray(array, dtype)
    return numbers.view(np.uint8).reshape(-1, numbers.itemsize).T.tobytes()


# --- what was asked for, and how it ended ---------------------------------------------------------------------


def pack_head(head: RunHead) -> bytes:
    """What was asked for."""
    plan = _plain(head.plan) | {"tasks": [_plain(task) for task in head.plan.tasks]}
    return pack(_plain(head) | {"plan": plan}, "run")


def unpack_head(data: bytes) -> RunHead:
    """What `pack_head` wrote."""
    plain = unpack(data)
    tasks = tuple(_record(TaskPlan, task) for task in plain["plan"]["tasks"])
    return _record(RunHead, plain | {"plan": _record(RunPlan, plain["plan"] | {"tasks": tasks})})


def pack_ending(ending: Ending) -> bytes:
    """How a run ended, less log lines, events and extras, which are kept with the others."""
    plain = _plain(replace(ending, loose=Loose(), extras=None))
    del plain["loose"], plain["extras"]
    return pack(plain | {"failure": ending.failure and _plain(ending.failure)}, "end of the run")


def unpack_ending(data: bytes) -> Ending:
    """What `pack_ending` wrote."""
    plain = unpack(data)
    failure = plain["failure"]
    return _record(Ending, plain | {"failure": failure and _record(Failure, failure)})


def _plain(record: Any) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def _record(kind: type[R_], plain: Mapping[str, Any]) -> R_:
    """A record of this kind; what a later version added is left out."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in plain.items() if name in known})


def _squeezed(data: bytes) -> bytes:
    return zlib.compress(data, 1)


def _expanded(data: bytes) -> bytes:
    try:
        reader = zlib.decompressobj()
        expanded = reader.decompress(data, _MOST_BYTES)
    except zlib.error as error:
        raise StoreError(f"a record in the store is damaged: {error}") from error
    if not reader.eof:
        raise StoreError("a record in the store is damaged: it is cut off, or far too large")
    return expanded


def squeeze_names(names: Iterable[str]) -> tuple[bytes, bytes]:
    """A list of names: as bytes to tell it from others by, and compressed."""
    data = pack(pack_texts(tuple(names)), "names")
    return data, _squeezed(data)


def expand_names(data: bytes) -> tuple[str, ...]:
    """What `squeeze_names` compressed."""
    return tuple(unpack_texts(unpack(_expanded(data))))
