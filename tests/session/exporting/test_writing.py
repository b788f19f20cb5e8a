"""Where the files of a run go, and what becomes of files that cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pytest

from manta_nb.errors import MantaError, StoreError, UsageError
from manta_nb.session.exporting import export, export_as
from manta_nb.session.exporting.files import replacing
from tests.session.fake_run import FakeRun


def test_several_files_at_once(tmp_path: Path) -> None:
    """The suffix says what each holds, in capitals, too; the answer names them."""
    told = export(FakeRun(), tmp_path / "a.HTML", str(tmp_path / "a.csv"), tmp_path / "a.npz")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.HTML", "a.csv", "a.npz"]
    assert [file.what for file in told.files] == ["report", "metrics", "Globals"]
    assert "fl is exported" in str(told) and str(tmp_path / "a.csv") in str(told)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Until the new one is complete, the old one is there; where it fails, the old one stays and nothing else."""
    path = tmp_path / "a.csv"
    path.write_text("before", encoding="utf-8")

    def write(file: BinaryIO) -> None:
        file.write(b"half")
        assert path.read_text(encoding="utf-8") == "before"
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left on device"), replacing(path) as file:
        write(file)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text(encoding="utf-8") == "before"


def test_nothing_is_written_where_one_file_cannot_be(tmp_path: Path) -> None:
    """All names are looked at before the first file is begun."""
    with pytest.raises(UsageError, match="there is no folder"):
        export(FakeRun(), tmp_path / "a.csv", tmp_path / "nowhere" / "a.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.cvs", "did you mean '.csv'"),
        ("a", ".html report"),
        ("a.pickle", ".npz Globals"),
        ("folder.csv", "is a folder"),
        ("n\x1bo\n.txt", "no known suffix"),
        ("x" * 300 + ".csv", "cannot write"),
    ],
)
def test_a_place_that_cannot_be_is_one_line(tmp_path: Path, name: str, said: str) -> None:
    """It says which, and what to give."""
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(MantaError) as told:
        export(FakeRun(), tmp_path / name)

    line = str(told.value)
    assert said in line and len(line) <= 200 and line.isprintable()


def test_a_file_must_hold_what_it_is_for(tmp_path: Path) -> None:
    """`--globals a.csv` is a mistake, and says which suffixes are for Globals."""
    with pytest.raises(UsageError, match="takes metrics: Globals go to .npz or .safetensors"):
        export_as(FakeRun(), [(tmp_path / "a.csv", "Globals")])


def test_without_a_file_it_says_how() -> None:
    """And which suffixes there are."""
    with pytest.raises(UsageError, match=r"fl\.html; it writes \.csv, \.parquet, \.npz"):
        export(FakeRun())


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the folder of the person, as a shell has it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    export(FakeRun(), "~/a.csv")

    assert (tmp_path / "a.csv").is_file()


def test_what_is_shown_is_escaped(tmp_path: Path) -> None:
    """The name of a run or file may be anything."""
    shown: Any = export(FakeRun(name="<b>x</b>"), tmp_path / "<i>.csv")

    assert "<b>x" not in shown._repr_html_() and "<i>" not in shown._repr_html_()
