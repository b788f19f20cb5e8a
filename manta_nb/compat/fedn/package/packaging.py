"""Making a package of a folder, as `fedn package create` does."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

from manta_nb.compat.fedn.package.archive import read_package
from manta_nb.compat.fedn.package.layout import SPEC_FILES, missing_spec
from manta_nb.compat.fedn.package.packing import pack
from manta_nb.errors import PackageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line

__all__ = ["create_package"]


def create_package(folder: Path | str, out: Path | str) -> str:
    """Write the package in `folder` to `out` (`.tgz`, `.tar.gz`; `.tar` uncompressed), without a top folder.

    The same files make the same bytes, whenever it is done; `.fednignore` is honoured; `out` is there whole or not
    at all.

    Returns:
        Its checksum: sha256 hex.

    Raises:
        PackageError: there is no `fedn.yaml` in `folder`, it is not a good one, or `out` cannot be written.

    Example:
        `create_package("client", "package.tgz")`
    """
    source, target = Path(folder).expanduser(), Path(out).expanduser()
    if source.is_dir() and not any((source / name).is_file() for name in SPEC_FILES):
        raise missing_spec(shorten(str(folder), 60), [entry.name for entry in source.iterdir()])
    if not source.is_dir():
        raise PackageError(one_line(f"{shorten(str(folder), 120)} is no folder: give the one with fedn.yaml"))
    members = read_package(source).members()
    if target.resolve().is_relative_to(source.resolve()):
        # the one made before is no part of the one made now
        members.pop(target.resolve().relative_to(source.resolve()).as_posix(), None)
    content = pack(members)
    # no time and no name in the header: gzip would put them there
    data = content if target.suffix == ".tar" else gzip.compress(content, mtime=0)
    draft = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        draft.write_bytes(data)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PackageError(
            one_line(f"{shorten(str(out), 120)} cannot be written: {error.strerror}")
        ) from error
    return hashlib.sha256(data).hexdigest()
