"""Making a package of a folder."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from manta_nb.compat.fedn.package.archive import read_package
from manta_nb.compat.fedn.package.packaging import create_package
from manta_nb.errors import PackageError
from tests.compat.fedn.packages import FILES, write_package


def test_the_archive_is_flat_and_holds_what_belongs_to_the_package(tmp_path: Path) -> None:
    """As `fedn package create` makes it since 0.22: FEDn itself can unpack it; the checksum is that of the file."""
    folder = write_package(tmp_path / "client")

    checksum = create_package(folder, tmp_path / "package.tgz")

    assert checksum == hashlib.sha256((tmp_path / "package.tgz").read_bytes()).hexdigest()
    with tarfile.open(tmp_path / "package.tgz", "r:gz") as archive:
        assert sorted([*FILES, "again.py", "empty"]) == sorted(archive.getnames())
    assert read_package(tmp_path / "package.tgz", checksum).content == read_package(folder).content


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    """Not the time, not the owner and not the name of the archive are in it, nor one that was made before."""
    folder = write_package(tmp_path / "client")
    first = create_package(folder, folder / "package.tgz")
    os.utime(folder / "model.py", (0, 0))

    again = create_package(folder, folder / "package.tgz")

    (folder / "package.tgz").unlink()
    assert first == again == create_package(folder, tmp_path / "other.tgz")


def test_a_folder_without_fedn_yaml_makes_no_package(tmp_path: Path) -> None:
    """Not even one that has a package further below: what is packed is what was named."""
    write_package(tmp_path / "project" / "client")

    with pytest.raises(PackageError, match=r"project has no fedn.yaml: it has client"):
        create_package(tmp_path / "project", tmp_path / "p.tgz")
    with pytest.raises(PackageError, match="is no folder"):
        create_package(tmp_path / "nothing", tmp_path / "p.tgz")
    assert not (tmp_path / "p.tgz").exists()


def test_an_archive_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """One line that names the place."""
    folder = write_package(tmp_path / "client")

    with pytest.raises(PackageError, match="cannot be written"):
        create_package(folder, tmp_path / "missing" / "p.tgz")
    assert not (tmp_path / "missing").exists()
