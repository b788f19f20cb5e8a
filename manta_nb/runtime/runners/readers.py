"""The segments one batch may read, opened when they are first needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from manta_nb.errors import CorruptBytes
from manta_nb.runtime.runners.segments import Place, SegmentReader

__all__ = ["LostSegment", "Readers", "in_node_order"]


class LostSegment(BaseException):
    """A segment the task needs is gone with its holder. Not an `Exception`: a task must not swallow it."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Readers:
    """Readers by position in the request; views handed to users are private to one turn."""

    def __init__(self) -> None:
        self._places: Sequence[Place] = ()
        self._open: dict[str, SegmentReader] = {}
        self._private: dict[str, memoryview] = {}
        self._kept: set[str] = set()
        #: key of a segment that could not be read in this turn, also where the task swallowed the exception
        self.lost: str | None = None

    def use(self, places: Sequence[Place], received: Mapping[str, bytes | bytearray | memoryview]) -> None:
        """The segments of a new batch; those no longer named are closed."""
        self._places = places
        keys = {place.key for place in places}
        for key in [key for key in self._open if key not in keys]:
            self._open.pop(key).close()
        for key, data in received.items():
            self._open[key] = SegmentReader(key, data)
        self._private = {}

    def keys(self) -> list[str]:
        """Keys of the segments whose bytes are here."""
        return list(self._open)

    def next_turn(self) -> None:
        """Forget the views of the last turn: what one node changes in them no other node sees."""
        self._private = {}
        self._kept.update(reader.key for reader in self._open.values() if reader.viewed())
        self.lost = None

    def kept(self) -> list[str]:
        """Keys of the segments of which tasks still hold views; their memory must not be used again."""
        self.next_turn()
        kept, self._kept = sorted(self._kept), set()
        return kept

    def value(self, index: int, offset: int, nbytes: int) -> Any:
        """One value of segment number `index`."""
        return self._reader(index).value(offset, nbytes)

    def select(self, tag: str, indices: Sequence[int]) -> dict[str, Any]:
        """`{node_id: value}` of `tag` in these segments; later ones win."""
        found: dict[str, Any] = {}
        for index in indices:
            reader = self._reader(index)
            if reader.key not in self._private:
                self._private[reader.key] = reader.private()
            reader.select(tag, found, self._private[reader.key])
        return in_node_order(found)

    def _reader(self, index: int) -> SegmentReader:
        place = self._places[index]
        reader = self._open.get(place.key)
        if reader is None:
            reader = self._open[place.key] = self._at(place)
        return reader

    def _at(self, place: Place) -> SegmentReader:
        self.lost = place.key
        if not place.pid:
            raise LostSegment(place.key)
        try:
            reader = SegmentReader.at(place)
        except CorruptBytes as error:
            raise LostSegment(place.key) from error
        self.lost = None
        return reader

    def close(self) -> None:
        """Close all."""
        for reader in self._open.values():
            reader.close()
        self._open = {}


def in_node_order(found: dict[str, Any]) -> dict[str, Any]:
    """`found` by node, node_2 before node_10, whoever finished first: a sum over it is the same every time."""
    return {node_id: found[node_id] for node_id in sorted(sorted(found), key=len)}
