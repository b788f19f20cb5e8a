"""From what a user gives as data to nodes with datasets on disk: `prepare("digits", 8, folder)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from manta_nb.data.folder import plan_folder
from manta_nb.data.histogram import LabelHistogram
from manta_nb.data.loading import find_path, load, split_name
from manta_nb.data.partition import Indices, alike
from manta_nb.data.plan import DataPlan, Partition, count, node_names
from manta_nb.data.split import Array, DataSplit, as_array
from manta_nb.data.writing import SHARED, write_arrays, write_nodes
from manta_nb.errors import DataError
from manta_nb.sdk.names import check_dataset_name, listed

__all__ = ["prepare"]


def prepare(
    data: object,
    nodes: int | Sequence[str] | None,
    folder: Path,
    *,
    partition: str = "iid",
    alpha: float | None = None,
    labels_per_node: int | None = None,
    sizes: Sequence[float] | None = None,
    min_size: int = 10,
    seed: int = 0,
    test: Literal["shared", "local"] = "shared",
    resize: int | None = None,
    label: str | None = None,
    name: str | None = None,
) -> DataPlan:
    """Name the nodes and lay out their datasets.

    Args:
        data: whatever `load` takes (split over the nodes), a folder with one subfolder a node, a list of one
            mapping of arrays a node, `"NAME=…"` of any of these, or None for no data.
        nodes: how many, or their names; None: the subfolders, the mappings or the sizes decide, else 4.
        folder: where the arrays are written: `<node>/data/<dataset>/x_train.npy`, and the test data that all
            nodes share once, in `shared/<dataset>/`. A folder given as data stays where it is.
        partition: `"iid"`, `"dirichlet"` (with `alpha`, default 0.5, and `min_size`), `"shards"` (with
            `labels_per_node`, default 2 or what it takes) or `"sizes"` (with the ratios `sizes`).
        seed: the same seed gives the same split.
        test: `"shared"`: the whole test set on each node; `"local"`: split like the training data.
        resize, label: as for `load`.
        name: what the dataset is called; `"NAME=…"` says the same.

    Raises:
        DataError: the data are unknown, unreadable or too small for the nodes. NodeError: a node's name.
        UsageError: the number of nodes.

    Example:
        plan = prepare("digits", 8, Path(folder), partition="dirichlet", alpha=0.3)
        plan.datasets["node_0"]["digits"].arrays["x_train"]      # …/node_0/data/digits/x_train.npy
    """
    how = Partition(partition, alpha, labels_per_node, sizes, min_size, seed)
    if test not in ("shared", "local"):
        raise DataError(f"test must be 'shared' or 'local', got {test!r}")
    own_name, source = split_name(data)
    name = own_name if name is None else check_dataset_name(name)
    path = None if source is None else find_path(source)
    if source is None or isinstance(source, list) or (path is not None and path.is_dir()):
        given = {"partition": how != Partition(min_size=min_size, seed=seed), "test": test != "shared"}
        given |= {"resize": resize is not None, "label": label is not None}
        plan = _plan_parts(source if path is None else path, nodes, folder, name)
        return _with_unused(plan, [option for option, on in given.items() if on])
    node_ids = node_names(nodes, len(how.sizes)) if how.sizes else node_names(nodes)
    split = load(source, resize, label)
    return _plan_split(split if name is None else replace(split, name=name), node_ids, folder, how, test)


def _plan_parts(
    source: object, nodes: int | Sequence[str] | None, folder: Path, name: str | None
) -> DataPlan:
    """The plan of data that come in parts, a node each, or of none."""
    if isinstance(source, Path):
        return plan_folder(source, nodes, name)
    if isinstance(source, list):
        return _plan_mappings(source, nodes, folder, name or "data")
    node_ids = node_names(nodes)
    return DataPlan(node_ids, {node: {} for node in node_ids}, f"{count(len(node_ids), 'node')} · no data")


def _with_unused(plan: DataPlan, options: list[str]) -> DataPlan:
    notes = [f"not used, as no data are split here: {listed(options)}"] if options else []
    return replace(plan, notes=plan.notes + notes)


def _plan_split(
    split: DataSplit, node_ids: list[str], folder: Path, how: Partition, test: Literal["shared", "local"]
) -> DataPlan:
    """Split `split` as `how` says, write the parts, and say so."""
    name = check_dataset_name(split.name)
    parts = how.split(split.y_train, len(node_ids), name)
    if test == "shared":
        tests, where = None, "the same on each node"
        shared = write_arrays(folder / SHARED / name, {"x_test": split.x_test, "y_test": split.y_test})
    else:
        tests, where, shared = alike(split.y_test, split.y_train, parts, how.seed, name), "split likewise", {}
    datasets = write_nodes(folder, name, zip(node_ids, _slices(split, parts, tests), strict=True), shared)
    sizes = f"{len(split.y_train)} train, {len(split.y_test)} test ({where})"
    summary = f"{count(len(node_ids), 'node')} · {name}: {sizes} · {how}"
    histogram = LabelHistogram.of(split.y_train, parts, node_ids, split.classes)
    return DataPlan(node_ids, datasets, summary, list(split.notes), histogram)


def _slices(
    split: DataSplit, parts: Sequence[Indices], tests: Sequence[Indices] | None
) -> Iterator[dict[str, Array]]:
    """The private arrays of each node, made one node at a time to keep memory flat."""
    for index, part in enumerate(parts):
        arrays = {"x_train": split.x_train[part], "y_train": split.y_train[part]}
        if tests is not None:
            arrays |= {"x_test": split.x_test[tests[index]], "y_test": split.y_test[tests[index]]}
        yield arrays


def _plan_mappings(
    mappings: list[object], nodes: int | Sequence[str] | None, folder: Path, name: str
) -> DataPlan:
    """One mapping of arrays a node, written as given."""
    node_ids = node_names(nodes, len(mappings) or None)
    if len(node_ids) > len(mappings):
        raise DataError(f"{len(node_ids)} nodes asked, the list has {len(mappings)}: give one mapping a node")
    left = len(mappings) - len(node_ids)
    notes = [f"the first {len(node_ids)} of {len(mappings)} mappings are used"] if left else []
    arrays = [_checked(index, mapping) for index, mapping in enumerate(mappings[: len(node_ids)])]
    datasets = write_nodes(folder, name, zip(node_ids, arrays, strict=True), {})
    summary = f"{count(len(node_ids), 'node')} · {name}: {listed(sorted(set().union(*arrays)))}"
    return DataPlan(node_ids, datasets, summary, notes, _histogram(node_ids, arrays))


def _checked(index: int, mapping: object) -> dict[str, Array]:
    if not isinstance(mapping, Mapping) or not mapping:
        raise DataError(
            f"item {index} of the list is {type(mapping).__name__}: give one mapping of arrays a node, "
            "or a tuple (X, y) to split over the nodes"
        )
    return {
        check_dataset_name(str(key)): as_array(value, f"{key} of item {index}")
        for key, value in mapping.items()
    }


def _histogram(node_ids: list[str], arrays: list[dict[str, Array]]) -> LabelHistogram | None:
    labels = [each.get("y_train", each.get("y")) for each in arrays]
    ys = [y for y in labels if y is not None and y.ndim == 1]
    if len(ys) < len(node_ids):
        return None
    ends = np.cumsum([len(y) for y in ys])
    parts = np.split(np.arange(ends[-1]), ends[:-1])
    return LabelHistogram.of(np.concatenate(ys), parts, node_ids)
