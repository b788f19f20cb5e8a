"""One value of a run, looked at closely: what it is, its numbers in a histogram, and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from manta_nb.engine.records import Batch, ValueRef
from manta_nb.errors import MissingTag
from manta_nb.sdk.arrays import Array
from manta_nb.sdk.refusal import size_text
from manta_nb.session.feed.disagreement import leaves
from manta_nb.session.feed.message import clean, finite
from manta_nb.session.feed.peek import Gone, Peek
from manta_nb.session.feed.sketch import array_in, numbers, sketch
from manta_nb.session.history import History

__all__ = ["ValueView"]

#: bytes of a value that are read, and numbers that are counted, so that an answer takes a fraction of a second
MOST_BYTES = 128 << 20
MOST_NUMBERS = 2_000_000
#: a value of another machine is fetched up to so many bytes
_FETCHED = 8 << 20
_ITEMS, _BINS, _TEXT = 50, 30, 2_000


class ValueView:
    """Describes the values of one run as the answer to a `value` command."""

    def __init__(self, history: History) -> None:
        self._history = history

    def of_global(self, tag: str, iteration: int | None) -> dict[str, Any]:
        """A Global as it is now; as it was after `iteration` only where that is the same."""
        ref, changed = self._history.global_ref(tag)
        if iteration is not None and changed is not None and iteration < changed:
            raise MissingTag(f"no longer kept: {tag!r} was changed in iteration {changed} again")
        return _answer(self._read(ref), ref.nbytes)

    def of_result(self, tag: str, iteration: int | None, node: str | None) -> dict[str, Any]:
        """What a node wrote under a tag; without a node an overview of all that wrote it."""
        batches = self._history.result_batches(tag, iteration)
        if node is None:
            return self._overview(tag, batches)
        for batch in reversed(batches):
            if node in batch.partial_tags.get(tag, batch.nodes):
                found = self._entries(tag, batch).get(node)
                if found is not None:
                    return _answer(self._read(found), found.nbytes)
        raise MissingTag(f"{clean(node, 60)!r} wrote no {clean(tag, 60)!r} then")

    def _overview(self, tag: str, batches: Sequence[Batch]) -> dict[str, Any]:
        refs: dict[str, ValueRef] = {}
        for batch in batches:
            refs.update(self._entries(tag, batch))
        items = [
            {"path": clean(node), "type": sketch(self._read(ref)).type if ref.nbytes <= _FETCHED else "large"}
            for node, ref in list(refs.items())[:_ITEMS]
        ]
        nbytes = sum(ref.nbytes for ref in refs.values())
        plain = {"shape": None, "dtype": None, "stats": None, "histogram": None}
        text = f"{len(refs)} nodes, {size_text(nbytes)}"
        return {"text": text, "type": "results", "nbytes": nbytes, **plain, "items": items}

    def _entries(self, tag: str, batch: Batch) -> dict[str, ValueRef]:
        """Where the nodes of a batch wrote the tag."""
        segment = batch.segment
        if segment is None:
            return {}
        counting = set(batch.partial_tags.get(tag, batch.nodes))
        with self._peek(segment.key, segment.nbytes) as peek:
            entries = peek.entries(tag)
        return {
            node: ValueRef(segment, offset, nbytes) for node, offset, nbytes in entries if node in counting
        }

    def _peek(self, key: str, nbytes: int) -> Peek:
        book = self._history.book
        entry = book.entry(key)
        if entry is not None and entry.fd < 0 and entry.data is None:
            if nbytes > _FETCHED:
                raise Gone(f"it lies on another machine: {size_text(nbytes)} would have to be fetched")
            book.read_bytes(key)
        return Peek(book, key)

    def _read(self, ref: ValueRef) -> Any:
        if ref.nbytes > MOST_BYTES:
            raise Gone(f"it has {size_text(ref.nbytes)}: read it with .globals[…] or .results.select(…)")
        with self._peek(ref.segment.key, ref.segment.nbytes) as peek:
            return peek.value(ref)


def _answer(value: Any, nbytes: int) -> dict[str, Any]:
    value = array_in(value)
    found = leaves(value)
    array = value if isinstance(value, np.ndarray) else None
    sampled = None if found is None else _sample(found.arrays)
    body: dict[str, Any] = {
        "text": clean(_text(value), _TEXT),
        "type": clean(sketch(value).type, 400),
        "shape": None if array is None else list(array.shape),
        "dtype": None if array is None else str(array.dtype),
        "nbytes": nbytes,
        "stats": None if sampled is None else _stats(sampled),
        "histogram": None if sampled is None else _histogram(sampled),
    }
    items = _items(value)
    return body if items is None else {**body, "items": items}


def _text(value: Any) -> str:
    """The value as it would be printed, shortened."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "SUmM":
            return numbers(value)
        return np.array2string(value, threshold=200, edgeitems=3, precision=5)
    if isinstance(value, str):
        return value[:_TEXT]
    if isinstance(value, bytes | bytearray | memoryview):
        return repr(bytes(value[:64]))
    if isinstance(value, dict | list | tuple):
        made = sketch(value)
        return f"{made.type}: {made.preview}" if made.preview else made.type
    return repr(value) if not isinstance(value, int) or value.bit_length() <= 256 else sketch(value).type


def _items(value: Any) -> list[dict[str, str]] | None:
    if isinstance(value, dict):
        pairs = list(value.items())[:_ITEMS]
    elif isinstance(value, list | tuple):
        pairs = list(enumerate(value[:_ITEMS]))
    else:
        return None
    return [{"path": clean(str(key), 200), "type": clean(_item(item), 200)} for key, item in pairs]


def _item(value: Any) -> str:
    made = sketch(value)
    short = isinstance(value, str | int | float) and not isinstance(value, bool)
    return made.preview if short else made.type


def _sample(arrays: Sequence[Array]) -> npt.NDArray[np.float64]:
    """The numbers of all arrays, or every k-th of them."""
    step = max(1, -(-sum(array.size for array in arrays) // MOST_NUMBERS))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.concatenate([array.reshape(-1)[::step].astype(np.float64) for array in arrays])


def _stats(sample: npt.NDArray[np.float64]) -> dict[str, Any]:
    known = sample[np.isfinite(sample)]
    counts = {"zeros": int(np.count_nonzero(sample == 0)), "nonfinite": len(sample) - len(known)}
    if not len(known):
        return {"min": None, "max": None, "mean": None, "std": None, **counts}
    with np.errstate(over="ignore", invalid="ignore"):
        four = {"min": known.min(), "max": known.max(), "mean": known.mean(), "std": known.std()}
    return {**{key: finite(value) for key, value in four.items()}, **counts}


def _histogram(sample: npt.NDArray[np.float64]) -> dict[str, Any] | None:
    known = sample[np.isfinite(sample)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    if not np.isfinite(high - low):
        return None
    try:
        counts, edges = np.histogram(known, bins=_BINS)
    except ValueError:
        # numbers so close to each other that no bins lie between them
        return None
    return {"counts": counts.tolist(), "edges": [finite(edge, 8) for edge in edges]}
