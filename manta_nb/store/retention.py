"""Which values of a run are kept: Globals and, less far back, results, as there is room."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Final

from manta_nb.engine.checkpoint import Checkpoint

__all__ = ["KEEP_GLOBALS_BYTES", "RECENT", "Keeping", "sizes_of"]

#: bytes of all versions of a run's Globals, together
KEEP_GLOBALS_BYTES: Final = 256 * 2**20
#: checkpoints whose results are kept whatever they take: the latest, and the one before in case the latest is damaged
_LATEST: Final = 2
#: results of so many earlier checkpoints are kept, too, in this part of the budget: forks go on from these exactly
RECENT: Final = 64
_RECENT_PART: Final = 4


class Keeping:
    """The segments that one run keeps. What it no longer keeps it says once, when a checkpoint is added.

    A run can go on from a checkpoint only if all its Globals are there, so they are thinned together: the start and
    the latest two stay, and of the others as many, about evenly spaced, as the budget has room for. What those need
    that stay does not count, so that a large Global that never changes costs no other its versions.

    Args:
        budget: bytes of the Globals.
        held: segments that are kept already → bytes.
    """

    def __init__(self, budget: int, held: Mapping[str, int] | None = None) -> None:
        self._budget = budget
        self._sizes = dict(held or {})
        #: (first checkpoint, segments its Globals lie in): one for each state of the Globals, oldest first
        self._versions: list[tuple[int, frozenset[str]]] = []
        #: segment → how many of `_versions` need it
        self._users: Counter[str] = Counter()
        #: bytes of all segments in `_users`
        self._total = 0
        #: segments of the latest checkpoints, and bytes that the one before did not have, oldest first
        self._latest: deque[tuple[frozenset[str], int]] = deque()
        self._recent_bytes = 0
        #: segment → how many of `_latest` need it
        self._readers: Counter[str] = Counter()
        #: segments that perhaps nobody needs any more
        self._doubtful = set(self._sizes)

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return sum(self._sizes.values())

    def keys(self) -> set[str]:
        """All segments that are kept."""
        return set(self._sizes)

    def again(self) -> Keeping:
        """One that keeps the same, and has yet to learn what for."""
        return Keeping(self._budget, self._sizes)

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Those of these segments that are not kept."""
        return {key for key in keys if key not in self._sizes}

    def restore(self, iterations: int, globals_: frozenset[str], latest: frozenset[str] | None) -> None:
        """Take in a checkpoint that was added before; `latest` are all its segments if it is one of the `RECENT`."""
        if not self.missing(globals_):
            self._version(iterations, globals_)
        if latest is not None:
            self._remember(latest & self._sizes.keys())

    def add(self, checkpoint: Checkpoint) -> set[str]:
        """Take in the next checkpoint; returns the segments that are no longer kept."""
        self._sizes.update(sizes_of(checkpoint))
        self._version(
            checkpoint.iterations, frozenset(ref.segment.key for ref in checkpoint.globals.values())
        )
        self._remember(checkpoint.keys)
        if self._excess() > 0:
            self._thin()
        dropped = {key for key in self._doubtful if not (self._users[key] or self._readers[key])}
        self._doubtful.clear()
        for key in dropped:
            del self._sizes[key]
        return dropped

    def _remember(self, keys: frozenset[str]) -> None:
        before = self._latest[-1][0] if self._latest else frozenset()
        nbytes = sum(self._sizes[key] for key in keys - before)
        self._latest.append((keys, nbytes))
        self._recent_bytes += nbytes
        self._readers.update(keys)
        while len(self._latest) > _LATEST and (
            len(self._latest) > RECENT or self._recent_bytes > self._budget // _RECENT_PART
        ):
            gone, nbytes = self._latest.popleft()
            self._recent_bytes -= nbytes
            self._readers.subtract(gone)
            free = {key for key in gone if not self._readers[key]}
            for key in free:
                del self._readers[key]
            self._doubtful |= free

    def _version(self, iterations: int, keys: frozenset[str]) -> None:
        if self._versions and self._versions[-1][1] == keys:
            return
        self._versions.append((iterations, keys))
        self._total += sum(self._sizes[key] for key in keys if key not in self._users)
        self._users.update(keys)

    def _excess(self) -> int:
        always = self._versions[0][1].union(*(keys for _, keys in self._versions[-_LATEST:]))
        return self._total - sum(self._sizes[key] for key in always) - self._budget

    def _thin(self) -> None:
        """Drop every second version, the oldest first, then every second of those, until there is room again."""
        # A little more than is needed: otherwise every commit of a long run would go through all versions.
        target, step = -self._budget // 16, 2
        while self._excess() > target and len(self._versions) > 1 + _LATEST:
            first, *between = self._versions[:-_LATEST]
            kept = [first]
            following = [number for number, _ in self._versions[2 : 1 - _LATEST]]
            for version, after in zip(between, following, strict=True):
                if after - kept[-1][0] <= step and self._excess() > target:
                    self._forget(version[1])
                else:
                    kept.append(version)
            self._versions = kept + self._versions[-_LATEST:]
            step *= 2

    def _forget(self, keys: frozenset[str]) -> None:
        for key in keys:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]
                self._total -= self._sizes[key]
                self._doubtful.add(key)


def sizes_of(checkpoint: Checkpoint) -> dict[str, int]:
    """Segment → bytes, of all that a checkpoint needs."""
    globals_ = {ref.segment.key: ref.segment.nbytes for ref in checkpoint.globals.values()}
    segments = (batch.segment for batch in checkpoint.results.batches if batch.segment is not None)
    return globals_ | {segment.key: segment.nbytes for segment in segments}
