"""A dataset in memory: training and test arrays with the dtypes every part of manta_nb relies on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from manta_nb.errors import DataError
from manta_nb.render import Card, Shown, Table, number
from manta_nb.sdk.names import did_you_mean, listed, shorten

__all__ = ["Array", "DataSplit", "as_array", "build_split", "resized"]

Array: TypeAlias = NDArray[Any]

#: one sample in so many becomes the test set of a dataset that has none of its own
_ONE_IN = 5


@dataclass(frozen=True, eq=False, repr=False)
class DataSplit(Shown):
    """Training and test data: `x` float32 with one sample a row, `y` int64 classes or float32 values.

    ```
    x, y = load("digits").test
    ```
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    #: what the classes 0, 1, … of `y` are called; empty where they have no names
    classes: tuple[str, ...] = ()
    #: what was decided on the way, worth a line each
    notes: tuple[str, ...] = ()

    @property
    def train(self) -> tuple[Array, Array]:
        """`(x_train, y_train)`."""
        return self.x_train, self.y_train

    @property
    def test(self) -> tuple[Array, Array]:
        """`(x_test, y_test)`."""
        return self.x_test, self.y_test

    def __str__(self) -> str:
        return str(self._card())

    def _repr_html_(self) -> str:
        return self._card()._repr_html_()

    def _card(self) -> Card:
        arrays = {key: getattr(self, key) for key in ("x_train", "y_train", "x_test", "y_test")}
        rows = [[key, str(a.shape), str(a.dtype), self._values(key, a)] for key, a in arrays.items()]
        title = f"{self.name}: {len(self.y_train)} train, {len(self.y_test)} test"
        return Card(title, [Table(["array", "shape", "dtype", "values"], rows), *self.notes])

    def _values(self, key: str, array: Array) -> str:
        if key.startswith("y") and array.dtype.kind == "i":
            found = np.unique(array)
            names = [self.classes[label] if self.classes else str(label) for label in found]
            return f"{len(found)} classes: {listed(names, 10)}"
        return f"{number(array.min())} to {number(array.max())}" if array.size else "none"


def build_split(name: str, raw: Mapping[str, object], label: str | None = None) -> DataSplit:
    """A `DataSplit` of `x_train y_train x_test y_test`, or of `x y`, of which a fifth becomes the test set.

    `label` is the key of the labels where they are not called `y`. Pixels as bytes (uint8 above 1) come to
    0…1, text labels to int64 in sorted order. The cut is the same each time. Raises `DataError`.
    """
    picked, ignored = _pick(name, raw, label)
    arrays = {key: as_array(value, f"{key} of {name}") for key, value in picked.items()}
    for part in ("train", "test") if "x_test" in arrays else ("train",):
        _check_rows(name, part, arrays[f"x_{part}"], arrays[f"y_{part}"])
    if "x_test" not in arrays:
        arrays = _cut(name, arrays["x_train"], arrays["y_train"])
    x_train, x_test, pixels = _features(name, arrays["x_train"], arrays["x_test"])
    y_train, y_test, classes = _labels(name, arrays["y_train"], arrays["y_test"])
    notes = [f"{name}: x is uint8, divided by 255"] * pixels + [f"{name}: not used: {ignored}"] * bool(
        ignored
    )
    return DataSplit(name, x_train, y_train, x_test, y_test, classes, tuple(notes))


def as_array(value: object, what: str) -> Array:
    """`value` (array, list, tensor, frame) as an array of numbers or text; `what` names it in the error."""
    try:
        # A tensor may be on a GPU or part of a graph; torch itself need not be imported to ask.
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataError(f"{what} cannot be made an array: {shorten(str(error), 80)}") from error
    if array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in "biufUS":
        raise DataError(f"{what} must hold numbers or text in rows of equal length; it is {array.dtype}")
    return array


def resized(split: DataSplit, size: int) -> DataSplit:
    """`split` with its images `(n, height, width)` scaled bilinearly to `(n, size, size)`."""
    shape = split.x_train.shape
    if len(shape) != 3:
        raise DataError(f"resize needs images (n, height, width); x of {split.name} is {shape}")
    if not 1 <= size <= 4096:
        raise DataError(f"resize must be a whole number from 1 to 4096, got {size}")
    rows, columns = _weights(shape[1], size), _weights(shape[2], size).T
    return replace(split, x_train=rows @ split.x_train @ columns, x_test=rows @ split.x_test @ columns)


def _weights(old: int, new: int) -> NDArray[np.float32]:
    """The matrix `(new, old)` that resamples a line of `old` pixels by linear interpolation."""
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    weights: Array = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(old)))
    return weights.astype(np.float32)


def _pick(name: str, raw: Mapping[str, object], label: str | None) -> tuple[dict[str, object], str]:
    """The values under the four keys of a split, or the first two, and the keys that were not used."""
    given = {str(key).lower(): value for key, value in raw.items()}
    y = (label or "y").lower().removesuffix("_train")
    roles = {
        "x_train": ("x_train", "x"),
        "y_train": (f"{y}_train", y),
        "x_test": ("x_test",),
        "y_test": (f"{y}_test",),
    }
    keys = {role: next((key for key in names if key in given), None) for role, names in roles.items()}
    if label and keys["y_train"] is None:
        raise DataError(f"{name} has no {label!r}{did_you_mean(y, given)}: it has {listed(list(given))}")
    missing = keys["x_train"] is None or keys["y_train"] is None
    if missing or (keys["x_test"] is None) != (keys["y_test"] is None):
        raise DataError(
            f"{name} has {listed(list(given)) or 'nothing'}: give x_train, y_train, x_test, y_test; or x, y"
        )
    used = {role: key for role, key in keys.items() if key is not None}
    ignored = [key for key in given if key not in used.values()]
    return {role: given[key] for role, key in used.items()}, listed(ignored)


def _check_rows(name: str, part: str, x: Array, y: Array) -> None:
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        raise DataError(
            f"{part}: x of {name} is {x.shape}, y is {y.shape}: give as many rows of both, at least one"
        )


def _cut(name: str, x: Array, y: Array) -> dict[str, Array]:
    if len(x) < 2:
        raise DataError(f"{name} has one sample: at least two are needed, one to train and one to test")
    order = np.random.default_rng(0).permutation(len(x))
    test, train = np.split(order, [-(-len(x) // _ONE_IN)])
    return {"x_train": x[train], "y_train": y[train], "x_test": x[test], "y_test": y[test]}


def _features(name: str, train: Array, test: Array) -> tuple[Array, Array, bool]:
    """Both as float32, and whether they were pixels as bytes."""
    if train.dtype.kind not in "biuf" or test.dtype.kind not in "biuf":
        raise DataError(f"x of {name} is text ({train.dtype}): numbers are needed")
    if train.shape[1:] != test.shape[1:]:
        raise DataError(f"x_train of {name} is {train.shape}, x_test {test.shape}: only the first may differ")
    pixels = train.dtype == test.dtype == np.uint8 and max(train.max(), test.max()) > 1
    scale = np.float32(255 if pixels else 1)
    return train.astype(np.float32) / scale, test.astype(np.float32) / scale, bool(pixels)


def _labels(name: str, train: Array, test: Array) -> tuple[Array, Array, tuple[str, ...]]:
    """Both as int64 or float32, and the names of the classes where the labels were text."""
    train, test = (y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y for y in (train, test))
    if train.shape[1:] != test.shape[1:]:
        raise DataError(f"y_train of {name} is {train.shape}, y_test {test.shape}: only the first may differ")
    both = np.concatenate([train, test])
    classes: tuple[str, ...] = ()
    if both.dtype.kind in "US":
        names, both = np.unique(both.astype(str), return_inverse=True)
        classes = tuple(names.tolist())
    both = both.astype(np.float32 if both.dtype.kind == "f" else np.int64)
    return both[: len(train)], both[len(train) :], classes
