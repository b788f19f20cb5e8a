"""Merges: what several nodes have checked in becomes one model.

* mean: Σ wᵢxᵢ / Σ wᵢ;
* coordmedian: the weighted median of each number;
* geomedian: the weighted geometric median of the models;
* or a function of the user's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from manta_nb.algorithms.geometric import geometric_weights
from manta_nb.algorithms.median import weighted_median
from manta_nb.algorithms.weighted import weighted_mean
from manta_nb.compat.swarm_learning.merging.own import Model, merge_by
from manta_nb.errors import PackageError, UsageError
from manta_nb.sdk.arrays import Array
from manta_nb.sdk.names import did_you_mean, listed, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["METHODS", "Model", "merge"]

#: the names of HPE's `mergeMethod`
METHODS: Final = ("mean", "coordmedian", "geomedian")
#: dtype kinds of what can be merged
_KINDS = "biufc"


def merge(
    method: str | Callable[..., Any],
    models: Mapping[str, Model],
    weights: Mapping[str, float],
    previous: Model | None = None,
) -> dict[str, Array]:
    """One model of many.

    Arrays are merged one after another in blocks; beside the models, which are only read, there is never more than
    the result. Integers are rounded to the nearest, halves to even; truth is what more than half of the weight has.

    Args:
        method: one of `METHODS`, or a function of `(models, weights)`: a list of models, arrays by name, read-only,
            and a list of numbers. One that has a parameter `previous` gets the last merged model, or None.
        models: node → its arrays by name.
        weights: node → a number ≥ 0. A node with 0 is not looked at, whatever its model holds.
        previous: the model of the merge before.

    Returns:
        New arrays, with the names, shapes and dtypes that the models have.

    Raises:
        PackageError: models differ, or the function failed. UsageError: there is no such method, or no weight.
        ValueRefused: the geometric median is asked of a model that holds NaN.

    Example:
        >>> merge("mean", {"a": {"w": np.zeros(1)}, "b": {"w": np.full(1, 4.0)}}, {"a": 1, "b": 3})
        {'w': array([3.])}
    """
    if not callable(method) and method not in METHODS:
        near = did_you_mean(str(method), METHODS)
        raise UsageError(
            one_line(f"no merge method {shorten(repr(method), 40)}{near}: there are {listed(METHODS)}")
        )
    heard = _weights(models, weights)
    counted = {node: models[node] for node in heard}
    _check(counted)
    if callable(method):
        return merge_by(method, counted, heard, previous)
    numbers = list(heard.values())
    if method == "geomedian":
        numbers = geometric_weights(counted, numbers)
    combine: Callable[[Sequence[Array], Sequence[float]], Array]
    combine = weighted_median if method == "coordmedian" else weighted_mean
    first = next(iter(counted.values()))
    return {name: combine([model[name] for model in counted.values()], numbers) for name in first}


def _weights(models: Mapping[str, Model], weights: Mapping[str, float]) -> dict[str, float]:
    """The weights above 0, by node in the order of the models."""
    if not models:
        raise PackageError("there are no models to merge: no node has checked in")
    found: dict[str, float] = {}
    for node in models:
        weight = weights.get(node)
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not 0 <= (found.setdefault(node, float(weight or 0))) < math.inf:
            told = shorten(repr(weight), 40)
            raise UsageError(
                one_line(f"the weight of {shorten(node, 60)} must be a number ≥ 0, got {told}: change it")
            )
    if not any(found.values()):
        raise UsageError(
            one_line(
                f"the weights of all nodes are 0 ({listed(list(found))}): give one a node_weightage above 0"
            )
        )
    return {node: number for node, number in found.items() if number}


def _check(models: Mapping[str, Model]) -> None:
    """Whether all models have the arrays of the first one."""
    source, wanted = next(iter(models.items()))
    for name, array in wanted.items():
        if array.dtype.kind not in _KINDS:
            _differ(source, f"{_quoted(name)} holds no numbers, its dtype is {array.dtype}")
    for node, model in models.items():
        for name, expected in wanted.items():
            if name not in model:
                near = next((other for other in model if other not in wanted), None)
                instead = f" (it has {_quoted(near)} instead)" if near is not None else ""
                _differ(node, f"has no {_quoted(name)}, which {shorten(source, 30)} has{instead}")
            array = model[name]
            if array.shape != expected.shape:
                told = f"{_quoted(name)} has shape {array.shape}, on {shorten(source, 30)} {expected.shape}"
                _differ(node, told)
            if array.dtype != expected.dtype:
                told = f"{_quoted(name)} is {array.dtype}, on {shorten(source, 30)} {expected.dtype}"
                _differ(node, told)
        for name in model:
            if name not in wanted:
                _differ(node, f"has {_quoted(name)}, which {shorten(source, 30)} has not")


def _quoted(name: str) -> str:
    return repr(shorten(name, 50))


def _differ(node: str, told: str) -> None:
    raise PackageError(one_line(f"models cannot be merged: {shorten(node, 30)}: {told}"))
