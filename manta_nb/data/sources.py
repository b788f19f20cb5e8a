"""Where arrays come from: files, frames, tuples, mappings and torch datasets, each read into plain arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from manta_nb.data.split import as_array
from manta_nb.errors import DataError
from manta_nb.sdk.names import did_you_mean, listed, shorten

__all__ = ["SUFFIXES", "Raw", "read_file", "read_object"]

#: the files that can be split over nodes
SUFFIXES = (".csv", ".npz", ".pt")

_LABEL_COLUMNS = ("y", "label", "target", "class")


@dataclass(frozen=True)
class Raw:
    """What a source holds: values under their keys, which key is the labels, and what to tell the user."""

    values: Mapping[str, object]
    label: str | None
    notes: tuple[str, ...] = ()


def read_file(path: Path, label: str | None) -> Raw:
    """The arrays of a `.npz`, `.csv` or `.pt` file; nothing in it is ever executed. Raises `DataError`."""
    readers = {".csv": _read_csv, ".npz": _read_npz, ".pt": _read_pt}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{shorten(path.name, 60)} cannot be split over nodes: give a {', '.join(SUFFIXES)} file"
        )
    return reader(path, label)


def read_object(data: object, label: str | None) -> Raw:
    """The arrays of `{"x": X, "y": y}`, `(X, y)`, a data frame or a torch Dataset. Raises `DataError`."""
    if isinstance(data, Mapping):
        return Raw(data, label)
    if isinstance(data, tuple):
        return Raw(_by_position(data, "the tuple"), None)
    if hasattr(data, "to_numpy") and hasattr(data, "columns"):
        return _from_frame(data, label, "the frame")
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not hasattr(data, "shape"):
        return Raw(_stack(data), None)
    raise DataError(
        f"{type(data).__name__} cannot be read as data: give a name, a file, a folder, (X, y), "
        '{"x": X, "y": y}, a torch Dataset with a length, or a list of one mapping a node'
    )


def _by_position(values: tuple[object, ...], what: str) -> dict[str, object]:
    keys = {2: ("x", "y"), 4: ("x_train", "y_train", "x_test", "y_test")}.get(len(values))
    if keys is None:
        raise DataError(
            f"{what} holds {len(values)} things: give (X, y) or (x_train, y_train, x_test, y_test)"
        )
    return dict(zip(keys, values, strict=True))


def _stack(dataset: Any) -> dict[str, object]:
    """The samples of a map-style torch Dataset, one under the other."""
    items = [dataset[index] for index in range(len(dataset))]
    if not items or not all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
        raise DataError(
            f"each item of {type(dataset).__name__} must be a pair (x, y), and there must be some"
        )
    columns = {
        key: [as_array(item[index], f"{key} of an item") for item in items] for index, key in enumerate("xy")
    }
    for key, arrays in columns.items():
        if len(shapes := {array.shape for array in arrays}) > 1:
            raise DataError(f"{key} differs in shape between items: {listed(sorted(map(str, shapes)))}")
    return {key: np.stack(arrays) for key, arrays in columns.items()}


def _read_npz(path: Path, label: str | None) -> Raw:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return Raw({key: archive[key] for key in archive.files}, label)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        # The message of numpy would advise to allow pickles.
        raise DataError(
            f"cannot read {shorten(path.name, 60)}: it must hold arrays of numbers, as np.savez writes them"
        ) from error


def _read_pt(path: Path, label: str | None) -> Raw:
    import torch  # noqa: PLC0415 - takes a second, and only this kind of file needs it

    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever a foreign file provokes
        raise DataError(
            f"cannot read {shorten(path.name, 60)}: it must be a dict or tuple of tensors"
        ) from error
    if isinstance(data, dict):
        return Raw(data, label)
    if isinstance(data, tuple | list):
        return Raw(_by_position(tuple(data), shorten(path.name, 60)), None)
    raise DataError(f"{shorten(path.name, 60)} holds one {type(data).__name__}: a dict or tuple is needed")


def _read_csv(path: Path, label: str | None) -> Raw:
    import pandas as pd  # noqa: PLC0415 - takes half a second, and only this kind of file needs it

    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:
        reason = shorten(str(error).split("\n")[0], 100)
        raise DataError(f"cannot read {shorten(path.name, 60)}: {reason}") from error
    what = shorten(path.name, 60)
    if frame.columns[0] != "Unnamed: 0":
        return _from_frame(frame, label, what)
    # What to_csv() writes unless told otherwise; as a feature it would often give the label away.
    raw = _from_frame(frame.iloc[:, 1:], label, what)
    return replace(
        raw, notes=(f"{what}: the first column, without a name, is taken for an index", *raw.notes)
    )


def _from_frame(frame: Any, label: str | None, what: str) -> Raw:
    columns = [str(column) for column in frame.columns]
    frame = frame.set_axis(columns, axis=1)
    if len(columns) < 2:
        raise DataError(f"{what} has {len(columns)} column: at least two are needed, one of them the labels")
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise DataError(f"{what} has two columns called {listed(twice)}: rename one")
    target = _label_column(columns, label, what)
    features = [column for column in columns if column != target]
    if text := [column for column in features if frame[column].dtype.kind not in "biuf"]:
        raise DataError(
            f"{what}: not numbers: {listed(text)}; drop or encode these columns (labels: {target})"
        )
    if empty := [column for column in columns if frame[column].isna().any()]:
        raise DataError(f"{what}: values are missing in {listed(empty)}; fill or drop them first")
    guessed = label is None and target.lower() not in _LABEL_COLUMNS
    notes = (
        (f"{what}: the last column, {shorten(target, 40)}, is the labels (or --label NAME)",)
        if guessed
        else ()
    )
    return Raw({"x": frame[features].to_numpy(), "y": frame[target].to_numpy()}, None, notes)


def _label_column(columns: list[str], label: str | None, what: str) -> str:
    if label is not None and label not in columns:
        raise DataError(
            f"{what} has no column {label!r}{did_you_mean(label, columns)}: it has {listed(columns)}"
        )
    lowered = {column.lower(): column for column in columns}
    usual = (lowered[name] for name in _LABEL_COLUMNS if name in lowered)
    return label or next(usual, columns[-1])
