"""The weighted mean of models, checked before it is taken.

This is the server's step of FedAvg: algorithm 1 of H. B. McMahan, E. Moore, D. Ramage, S. Hampson and B. Agüera y
Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from manta_nb.errors import ValueRefused
from manta_nb.sdk.arrays import Array
from manta_nb.sdk.bytes import bytes_to_numpy
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.sdk.refusal import path_text

__all__ = ["mean"]

#: path of an array inside a model → the array
_Leaves = dict[tuple[Any, ...], Array]
#: dtype kinds a mean is taken of: integers, floats, complex
_KINDS = "iufc"


def mean(
    models: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, float] | Sequence[float] | None = None,
    like: Any = None,
) -> Any:
    """The mean of `models`, array by array, in the structure of a model.

    A model is an array, or nested dicts and lists of arrays; bytes of `numpy_to_bytes` count as arrays. The sum
    is taken in double precision and brought back to the dtype of the array; integers are rounded (to even).

    Args:
        models: `{node_id: model}`, as `results.select` gives it, or a list of models.
        weights: one number ≥ 0 a node (or one a model of a list), such as numbers of samples; None: all alike.
        like: a model whose keys, shapes and dtypes the others must have; None: the first of `models`.

    Returns:
        New arrays; an empty `models` has no mean.

    Raises:
        ValueRefused: two models differ in keys, shape or dtype, or the weights have no mean; the message names
            node and array, what was expected and what came.

    Example:
        >>> found = self.world.results.select("model_params")
        >>> samples = self.world.results.select("n_samples")
        >>> self.world.globals["model_params"] = mean(found, samples)
    """
    named = dict(models) if isinstance(models, Mapping) else {f"model {i}": m for i, m in enumerate(models)}
    if not named:
        raise ValueRefused("there are no models to take the mean of: no node has added one under this tag")
    shares = _shares(list(named), weights)
    expected = next(iter(named.values())) if like is None else like
    source = next(iter(named)) if like is None else "like"
    wanted = _leaves(expected, source)
    totals: dict[tuple[Any, ...], Array] = {}
    for (node_id, model), share in zip(named.items(), shares, strict=True):
        found = _leaves(model, node_id)
        _check(node_id, found, source, wanted)
        for path, array in found.items():
            _add(totals, path, array, share)
    means = {path: _as_dtype(total, wanted[path].dtype) for path, total in totals.items()}
    return _rebuilt(expected, means, ())


def _shares(node_ids: list[str], weights: Mapping[str, float] | Sequence[float] | None) -> list[float]:
    """The part that each node has in the mean; their sum is 1."""
    if weights is None:
        return [1 / len(node_ids)] * len(node_ids)
    if not isinstance(weights, Mapping) and len(weights) != len(node_ids):
        raise ValueRefused(f"{len(node_ids)} models and {len(weights)} weights: give one weight a model")
    given = weights if isinstance(weights, Mapping) else dict(zip(node_ids, weights, strict=True))
    numbers = [_weight(node_id, given) for node_id in node_ids]
    total = math.fsum(numbers)
    if total == 0:
        raise ValueRefused(f"the weights of all {len(numbers)} models are 0: at least one must be above")
    return [number / total for number in numbers]


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


def _leaves(model: Any, node_id: str) -> _Leaves:
    """The arrays of a model by path."""
    return dict(_walk(model, (), node_id))


def _walk(value: Any, path: tuple[Any, ...], node_id: str) -> Iterator[tuple[tuple[Any, ...], Array]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, (*path, key), node_id)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*path, index), node_id)
    else:
        array = _array(value, path, node_id)
        if array.dtype.kind not in _KINDS:
            _refuse(node_id, path, "an array of numbers", f"dtype {array.dtype}")
        yield path, array


def _array(value: Any, path: tuple[Any, ...], node_id: str) -> Array:
    if isinstance(value, np.ndarray | np.generic | float):
        return np.asarray(value)
    if not isinstance(value, bytes | bytearray | memoryview):
        _refuse(node_id, path, "an array or bytes of numpy_to_bytes", type(value).__name__)
    array: Array = bytes_to_numpy(value, copy=False)
    return array


def _check(node_id: str, found: _Leaves, source: str, wanted: _Leaves) -> None:
    """Whether a model has the keys, shapes and dtypes of the one that comes from `source`."""
    for path, array in wanted.items():
        if path not in found:
            near = [shorten(path_text("model", other), 40) for other in found if other not in wanted]
            _refuse(node_id, path, f"the array that {source} has", f"{near[0]} instead" if near else "none")
        got = found[path]
        if got.shape != array.shape:
            _refuse(node_id, path, f"shape {array.shape} as {source}", str(got.shape))
        if got.dtype != array.dtype:
            _refuse(node_id, path, f"dtype {array.dtype} as {source}", str(got.dtype))
    for path in found:
        if path not in wanted:
            _refuse(node_id, path, f"no such array: {source} has none", "one")


def _refuse(node_id: str, path: tuple[Any, ...], expected: str, got: str) -> NoReturn:
    where = path_text("model", path)
    raise ValueRefused(
        one_line(f"cannot take the mean: {shorten(node_id, 40)}, {where}: expected {expected}, got {got}")
    )


def _add(totals: dict[tuple[Any, ...], Array], path: tuple[Any, ...], array: Array, share: float) -> None:
    if path not in totals:
        # 64-bit integers do not fit into a double
        exact = np.longdouble if array.dtype.kind in "iu" and array.dtype.itemsize == 8 else np.float64
        totals[path] = np.zeros(
            array.shape, np.result_type(exact, array.dtype) if array.size else array.dtype
        )
    if array.size:
        totals[path] += np.multiply(array, share, dtype=totals[path].dtype)


def _as_dtype(total: Array, dtype: np.dtype[Any]) -> Array:
    rounded: Array = np.asarray(np.rint(total) if dtype.kind in "iu" else total)
    return rounded.astype(dtype, copy=False)


def _rebuilt(model: Any, means: Mapping[tuple[Any, ...], Array], path: tuple[Any, ...]) -> Any:
    """The means in the structure of `model`."""
    if isinstance(model, dict):
        return {key: _rebuilt(inner, means, (*path, key)) for key, inner in model.items()}
    if isinstance(model, list | tuple):
        return [_rebuilt(inner, means, (*path, index)) for index, inner in enumerate(model)]
    return means[path]
