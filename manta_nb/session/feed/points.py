"""The curves: each value of each node, or, of many nodes, what they amount to in each iteration."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from manta_nb.session.feed.message import Draft, finite, name, packed, weight
from manta_nb.session.feed.names import Names
from manta_nb.session.feed.pace import Pace
from manta_nb.session.marks import Mark
from manta_nb.session.metricrows import MetricRows

__all__ = ["Bands", "Points"]

Array = npt.NDArray[Any]

_POINT, _BAND = 28, 52
#: rows that are read in one go for a full message
_CHUNK = 1_000_000
#: with no more rows than these the machinery of numpy costs more than it saves
_FEW = 400
#: bytes of a delta that the names of new metrics may take
_NAMES = 10_000
#: lowest and highest nodes that are named, each
_EXTREMES = 5
#: iterations of which bands are made in one go
_AT_ONCE = 20


class Points:
    """The section `points`."""

    def __init__(self, stored: MetricRows, names: Names) -> None:
        self._stored = stored
        self._names = names
        self._mark = Mark()

    def reset(self) -> None:
        """See `Part`."""
        self._mark = Mark()

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        if not draft.whole and self._add_few(draft):
            return
        limit = _CHUNK if draft.whole else max(1, int(draft.room) // _POINT)
        room = math.inf if draft.whole else min(_NAMES, draft.room)
        ints, floats, count = [], [], 0
        taken_back: int | None = None
        while True:
            tail = self._stored.since(self._mark, limit)
            metric = self._names.metric_numbers(tail.columns, room)
            if len(metric) < len(tail.columns["value"]):
                tail = self._stored.since(self._mark, len(metric))
            self._mark = tail.mark
            taken_back = tail.taken_back if taken_back is None else taken_back
            if rows := len(metric):
                columns = tail.columns
                ints.append(packed([metric, self._names.node_numbers(columns), columns["iteration"]], "<i4"))
                floats.append(packed([columns["step"], columns["value"]], "<f8"))
                count += rows
            if rows < limit or not draft.whole:
                break
        if not count and taken_back is None:
            return
        body = {"n": count} if taken_back is None or draft.whole else {"n": count, "from": taken_back}
        draft.curves = [b"".join(ints), b"".join(floats)]
        draft.put("points", body, count * _POINT + 30)

    def _add_few(self, draft: Draft) -> bool:
        """What most deltas have: a few new rows of known metrics, and room for them. False where it is more."""
        rows = self._stored.fresh(self._mark, min(_FEW, int(draft.room) // _POINT))
        if rows is None or sys.byteorder != "little":
            return False
        count = len(rows.value)
        if not count:
            return True
        numbers = self._names.few(rows)
        if numbers is None:
            return False
        ints, floats = array("i", bytes(12 * count)), array("d", bytes(16 * count))
        ints[0::3], ints[1::3], ints[2::3] = *numbers, rows.iteration
        floats[0::2], floats[1::2] = rows.step, rows.value
        self._mark = rows.mark
        draft.curves = [ints.tobytes(), floats.tobytes()]
        draft.put("points", {"n": count}, count * _POINT + 30)
        return True


class Bands:
    """The sections `bands` and `extremes`: mean, range and 10th to 90th percentile of each iteration."""

    def __init__(self, stored: MetricRows, names: Names, pace: Pace) -> None:
        self._stored = stored
        self._names = names
        self._pace = pace
        self._mark = Mark()
        #: iterations to be made (again)
        self._due: list[int] = []

    def reset(self) -> None:
        """See `Part`."""
        self._mark, self._due = self._stored.end()

    def add(self, draft: Draft) -> None:
        """See `Part`."""
        if not draft.whole and not self._pace.due():
            return
        taken_back = self._catch_up()
        if self._due or taken_back is not None:
            with self._pace.making():
                self._add(draft, taken_back)

    def _add(self, draft: Draft, taken_back: int | None) -> None:
        ints, floats, count, extremes = [], [], 0, None
        while self._due and (not count or draft.room - count * _BAND > _BAND * len(self._names.metrics)):
            size = _AT_ONCE if draft.whole else 1
            chunk, self._due = self._due[:size], self._due[size:]
            columns = self._stored.of_iterations(chunk[0], chunk[-1])
            metric, node = self._names.metric_numbers(columns), self._names.node_numbers(columns)
            for keys, values, latest in _bands(columns, metric, node):
                ints.append(keys)
                floats.append(values)
                count += len(keys)
                extremes = latest
        body = {"n": count} if taken_back is None or draft.whole else {"n": count, "from": taken_back}
        draft.curves = [_joined(ints, (0, 3), "<i4"), _joined(floats, (0, 5), "<f8")]
        draft.put("bands", body, count * _BAND + 30)
        if extremes is not None and not self._due:
            named = self._named(extremes)
            if (size := weight(named)) < draft.room:
                draft.put("extremes", named, size)

    def _catch_up(self) -> int | None:
        taken_back: int | None = None
        due = set(self._due)
        while True:
            tail = self._stored.since(self._mark, _CHUNK)
            self._mark = tail.mark
            if tail.taken_back is not None:
                taken_back = tail.taken_back if taken_back is None else min(taken_back, tail.taken_back)
            due.update(np.unique(tail.columns["iteration"]).tolist())
            if len(tail.columns["value"]) < _CHUNK:
                break
        if taken_back is not None:
            due.update(iteration for iteration in self._stored.end()[1] if iteration >= taken_back)
        self._due = sorted(due)
        return taken_back

    def _named(self, extremes: dict[int, list[tuple[int, float]]]) -> dict[str, list[list[Any]]]:
        nodes = self._names.node_list()
        return {
            str(metric): [[name(nodes[node]), finite(value)] for node, value in found]
            for metric, found in extremes.items()
        }


def _joined(parts: list[Array], empty: tuple[int, int], dtype: str) -> bytes:
    return (np.concatenate(parts) if parts else np.zeros(empty)).astype(dtype).tobytes()


def _bands(
    columns: dict[str, Array], metric: Array, node: Array
) -> Iterator[tuple[Array, Array, dict[int, list[tuple[int, float]]]]]:
    """For each iteration its keys `[metric, iteration, count]`, its five numbers, and the extremes."""
    order = np.lexsort((columns["step"], node, metric, columns["iteration"]))
    iteration, metric, node = columns["iteration"][order], metric[order], node[order]
    final = np.ones(len(order), dtype=bool)
    final[:-1] = (iteration[1:] != iteration[:-1]) | (metric[1:] != metric[:-1]) | (node[1:] != node[:-1])
    value = columns["value"][order][final]
    iteration, metric, node = iteration[final], metric[final], node[final]
    for begin, end in _groups(iteration):
        keys, numbers, extremes = [], [], {}
        for low, high in _groups(metric[begin:end]):
            part = slice(begin + low, begin + high)
            number = int(metric[part][0])
            known = ~np.isnan(value[part])
            keys.append((number, int(iteration[begin]), int(np.count_nonzero(known))))
            numbers.append(_five(value[part][known]))
            extremes[number] = _extremes(node[part], value[part])
        yield np.array(keys, dtype="<i4"), np.array(numbers), extremes


def _groups(sorted_keys: Array) -> list[tuple[int, int]]:
    cuts = [0, *(np.flatnonzero(sorted_keys[1:] != sorted_keys[:-1]) + 1).tolist(), len(sorted_keys)]
    return [(begin, end) for begin, end in pairwise(cuts) if begin < end]


def _five(values: Array) -> tuple[float, float, float, float, float]:
    """Mean, lowest, highest, 10th and 90th percentile."""
    if not len(values):
        return (math.nan,) * 5
    with np.errstate(invalid="ignore", over="ignore"):
        # infinities among the values make some of these NaN or infinite, which is the truth
        p10, p90 = np.percentile(values, (10, 90))
        return float(values.mean()), float(values.min()), float(values.max()), float(p10), float(p90)


def _extremes(nodes: Array, values: Array) -> list[tuple[int, float]]:
    """The nodes with the lowest and those with the highest values, in rising order; infinities are left out."""
    finite_ = np.isfinite(values)
    nodes, values = nodes[finite_], values[finite_]
    if len(values) > 4 * _EXTREMES:
        lowest = np.argpartition(values, _EXTREMES)[:_EXTREMES]
        highest = np.argpartition(values, -_EXTREMES)[-_EXTREMES:]
        chosen = np.concatenate([lowest[np.argsort(values[lowest])], highest[np.argsort(values[highest])]])
    else:
        order = np.argsort(values, kind="stable")
        chosen = order if len(order) <= 2 * _EXTREMES else np.r_[order[:_EXTREMES], order[-_EXTREMES:]]
    return list(zip(nodes[chosen].tolist(), values[chosen].tolist(), strict=True))
