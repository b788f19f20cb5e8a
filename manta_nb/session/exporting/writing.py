"""`export`: a run as one file or several, by their suffixes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from manta_nb.engine.wording import one_line
from manta_nb.errors import UsageError
from manta_nb.render import Card, Shown, plain
from manta_nb.sdk.names import did_you_mean, shorten
from manta_nb.sdk.refusal import size_text
from manta_nb.session.digest import RunLike
from manta_nb.session.exporting.arrays import write_npz, write_safetensors
from manta_nb.session.exporting.files import check_place, named, replacing
from manta_nb.session.exporting.report import write_html
from manta_nb.session.exporting.tables import write_csv, write_parquet

__all__ = ["KINDS", "Exported", "Written", "checked", "export", "export_as", "suffix_of"]

#: writes a run to a file; returns what it had to leave out, a line each
Writer = Callable[[RunLike, BinaryIO], list[str]]


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    #: what of a run it holds
    what: str
    write: Writer


#: suffix → what is written there
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        ".csv": Kind("metrics", write_csv),
        ".parquet": Kind("metrics", write_parquet),
        ".npz": Kind("Globals", write_npz),
        ".safetensors": Kind("Globals", write_safetensors),
        ".html": Kind("report", write_html),
    }
)


@dataclass(frozen=True)
class Written:
    """One file that was written."""

    path: Path
    #: `metrics`, `Globals` or `report`
    what: str
    nbytes: int
    #: what is not in it, a line each
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Exported(Shown):
    """The files of a run that were written."""

    run: str
    files: tuple[Written, ...]

    def __str__(self) -> str:
        return str(self._card())

    def _repr_html_(self) -> str:
        return self._card()._repr_html_()

    def _card(self) -> Card:
        lines = [f"{plain(file.path)} · {file.what}, {size_text(file.nbytes)}" for file in self.files]
        return Card(
            f"{plain(self.run)} is exported", [*lines, *(said for file in self.files for said in _left(file))]
        )


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix of a path that `export` knows; "" where it knows none."""
    suffix = Path(path).suffix.lower()
    return suffix if suffix in KINDS else ""


def export(run: RunLike, *paths: str | os.PathLike[str]) -> Exported:
    """Write a run to files; a file that is there already is replaced as a whole.

    Args:
        run: the run; one that goes on gives what is committed.
        paths: `.csv` and `.parquet` take the metrics, `.npz` and `.safetensors` the Globals, `.html` a report.

    Example:
        >>> export(fl, "fl.html", "fl.npz", "fl.csv")

    Raises:
        UsageError: a suffix says nothing, a folder is not there, a package is missing. StoreError: the disk is full.
    """
    if not paths:
        raise UsageError(
            f"export needs a file, such as {plain(run.name)[:40]}.html; it writes {', '.join(KINDS)}"
        )
    return export_as(run, [(path, "") for path in paths])


def export_as(run: RunLike, files: Sequence[tuple[str | os.PathLike[str], str]]) -> Exported:
    """As `export`; to each file it is said what it must hold: "metrics", "Globals" or "report" ("": anything)."""
    written = []
    for path, kind in checked(files):
        with replacing(path) as file:
            left = kind.write(run, file)
            nbytes = file.tell()
        written.append(Written(path, kind.what, nbytes, tuple(left)))
    return Exported(run.name, tuple(written))


def checked(files: Sequence[tuple[str | os.PathLike[str], str]]) -> list[tuple[Path, Kind]]:
    """What is going to be written where; see `export_as` for what is refused."""
    chosen = [(Path(path).expanduser(), _kind(path, what)) for path, what in files]
    for path, _ in chosen:
        check_place(path)
    return chosen


def _kind(path: str | os.PathLike[str], what: str) -> Kind:
    """What is written to a path."""
    if not (suffix := suffix_of(path)):
        hint = did_you_mean(Path(path).suffix, KINDS)
        known = "; ".join(f"{ending} {kind.what}" for ending, kind in KINDS.items())
        raise UsageError(one_line(f"{named(Path(path))}{hint} has no known suffix: {known}"))
    kind = KINDS[suffix]
    if what and kind.what != what:
        fits = " or ".join(ending for ending, each in KINDS.items() if each.what == what)
        raise UsageError(one_line(f"{named(Path(path))} takes {kind.what}: {what} go to {fits}"))
    return kind


def _left(file: Written) -> list[str]:
    """`fl.npz is without 2 values: opt: bytes, 1.2 kB`."""
    if not file.left_out:
        return []
    count = len(file.left_out)
    said = "; ".join(file.left_out[:5]) + (f"; and {count - 5} more" if count > 5 else "")
    return [shorten(f"{plain(file.path.name)} is without {count} value{'s' * (count > 1)}: {said}", 600)]
