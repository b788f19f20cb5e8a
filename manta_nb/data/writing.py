"""Arrays on disk, one `.npy` file each: a task opens only what it reads, and without copying it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from manta_nb.data.split import Array
from manta_nb.errors import NodeError
from manta_nb.sdk.context import Dataset

__all__ = ["SHARED", "write_arrays", "write_nodes"]

#: the folder, beside those of the nodes, of what all nodes may read
SHARED = "shared"


def write_nodes(
    folder: Path, name: str, parts: Iterable[tuple[str, Mapping[str, Array]]], shared: Mapping[str, Path]
) -> dict[str, dict[str, Dataset]]:
    """Write each node's arrays to `folder/<node>/data/<name>`, readable by this user only.

    Each node gets one dataset `name` of them and of the files `shared`. Returns node → name → dataset.
    """
    datasets: dict[str, dict[str, Dataset]] = {}
    for node, arrays in parts:
        if node.casefold() == SHARED:
            raise NodeError(
                f"{node!r} cannot be the name of a node: the folder of the common test data has it"
            )
        home = folder / node
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An existing folder keeps its mode in mkdir.
        home.chmod(0o700)
        (home / "data").mkdir(exist_ok=True)
        private = write_arrays(home / "data" / name, arrays)
        datasets[node] = {name: Dataset(arrays={**private, **shared})}
    return datasets


def write_arrays(folder: Path, arrays: Mapping[str, Array]) -> dict[str, Path]:
    """Write `<key>.npy` for each array; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {key: folder / f"{key}.npy" for key in arrays}
    for key, path in paths.items():
        # A new file: writing into the old one would change it under a task that has it mapped.
        path.unlink(missing_ok=True)
        np.save(path, arrays[key], allow_pickle=False)
    return paths
