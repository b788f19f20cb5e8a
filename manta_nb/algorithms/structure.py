"""Models taken apart into arrays, compared, combined array by array, and put together again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from manta_nb.errors import ValueRefused
from manta_nb.sdk.arrays import Array
from manta_nb.sdk.bytes import bytes_to_numpy
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.refusal import path_text

__all__ = ["Leaves", "Models", "take_apart"]

#: path of an array inside a model → the array
Leaves = dict[tuple[Any, ...], Array]
#: makes one array of those that all models have at a place, and of the weights of the models
Combine = Callable[[Sequence[Array], Sequence[float]], Array]


@dataclass(frozen=True)
class Models:
    """Models that have the same arrays; made by `take_apart`."""

    #: what their nodes are called
    names: list[str]
    leaves: list[Leaves]
    #: one number ≥ 0 a model, at least one of them above 0
    weights: list[float]
    #: a model whose structure the result has
    form: Any

    def each(self, combine: Combine) -> Any:
        """A model whose arrays are what `combine` makes of those of all models."""
        made = {path: combine([each[path] for each in self.leaves], self.weights) for path in self.leaves[0]}
        return _rebuilt(self.form, made, ())


def take_apart(
    models: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, float] | Sequence[float] | None,
    like: Any,
    what: str,
    kinds: str,
) -> Models:
    """The arrays of models, checked.

    Args:
        models: by node, or in order. A model is an array, bytes of `numpy_to_bytes`, or nested dicts and lists.
        weights: one number ≥ 0 a model; None: all alike.
        like: a model whose keys, shapes and dtypes all must have; None: the first.
        what: what is to be taken of them, such as "mean".
        kinds: the dtype kinds it can be taken of.

    Raises:
        ValueRefused: two models differ in keys, shape or dtype, or the weights are none.
    """
    named = dict(models) if isinstance(models, Mapping) else {f"model {i}": m for i, m in enumerate(models)}
    if not named:
        raise ValueRefused(f"there are no models to take the {what} of: no node has added one under this tag")
    check = _Check(what, kinds)
    numbers = _weights(list(named), weights)
    form = next(iter(named.values())) if like is None else like
    source = next(iter(named)) if like is None else "like"
    wanted = check.leaves(form, source)
    leaves = []
    for node_id, model in named.items():
        leaves.append(check.leaves(model, node_id))
        check.same(node_id, leaves[-1], source, wanted)
    return Models(list(named), leaves, numbers, form)


@dataclass(frozen=True)
class _Check:
    """Looks at models, and says which one cannot be used."""

    what: str
    kinds: str

    def leaves(self, model: Any, node_id: str) -> Leaves:
        """The arrays of a model by path."""
        return dict(self._walk(model, (), node_id))

    def same(self, node_id: str, found: Leaves, source: str, wanted: Leaves) -> None:
        """Whether a model has the keys, shapes and dtypes of the one that comes from `source`."""
        for path, array in wanted.items():
            if path not in found:
                near = [shorten(path_text("model", other), 40) for other in found if other not in wanted]
                got = f"{near[0]} instead" if near else "none"
                self._refuse(node_id, path, f"the array that {source} has", got)
            got_array = found[path]
            if got_array.shape != array.shape:
                self._refuse(node_id, path, f"shape {array.shape} as {source}", str(got_array.shape))
            if got_array.dtype != array.dtype:
                self._refuse(node_id, path, f"dtype {array.dtype} as {source}", str(got_array.dtype))
        for path in found:
            if path not in wanted:
                self._refuse(node_id, path, f"no such array: {source} has none", "one")

    def _walk(
        self, value: Any, path: tuple[Any, ...], node_id: str
    ) -> Iterator[tuple[tuple[Any, ...], Array]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from self._walk(inner, (*path, key), node_id)
        elif isinstance(value, list | tuple):
            for index, inner in enumerate(value):
                yield from self._walk(inner, (*path, index), node_id)
        else:
            array = self._array(value, path, node_id)
            if array.dtype.kind not in self.kinds:
                self._refuse(node_id, path, "an array of numbers", f"dtype {array.dtype}")
            yield path, array

    def _array(self, value: Any, path: tuple[Any, ...], node_id: str) -> Array:
        if isinstance(value, np.ndarray | np.generic | float):
            return np.asarray(value)
        if not isinstance(value, bytes | bytearray | memoryview):
            self._refuse(node_id, path, "an array or bytes of numpy_to_bytes", type(value).__name__)
        array: Array = bytes_to_numpy(value, copy=False)
        return array

    def _refuse(self, node_id: str, path: tuple[Any, ...], expected: str, got: str) -> NoReturn:
        where = f"{shorten(node_id, 40)}, {path_text('model', path)}"
        raise ValueRefused(one_line(f"cannot take the {self.what}: {where}: expected {expected}, got {got}"))


def _weights(node_ids: list[str], weights: Mapping[str, float] | Sequence[float] | None) -> list[float]:
    """The weight of each model; at least one is above 0."""
    if weights is None:
        return [1.0] * len(node_ids)
    if not isinstance(weights, Mapping) and len(weights) != len(node_ids):
        raise ValueRefused(f"{len(node_ids)} models and {len(weights)} weights: give one weight a model")
    given = weights if isinstance(weights, Mapping) else dict(zip(node_ids, weights, strict=True))
    numbers = [_weight(node_id, given) for node_id in node_ids]
    if not any(numbers):
        raise ValueRefused(f"the weights of all {len(numbers)} models are 0: at least one must be above")
    return numbers


def _weight(node_id: str, weights: Mapping[str, float]) -> float:
    if node_id not in weights:
        raise ValueRefused(one_line(f"no weight for {shorten(node_id, 60)}: give one for each model"))
    try:
        number = float(weights[node_id])
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number < math.inf:
        told = shorten(repr(weights[node_id]), 40)
        raise ValueRefused(
            one_line(f"the weight of {shorten(node_id, 60)} must be a finite number ≥ 0, got {told}")
        )
    return number


def _rebuilt(model: Any, made: Mapping[tuple[Any, ...], Array], path: tuple[Any, ...]) -> Any:
    """Arrays in the structure of `model`."""
    if isinstance(model, dict):
        return {key: _rebuilt(inner, made, (*path, key)) for key, inner in model.items()}
    if isinstance(model, list | tuple):
        return [_rebuilt(inner, made, (*path, index)) for index, inner in enumerate(model)]
    return made[path]
