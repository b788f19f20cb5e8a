"""Reading `.npz` files without numpy's check sums."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from manta_nb.sdk.npz import Npz

ARRAYS = {
    "x": np.arange(12, dtype=np.float32).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "scalar": np.array(7),
    "empty": np.zeros((0, 3), dtype=np.int16),
    "text": np.array(["cat", "dog"]),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_array_comes_back_as_it_was(tmp_path: Path, save: object) -> None:
    """Values, dtype, shape and layout are those of numpy.load, packed or not, and each array can be written to."""
    save(tmp_path / "a.npz", **ARRAYS)  # type: ignore[operator]

    with Npz(tmp_path / "a.npz") as read:
        assert sorted(read) == sorted(ARRAYS)
        for key, array in ARRAYS.items():
            assert read[key].dtype == array.dtype
            np.testing.assert_array_equal(read[key], array)
            assert read[key].flags.writeable
    assert read["fortran"].flags.f_contiguous
    assert read["x.npy"].shape == (3, 4)


def test_two_readers_do_not_share_an_array(tmp_path: Path) -> None:
    """What a task changes in its array, the next read does not see."""
    np.savez(tmp_path / "a.npz", **ARRAYS)
    read = Npz(tmp_path / "a.npz")

    read["x"][:] = -1

    np.testing.assert_array_equal(read["x"], ARRAYS["x"])


def test_an_unknown_key_names_those_there_are(tmp_path: Path) -> None:
    """A wrong key says which ones there are."""
    np.savez(tmp_path / "a.npz", x=np.ones(2))

    with pytest.raises(KeyError, match="there are: x"):
        Npz(tmp_path / "a.npz")["y"]


@pytest.mark.parametrize("keep", [0, 10, 200, 400])
def test_a_damaged_file_is_an_error(tmp_path: Path, keep: int) -> None:
    """A file that was cut raises an error that callers expect, never a wrong array."""
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(100.0))
    (tmp_path / "a.npz").write_bytes(buffer.getvalue()[:keep])

    with pytest.raises((ValueError, OSError)):
        Npz(tmp_path / "a.npz")["x"]


def test_objects_are_refused(tmp_path: Path) -> None:
    """An array of Python objects would need pickle."""
    np.savez(tmp_path / "a.npz", x=np.array([{}, 1], dtype=object))

    with pytest.raises(ValueError, match="allow_pickle"):
        Npz(tmp_path / "a.npz")["x"]
