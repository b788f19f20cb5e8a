"""Globals as arrays in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

from manta_nb.errors import StoreError
from manta_nb.sdk.bytes import dict_to_bytes, numpy_to_bytes
from manta_nb.session.exporting import Exported, export
from manta_nb.session.views import GlobalInfo, GlobalsView
from tests.session.fake_run import FakeRun

HOSTILE = "../../etc/passwd"


def run(values: Mapping[str, Any]) -> FakeRun:
    view = GlobalsView(values.__getitem__, lambda: {tag: GlobalInfo(None, 1) for tag in values})
    return FakeRun(globals=view)


def npz(tmp_path: Path, values: Mapping[str, Any]) -> tuple[dict[str, Any], Exported]:
    """The arrays as numpy reads them, without pickle, and what was said."""
    told = export(run(values), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        return dict(file), told


def test_entries_of_a_dict_have_names(tmp_path: Path) -> None:
    """Flat keys `tag`, or `tag/key/…`; a list of arrays is numbered, a list of numbers is one array."""
    found, told = npz(
        tmp_path,
        {
            "w": np.eye(2),
            "model": {"fc": {"bias": np.zeros(3)}, 1: [np.ones(1), np.ones(2)]},
            "sizes": [64, 10],
        },
    )

    assert list(found) == ["w", "model/fc/bias", "model/1/0", "model/1/1", "sizes"]
    assert found["model/1/1"].shape == (2,) and found["sizes"].tolist() == [64, 10]
    assert told.files[0].left_out == ()


def test_values_come_back_equal(tmp_path: Path) -> None:
    """Dtype, order, NaN and shape; numbers and texts are arrays without a shape."""
    values = {
        "half": np.array([1, np.nan, np.inf], np.float16),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.array([1.5], ">f8"),
        "flag": True,
        "many": 2**63 - 1,
        "lr": 0.1,
        "scalar": np.float32(0.5),
        "name": "Élève",
        "empty": np.zeros((0, 3)),
    }
    found, _ = npz(tmp_path, values)

    for tag, value in values.items():
        assert found[tag].dtype == np.asarray(value).dtype and found[tag].shape == np.shape(value)
        np.testing.assert_array_equal(found[tag], value)


def test_bytes_are_opened(tmp_path: Path) -> None:
    """Those of `numpy_to_bytes` are arrays, those of `dict_to_bytes` dicts of them; so are tensors."""
    found, _ = npz(
        tmp_path,
        {
            "model": numpy_to_bytes({"w": np.arange(3.0)}),
            "packed": dict_to_bytes({"lr": 0.1, "w": np.ones(2)}),
            "tensor": torch.ones(2, dtype=torch.bfloat16),
        },
    )

    assert found["model/w"].tolist() == [0, 1, 2]
    assert found["packed/lr"] == 0.1 and found["packed/w"].tolist() == [1, 1]
    assert found["tensor"].dtype == np.float32


def test_what_is_no_array_is_left_out_by_name(tmp_path: Path) -> None:
    """Nothing is pickled: other bytes, None, ints of any size and texts that numpy would change are told."""
    found, told = npz(
        tmp_path, {"a": 1.0, "opt": {"state": b"\x80\x04", "none": None}, "n": 2**70, "t": "x\0"}
    )

    assert list(found) == ["a"]
    assert [line.partition(":")[0] for line in told.files[0].left_out] == ["opt/state", "opt/none", "n", "t"]
    assert "a.npz is without 4 values: opt/state: bytes, 2 B; opt/none: None" in str(told)


def test_two_values_of_one_name_are_told(tmp_path: Path) -> None:
    """`a/b` may be a tag, too; the first one stays."""
    found, told = npz(tmp_path, {"a": {"b": 1}, "a/b": 2})

    assert found["a/b"] == 1 and "a/b: a/b is the name of two values" in told.files[0].left_out[0]


def test_names_may_be_anything(tmp_path: Path) -> None:
    """Words of numpy's own, paths and halves of characters do no harm."""
    found, _ = npz(tmp_path, {"file": 1, "allow_pickle": 2, HOSTILE: 3, "half\ud800": 4})

    assert sorted(int(value) for value in found.values()) == [1, 2, 3, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_global_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The others are written."""

    def read(tag: str) -> Any:
        if tag == "gone":
            raise StoreError("the value of 'gone' is damaged")
        return 1.0

    tags = {tag: GlobalInfo(None, 1) for tag in ("gone", "lr")}
    told = export(FakeRun(globals=GlobalsView(read, lambda: tags)), tmp_path / "a.npz")

    assert told.files[0].left_out == ("gone: the value of 'gone' is damaged",)


def test_safetensors_holds_arrays_and_the_rest_as_json(tmp_path: Path) -> None:
    """In any order of memory; texts, None and large ints stand in the metadata, with what the run is."""
    path = tmp_path / "a.safetensors"
    values = {
        "w": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "swapped": np.array([1.5, 2.5], ">f4"),
        "lr": 0.1,
        "name": "Élève",
        "none": None,
        "n": 2**70,
        "raw": b"\x80",
        "when": np.datetime64("2026-01-01"),
    }
    told = export(run(values), path)
    arrays = load_file(path)
    with safe_open(path, "numpy") as file:
        notes = file.metadata()

    np.testing.assert_array_equal(arrays["w"], values["w"])
    assert arrays["swapped"].tolist() == [1.5, 2.5] and arrays["lr"].shape == ()
    assert {key: json.loads(notes[key]) for key in ("name", "none", "n")} == {
        "name": "Élève",
        "none": None,
        "n": 2**70,
    }
    assert notes["manta_nb.run_id"] == "3f2a9c01" and notes["manta_nb.seed"] == "7"
    assert [line.partition(":")[0] for line in told.files[0].left_out] == ["raw", "when"]


@pytest.mark.parametrize("dtype", "?bhilqBHILQefdFD")
def test_safetensors_takes_every_number(tmp_path: Path, dtype: str) -> None:
    """Or it is told that it does not."""
    told = export(run({"x": np.ones(2, dtype)}), tmp_path / "a.safetensors")

    assert told.files[0].left_out or load_file(tmp_path / "a.safetensors")["x"].dtype == np.dtype(dtype)
