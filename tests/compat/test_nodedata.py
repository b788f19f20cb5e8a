"""The datasets of a node as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from manta_nb.compat.nodedata import lay_out
from manta_nb.sdk.context import Dataset


def test_no_data_no_folder(tmp_path: Path) -> None:
    """A node without datasets has no such folder."""
    assert lay_out(tmp_path / "data", {}) is None
    assert not (tmp_path / "data").exists()


def test_files_keep_their_names(tmp_path: Path) -> None:
    """A dataset is found under the name its file has; called otherwise, under that name with the file's suffix."""
    (tmp_path / "a.pt").write_text("a")
    (tmp_path / "b").mkdir()
    datasets = {
        "a": Dataset(tmp_path / "a.pt"),
        "mnist": Dataset(tmp_path / "a.pt"),
        "images": Dataset(tmp_path / "b"),
    }
    folder = lay_out(tmp_path / "data", datasets)

    assert folder is not None
    assert sorted(path.name for path in folder.iterdir()) == ["a.pt", "images", "mnist.pt"]
    assert (folder / "mnist.pt").read_text() == "a"


def test_arrays_become_one_file(tmp_path: Path) -> None:
    """The parts of a set that was split over the nodes are one `.npz`, made once."""
    np.save(tmp_path / "x.npy", np.arange(3))
    np.save(tmp_path / "y.npy", np.float32(2))
    datasets = {"digits": Dataset(arrays={"x_train": tmp_path / "x.npy", "y_train": tmp_path / "y.npy"})}
    folder = lay_out(tmp_path / "data", datasets)
    before = (tmp_path / "data" / "digits.npz").stat()
    lay_out(tmp_path / "data", datasets)

    assert folder is not None
    with np.load(folder / "digits.npz") as found:
        assert found["x_train"].tolist() == [0, 1, 2]
        assert found["y_train"].dtype == np.float32 and found["y_train"].shape == ()
    assert (folder / "digits.npz").stat().st_mtime_ns == before.st_mtime_ns


def test_a_session_that_lies_elsewhere(tmp_path: Path) -> None:
    """After a resume the datasets are in the folder of another session: links follow."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.pt").write_text(name)
        folder = lay_out(tmp_path / "data", {"a": Dataset(tmp_path / name / "a.pt")})

    assert folder is not None and (folder / "a.pt").read_text() == "two"


def test_other_arrays_replace_those_of_before(tmp_path: Path) -> None:
    """A run that goes on with other data finds them, not those of before."""
    for value in (1, 5):
        np.save(tmp_path / f"{value}.npy", np.full(3, value))
        lay_out(tmp_path / "data", {"digits": Dataset(arrays={"x": tmp_path / f"{value}.npy"})})

    with np.load(tmp_path / "data" / "digits.npz") as found:
        assert found["x"].tolist() == [5, 5, 5]
