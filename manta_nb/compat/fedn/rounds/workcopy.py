"""A node's own copy of a package: where its programs run, round after round, with what they keep there.

```
<node>/cwd/run/        the files of the package, the working directory of every command
<node>/cwd/data        the node's data, which `../data/…` opens
<node>/data            the same for `../../data/…`
<node>/cwd/, <node>/   client_settings.yaml, where the package came with one
<node>/calls/          the files of a call, while it lasts
```
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from manta_nb.compat.fedn.package.layout import SETTINGS_FILE
from manta_nb.compat.fedn.package.packing import unpack
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["WorkCopy"]

#: entry points whose OUT is a model; that of the others has no suffix
_MODELS: Final = frozenset({"train", "build", "init_seed"})
#: beside `run`, so that the package does not see them
_UNPACKED, _SETTLED = ".unpacked", ".settled"


@dataclass(frozen=True)
class WorkCopy:
    """The copy of one node; made by `prepare`, and found again by it in every later round.

    Example:
        ```
        copy = WorkCopy.prepare(node_folder, package.checksum, lambda: package.content, data=Path("data"))
        with copy.paths(1, "train") as (model_in, model_out):
            ...  # write model_in, run the program in copy.folder, read model_out
        ```
    """

    #: the folder of the node: everything is below it
    root: Path

    @property
    def folder(self) -> Path:
        """The working directory of every command: the files of the package are directly in it."""
        return self.root / "cwd" / "run"

    @property
    def fresh(self) -> bool:
        """Whether nothing was called in it yet: `settle` has not been."""
        return not (self.root / "cwd" / _SETTLED).exists()

    def settle(self) -> None:
        """From now on it is not fresh, in later rounds and processes, too."""
        (self.root / "cwd" / _SETTLED).touch()

    @classmethod
    def prepare(
        cls,
        root: Path,
        checksum: str,
        content: Callable[[], bytes],
        *,
        settings: bytes | None = None,
        data: Path | None = None,
    ) -> Self:
        """Unpack the package into the node's folder, unless it is there; what programs wrote stays.

        Killed at any moment, it leaves nothing that the next call would take for a whole copy.

        Args:
            root: the folder of the node.
            checksum: which package it is; another one takes the place of the copy.
            content: gives its files (`Package.content`), where they are needed.
            settings: `client_settings.yaml`, where the package came with one.
            data: what `../data` shall be: a folder, or a file that shall be in it.

        Raises:
            PackageError: it cannot be unpacked, or `data` is not there.
        """
        copy = cls(root.absolute())
        above = copy.folder.parent
        try:
            above.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not copy._is(checksum):
                copy._renew(checksum, content())
            for place in (above, copy.root):
                if settings is not None:
                    _write_once(place / SETTINGS_FILE, settings)
                if data is not None:
                    _show(data.absolute(), place / "data")
        except OSError as error:
            where = shorten(str(copy.root), 80)
            raise PackageError(
                one_line(f"no working copy can be made in {where}: {error.strerror or error}")
            ) from error
        return copy

    @contextmanager
    def paths(self, number: int, what: str) -> Iterator[tuple[Path, Path]]:
        """IN and OUT of one call, in a folder of their own that goes with it.

        OUT is there and empty, as in FEDn. IN ends in `.npz`, as does an OUT that is a model: numpy would add it.

        Args:
            number: the round.
            what: the entry point.
        """
        calls = self.root / "calls"
        calls.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{number}-{what}-", dir=calls))
        try:
            out = folder / ("out.npz" if what in _MODELS else "out")
            out.touch()
            yield folder / "in.npz", out
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _is(self, checksum: str) -> bool:
        """Whether the copy is there, whole, and of that package."""
        marker = self.folder.parent / _UNPACKED
        return marker.is_file() and marker.read_text(encoding="utf-8") == checksum and self.folder.is_dir()

    def _renew(self, checksum: str, content: bytes) -> None:
        """A copy anew: the marker goes first and comes last, so that it never stands beside half a copy."""
        above = self.folder.parent
        for name in (_UNPACKED, _SETTLED):
            (above / name).unlink(missing_ok=True)
        draft = above / ".run.new"
        for folder in (draft, self.folder):
            if folder.exists():
                shutil.rmtree(folder)
        unpack(content, draft)
        draft.rename(self.folder)
        _write(above / _UNPACKED, checksum.encode())


def _show(data: Path, link: Path) -> None:
    """Make `link` the folder `data`, or a folder that has the file `data` in it."""
    if not data.exists():
        raise PackageError(
            one_line(f"there is no data at {shorten(str(data), 120)}: give a folder that exists")
        )
    if data.is_dir():
        _link(data, link)
    else:
        link.mkdir(mode=0o700, exist_ok=True)
        _link(data, link / data.name)


def _link(target: Path, link: Path) -> None:
    if link.is_symlink():
        if Path(os.readlink(link)) == target:
            return
        # another session: the same node has its data elsewhere
        link.unlink()
    if not link.exists():
        link.symlink_to(target, target_is_directory=target.is_dir())


def _write_once(path: Path, data: bytes) -> None:
    """A file that programs may have changed since is left as it is."""
    if not path.exists():
        _write(path, data)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(data)
    draft.replace(path)
