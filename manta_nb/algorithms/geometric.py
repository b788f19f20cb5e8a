"""The weighted geometric median of models: the point whose weighted distances from all of them add up to least.

A model is one point, all its floating-point arrays one after another. The method is that of E. Weiszfeld, "Sur le
point pour lequel la somme des distances de n points donnés est minimum", Tohoku Mathematical Journal 43, 1937, with
the step of Y. Vardi and C.-H. Zhang, "The multivariate L1-median and associated data depth", PNAS 97(4), 2000, where
an iterate meets a point. Each iterate is a weighted mean of the models, so the method needs nothing but the distances
between them: the models are read twice, and what is iterated is one number a model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manta_nb.algorithms.flat import flatten
from manta_nb.algorithms.structure import Leaves, take_apart
from manta_nb.algorithms.weighted import weighted_mean
from manta_nb.errors import ValueRefused
from manta_nb.sdk.arrays import Array, has_nonfinite
from manta_nb.sdk.names import listed
from manta_nb.sdk.parse import one_line

__all__ = ["MAX_ITERATIONS", "TOLERANCE", "geometric_median", "geometric_weights"]

#: the step below which the method stops, and after how many steps at the latest
TOLERANCE, MAX_ITERATIONS = 1e-6, 1000
_KINDS = "biufc"
#: numbers of a model that are looked at together
_BLOCK = 1 << 15
#: so near, as a part of the largest distance, is at a point: distances are known to about 1e-8 of that
_MEETS = 1e-7

_Vector = NDArray[np.float64]


def geometric_median(
    models: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, float] | Sequence[float] | None = None,
    like: Any = None,
    *,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> Any:
    """The geometric median of `models`, in the structure of a model.

    Starts at the weighted mean. Where more than one point is best (two models of equal weight), it is the one that
    is met from there. Integers and truth do not count for the distance, as counters would drown the parameters;
    they become the mean with the weights that the models have in the end, rounded as `mean` rounds.

    Args:
        models: `{node_id: model}` or a list of models; a model is what it is for `mean`.
        weights: one number ≥ 0 a model; None: all alike.
        like: a model whose keys, shapes and dtypes the others must have; None: the first of `models`.
        tolerance: it stops where a step is shorter than this, or than this part of the largest distance between
            two models; also where the last three steps are equally long, or every other one is.
        max_iterations: most steps.

    Raises:
        ValueRefused: two models differ in keys, shape or dtype, there is no weight above 0, or a model is not finite.

    Example:
        >>> geometric_median([np.array([0.0, 0.0]), np.array([1.0, 0.0]), np.array([9.0, 0.0])])
        array([1., 0.])
    """
    taken = take_apart(models, weights, like, "geometric median", _KINDS)
    shares = geometric_weights(
        dict(zip(taken.names, taken.leaves, strict=True)),
        taken.weights,
        tolerance=tolerance,
        max_iterations=max_iterations,
    )
    return taken.each(lambda arrays, _: weighted_mean(arrays, shares))


def geometric_weights(
    models: Mapping[str, Leaves] | Mapping[str, Mapping[str, Array]],
    weights: Sequence[float],
    *,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> list[float]:
    """The weights, of sum 1, with which the mean of models is their geometric median.

    Args:
        models: by node; all have the same arrays.
        weights: one finite number ≥ 0 a model, not all of them 0. What weighs nothing is not looked at.
        tolerance, max_iterations: see `geometric_median`.

    Raises:
        ValueRefused: a model holds NaN or an infinity; the message names the nodes.
    """
    counted = [number for number, weight in enumerate(weights) if weight > 0]
    names = [list(models)[number] for number in counted]
    products = _products([models[name] for name in names])
    if not np.isfinite(products).all():
        _refuse({name: models[name] for name in names})
    points = _Points(products, np.array([weights[number] for number in counted], float))
    found = points.median(tolerance, max_iterations)
    shares = dict(zip(counted, found.tolist(), strict=True))
    return [shares.get(number, 0.0) for number in range(len(weights))]


class _Points:
    """Points of which only the inner products are known; a place is one weight a point, of sum 1."""

    def __init__(self, products: _Vector, weights: _Vector) -> None:
        self._products = products
        parts: _Vector = weights / weights.max()
        self._weights: _Vector = parts / parts.sum()
        corner = np.diag(products)
        squares = corner[:, None] + corner[None, :] - 2 * products
        self._spread = math.sqrt(max(0.0, float(squares.max())))

    def median(self, tolerance: float, max_iterations: int) -> _Vector:
        """The place of the geometric median."""
        place, steps = self._weights, list[float]()
        if self._spread == 0:
            return place
        for point in np.eye(len(self._weights)):
            if self._is_best(point):
                return np.asarray(point)
        for _ in range(max_iterations):
            following = self._next(place)
            steps.append(self._length(following - place))
            place = following
            # three equal ones, or to and fro
            if steps[-1] < tolerance * min(1.0, self._spread) or steps[-1] in steps[-3:-2]:
                break
        return place

    def _is_best(self, point: _Vector) -> bool:
        """Whether the others pull less at a point than its own weight holds; not where they pull as much."""
        _, pull, own = self._pulls(point)
        return self._length(pull) < own * (1 - _MEETS)

    def _next(self, place: _Vector) -> _Vector:
        """Where the step from a place leads."""
        target, pull, own = self._pulls(place)
        force = self._length(pull)
        stays = min(1.0, own / force) if own and force else float(own > 0)
        following: _Vector = (1 - stays) * target + stays * place
        return following

    def _pulls(self, place: _Vector) -> tuple[_Vector, _Vector, float]:
        """Where the points that are elsewhere draw a place, their pull, and the weight of those that are there."""
        ways = np.eye(len(place)) - place
        distances = np.sqrt(np.maximum(0, ((ways @ self._products) * ways).sum(axis=1)))
        away = distances > _MEETS * self._spread
        pulls = np.zeros(len(place))
        pulls[away] = self._weights[away] / distances[away]
        total = pulls.sum()
        target = pulls / total if total else place
        return target, pulls - total * place, float(self._weights[~away].sum())

    def _length(self, change: _Vector) -> float:
        return math.sqrt(max(0.0, float(change @ self._products @ change)))


def _products(models: Sequence[Mapping[Any, Array]]) -> _Vector:
    """The inner products of models, taken from the first of them: what they have in common would spoil the digits."""
    products = np.zeros((len(models), len(models)))
    chosen = [path for path, array in models[0].items() if array.dtype.kind in "fc"] or list(models[0])
    for path in chosen:
        lines = flatten([model[path] for model in models]).lines
        room = np.empty((len(models), min(_BLOCK, lines[0].size)))
        for start in range(0, lines[0].size, _BLOCK):
            block = room[:, : len(lines[0][start : start + _BLOCK])]
            for row, line in zip(block, lines, strict=True):
                row[:] = line[start : start + _BLOCK]
            with np.errstate(over="ignore", invalid="ignore"):
                block -= block[0].copy()
                products += block @ block.T
    return products


def _refuse(models: Mapping[str, Mapping[Any, Array]]) -> None:
    """Say which models have no distance from the others."""
    bad = [
        name
        for name, arrays in models.items()
        if any(array.dtype.kind in "fc" and has_nonfinite(array) for array in arrays.values())
    ]
    what = f"the models of {listed(bad)} hold NaN or infinities" if bad else "the models are too far apart"
    raise ValueRefused(
        one_line(f"cannot take the geometric median: {what}; the coordinate median bears a minority of them")
    )
