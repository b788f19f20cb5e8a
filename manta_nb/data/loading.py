"""From what a user names, a dataset in memory: `load("digits")`, `load("patients.csv")`, `load((X, y))`."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np

from manta_nb.data.sources import SUFFIXES, read_file, read_object
from manta_nb.data.split import DataSplit, build_split, resized
from manta_nb.errors import DataError
from manta_nb.sdk.names import check_dataset_name, did_you_mean, shorten

__all__ = ["BUNDLED", "find_path", "load", "split_name"]

#: the datasets that scikit-learn carries along, so that no network is ever needed
BUNDLED = ("breast_cancer", "diabetes", "digits", "wine")


def load(name_or_path: object, resize: int | None = None, label: str | None = None) -> DataSplit:
    """Training and test data of a bundled set, a file, or arrays.

    Args:
        name_or_path: `"digits"`, `"breast_cancer"`, `"wine"`, `"diabetes"`; a `.npz`, `.csv` or `.pt` file;
            `{"x": X, "y": y}` or with `x_train y_train x_test y_test`; `(X, y)`; a data frame; a torch
            Dataset; or `"NAME=…"` of a name or file. A bundled name wins over a file of that name.
        resize: side of the square, in pixels, to which images `(n, height, width)` are scaled.
        label: column or key of the labels, where it is not `y`, `label`, `target` or `class`.

    Returns:
        `x` float32 (bundled sets within [0, 1], digits `(n, 8, 8)`); `y` int64, measured values float32.

    Raises:
        DataError: it is unknown, cannot be read, or does not hold such arrays.

    Example:
        x, y = load("digits", resize=28).test      # (360, 28, 28) float32, (360,) int64
    """
    name, source = split_name(name_or_path)
    split = _load(source, label)
    if resize is not None:
        split = resized(split, resize)
    return split if name is None else replace(split, name=name)


def split_name(data: object) -> tuple[str | None, object]:
    """`("mnist_part", "digits")` of `"mnist_part=digits"`; `(None, data)` where no name is given."""
    if not isinstance(data, str) or "=" not in data or os.path.exists(data):
        return None, data
    name, _, source = data.partition("=")
    return (None, data) if "/" in name or "\\" in name else (check_dataset_name(name), source)


def find_path(source: object) -> Path | None:
    """The absolute path of a file or folder that `source` names, or None where it names something else.

    Raises `DataError` where it must have meant one, or a bundled set, that is not there.
    """
    if not isinstance(source, str | Path) or source in BUNDLED:
        return None
    if source == "":
        raise _unknown(source)
    try:
        return Path(source).expanduser().resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:  # not there, too long, a NUL, an unknown ~user
        raise _unknown(source) from error


def _load(source: object, label: str | None) -> DataSplit:
    path = find_path(source)
    if path is None and isinstance(source, str):
        return _bundled(source)
    if path is not None and path.is_dir():
        raise DataError(
            f"{shorten(path.name, 60)} is a folder: name a file in it, or give it to the session as data"
        )
    raw = read_object(source, label) if path is None else read_file(path, label)
    split = build_split("data" if path is None else path.stem, raw.values, raw.label)
    return replace(split, notes=(*raw.notes, *split.notes))


def _bundled(name: str) -> DataSplit:
    # By name, for scikit-learn takes most of a second and has no types.
    bunch = getattr(import_module("sklearn.datasets"), f"load_{name}")()
    if name == "digits":
        split = build_split(name, {"x": bunch.images / 16, "y": bunch.target})
    else:
        split = _unit_scaled(build_split(name, {"x": bunch.data, "y": bunch.target}))
    return replace(split, classes=tuple(map(str, bunch.get("target_names", ()))))


def _unit_scaled(split: DataSplit) -> DataSplit:
    """Every feature brought to [0, 1] by the range it has in the training part."""
    low, high = split.x_train.min(axis=0), split.x_train.max(axis=0)
    span = np.where(high > low, high - low, np.float32(1))
    return replace(
        split,
        x_train=np.clip((split.x_train - low) / span, 0, 1),
        x_test=np.clip((split.x_test - low) / span, 0, 1),
    )


def _unknown(source: str | Path) -> DataError:
    text = str(source)
    if text.lower() == "mnist":
        return DataError(
            "mnist is not bundled: digits with resize=28 (--resize 28) stands in for it, or give a file"
        )
    shown = shorten(repr(text), 60)
    if isinstance(source, Path) or "/" in text or "\\" in text or text.lower().endswith(SUFFIXES):
        return DataError(f"there is no file or folder {shown} in {shorten(str(Path.cwd()), 60)}")
    return DataError(
        f"there is no dataset {shown}{did_you_mean(text, BUNDLED)}: "
        f"bundled are {', '.join(BUNDLED)}; else give a file or a folder"
    )
