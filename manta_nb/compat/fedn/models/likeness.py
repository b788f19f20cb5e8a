"""What a model is in memory, and whether one has the arrays of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from manta_nb.errors import PackageError
from manta_nb.sdk.arrays import Array
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.shims.fedn.utils.helpers.npz import named

__all__ = ["Model", "as_model", "check_like"]

#: arrays by name, or in order
Model = dict[str, Array] | list[Array]

#: dtype kinds of numbers, and of truth
_NUMBERS = "biufc"


def as_model(value: object, what: str) -> Model:
    """What a user's function returned as a model: a dict or list of arrays, whatever kind of dict or list it was.

    Raises:
        PackageError: it is something else; the message calls it `what`.
    """
    if isinstance(value, Mapping | list | tuple):
        try:
            arrays = named(value)
        except (TypeError, ValueError) as error:
            _differ(what, f"it is no model: {error}")
        return arrays if isinstance(value, Mapping) else list(arrays.values())
    _differ(what, f"it must be a list or dict of arrays, got {shorten(type(value).__name__, 40)}")


def check_like(update: Model, model: Model, what: str) -> None:
    """Whether `update` has the arrays that `model` has.

    Args:
        update: what a program made.
        model: what it was given. Dtypes may differ, as long as both are numbers.
        what: what the error calls the update, such as "train on node_1".

    Raises:
        PackageError: names the first array that is missing, too many, of another shape, or no numbers.

    Example:
        >>> check_like([np.zeros(3)], [np.zeros(4)], "train on node_1")
        Traceback (most recent call last):
        manta_nb.errors.PackageError: train on node_1: array 0 has shape (3,), the model's is (4,)
    """
    if isinstance(update, dict) != isinstance(model, dict):
        _differ(what, f"it is {_kind(update)}, the model is {_kind(model)}")
    if not isinstance(model, dict) and len(update) != len(model):
        _differ(what, f"it has {len(update)} arrays, the model has {len(model)}")
    found, wanted = named(update), named(model)
    word = "layer" if isinstance(model, dict) else "array"
    for name, expected in wanted.items():
        layer = f"{word} {shorten(name, 60)}"
        if name not in found:
            near = next((other for other in found if other not in wanted), None)
            _differ(what, f"{layer} is missing" + (f"; it has {shorten(near, 40)} instead" if near else ""))
        array = found[name]
        if array.shape != expected.shape:
            _differ(what, f"{layer} has shape {array.shape}, the model's is {expected.shape}")
        if array.dtype.kind not in _NUMBERS:
            _differ(what, f"{layer} holds no numbers, its dtype is {array.dtype}")
    for name in found:
        if name not in wanted:
            _differ(what, f"{word} {shorten(name, 60)} is not in the model")


def _differ(what: str, text: str) -> NoReturn:
    raise PackageError(one_line(f"{shorten(what, 80)}: {text}"))


def _kind(model: Model) -> str:
    if isinstance(model, dict):
        return f"{len(model)} named arrays ({shorten(next(iter(model), ''), 30)}, …)"
    return f"a list of {len(model)} arrays"
