"""Which batches hold which results: what `select` reads, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from manta_nb.engine.records import Batch

__all__ = ["ResultIndex", "Retention"]


@dataclass(frozen=True)
class ResultIndex:
    """An immutable view for one task: every readable batch that wrote results, oldest first.

    Within one iteration batches stand in the order they finished, so a reader that lets later entries
    overwrite earlier ones gets "last wins" and "latest of each node" for nothing.
    """

    batches: tuple[Batch, ...] = ()
    #: tag → newest iteration whose value of that tag was dropped
    dropped: Mapping[str, int] = field(default_factory=dict)

    def tags(self) -> list[str]:
        """All readable tags, in the order they were first written."""
        return list(dict.fromkeys(tag for batch in self.batches for tag in batch.result_bytes))

    def without(self, keys: frozenset[str]) -> ResultIndex:
        """Less what lies in these segments."""
        left = tuple(
            batch for batch in self.batches if batch.segment is None or batch.segment.key not in keys
        )
        if len(left) == len(self.batches):
            return self
        return ResultIndex(left, _dropped(self.dropped, self.batches, left))


@dataclass
class _Kept:
    """A committed batch, and for each tag the nodes whose latest value it holds."""

    batch: Batch
    latest: dict[str, frozenset[str]]


class Retention:
    """The results of committed iterations: which are readable, which are forgotten.

    Readable are the latest `keep` iterations, and whatever older batch holds the latest value that some node
    wrote under some tag. `keep=None` forgets nothing. Only sets are kept, one for each batch and tag.
    """

    def __init__(self, keep: int | None, start: ResultIndex = ResultIndex()) -> None:
        self._keep = keep
        written: dict[str, set[str]] = {}
        newest = [
            _Kept(batch, {} if keep is None else _newest(batch, written)) for batch in start.batches[::-1]
        ]
        #: oldest first
        self._kept = newest[::-1]
        self._batches = start.batches
        #: replaced, never changed: an index that was handed out stays as it was
        self._dropped = start.dropped

    def index(self, current: Iterable[Batch]) -> ResultIndex:
        """What a task may read: the committed batches, then those of the running iteration."""
        return ResultIndex(
            (*self._batches, *(batch for batch in current if batch.result_bytes)), self._dropped
        )

    def keys(self) -> set[str]:
        """The keys of the segments that hold a readable batch."""
        return {kept.batch.segment.key for kept in self._kept if kept.batch.segment is not None}

    def commit(self, iteration: int, batches: Sequence[Batch]) -> None:
        """Take in a finished iteration, in the order that readers see, and forget what is too old."""
        fresh = [batch for batch in batches if batch.result_bytes]
        if self._keep is None:
            self._kept += [_Kept(batch, {}) for batch in fresh]
            self._replace(self._kept)
            return
        written: dict[str, set[str]] = {}
        added = [_Kept(batch, _newest(batch, written)) for batch in reversed(fresh)]
        for kept in self._kept:
            kept.latest = _without(kept.latest, written)
        oldest = iteration - self._keep + 1
        self._replace(
            kept for kept in (*self._kept, *reversed(added)) if kept.batch.iteration >= oldest or kept.latest
        )

    def forget(self, keys: frozenset[str]) -> None:
        """Strike off the batches whose segments are lost."""
        self._replace(
            kept for kept in self._kept if kept.batch.segment is None or kept.batch.segment.key not in keys
        )

    def _replace(self, kept: Iterable[_Kept]) -> None:
        before, self._kept = self._batches, list(kept)
        self._batches = tuple(entry.batch for entry in self._kept)
        self._dropped = _dropped(self._dropped, before, self._batches)


def _dropped(known: Mapping[str, int], before: Iterable[Batch], left: Iterable[Batch]) -> dict[str, int]:
    """Tag → newest iteration whose value of it is gone, when of the batches `before` these are left."""
    remaining = {id(batch) for batch in left}
    dropped = dict(known)
    for batch in before:
        if id(batch) not in remaining:
            for tag in batch.result_bytes:
                dropped[tag] = max(dropped.get(tag, -1), batch.iteration)
    return dropped


def _newest(batch: Batch, written: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    """For each tag the nodes of `batch` not in `written` yet, which they are added to."""
    everyone = frozenset(batch.nodes)
    newest: dict[str, frozenset[str]] = {}
    for tag in batch.result_bytes:
        nodes = frozenset(batch.partial_tags[tag]) if tag in batch.partial_tags else everyone
        seen = written.get(tag)
        newest[tag] = nodes if seen is None else nodes - seen
        if seen is None:
            written[tag] = set(nodes)
        else:
            seen |= nodes
    return {tag: nodes for tag, nodes in newest.items() if nodes}


def _without(latest: dict[str, frozenset[str]], written: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    """`latest` less what has been written again since."""
    left = {tag: nodes - written[tag] if tag in written else nodes for tag, nodes in latest.items()}
    return {tag: nodes for tag, nodes in left.items() if nodes}
