"""Where the tasks of a graph stand when it is drawn from left to right: pure positions, no pixels.

A task stands in the layer after its latest input. An edge that passes over layers holds a place in each of
them (a *bend*), so that it is drawn between the tasks and never through one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Bend", "Layout", "lay_out"]


@dataclass(frozen=True)
class Bend:
    """The place in one layer of an edge that passes over it."""

    source: str
    target: str
    layer: int


Place = str | Bend


@dataclass(frozen=True)
class Layout:
    """The layers from left to right, each from top to bottom, with rows in half steps (neighbours differ by 2)."""

    layers: tuple[tuple[Place, ...], ...]
    #: row of each place, from 0
    rows: Mapping[Place, int]
    #: edges between neighbouring layers: (layer on the left, from, to)
    steps: tuple[tuple[int, Place, Place], ...]

    @property
    def height(self) -> int:
        """Number of half rows that are used."""
        return max(self.rows.values(), default=0) + 1


def lay_out(layers: Sequence[Sequence[str]], inputs: Mapping[str, Sequence[str]]) -> Layout:
    """Place the tasks of `layers`; `inputs` gives those of each task that has some."""
    at = {alias: index for index, layer in enumerate(layers) for alias in layer}
    inputs = {alias: inputs.get(alias, ()) for layer in layers for alias in layer}
    order = _reading_order(inputs)
    places: list[list[Place]] = [[*sorted(layer, key=lambda alias: order[alias])] for layer in layers]
    steps: list[tuple[int, Place, Place]] = []
    for target, sources in inputs.items():
        for source in dict.fromkeys(sources):
            bends = [Bend(source, target, layer) for layer in range(at[source] + 1, at[target])]
            for bend in bends:
                places[bend.layer].append(bend)
            chain: list[Place] = [source, *bends, target]
            steps += [(at[source] + index, *pair) for index, pair in enumerate(pairwise(chain))]
    for _ in range(4):
        _untangle(places, steps)
    tallest = max(map(len, places), default=0)
    rows = {place: 2 * index + tallest - len(layer) for layer in places for index, place in enumerate(layer)}
    return Layout(tuple(map(tuple, places)), rows, tuple(steps))


def _reading_order(inputs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The tasks as the inputs are written: the branch named first is drawn on top."""
    order: dict[str, int] = {}
    stack = [alias for alias in inputs if not any(alias in sources for sources in inputs.values())]
    stack.reverse()
    while stack:
        missing = [source for source in inputs[stack[-1]] if source not in order]
        if missing:
            stack.append(missing[0])
        else:
            order[stack.pop()] = len(order)
    return order


def _untangle(places: list[list[Place]], steps: Sequence[tuple[int, Place, Place]]) -> None:
    """Order each layer by the middle of its neighbours on the left, then by those on the right."""
    before: dict[Place, list[Place]] = {}
    after: dict[Place, list[Place]] = {}
    for _, source, target in steps:
        before.setdefault(target, []).append(source)
        after.setdefault(source, []).append(target)
    for order, neighbours in ((range(1, len(places)), before), (range(len(places) - 2, -1, -1), after)):
        for index in order:
            heights = {place: (row + 0.5) / len(layer) for layer in places for row, place in enumerate(layer)}
            middle = {
                place: sum(heights[other] for other in others) / len(others)
                for place in places[index]
                if (others := neighbours.get(place))
            }
            places[index].sort(key=lambda place: middle.get(place, heights[place]))
