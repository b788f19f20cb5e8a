"""`Local`: the datasets of the node a task runs on, and nothing else of its disk."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np

from manta_nb.errors import DataError
from manta_nb.sdk.context import Dataset, TaskContext
from manta_nb.sdk.npz import Npz

__all__ = ["Arrays", "Local"]


class Arrays(Mapping[str, np.ndarray]):
    """The arrays of a dataset by key, opened when they are asked for; like the object `numpy.load` gives."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    @property
    def files(self) -> list[str]:
        """The keys."""
        return list(self._files)

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self._files:
            raise KeyError(f"{key!r} is not in this dataset; there are: {', '.join(self._files)}")
        # copy-on-write: writable for the task, never written back
        return np.asarray(np.load(self._files[key], mmap_mode="c", allow_pickle=False))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __enter__(self) -> Arrays:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing to close; here for programs written for `numpy.load`."""


class Local:
    """A node's own data: `self.local.get_numpy_data("digits")["x_train"]`.

    A name is a dataset's name, or its file name with or without suffix.
    Inside a folder dataset it goes on: `"images/cat/1.png"`. Nothing outside the datasets can be opened.
    """

    def __init__(self, context: TaskContext) -> None:
        self._node_id = context.node_id
        self._datasets = context.datasets
        self._host = context.host
        self._folder = context.folder
        self._live = context.live

    @property
    def state(self) -> MutableMapping[str, Any]:
        """What this node keeps for itself from iteration to iteration; committed with the iteration."""
        return self._host.state

    @property
    def live(self) -> MutableMapping[str, Any]:
        """Objects that the process of this node keeps between its turns in this run: a program, an open file.

        Any task of the run finds on this node what another left. Nothing of it is stored, or travels, or is rolled
        back; it is empty again when the process was replaced: the node was killed, a turn ran out of time, the run
        was resumed, or the module has `isolate=True`. What cannot be made anew belongs in `state` or `folder`.

        Example:
            >>> if "program" not in self.local.live:
            ...     self.local.live["program"] = subprocess.Popen(["python", "serve.py"])
        """
        return self._live

    @property
    def folder(self) -> Path:
        """A folder of this node for this run: files in it stay from iteration to iteration, as they were left.

        Unlike `state` they are not rolled back when an iteration is given up. It is kept with the run.
        """
        if self._folder is None:
            raise DataError(f"{self._node_id} has no folder for files in this run: use local.state")
        folder = Path(self._folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def get_numpy_data(self, name: str) -> Any:
        """The arrays of a dataset by key (`.npz`, partitioned sets), or one array (`.npy`)."""
        found = self._find(name)
        if isinstance(found, Arrays):
            return found
        try:
            return Npz(found) if found.suffix == ".npz" else np.load(found, allow_pickle=False)
        except (ValueError, OSError) as error:
            raise DataError(
                f"{name!r} on {self._node_id} is not a numpy file: {_first_line(error)}"
            ) from error

    def get_binary_data(self, name: str) -> io.BytesIO:
        """The whole file as a file object at its start; a partitioned set comes as an `.npz`."""
        found = self._find(name)
        if isinstance(found, Arrays):
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **{key: found[key] for key in found})
            buffer.seek(0)
            return buffer
        return io.BytesIO(self._read(found, name))

    def read_file_lines(
        self, name: str, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> io.StringIO:
        """A text file as a file object of lines (UTF-8 unless said otherwise)."""
        found = self._find(name)
        if isinstance(found, Arrays):
            raise DataError(
                f"{name!r} on {self._node_id} holds arrays, not text: use get_numpy_data({name!r})"
            )
        text = self._read(found, name).decode(encoding or "utf-8", errors or "strict")
        return io.StringIO(text, newline=newline if newline is not None else "\n")

    def list_dir(self, name: str = "") -> list[str]:
        """Names of the datasets, or of what lies in a folder dataset."""
        if name in ("", ".", "/"):
            return sorted(self._datasets)
        found = self._find(name)
        if isinstance(found, Arrays):
            return found.files
        if not found.is_dir():
            raise DataError(
                f"{name!r} on {self._node_id} is a file, not a folder: use get_binary_data({name!r})"
            )
        return sorted(entry.name for entry in found.iterdir() if not entry.name.startswith("."))

    def exists(self, name: str) -> bool:
        """Whether `name` can be opened on this node."""
        try:
            found = self._find(name)
        except DataError:
            return False
        return isinstance(found, Arrays) or found.exists()

    def _find(self, name: str) -> Path | Arrays:
        text = str(name)
        head, _, rest = text.partition("/")
        dataset = self._resolve(head)
        if dataset is None:
            raise DataError(self._unknown(text))
        if dataset.arrays is not None:
            if rest:
                raise DataError(f"{head!r} on {self._node_id} is a set of arrays; there is no {rest!r} in it")
            return Arrays(dataset.arrays)
        if dataset.path is None:
            raise DataError(f"dataset {head!r} of {self._node_id} has neither a path nor arrays")
        return _inside(dataset.path, rest, text)

    def _resolve(self, head: str) -> Dataset | None:
        if head in self._datasets:
            return self._datasets[head]
        for key, dataset in self._datasets.items():
            file_name = dataset.path.name if dataset.path else key
            if head in (file_name, Path(file_name).stem) or Path(head).stem == key:
                return dataset
        return None

    def _unknown(self, name: str) -> str:
        has = ", ".join(sorted(self._datasets)) or "no dataset at all"
        near = difflib.get_close_matches(name, list(self._datasets), n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        return f"no dataset {name[:60]!r} on {self._node_id}{guess}; it has: {has}"[:200]

    def _read(self, path: Path, name: str) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{name!r} on {self._node_id} cannot be read: {error.strerror}") from error


def _inside(root: Path, rest: str, name: str) -> Path:
    """`root/rest`, refused where it, or a link on the way, leads out of `root`."""
    if "\0" in rest or "\\" in rest or ".." in Path(rest).parts or Path(rest).is_absolute():
        raise DataError(f"{name!r} leads out of the node's dataset: give a path inside it")
    path = root / rest if rest else root
    if rest and not path.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{name!r} is a link that leads out of the node's dataset: give a path inside it")
    return path


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:100] if str(error) else type(error).__name__
