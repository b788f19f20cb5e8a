"""A script travels with its folder, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from manta_nb.compat.swarm_learning import folder
from manta_nb.compat.swarm_learning.folder import Program, read_program
from manta_nb.errors import PackageError


def write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}")
    return root


def test_the_whole_folder_travels(tmp_path: Path) -> None:
    """With what the script imports and reads, in folders of any depth."""
    write(tmp_path, "train.py", "parts/net.py", "config.json")
    program = read_program(tmp_path / "train.py")

    assert program.script == "train.py"
    assert set(program.files) == {"train.py", "parts/net.py", "config.json"}


def test_caches_environments_and_the_nodes_data_stay(tmp_path: Path) -> None:
    """They are no part of a model directory."""
    write(
        tmp_path,
        "train.py",
        ".git/config",
        "__pycache__/a.pyc",
        "shares/node_0/x.npz",
        "my/pyvenv.cfg",
        "my/a.py",
    )
    program = read_program(tmp_path / "train.py", without=tmp_path / "shares")

    assert set(program.files) == {"train.py"}


def test_another_folder_can_be_the_model_directory(tmp_path: Path) -> None:
    """The script is put into it where it lies elsewhere."""
    write(tmp_path, "train.py", "other/net.py")
    program = read_program(tmp_path / "train.py", model_dir=tmp_path / "other")

    assert set(program.files) == {"train.py", "net.py"}


def test_a_program_is_the_same_after_its_travel(tmp_path: Path) -> None:
    """Files, what may be run, and the checksum."""
    write(tmp_path, "train.py", "a/run.sh")
    (tmp_path / "a/run.sh").chmod(0o755)
    program = Program.of(read_program(tmp_path / "train.py").as_value())
    program.unpack(tmp_path / "copy")

    assert (tmp_path / "copy/train.py").read_text() == "# train.py"
    assert (tmp_path / "copy/a/run.sh").stat().st_mode & 0o100
    assert read_program(tmp_path / "copy/train.py").checksum == program.checksum


def test_links_that_lead_out_stay(tmp_path: Path) -> None:
    """What they lead to belongs to somebody else; a link to a file inside is a file."""
    write(tmp_path, "mine/train.py", "mine/env/__init__.py", "other/secret.txt")
    (tmp_path / "mine/secret.txt").symlink_to(tmp_path / "other/secret.txt")
    (tmp_path / "mine/folder").symlink_to(tmp_path / "other")
    (tmp_path / "mine/again.py").symlink_to(tmp_path / "mine/train.py")
    program = read_program(tmp_path / "mine/train.py")

    assert set(program.files) == {"train.py", "env/__init__.py", "again.py"}
    assert program.left_out == ("folder", "secret.txt")


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "a/../../out.py", ""])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    """A path that leads out of the folder is refused."""
    with pytest.raises(PackageError, match="leads out"):
        Program("train.py", {name: b""}).unpack(tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


def test_a_disk_is_no_model_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that holds too much is told, with what to do."""
    monkeypatch.setattr(folder, "MOST_BYTES", 20)
    write(tmp_path, "train.py", "a/long/name/of/a/file.txt")

    with pytest.raises(PackageError, match="put the script into a folder of its own"):
        read_program(tmp_path / "train.py")


def test_a_script_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(PackageError, match=r"there is no script .*train\.py"):
        read_program(tmp_path / "train.py")
