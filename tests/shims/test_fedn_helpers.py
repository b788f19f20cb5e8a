"""The helpers of `fedn`: lists and dicts, tensors, files, metadata, and helpers that a package brings along."""

from __future__ import annotations

import io
import json
import math
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from manta_nb.shims.fedn.utils.helpers import (
    HelperBase,
    get_helper,
    load_metadata,
    plugins,
    save_metadata,
    save_metrics,
)
from manta_nb.shims.fedn.utils.kerashelper import KerasHelper
from manta_nb.shims.fedn.utils.numpyarrayhelper import NumpyArrayHelper
from manta_nb.shims.fedn.utils.pytorchhelper import PytorchHelper

ARRAYS = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.array(7),
    np.zeros((0, 2)),
    np.array([True, False]),
]


def same(found: object, expected: object) -> bool:
    """Whether two arrays have dtype, shape and numbers alike."""
    left, right = np.asarray(found), np.asarray(expected)
    return left.dtype == right.dtype and left.shape == right.shape and bool((left == right).all())


@pytest.mark.parametrize("name", ["numpyhelper", "kerashelper", "keras"])
def test_a_list_comes_back_as_a_list(name: str, tmp_path: Path):
    """Lists are written as "0", "1", … and come back in order, 0-d and integer arrays as they were."""
    helper = get_helper(name)
    path = str(tmp_path / "model.npz")

    assert path == helper.save(ARRAYS * 4, path)
    found = helper.load(path)

    assert isinstance(found, list)
    assert all(same(left, right) for left, right in zip(found, ARRAYS * 4, strict=True))
    assert [str(index) for index in range(16)] == np.load(path).files


def test_a_state_dict_comes_back_under_its_names(tmp_path: Path):
    """FEDn's own tutorial hands its dict of tensors to the numpyhelper: names and order stay, tensors become arrays."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    helper = get_helper("numpyhelper")
    found = helper.load(helper.save(model.state_dict(), str(tmp_path / "model.npz")))

    assert isinstance(found, OrderedDict)
    assert list(model.state_dict()) == list(found)
    assert same(found["1.num_batches_tracked"], np.array(0))
    model.load_state_dict({name: torch.tensor(array) for name, array in found.items()})


def test_names_that_numpy_stumbles_over(tmp_path: Path):
    """Entries may be called as numpy's own arguments are, or as files of folders."""
    model = {
        "file": np.ones(1),
        "allow_pickle": np.ones(2),
        "dense/kernel:0": np.ones(3),
        "a.npy": np.ones(4),
    }
    helper = get_helper("numpyhelper")
    found = helper.load(helper.save(model, str(tmp_path / "model.npz")))

    assert [(name, array.size) for name, array in model.items()] == [
        (name, array.size) for name, array in found.items()
    ]


def test_what_numpy_wrote_is_read(tmp_path: Path):
    """Files of `numpy.savez`, compressed or not, with or without names, are models."""
    np.savez(tmp_path / "a.npz", np.ones(1), np.ones(2))
    np.savez_compressed(tmp_path / "b.npz", w=np.ones(1))
    helper = get_helper("numpyhelper")

    assert [1, 2] == [array.size for array in helper.load(tmp_path / "a.npz")]
    assert ["w"] == list(helper.load(tmp_path / "b.npz"))


def test_a_path_gets_its_suffix_as_with_numpy(tmp_path: Path):
    """`.npz` is added where it is missing; without a path, a temporary file is made."""
    helper = get_helper("numpyhelper")
    helper.save([1.0], str(tmp_path / "seed"))
    made = helper.save([1.0])

    assert ["seed.npz"] == [path.name for path in tmp_path.iterdir()]
    assert [1.0] == helper.load(made)
    Path(made).unlink()


def test_open_files_are_models_too(tmp_path: Path):
    """Models are written to and read from open files."""
    stream = io.BytesIO()
    helper = get_helper("numpyhelper")
    helper.save([1.0, 2.0], stream)
    stream.seek(0)

    assert [1.0, 2.0] == helper.load(stream)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (torch.ones(2, requires_grad=True), "float32"),
        (torch.nn.Parameter(torch.ones(2)), "float32"),
        (torch.ones(2, dtype=torch.bfloat16), "float32"),
        (torch.ones(2, dtype=torch.int64), "int64"),
        ([1, 2], "int64"),
        (1.5, "float64"),
    ],
)
def test_tensors_and_numbers_become_arrays(value: object, dtype: str, tmp_path: Path):
    """Whatever holds numbers is taken: tensors that need a gradient, bfloat16, lists, plain numbers."""
    helper = get_helper("numpyhelper")

    assert dtype == helper.load(helper.save([value], str(tmp_path / "model.npz")))[0].dtype.name


def test_nothing_is_pickled(tmp_path: Path):
    """Objects are refused when they are written, and not unpickled when they are read."""
    helper = get_helper("numpyhelper")
    np.savez(tmp_path / "evil.npz", np.array([{"a": 1}], dtype=object))

    with pytest.raises(TypeError, match="entry '1' of the model holds Python objects"):
        helper.save([1.0, {"a": 1}], str(tmp_path / "model.npz"))
    with pytest.raises(ValueError, match="allow_pickle"):
        helper.load(tmp_path / "evil.npz")


def test_a_single_array_is_no_model(tmp_path: Path):
    """A file of `numpy.save` is refused in words."""
    np.save(tmp_path / "array.npy", np.ones(3))

    with pytest.raises(ValueError, match="a single array"):
        get_helper("numpyhelper").load(tmp_path / "array.npy")


def test_the_pytorchhelper_reads_dicts(tmp_path: Path):
    """What the pytorchhelper reads is always a dict, even where a list was written."""
    helper = get_helper("pytorchhelper")

    assert ["0", "1"] == list(helper.load(helper.save({"0": 1.0, "1": 2.0}, str(tmp_path / "model.npz"))))


@pytest.mark.parametrize("kind", [list, dict])
def test_arithmetic_is_for_lists_and_dicts(kind: type):
    """All operations take lists and dicts and give back what they took."""
    helper = get_helper("numpyhelper")

    def model(*numbers: float) -> object:
        arrays = [np.array([number, 2 * number]) for number in numbers]
        return arrays if kind is list else dict(zip("ab", arrays, strict=True))

    def first(found: object) -> list[float]:
        assert isinstance(found, kind)
        return [float(array[0]) for array in (found.values() if isinstance(found, dict) else found)]

    assert [2.0, 3.0] == first(helper.increment_average(model(1, 1), model(2, 3), 3, 3))
    assert [1.25, 1.5] == first(helper.increment_average(model(1, 1), model(2, 3), 1, 4))
    assert [1.5, 2.0] == first(helper.increment_average(model(1, 1), model(2, 3), 2))
    assert [5.0, 8.0] == first(helper.add(model(1, 2), model(3, 4), 2, 1))
    assert [-2.0, -2.0] == first(helper.subtract(model(1, 2), model(3, 4)))
    assert [0.5, 0.25] == first(helper.divide(model(1, 1), model(2, 4)))
    assert [3.0, 8.0] == first(helper.multiply(model(1, 2), model(3, 4)))
    assert [2.0, 6.0] == first(helper.multiply(model(1, 2), [2.0, 3.0]))
    assert [2.0, 3.0] == first(helper.sqrt(model(4, 9)))
    assert [16.0, 81.0] == first(helper.power(model(4, 9), 2))
    assert [-1.0, 1.0] == first(helper.sign(model(-4, 9)))
    assert [0.5, 0.5] == first(helper.ones(model(-4, 9), 0.5))
    assert 39.0 == helper.norm(model(-4, 9))
    with pytest.raises((ValueError, KeyError)):
        helper.add(model(1, 2), model(1))


def test_the_norm_takes_arrays_of_any_shape():
    """numpy has no 1-norm of a number or a cube; the sum of what they hold is taken."""
    assert 8.0 + 3.0 == get_helper("numpyhelper").norm([np.ones((2, 2, 2)), np.array(-3)])


def test_numbers_alone(tmp_path: Path):
    """The binaryhelper writes 8-byte floats, the androidhelper 4-byte floats, and both read what they wrote."""
    binary, android = get_helper("binaryhelper"), get_helper("androidhelper")
    binary.save([np.ones((2, 2), np.float32), np.array(3.0)], str(tmp_path / "model.bin"))
    android.save(np.array([0.5, 1.5]), str(tmp_path / "model"))

    assert 5 * 8 == (tmp_path / "model.bin").stat().st_size
    assert [1, 1, 1, 1, 3] == binary.load(str(tmp_path / "model.bin"))[0].tolist()
    assert [1, 1, 1, 1, 3] == binary.load(io.BytesIO((tmp_path / "model.bin").read_bytes()))[0].tolist()
    assert 2 * 4 == (tmp_path / "model").stat().st_size
    assert [0.5, 1.5] == android.load(str(tmp_path / "model")).tolist()
    assert [0.75, 1.0] == android.increment_average(np.array([0.5, 1.5]), np.array([1.0, 0.5]), 1, 2).tolist()
    with pytest.raises(ValueError, match="File type not supported"):
        get_helper("numpyhelper").save([1.0], "x", file_type="onnx")


def test_split_learning_merges(tmp_path: Path):
    """The splitlearninghelper keeps arrays by client, and joins them."""
    helper = get_helper("splitlearninghelper")
    helper.save({"one": torch.ones(2, 3)}, str(tmp_path / "embeddings"))

    assert (2, 3) == helper.load(str(tmp_path / "embeddings"))["one"].shape
    assert {"one": 1, "two": 2} == helper.increment_average({"one": 1}, {"two": 2})


@pytest.mark.parametrize("old", [KerasHelper, PytorchHelper])
def test_the_names_of_fedn_0_4(old: type, tmp_path: Path):
    """`save_model`, `load_model` and their relatives work on the helpers of FEDn 0.4."""
    helper = old()
    model = {"w": np.ones(2)} if old is PytorchHelper else [np.ones(2)]
    helper.save_model(model, str(tmp_path / "model.npz"))
    stream = helper.serialize_model_to_BytesIO(model)

    assert (
        model.keys() == helper.load_model(str(tmp_path / "model.npz")).keys()
        if isinstance(model, dict)
        else True
    )
    assert len(model) == len(helper.load_model_from_BytesIO(stream.getvalue()))


def test_text_files_of_numbers(tmp_path: Path):
    """The numpyarrayhelper writes one array as text."""
    helper = NumpyArrayHelper()
    helper.save_model(np.array([[1.5, 2.0], [3.0, 4.0]]), str(tmp_path / "model"))

    assert [[1.5, 2.0], [3.0, 4.0]] == helper.load_model(str(tmp_path / "model")).tolist()
    assert [1.5, 3.0] == helper.increment_average(np.array([1.0, 2.0]), np.array([2.0, 4.0]), 2).tolist()


def test_metadata_and_metrics_are_json(tmp_path: Path):
    """Numbers of numpy and torch, arrays, tuples and paths become JSON, as `json` would refuse them."""
    report = {
        "accuracy": torch.tensor(0.5),
        "loss": np.float32(0.25),
        "n": np.int64(3),
        np.int64(7): (1, {2}),
        "good": np.bool_(True),
        "curve": np.array([1.0, 2.0]),
        "where": Path("a"),
        "nan": math.nan,
    }
    save_metrics(report, tmp_path / "metrics")
    save_metadata({"num_examples": np.int32(3)}, str(tmp_path / "out.npz"))
    found = json.loads((tmp_path / "metrics").read_text())

    assert math.isnan(found.pop("nan"))
    assert {
        "accuracy": 0.5,
        "loss": 0.25,
        "n": 3,
        "7": [1, [2]],
        "good": True,
        "curve": [1.0, 2.0],
        "where": "a",
    } == found
    assert {"num_examples": 3} == load_metadata(tmp_path / "out.npz")
    assert (tmp_path / "out.npz-metadata").is_file()


def test_metrics_are_written_whole_or_not_at_all(tmp_path: Path):
    """What JSON cannot hold leaves no half file behind."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_metrics({"a": 1, "b": object()}, tmp_path / "metrics")

    assert [] == [*tmp_path.iterdir()]


def test_a_helper_beside_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package's own helper is the module of that name in the working directory."""
    (tmp_path / "lovelyhelper.py").write_text("class Helper:\n    name = 'lovely'\n")
    (tmp_path / "emptyhelper.py").write_text("")
    monkeypatch.chdir(tmp_path)

    assert "lovely" == get_helper("lovelyhelper").name
    with pytest.raises(AttributeError, match="emptyhelper .* has no class Helper"):
        get_helper("emptyhelper")


def test_a_helper_among_the_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package's own helper may be put where FEDn's are."""
    (tmp_path / "pluggedhelper.py").write_text(
        "from ..helperbase import HelperBase\nclass Helper(HelperBase):\n    pass\n"
    )
    monkeypatch.setattr(plugins, "__path__", [*plugins.__path__, str(tmp_path)])
    helper = get_helper("pluggedhelper")
    del sys.modules[type(helper).__module__]

    assert isinstance(helper, HelperBase)
    with pytest.raises(NotImplementedError, match="write save"):
        helper.save([1.0])


@pytest.mark.parametrize("name", ["tensorhelper", None, "../etc", "a.b"])
def test_an_unknown_helper_is_explained(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A helper that is nowhere is an error that lists those that are there."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="take one of androidhelper, .*numpyhelper"):
        get_helper(name)
