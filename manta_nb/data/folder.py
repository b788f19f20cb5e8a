"""Data that already lie in parts: `FOLDER/<node>/…`, one subfolder a node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from manta_nb.data.plan import DataPlan, count, node_names
from manta_nb.errors import DataError, NodeError
from manta_nb.sdk.context import Dataset
from manta_nb.sdk.names import check_dataset_name, check_node_id, did_you_mean, listed, natural_key, shorten

__all__ = ["plan_folder"]


def plan_folder(root: Path, nodes: int | Sequence[str] | None, name: str | None) -> DataPlan:
    """A node for each subfolder of `root`, in natural order; its files and folders are its datasets.

    A dataset is called after its file without the suffix; with `name`, each node has one dataset of that
    name: its only file, or else its folder. Hidden files and links that lead out are left out. No file is
    opened. Raises `DataError` where there are fewer subfolders than nodes.
    """
    folders, notes = _entries(root)
    found = {folder.name: folder for folder in folders if folder.is_dir()}
    if not found:
        raise DataError(
            f"{_short(root)} has no subfolders: make one for each node, "
            f"or give a file to split over the nodes ({count(len(folders), 'file')} here)"
        )
    node_ids = _chosen(root, [check_node_id(folder) for folder in found], nodes)
    if left := [node for node in found if node not in node_ids]:
        notes.append(
            f"{len(node_ids)} of {len(found)} subfolders of {_short(root)} used, without {listed(left)}"
        )
    datasets: dict[str, dict[str, Dataset]] = {}
    for node in node_ids:
        datasets[node], skipped = _datasets(found[node], name)
        notes += skipped
    return DataPlan(node_ids, datasets, _summary(root, node_ids, datasets), notes)


def _chosen(root: Path, names: list[str], nodes: int | Sequence[str] | None) -> list[str]:
    if nodes is None:
        return names
    asked = node_names(nodes)
    if isinstance(nodes, int):
        if nodes > len(names):
            raise DataError(f"{nodes} nodes asked, {_short(root)} has {len(names)}: {listed(names)}")
        return names[:nodes]
    if unknown := [name for name in asked if name not in names]:
        near = did_you_mean(unknown[0], names)
        raise NodeError(f"{_short(root)} has no subfolder {unknown[0]!r}{near}: it has {listed(names)}")
    return asked


def _datasets(folder: Path, name: str | None) -> tuple[dict[str, Dataset], list[str]]:
    entries, notes = _entries(folder)
    if name is not None:
        only_file = len(entries) == 1 and entries[0].is_file()
        return {name: Dataset(path=entries[0] if only_file else folder)}, notes
    if not entries:
        notes.append(f"{folder.name} is empty: this node has no data")
    stems = Counter(_stem(entry) for entry in entries)
    named = {(_stem(entry) if stems[_stem(entry)] == 1 else entry.name): entry for entry in entries}
    if len(named) < len(entries):
        named = {entry.name: entry for entry in entries}
    return {check_dataset_name(key): Dataset(path=entry) for key, entry in named.items()}, notes


def _entries(folder: Path) -> tuple[list[Path], list[str]]:
    """What a folder holds in natural order, without what is hidden or leads out of it, and a note on that."""
    try:
        seen = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot look into {_short(folder)}: {error.strerror}") from error
    inside: list[Path] = []
    outside: list[Path] = []
    for entry in sorted(seen, key=lambda entry: natural_key(entry.name)):
        leads_out = entry.is_symlink() and not entry.resolve().is_relative_to(folder.resolve())
        (outside if leads_out else inside).append(entry)
    names = listed([entry.name for entry in outside])
    return inside, [f"not used, a link that leads out of {_short(folder)}: {names}"] if outside else []


def _stem(entry: Path) -> str:
    return entry.name if entry.is_dir() else entry.stem


def _summary(root: Path, node_ids: list[str], datasets: dict[str, dict[str, Dataset]]) -> str:
    holders = Counter(name for held in datasets.values() for name in held)
    everywhere = [name for name, nodes in holders.items() if nodes == len(node_ids)]
    partly = [
        f"{shorten(name, 24)} on {nodes}" for name, nodes in holders.most_common() if nodes < len(node_ids)
    ]
    parts = [f"{listed(everywhere)} on each node"] * bool(everywhere) + [listed(partly)] * bool(partly)
    return f"{count(len(node_ids), 'node')} · {_short(root)}: {'; '.join(parts) or 'no data'}"


def _short(path: Path) -> str:
    return shorten(path.name or str(path), 40)
