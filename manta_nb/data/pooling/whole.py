"""`pool`: the data folders of all nodes made into one."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from manta_nb.data.pooling.archives import join_archives
from manta_nb.data.pooling.arrays import join, of_file, rows_of
from manta_nb.data.pooling.sameness import Rows, alike, digest, taken_once
from manta_nb.data.pooling.tables import common_header, join_tables, read_head, rows_below
from manta_nb.data.pooling.tree import files_of
from manta_nb.errors import DataError
from manta_nb.sdk.names import listed, natural_key, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["pool"]

_TABLES: Final = (".csv", ".tsv")
_SAME: Final = "the same on all nodes, taken once"
#: node → where its file of a name lies
_Holders = Mapping[str, Path]
#: writes the file at a path
_Writer = Callable[[Path], None]


def pool(folders: Mapping[str, Path], target: Path) -> list[str]:
    """Make one data folder of those of all nodes, as if they had given their data to one place.

    * `.csv`: the rows one under the other, below one header; also without headers, where all rows are numbers;
    * `.npz`, `.npy`: the arrays one under the other, key by key. What is the same on all nodes is taken once, such
      as a common test set, but not labels that only happen to be alike;
    * other files, in subfolders too: those that are the same once; those that differ under one name side by side:
      `notes_node_1.txt`, in a subfolder `node_1_cat.png`.

    Nothing is unpickled, hidden files are left out, and no file is held in memory whole.

    Args:
        folders: node → its data folder. Its entries may be links, as a session lays them out.
        target: the folder to make; it must not be there, or be empty.

    Returns:
        Notes on what was decided, worth a line each.

    Raises:
        DataError: a link leads out of its dataset, arrays do not fit together, or a file cannot be read or written.

    Example:
        >>> pool({"node_0": Path("shares/node_0"), "node_1": Path("shares/node_1")}, Path("all"))
        ['mnist.npz: the same on all nodes, taken once: x_test, y_test']
    """
    _check_target(folders, target)
    found: dict[str, dict[str, Path]] = {}
    for node, folder in folders.items():
        for name, path in files_of(node, folder).items():
            found.setdefault(name, {})[node] = path
    _check_names(found)
    there = target.exists()
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _Pool(target).fill(found)
    except BaseException as error:
        if not there:
            shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, OSError | EOFError | zipfile.BadZipFile | zlib.error):
            why = getattr(error, "strerror", None) or str(error) or "a file is damaged"
            raise DataError(one_line(f"the data of the nodes cannot be put together: {why}")) from error
        raise


def _check_target(folders: Mapping[str, Path], target: Path) -> None:
    shown = shorten(str(target), 80)
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise DataError(one_line(f"{shown} is there already: give a folder that is new or empty"))
    real = target.resolve()
    for node, folder in folders.items():
        if real.is_relative_to(folder.resolve()):
            raise DataError(one_line(f"{shown} lies in the data of {shorten(node, 40)}: give another folder"))


def _check_names(found: Mapping[str, _Holders]) -> None:
    """Whether what is a file on one node is a folder on another."""
    for name, holders in found.items():
        for parent in PurePosixPath(name).parents:
            if others := found.get(str(parent)):
                one, other = next(iter(others)), next(iter(holders))
                told = f"{shorten(str(parent), 60)} is a file on {shorten(one, 40)}, a folder on {shorten(other, 40)}"
                raise DataError(one_line(f"{told}: rename one of them"))


class _Pool:
    """A folder that is being filled."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._notes: list[str] = []
        #: folder → names that differ between the nodes
        self._apart: dict[str, list[str]] = {}

    def fill(self, found: Mapping[str, _Holders]) -> list[str]:
        """Write all files; returns the notes."""
        taken = set(found)
        folders: dict[str, dict[str, _Holders]] = {}
        for name, holders in found.items():
            folders.setdefault(str(PurePosixPath(name).parent), {})[name] = holders
        for folder in sorted(folders, key=natural_key):
            (self._target / folder).mkdir(parents=True, exist_ok=True)
            for name in self._joined(folders[folder]):
                self._beside(name, folders[folder][name], taken)
        for folder, names in self._apart.items():
            place = "" if folder == "." else f"{shorten(folder, 60)}: "
            self._notes.append(
                f"{place}kept once a node, as they differ under one name: {listed([*map(_base, names)])}"
            )
        return [one_line(note) for note in self._notes]

    def _joined(self, files: Mapping[str, _Holders]) -> list[str]:
        """Write what can be put together, and what is the same everywhere; returns the names of the rest."""
        rest: list[str] = []
        writers: dict[str, _Writer] = {}
        rows: list[Rows] = []
        for name, holders in files.items():
            suffix, path = PurePosixPath(name).suffix.lower(), self._target / name
            joined = len(holders) > 1 and suffix in (*_TABLES, ".npy")
            writer = self._rows(name, holders, rows) if joined else None
            if writer is not None:
                writers[name] = writer
            elif len(holders) == 1 or alike(holders.values()):
                shutil.copyfile(next(iter(holders.values())), path)
                self._notes += [f"{name}: {_SAME}"] * (suffix == ".npz" and len(holders) > 1)
            elif suffix == ".npz":
                self._notes += join_archives(holders, path, name)
            else:
                rest.append(name)
        once = taken_once(rows)
        for name, writer in writers.items():
            if name in once:
                shutil.copyfile(next(iter(files[name].values())), self._target / name)
            else:
                writer(self._target / name)
        self._notes += [f"{name}: {_SAME}" for name in sorted(once, key=natural_key)]
        return rest

    def _rows(self, name: str, holders: _Holders, rows: list[Rows]) -> _Writer | None:
        """How to put together a table or an array, noted in `rows`; None where it is none that could be."""
        if PurePosixPath(name).suffix.lower() == ".npy":
            parts = {node: of_file(path, f"{name} of {node}") for node, path in holders.items()}
            if not all(part.shape for part in parts.values()):
                return None
            rows.append(rows_of(name, parts))
            return partial(_write, lambda out: join(out, parts, name))
        heads = {node: head for node, path in holders.items() if (head := read_head(path)) is not None}
        headed = common_header(heads) if len(heads) == len(holders) else None
        if headed is None:
            return None
        counts = {node: rows_below(head, headed) for node, head in heads.items()}
        rows.append(Rows(name, counts, alike(holders.values())))
        return partial(_write, lambda out: join_tables(out, heads, headed))

    def _beside(self, name: str, holders: _Holders, taken: set[str]) -> None:
        """Write the files of a name side by side, each content once."""
        written: set[bytes] = set()
        for node, path in holders.items():
            content = digest(path.open("rb"))
            if content not in written:
                written.add(content)
                free = _free(name, node, taken)
                taken.add(free)
                shutil.copyfile(path, self._target / free)
        self._apart.setdefault(str(PurePosixPath(name).parent), []).append(name)


def _free(name: str, node: str, taken: set[str]) -> str:
    """`notes_node_1.txt`, or in a subfolder `node_1_cat.png`; with more `_` where that is taken."""
    path, gap = PurePosixPath(name), "_"
    while True:
        inside = path.parent != PurePosixPath(".")
        made = f"{node}{gap}{path.name}" if inside else f"{path.stem}{gap}{node}{path.suffix}"
        if (found := str(path.parent / made)) not in taken:
            return found
        gap += "_"


def _base(name: str) -> str:
    return PurePosixPath(name).name


def _write(writer: Callable[..., None], path: Path) -> None:
    with path.open("xb") as out:
        writer(out)
