"""`.npz` files of several nodes made into one."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfileobj

from manta_nb.data.pooling.arrays import Stored, join, rows_of, stored
from manta_nb.data.pooling.sameness import CHUNK, taken_once
from manta_nb.errors import DataError
from manta_nb.sdk.names import listed, shorten
from manta_nb.sdk.parse import one_line

__all__ = ["join_archives"]


def join_archives(paths: Mapping[str, Path], target: Path, shown: str) -> list[str]:
    """Put together the arrays of `.npz` files, key by key; what is the same on all nodes is taken once.

    Args:
        paths: node → its file.
        target: the file to write.
        shown: what the errors call the file.

    Returns:
        Notes on what was taken once, or of one node only.

    Raises:
        DataError: a file is no archive of arrays, or two arrays cannot be put together.
    """
    with ExitStack() as stack:
        arrays: dict[str, dict[str, Stored]] = {}
        for node, path in paths.items():
            for key, found in _members(path, f"{shown} of {node}", stack).items():
                arrays.setdefault(key, {})[node] = found
        rows = [rows_of(key, parts) for key, parts in arrays.items()]
        once = taken_once(rows)
        single = [key for key, parts in arrays.items() if not all(part.shape for part in parts.values())]
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for key, parts in arrays.items():
                with archive.open(f"{key}.npy", "w", force_zip64=True) as out:
                    if key in once or key in single:
                        with next(iter(parts.values())).open() as stream:
                            copyfileobj(stream, out, CHUNK)
                    else:
                        join(out, parts, f"{key} of {shown}")
    shared = [key for key in once if len(arrays[key]) > 1 and key not in single]
    differ = [each.name for each in rows if each.name in single and not each.same]
    notes = [f"{shown}: the same on all nodes, taken once: {listed(sorted(shared))}"] * bool(shared)
    return notes + [f"{shown}: one number a node, that of the first is taken: {listed(differ)}"] * bool(
        differ
    )


def _members(path: Path, shown: str, stack: ExitStack) -> dict[str, Stored]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise DataError(one_line(f"cannot read {shorten(shown, 100)}: it is no .npz file")) from error
    found = {}
    for info in archive.infolist():
        if info.filename.endswith(".npy"):
            key = info.filename.removesuffix(".npy")
            found[key] = stored(
                lambda info=info: archive.open(info),  # type: ignore[misc]
                info.file_size,
                (info.CRC, info.file_size),
                f"{key} in {shown}",
            )
    return found
