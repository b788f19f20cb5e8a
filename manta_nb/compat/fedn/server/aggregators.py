"""FEDn's aggregators as pure functions: a model and the updates of a round make the next model.

* fedavg: the mean of the updates, weighted by `num_examples`;
* fedopt: the mean of what the updates changed, taken as a gradient by an optimizer of the server: algorithm 2 of
  S. J. Reddi, Z. Charles, M. Zaheer et al., "Adaptive Federated Optimization", ICLR 2021 (arXiv:2003.00295), without
  bias correction, as in FEDn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from manta_nb.algorithms import mean
from manta_nb.compat.fedn.models.likeness import Model, as_model, check_like
from manta_nb.errors import PackageError, UsageError
from manta_nb.sdk.arrays import Array
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["AGGREGATORS", "Aggregator", "State", "Updates", "check_aggregator", "combine"]

#: node → (its model, its num_examples), in the order in which they are added up
Updates = Mapping[str, tuple[Model, float]]
#: what an aggregator keeps from round to round: a value that may travel
State = dict[str, Any]
#: a user's own: `(model, updates, **kwargs) -> model`
Aggregator = Callable[..., Model]

AGGREGATORS: Final = ("fedavg", "fedopt")
#: `aggregator_kwargs` of fedopt and their defaults
FEDOPT: Final[Mapping[str, Any]] = {
    "serveropt": "adam",
    "learning_rate": 1e-3,
    "beta1": 0.9,
    "beta2": 0.99,
    "tau": 1e-4,
}
OPTIMIZERS: Final = ("adam", "yogi", "adagrad")


def check_aggregator(name: str | Aggregator, kwargs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options of an aggregator, checked, and with the defaults of those that are not given.

    Args:
        name: "fedavg", "fedopt", or a function.
        kwargs: for fedopt `serveropt` (adam, yogi, adagrad), `learning_rate`, `beta1`, `beta2`, `tau`; fedavg has
            none and ignores them, as in FEDn; a function gets them as they are.

    Raises:
        UsageError: an aggregator or option that is not known, or of another type.

    Example:
        >>> check_aggregator("fedopt", {"serveropt": "yogi"})["tau"]
        0.0001
    """
    given = dict(kwargs or {})
    if callable(name):
        return given
    if not isinstance(name, str) or name.lower() not in AGGREGATORS:
        near = did_you_mean(str(name), AGGREGATORS)
        raise UsageError(
            one_line(f"aggregator must be fedavg, fedopt or a function, got {shorten(repr(name), 60)}{near}")
        )
    return {} if name.lower() == "fedavg" else {**FEDOPT, **{key: _option(key, given[key]) for key in given}}


def combine(
    name: str | Aggregator,
    kwargs: Mapping[str, Any] | None,
    model: Model,
    updates: Updates,
    state: State | None = None,
) -> tuple[Model, State | None]:
    """The next model.

    Args:
        name: "fedavg", "fedopt", or a function that is called with the model, the updates and `kwargs`.
        kwargs: see `check_aggregator`.
        model: the one the updates were made from.
        updates: node → (model, num_examples); they are added up in this order.
        state: what the call of the round before returned; None in the first round.

    Returns:
        The model, with the dtypes that the updates have (integers are rounded), and the state for the next call.

    Raises:
        PackageError: there are no updates, or one is not like the model. UsageError: see `check_aggregator`.

    Example:
        >>> combine("fedavg", None, [np.zeros(1)], {"a": ([np.array([1.0])], 1), "b": ([np.array([4.0])], 2)})
        ([array([3.])], None)
    """
    options = check_aggregator(name, kwargs)
    if not updates:
        raise PackageError("there are no updates to combine: no node has sent one in this round")
    if callable(name):
        called = getattr(name, "__name__", "the aggregator")
        return as_model(name(model, dict(updates), **options), f"the result of {shorten(called, 60)}"), state
    for node_id, (update, _) in updates.items():
        check_like(update, model, f"the update of {node_id}")
    if name.lower() == "fedavg":
        return _fedavg(updates), state
    return _fedopt(options, model, updates, state)


def _fedavg(updates: Updates) -> Model:
    first = next(iter(updates.values()))[0]
    dtypes = _dtypes(updates)
    alike = {
        node_id: _each(lambda array, key: _counted(array, dtypes[key]), update)
        for node_id, (update, _) in updates.items()
    }
    averaged: Model = mean(alike, _weights(updates))
    # in the order of the first update
    return _each(lambda array, key: _back(_at(averaged, key), dtypes[key]), first)


def _fedopt(
    options: Mapping[str, Any], model: Model, updates: Updates, state: State | None
) -> tuple[Model, State]:
    changes = {node_id: _change(update, model) for node_id, (update, _) in updates.items()}
    gradient: Model = mean(changes, _weights(updates))
    tau = options["tau"]
    first, second = (state or {}).get("m"), (state or {}).get("v")
    momentum = _each(lambda g, key: _momentum(options["beta1"], g, _at(first, key)), gradient)
    spread = _each(
        lambda g, key: _spread(options, g, np.full(g.shape, tau**2) if second is None else _at(second, key)),
        gradient,
    )
    dtypes = _dtypes(updates)
    step = options["learning_rate"]
    moved = _each(
        lambda array, key: _back(
            _double(array) + step * _at(momentum, key) / (np.sqrt(_at(spread, key)) + tau), dtypes[key]
        ),
        model,
    )
    return moved, {"m": momentum, "v": spread}


def _change(update: Model, model: Model) -> Model:
    """What an update changed: the gradient that the server's optimizer sees."""
    return _each(lambda array, key: _double(_at(update, key)) - _double(array), model)


def _momentum(beta: float, gradient: Array, before: Array | None) -> Array:
    fresh = np.asarray((1 - beta) * gradient)
    return fresh if before is None else np.asarray(beta * before + fresh)


def _spread(options: Mapping[str, Any], gradient: Array, before: Array) -> Array:
    """The running size of the squared gradient, by which each step is divided."""
    square, beta = gradient**2, options["beta2"]
    match options["serveropt"]:
        case "yogi":
            return np.asarray(before - (1 - beta) * np.sign(before - square) * square)
        case "adagrad":
            return np.asarray(before + square)
    return np.asarray(beta * before + (1 - beta) * square)


def _option(key: str, value: Any) -> Any:
    if key not in FEDOPT:
        raise UsageError(
            one_line(f"fedopt has no option {shorten(repr(key), 40)}{did_you_mean(str(key), FEDOPT)}")
        )
    if key == "serveropt":
        if value not in OPTIMIZERS:
            raise UsageError(
                one_line(f"serveropt must be adam, yogi or adagrad, got {shorten(repr(value), 60)}")
            )
        return value
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        raise UsageError(one_line(f"{key} of fedopt must be a number, got {shorten(repr(value), 60)}"))
    if key.startswith("beta") and not 0 <= value < 1:
        raise UsageError(f"{key} of fedopt must be at least 0 and below 1, got {value}")
    if key == "tau" and value <= 0:
        raise UsageError(f"tau of fedopt must be above 0, got {value}")
    return float(value)


def _weights(updates: Updates) -> dict[str, float]:
    return {node_id: examples for node_id, (_, examples) in updates.items()}


def _dtypes(updates: Updates) -> dict[str | int, np.dtype[Any]]:
    """The dtype of each array of the result: the one that holds those of all updates."""
    models = [model for model, _ in updates.values()]
    return {key: np.result_type(*(_at(model, key).dtype for model in models)) for key in _keys(models[0])}


def _counted(array: Array, dtype: np.dtype[Any]) -> Array:
    """An array that a mean can be taken of: truth counts as 0 and 1."""
    return array.astype(np.uint8 if dtype.kind == "b" else dtype, copy=False)


def _double(array: Array) -> Array:
    return array.astype(np.result_type(array.dtype, np.float64), copy=False)


def _back(array: Array, dtype: np.dtype[Any]) -> Array:
    return np.asarray(np.rint(array) if dtype.kind in "iub" else array).astype(dtype)


def _keys(model: Model) -> list[str | int]:
    return list(model) if isinstance(model, dict) else list(range(len(model)))


def _at(model: Any, key: str | int) -> Any:
    return None if model is None else model[key]


def _each(function: Callable[[Array, str | int], Array], model: Model) -> Model:
    """A model of the same form, made array by array."""
    if isinstance(model, dict):
        return {key: function(array, key) for key, array in model.items()}
    return [function(array, index) for index, array in enumerate(model)]
