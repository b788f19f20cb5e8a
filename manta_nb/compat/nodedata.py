"""The datasets of a node as files in one folder, the way programs that open `../data/…` find them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from manta_nb.sdk.context import Dataset

__all__ = ["lay_out"]


def lay_out(folder: Path, datasets: Mapping[str, Dataset]) -> Path | None:
    """Make `folder` hold the datasets: links to files and folders, one `.npz` for arrays; None where there are none.

    Example:
        A node with the dataset `digits` of `--data digits` gets `folder/digits.npz`; one with the files of a
        subfolder gets these under their own names.
    """
    if not datasets:
        return None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, dataset in datasets.items():
        if dataset.path is not None:
            _link(folder / _file_name(name, dataset.path), dataset.path.absolute())
        elif dataset.arrays is not None:
            _write(folder / f"{name}.npz", dataset.arrays)
    return folder


def _file_name(name: str, path: Path) -> str:
    """Its own name, or, where the dataset was called otherwise, that one with the file's suffix."""
    if name in (path.name, path.stem):
        return path.name
    return name if path.is_dir() or Path(name).suffix == path.suffix else f"{name}{path.suffix}"


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() != target:
        # the session's folder is another one after a resume
        link.unlink()
    if not link.exists():
        link.symlink_to(target)


def _write(path: Path, arrays: Mapping[str, Path]) -> None:
    seen = {key: (file, file.stat()) for key, file in arrays.items()}
    came = json.dumps({key: [str(file), at.st_mtime_ns, at.st_size] for key, (file, at) in seen.items()})
    # beside the folder that programs see
    source = path.parent.with_name(f".{path.name}.source")
    if path.exists() and source.exists() and source.read_text(encoding="utf-8") == came:
        return
    draft = path.with_suffix(".new")
    with draft.open("wb") as stream:
        np.savez(stream, **{key: np.load(file, mmap_mode="r") for key, file in arrays.items()})
    draft.replace(path)
    source.write_text(came, encoding="utf-8")
