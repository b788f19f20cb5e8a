"""A user's merge function: called, and what it returned checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import numpy as np

from manta_nb.errors import MantaError, PackageError
from manta_nb.sdk.arrays import Array, has_nonfinite, is_tensor, tensor_to_array
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["MARK", "Model", "merge_by"]

#: arrays by name
Model = Mapping[str, Array]
#: how the file name begins under which a function that has travelled is compiled
MARK: Final = "<merge "


def merge_by(
    function: Callable[..., Any],
    models: Mapping[str, Model],
    weights: Mapping[str, float],
    previous: Model | None,
) -> dict[str, Array]:
    """What `function` makes of models, in the names, shapes and dtypes of the first one.

    Args:
        function: called with a list of models and a list of weights; also with `previous`, if it has it.
        models, weights: by node, in the same order.
        previous: the model of the merge before.

    Raises:
        PackageError: the function failed, with the line of its file, or returned something else than a model.
    """
    called = f"merge function {shorten(getattr(function, '__name__', type(function).__name__), 40)}"
    more = {"previous": None if previous is None else _read_only(previous)} if _has_previous(function) else {}
    lists = [_read_only(model) for model in models.values()], list(weights.values())
    try:
        made = function(*lists, **more)
    except MantaError:
        raise
    except Exception as error:
        told = f"{called} failed{_place(function, error)}: {type(error).__name__}: {error}"
        raise PackageError(one_line(told)) from error
    return _checked(called, made, list(models.values()))


def _read_only(model: Model) -> dict[str, Array]:
    """Views: several nodes may share the memory of a model, which a function must not change."""
    views = {name: array.view() for name, array in model.items()}
    for view in views.values():
        view.flags.writeable = False
    return views


def _has_previous(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return "previous" in parameters


def _place(function: Callable[..., Any], error: BaseException) -> str:
    """` in line 7 of mine.py`: the innermost line of the function's own file."""
    own = getattr(getattr(function, "__code__", None), "co_filename", None)
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file == own or file.startswith(MARK):
            name = file.removeprefix(MARK).removesuffix(">") if file.startswith(MARK) else ""
            place = f" in line {trace.tb_lineno}" + (f" of {shorten(name, 40)}" if name else "")
        trace = trace.tb_next
    return place


def _checked(called: str, made: object, models: list[Model]) -> dict[str, Array]:
    """The model that a function returned, in new arrays."""
    if not isinstance(made, Mapping):
        got = "None" if made is None else shorten(type(made).__name__, 40)
        _refuse(called, f"must return a dict of arrays by name, got {got}")
    for name in made:
        if name not in models[0]:
            _refuse(called, f"returned {shorten(repr(name), 50)}, which the models do not have")
    merged: dict[str, Array] = {}
    for name, like in models[0].items():
        where = f"{called}: {shorten(repr(name), 50)}"
        if name not in made:
            _refuse(where, "is missing in what it returned")
        array = _as_array(where, made[name])
        if array.shape != like.shape:
            _refuse(where, f"came back with shape {array.shape}, the models have {like.shape}")
        merged[name] = _in_dtype(where, array, like.dtype)
        spoilt = merged[name].dtype.kind in "fc" and has_nonfinite(merged[name])
        if spoilt and not any(has_nonfinite(model[name]) for model in models):
            _refuse(where, "came back with NaN or infinities, which no model has")
    return merged


def _as_array(where: str, value: Any) -> Array:
    try:
        array = tensor_to_array(value) if is_tensor(value) else np.asarray(value)
    except (TypeError, ValueError) as error:
        _refuse(where, f"came back as no array: {error}")
    if array.dtype.kind not in "biufc":
        _refuse(where, f"came back as {shorten(type(value).__name__, 40)}, not as an array of numbers")
    return array


def _in_dtype(where: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """A new array; numbers that become integers are rounded, halves to even."""
    if array.dtype.kind == "c" and dtype.kind != "c":
        _refuse(where, f"came back complex, the models have {dtype}")
    if dtype.kind == "b" and array.dtype.kind != "b":
        return np.asarray(array > 0.5)
    if dtype.kind in "iu" and array.dtype != dtype:
        with np.errstate(invalid="ignore"):
            array = np.rint(array) if array.dtype.kind == "f" else array
            fits = (array >= np.iinfo(dtype).min) & (array <= np.iinfo(dtype).max)
        if not fits.all():
            _refuse(where, f"came back with numbers that {dtype} cannot hold")
    with np.errstate(over="ignore"):
        return np.array(array, dtype)


def _refuse(what: str, told: str) -> NoReturn:
    raise PackageError(one_line(f"{what} {told}"))
