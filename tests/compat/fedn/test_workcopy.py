"""A node's own copy of a package: what is where, what stays, and what a kill in between leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manta_nb.compat.fedn.package.archive import Package, read_package
from manta_nb.compat.fedn.rounds.workcopy import WorkCopy
from manta_nb.errors import PackageError
from tests.compat.fedn.packages import FILES, write_package


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return read_package(write_package(tmp_path / "client", FILES))


def prepare(root: Path, package: Package, **options: object) -> WorkCopy:
    return WorkCopy.prepare(root, package.checksum, lambda: package.content, **options)  # type: ignore[arg-type]


def test_the_files_of_the_package_are_in_the_working_directory(tmp_path: Path, package: Package) -> None:
    """Directly in it, and nothing else."""
    copy = prepare(tmp_path / "node", package)

    assert copy.folder == tmp_path / "node" / "cwd" / "run"
    assert {entry.name for entry in copy.folder.iterdir()} == {path.partition("/")[0] for path in FILES}


def test_data_and_settings_are_where_packages_look_for_them(tmp_path: Path, package: Package) -> None:
    """`../data/x`, `../../data/x`, `../client_settings.yaml` and `../../client_settings.yaml`, all from `run`."""
    (tmp_path / "my data").mkdir()
    (tmp_path / "my data" / "mnist.npz").write_text("numbers", encoding="utf-8")

    run = prepare(tmp_path / "node", package, settings=b"lr: 1\n", data=tmp_path / "my data").folder

    for up in ("..", "../.."):
        assert Path(f"{run}/{up}/data/mnist.npz").read_text(encoding="utf-8") == "numbers"
        assert Path(f"{run}/{up}/client_settings.yaml").read_bytes() == b"lr: 1\n"


def test_a_single_file_is_in_a_folder_called_data(tmp_path: Path, package: Package) -> None:
    """Under its own name."""
    (tmp_path / "mnist.npz").write_text("numbers", encoding="utf-8")

    run = prepare(tmp_path / "node", package, data=tmp_path / "mnist.npz").folder

    assert Path(f"{run}/../data/mnist.npz").read_text(encoding="utf-8") == "numbers"


def test_data_that_moved_is_found_where_it_is_now(tmp_path: Path, package: Package) -> None:
    """A run that goes on in another session has its data elsewhere."""
    for name in ("before", "now"):
        (tmp_path / name).mkdir()
        prepare(tmp_path / "node", package, data=tmp_path / name)

    assert (tmp_path / "node" / "cwd" / "data").readlink() == tmp_path / "now"


def test_data_that_is_not_there_is_said(tmp_path: Path, package: Package) -> None:
    """With the path."""
    with pytest.raises(PackageError, match="there is no data at .*nothing"):
        prepare(tmp_path / "node", package, data=tmp_path / "nothing")


def test_what_programs_write_stays_over_rounds(tmp_path: Path, package: Package) -> None:
    """State, changed files and changed settings; the content is not even asked for."""
    copy = prepare(tmp_path / "node", package, settings=b"lr: 1\n")
    (copy.folder / "privacy.state").write_text("spent", encoding="utf-8")
    (copy.folder / "model.py").write_text("changed", encoding="utf-8")
    (copy.folder.parent / "client_settings.yaml").write_text("lr: 2\n", encoding="utf-8")

    again = WorkCopy.prepare(
        tmp_path / "node", package.checksum, lambda: pytest.fail("it is there already"), settings=b"lr: 1\n"
    )

    assert (again.folder / "privacy.state").read_text(encoding="utf-8") == "spent"
    assert (again.folder / "model.py").read_text(encoding="utf-8") == "changed"
    assert (again.folder.parent / "client_settings.yaml").read_text(encoding="utf-8") == "lr: 2\n"


def test_a_copy_is_fresh_until_it_is_settled(tmp_path: Path, package: Package) -> None:
    """`startup` is called once for each copy, and again where the run was ended before that."""
    root = tmp_path / "node"

    assert prepare(root, package).fresh
    assert prepare(root, package).fresh
    prepare(root, package).settle()
    assert not prepare(root, package).fresh


def test_another_package_takes_the_place_of_the_copy(tmp_path: Path, package: Package) -> None:
    """Nothing of the one before is left, and it is fresh."""
    copy = prepare(tmp_path / "node", package)
    copy.settle()
    (copy.folder / "state").touch()
    other = read_package(write_package(tmp_path / "other", {"fedn.yaml": FILES["fedn.yaml"], "new.py": ""}))

    copy = prepare(tmp_path / "node", other)

    assert {entry.name for entry in copy.folder.iterdir()} == {"fedn.yaml", "new.py"}
    assert copy.fresh


def test_half_a_copy_is_made_anew(tmp_path: Path, package: Package) -> None:
    """As a kill while it unpacks leaves it: files under the name of the draft, and no whole copy."""
    draft = tmp_path / "node" / "cwd" / ".run.new"
    draft.mkdir(parents=True)
    (draft / "half.py").touch()

    copy = prepare(tmp_path / "node", package)

    assert {entry.name for entry in copy.folder.iterdir()} == {path.partition("/")[0] for path in FILES}
    assert not draft.exists()


def test_a_copy_that_nobody_called_whole_is_made_anew(tmp_path: Path, package: Package) -> None:
    """As a kill between two packages leaves it: the old one's files, of which some may be gone already."""
    copy = prepare(tmp_path / "node", package)
    (copy.folder / "old.py").touch()
    (copy.folder / "model.py").unlink()
    (copy.folder.parent / ".unpacked").unlink()

    copy = prepare(tmp_path / "node", package)

    assert {entry.name for entry in copy.folder.iterdir()} == {path.partition("/")[0] for path in FILES}


def test_content_that_cannot_be_had_leaves_no_copy(tmp_path: Path, package: Package) -> None:
    """The next call asks for it again."""
    with pytest.raises(KeyError):
        WorkCopy.prepare(tmp_path / "node", package.checksum, lambda: {}["gone"])

    assert prepare(tmp_path / "node", package).folder.is_dir()


@pytest.mark.parametrize(
    ("what", "out_name"), [("train", "out.npz"), ("validate", "out"), ("predict", "out")]
)
def test_the_files_of_a_call_are_private_and_go_with_it(
    what: str, out_name: str, tmp_path: Path, package: Package
) -> None:
    """Outside the package; OUT is there and empty, as in FEDn, and ends in `.npz` where it is a model."""
    copy = prepare(tmp_path / "node", package)

    with copy.paths(1, what) as (given, out), copy.paths(1, what) as (other, _):
        (given.parent / f"{out.name}-metadata").touch()

        assert given.is_absolute()
        assert (given.suffix, out.name, out.read_bytes()) == (".npz", out_name, b"")
        assert given.parent != other.parent
        assert not given.is_relative_to(copy.folder.parent)
        assert given.parent.stat().st_mode & 0o077 == 0

    assert list((tmp_path / "node" / "calls").iterdir()) == []


def test_the_files_of_a_failed_call_go_as_well(tmp_path: Path, package: Package) -> None:
    """Whatever happened."""
    copy = prepare(tmp_path / "node", package)

    with pytest.raises(KeyboardInterrupt), copy.paths(1, "train"):
        raise KeyboardInterrupt

    assert list((tmp_path / "node" / "calls").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, package: Package) -> None:
    """In one line, with the system's reason."""
    (tmp_path / "node").write_text("a file", encoding="utf-8")

    with pytest.raises(PackageError, match="no working copy can be made in .*node: "):
        prepare(tmp_path / "node", package)


def test_a_relative_folder_makes_absolute_paths(
    tmp_path: Path, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs run elsewhere."""
    monkeypatch.chdir(tmp_path)

    with prepare(Path("node"), package).paths(1, "train") as (given, _):
        assert os.path.isabs(given)
