"""`SegmentBook`: where every segment of a session lies, and how the kernel reads one.

The kernel opens each segment of its own host as soon as it hears of it. So a value outlives the node that
made it, and no value has to travel for that: only a descriptor is held.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from manta_nb.engine.records import Batch, Segment, ValueRef
from manta_nb.errors import CorruptBytes, MissingTag
from manta_nb.runtime.capabilities import HostTag
from manta_nb.runtime.entry import Entry, free
from manta_nb.runtime.runners.outlet import SharedOutlet
from manta_nb.runtime.runners.readers import in_node_order
from manta_nb.runtime.runners.segments import Place, SegmentReader, open_place
from manta_nb.runtime.runners.storage import BytesSegment, SharedSegment
from manta_nb.runtime.spare import Spare
from manta_nb.sdk.codec import encode

__all__ = ["SegmentBook"]

#: where memory is not shared, the kernel takes a copy of a segment with Globals of at most so many bytes
KEPT_BY_THE_KERNEL = 64 << 20


class SegmentBook:
    """All segments by key. Used by run threads and by whoever looks at a run: locked.

    Args:
        host: where the kernel is.
        fetch: brings the bytes of a segment into the kernel; None where they are gone.
        release: lets whoever else has a segment free it.
        spare: the Results of finished runs.
    """

    def __init__(
        self,
        host: HostTag,
        fetch: Callable[[Entry], memoryview | None],
        release: Callable[[Entry], None] = lambda entry: None,
        spare: Spare | None = None,
    ) -> None:
        self._host = host
        self._fetch = fetch
        self._release = release
        self._spare = spare or Spare()
        self._entries: dict[str, Entry] = {}
        self._lock = threading.RLock()
        self._freeing = ThreadPoolExecutor(1, thread_name_prefix="manta-free")

    def put(self, segment: Segment, place: Place, host: HostTag) -> Entry:
        """A worker made a segment: remember it, and open it if it is on this host."""
        entry = Entry(segment, place, host)
        if place.pid and self._reachable(host):
            # too many open files, or the holder is gone already: then it stays where it is
            with contextlib.suppress(CorruptBytes):
                entry.fd = open_place(place)
        with self._lock:
            self._entries[segment.key] = entry
        return entry

    def take(self, batch: Batch, place: Place | None, host: HostTag) -> bool:
        """The segment of a batch that ended; False where it holds Globals and was lost with its node at once."""
        if place is None or batch.segment is None:
            return True
        entry = self.put(batch.segment, place, host)
        if entry.fd < 0 and batch.globals and place.nbytes <= KEPT_BY_THE_KERNEL:
            # a Global must outlive the node that wrote it
            self._hold(entry.segment.key)
            if entry.data is None:
                self.drop([entry.segment.key])
                return False
        return True

    def create(self, values: Mapping[str, Any]) -> dict[str, ValueRef]:
        """A segment of the kernel's own, with a value for each tag."""
        if not values:
            return {}
        draft = SharedSegment() if self._host.shared_values else BytesSegment()
        ends: dict[str, tuple[int, int]] = {}
        at = 64
        for tag, value in values.items():
            encoded = encode(value, what=f"set_global({tag!r})")
            data = b"".join([*encoded.buffers, bytes(-encoded.nbytes % 64)])
            if isinstance(draft, SharedSegment):
                SharedOutlet.write_at(draft.fd, [data], at)
            else:
                draft.put(memoryview(data), at)
            ends[tag] = at, encoded.nbytes
            at += len(data)
        draft.seal(at, [], [], np.zeros((0, 4), dtype=np.int64))
        segment = Segment(draft.key, "", draft.nbytes)
        entry = Entry(segment, draft.place(), self._host, fd=draft.fd)
        if isinstance(draft, BytesSegment):
            entry.data = draft.read()
        with self._lock:
            self._entries[draft.key] = entry
        return {tag: ValueRef(segment, offset, nbytes) for tag, (offset, nbytes) in ends.items()}

    def share(self, key: str) -> bool:
        """Another run needs the segment, too: it goes when all have dropped it. False where it is not here."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                entry.sharers += 1
            return entry is not None

    def still_shared(self, key: str) -> bool:
        """One of the runs that share a segment needs it no more: whether another one does."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or not entry.sharers:
                return False
            entry.sharers -= 1
            return True

    def keep(self, segment: Segment, load: Callable[[], memoryview]) -> None:
        """A segment of an earlier session, which `load` reads when it is asked for."""
        place = Place(segment.key, 0, -1, segment.nbytes)
        with self._lock:
            self._entries[segment.key] = Entry(segment, place, self._host, load=load, left=True)

    def take_over(self, other: SegmentBook, keys: Iterable[str]) -> None:
        """A run of another session goes on here: have what that one's book has of these."""
        with other._lock:
            entries = {key: entry for key in keys if (entry := other._entries.pop(key, None)) is not None}
            other._spare.forget(entries)
        for entry in entries.values():
            entry.leave()
            entry.host = self._host
        with self._lock:
            self._entries.update(entries)

    def entry(self, key: str) -> Entry | None:
        """What is known of a segment."""
        return self._entries.get(key)

    def place_for(self, entry: Entry, host: HostTag) -> Place | None:
        """Where a process with that host tag can open it; None where its bytes have to travel."""
        if not self._reachable(host):
            return None
        if entry.fd >= 0:
            return Place(entry.segment.key, os.getpid(), entry.fd, entry.segment.nbytes)
        return entry.place if entry.place.pid and self._reachable(entry.host) else None

    def _reachable(self, host: HostTag) -> bool:
        return host == self._host and host.shared_values

    def value(self, ref: ValueRef) -> Any:
        """The value at `ref`."""
        self._bring(ref.segment.key)
        with self._lock:
            return self._reader(ref.segment.key).value(ref.offset, ref.nbytes)

    def select(self, tag: str, batches: Iterable[Batch]) -> dict[str, Any]:
        """`{node_id: value}` of `tag` in these batches; later ones win. The arrays are copies."""
        found: dict[str, Any] = {}
        for batch in batches:
            if tag in batch.result_bytes and batch.segment is not None:
                self._bring(batch.segment.key)
                with self._lock:
                    reader = self._reader(batch.segment.key)
                    reader.select(tag, found, reader.private())
        return in_node_order(found)

    def _reader(self, key: str) -> SegmentReader:
        entry = self._entries.get(key)
        if entry is None and key in self._spare.gone:
            raise MissingTag(
                "this result had to make room for those of later runs: read it sooner, or run.export(…) it"
            )
        if entry is None:
            raise MissingTag(
                "this value is no longer kept: read it earlier, or give the module keep_results=n"
            )
        entry.viewed = True
        if entry.reader is None:
            if entry.fd >= 0:
                entry.reader = SegmentReader(key, os.dup(entry.fd))
            elif entry.data is None:
                raise MissingTag("this value is gone with the node that held it")
            else:
                entry.reader = SegmentReader(key, entry.data)
        return entry.reader

    def _bring(self, key: str) -> None:
        """Fetch the bytes of a segment that nobody here has; never under the lock, which Dask's own thread takes."""
        entry = self._entries.get(key)
        if entry is None or entry.reader is not None or entry.fd >= 0 or entry.data is not None:
            return
        data = self._fetch(entry) if entry.load is None else entry.load()
        with self._lock:
            entry.data = entry.data if data is None else data

    def read_bytes(self, key: str) -> memoryview:
        """All bytes of a segment."""
        self._bring(key)
        with self._lock:
            return self._reader(key).bytes

    def look(self, key: str) -> memoryview:
        """All bytes of a segment that is needed for now: whoever looks lets go before it is dropped."""
        self._bring(key)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                raise MissingTag("this value is no longer kept")
            return entry.whole()

    def adopt(self, keys: Iterable[str], spare: Iterable[str] = ()) -> None:
        """A run is over: hold these for good, the kernel alone. Those that are `spare` stay while there is room."""
        for key in keys:
            self._hold(key)
            with self._lock:
                entry = self._entries.get(key)
                if entry is not None and entry.adopted and not entry.left:
                    self._release(entry)
                    entry.leave()
        with self._lock:
            there = {key: entry for key in spare if (entry := self._entries.get(key)) is not None}
            going = self._spare.add({key: entry.segment.nbytes for key, entry in there.items()})
            unshared = [key for key in going if key in self._entries and not self._entries[key].sharers]
        self.drop(unshared)

    def _hold(self, key: str) -> None:
        """Have the bytes here, whatever becomes of their node."""
        self._bring(key)
        with self._lock, contextlib.suppress(MissingTag, CorruptBytes):
            self._reader(key)
            self._entries[key].adopted = True
            self._entries[key].pocket()

    def lend(self, keys: Iterable[str]) -> None:
        """A finished run goes on: what was put away for good is read by tasks again."""
        keys = list(keys)
        with self._lock:
            self._spare.forget(keys)
        for key in keys:
            self._bring(key)
        if not self._host.shared_values:
            # the bytes travel, wherever they are kept
            return
        with self._lock:
            for key in keys:
                if (entry := self._entries.get(key)) is not None:
                    # too many open files: then the bytes travel
                    with contextlib.suppress(OSError):
                        entry.unpocket()

    def drop(self, keys: Iterable[str]) -> None:
        """Free these; giving back hundreds of megabytes takes the system a while, so a thread waits for it."""
        with self._lock:
            found = {key: entry for key in keys if (entry := self._entries.pop(key, None)) is not None}
            self._spare.forget(found)
        entries = list(found.values())
        if not entries:
            return
        try:
            self._freeing.submit(free, entries)
        except RuntimeError:
            # Python ends: then there is no thread any more that could wait
            free(entries)

    def worker_gone(self, worker_id: str) -> None:
        """A worker went away: what it had copies of has to be sent again."""
        with self._lock:
            for entry in self._entries.values():
                for owner, key in [copy for copy in entry.copies if copy[0] == worker_id]:
                    del entry.copies[owner, key]
                if entry.segment.holder == worker_id:
                    entry.left = True
                    entry.place = entry.place._replace(pid=0)
                    entry.held = entry.here

    def view(self, keys: Iterable[str]) -> None:
        """Somebody holds on to values of these segments: their memory is not to be used again."""
        with self._lock:
            for key in keys:
                if (entry := self._entries.get(key)) is not None:
                    entry.viewed = True

    def missing(self, worker_id: str, key: str) -> tuple[str, ...]:
        """A worker's task found no segment, or copy of one, under `key`: the key of the segment if it is lost."""
        with self._lock:
            for entry in self._entries.values():
                if entry.segment.key == key or (worker_id, key) in entry.copies:
                    # it is sent again
                    entry.copies.pop((worker_id, key), None)
                    return () if entry.here else (entry.segment.key,)
        return (key,)

    def lost_with(self, worker_id: str) -> list[str]:
        """The segments that went with this worker."""
        with self._lock:
            return [
                key
                for key, entry in self._entries.items()
                if entry.segment.holder == worker_id and not entry.held
            ]

    def lost(self, keys: Iterable[str]) -> list[str]:
        """Which of these segments nobody has any more."""
        return [key for key in keys if (entry := self._entries.get(key)) is None or not entry.held]

    def made_room(self, keys: Iterable[str]) -> bool:
        """Whether one of these had to make room for the Results of later runs."""
        return not self._spare.gone.isdisjoint(keys)

    def close(self) -> None:
        """Free all but what was adopted: that lives as long as somebody can ask for it."""
        self.drop([key for key, entry in self._entries.items() if not entry.adopted])
        self._freeing.shutdown()
