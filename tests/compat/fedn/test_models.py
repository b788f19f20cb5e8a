"""Models of packages: which helper, files into arrays and back, and what is wrong with a file or an update."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from manta_nb.compat.fedn.models.files import (
    as_model,
    check_like,
    find_helper,
    load_model,
    load_seed,
    save_model,
)
from manta_nb.errors import PackageError
from manta_nb.shims.fedn.utils.helpers import get_helper

LIST = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.array(7),
    np.zeros((0, 2)),
    np.asfortranarray(np.eye(3)),
]
DICT = {"fc1.weight": LIST[0], "bn.num_batches_tracked": LIST[1], "dense/kernel:0": LIST[2], "file": LIST[3]}


def same(found: object, expected: object) -> bool:
    """Whether two models have form, names, dtypes, shapes and numbers alike."""
    assert type(found) is type(expected)
    left, right = (
        list(each.items() if isinstance(each, dict) else enumerate(each)) for each in (found, expected)
    )
    return [(name, a.dtype, a.shape, a.tolist()) for name, a in left] == [
        (name, a.dtype, a.shape, a.tolist()) for name, a in right
    ]


# -- which helper -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "helper"),
    [
        ("HELPER_MODULE = 'kerashelper'\nhelper = get_helper(HELPER_MODULE)", "kerashelper"),
        ('helper = helpers.get_helper("binaryhelper")', "binaryhelper"),
        ('helper = get_helper(helper_module_name="binaryhelper")', "binaryhelper"),
        ("helper = get_helper('pytorch')", "pytorchhelper"),
        ("from fedn.utils.pytorchhelper import PytorchHelper", "pytorchhelper"),
        ("from fedn.utils.kerasweights import KerasWeightsHelper", "kerashelper"),
        ("from fedn.utils.helpers.plugins.androidhelper import Helper", "androidhelper"),
        ("# helper = get_helper('kerashelper')", "numpyhelper"),
        ("'''once upon a time there was a kerashelper'''", "numpyhelper"),
        ("print 'kerashelper'", "kerashelper"),
        ("#!/bin/sh\n# HELPER='kerashelper'\ntrue &&", "numpyhelper"),
        ("helper = get_helper(sys.argv[1])", "numpyhelper"),
        ("", "numpyhelper"),
    ],
)
def test_the_helper_is_found_in_the_text(text: str, helper: str):
    """The name of the helper is a text in the package, whatever way it is used; a comment does not count."""
    assert helper == find_helper({"fedn.yaml": "entry_points: {}", "entrypoint": text})


def test_what_is_called_counts_more_than_what_is_mentioned():
    """Of two names, the one that get_helper is called with is the helper."""
    sources = {"a.py": "OTHER = 'kerashelper'", "b.py": "NAME = 'binaryhelper'\nh = get_helper(NAME)"}

    assert "binaryhelper" == find_helper(sources)


def test_a_helper_of_the_package_is_found_by_its_file():
    """A package's own helper is known by the file it brings along."""
    text = "helper = get_helper('lovelyhelper')"

    assert "lovelyhelper" == find_helper({"train.py": text, "lovelyhelper.py": "class Helper: ..."})
    assert "numpyhelper" == find_helper({"train.py": text})


# -- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", [LIST, DICT, LIST * 6, [], {}], ids=["list", "dict", "long", "empty", "no names"]
)
def test_a_model_comes_back_as_it_was(model: list[np.ndarray], tmp_path: Path):
    """What is saved is loaded, with names, order, dtypes and shapes; arrays can be written to."""
    save_model(model, tmp_path / "model.out", "numpyhelper")
    found = load_model(tmp_path / "model.out", "numpyhelper")

    assert same(found, model or [])
    assert all(array.flags.writeable for array in (found.values() if isinstance(found, dict) else found))


@pytest.mark.parametrize(
    ("helper", "model"),
    [
        ("numpyhelper", LIST),
        ("numpyhelper", DICT),
        ("kerashelper", LIST),
        ("pytorchhelper", DICT),
        ("splitlearninghelper", {"1": np.ones(2)}),
        ("binaryhelper", [np.array([1.0, 2.0])]),
        ("androidhelper", [np.array([1.0, 2.0], np.float32)]),
        ("numpyarrayhelper", [np.array([[1.0, 2.0]]).repeat(2, 0)]),
    ],
)
def test_programs_and_manta_read_each_other(helper: str, model: list[np.ndarray], tmp_path: Path):
    """What manta_nb saves, the helper of a program loads and saves, and manta_nb loads again."""
    save_model(model, tmp_path / "in.npz", helper)
    theirs = get_helper(helper)
    theirs.save(theirs.load(str(tmp_path / "in.npz")), str(tmp_path / "out.npz"))

    assert same(load_model(tmp_path / "out.npz", helper), model)


def test_names_of_a_file_stay(tmp_path: Path):
    """A program that reads with numpy itself finds the names that numpy gave."""
    np.savez_compressed(tmp_path / "in.npz", np.ones(2), np.ones(3))
    model = load_model(tmp_path / "in.npz", "numpyhelper")

    assert isinstance(model, dict)
    assert ["arr_0", "arr_1"] == list(model)


def test_the_order_of_a_list_is_that_of_its_numbers(tmp_path: Path):
    """Entries "1", "0" in a file are a list whose first array is "0"."""
    np.savez(tmp_path / "in.npz", **{"1": np.ones(1), "0": np.ones(2)})

    assert [2, 1] == [len(array) for array in load_model(tmp_path / "in.npz", "numpyhelper")]


def test_an_unknown_helper_may_write_npz(tmp_path: Path):
    """Files of a package's own helper are read where they are .npz files."""
    np.savez(tmp_path / "in.npz", w=np.ones(2))

    assert ["w"] == list(load_model(tmp_path / "in.npz", "lovelyhelper"))


def archive(path: Path, name: str, data: bytes, **claims: int) -> None:
    """A zip file with one member, whose directory claims what it likes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, data)
        for claim, value in claims.items():
            setattr(made.infolist()[0], claim, value)


def npy(shape: str = "(2,)", dtype: str = "<f8", data: bytes = bytes(16)) -> bytes:
    """An npy file whose header says what it likes."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def whole() -> bytes:
    """A file that is a model."""
    stream = io.BytesIO()
    np.savez(stream, np.arange(1000.0))
    return stream.getvalue()


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


#: what a file is instead of a model: how it is made, and what the error says
DAMAGES = {
    "missing": (lambda path: None, "No such file"),
    "empty": (Path.touch, "it is empty"),
    "text": (lambda path: path.write_text("hello"), "it is no .npz file, which the numpyhelper writes"),
    "half": (lambda path: path.write_bytes(whole()[:4000]), "the file is truncated or damaged"),
    "flipped": (
        lambda path: path.write_bytes(whole().replace(struct.pack("d", 500), struct.pack("d", 501))),
        "Bad CRC-32",
    ),
    "npy": (
        lambda path: path.write_bytes(saved(np.ones(3))),
        "it is a single array, of numpy.save: write it by helper.save",
    ),
    "torch": (
        lambda path: torch.save({"w": torch.ones(2)}, path),
        "torch.save wrote it: write it by helper.save",
    ),
    "zip": (lambda path: archive(path, "readme.txt", b"hello"), "it is a zip, but no .npz file"),
    "pickle": (
        lambda path: np.savez(path, np.array([{"a": 1}], dtype=object)),
        "its entry arr_0 holds pickled Python objects, which are not read",
    ),
    "bomb": (
        lambda path: archive(path, "0.npy", npy(), file_size=5 << 30),
        "its arrays take 5.4 GB or more, 4 at most",
    ),
    "liar": (lambda path: archive(path, "0.npy", npy(), file_size=1 << 30), "the size of 0.npy cannot be"),
    "short": (lambda path: archive(path, "0.npy", npy(), file_size=300), "truncated"),
    "shape": (lambda path: archive(path, "0.npy", npy("(1000000000000,)")), "truncated"),
    "header": (lambda path: archive(path, "0.npy", npy("exit()")), "the npy header cannot be read"),
    "locked": (lambda path: archive(path, "0.npy", npy(), flag_bits=1), "the file is damaged"),
    "folder": (Path.mkdir, "Is a directory"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_file_is_one_line(what: str, tmp_path: Path):
    """Whatever a file is instead of a model, the error names it and says why, on one line, and nothing is unpickled."""
    make, text = DAMAGES[what]
    make(tmp_path / "out.npz")

    with pytest.raises(PackageError) as caught:
        load_model(tmp_path / "out.npz", "numpyhelper")
    assert str(caught.value).startswith("out.npz cannot be read as a model: ")
    assert text in str(caught.value)
    assert len(str(caught.value)) <= 200


def test_rows_of_numbers_have_whole_numbers(tmp_path: Path):
    """A file of the binaryhelper whose length is no multiple of 8, and a text that holds words, are refused."""
    (tmp_path / "out").write_bytes(b"12345")

    with pytest.raises(PackageError, match="5 bytes are no row of 8-byte numbers"):
        load_model(tmp_path / "out", "binaryhelper")
    (tmp_path / "out").write_text("one two")
    with pytest.raises(PackageError, match="could not convert"):
        load_model(tmp_path / "out", "numpyarrayhelper")


def test_a_text_file_holds_one_array(tmp_path: Path):
    """The numpyarrayhelper cannot hold two arrays."""
    with pytest.raises(PackageError, match="holds one array of 1 or 2 dimensions, not a model of 2"):
        save_model([np.ones(1), np.ones(2)], tmp_path / "out", "numpyarrayhelper")


# -- seeds ------------------------------------------------------------------------------------------------------


def test_a_seed_is_loaded(tmp_path: Path):
    """A seed model of any path is a model."""
    np.savez_compressed(tmp_path / "seed model é.npz", w=np.ones(2))

    assert ["w"] == list(load_seed(str(tmp_path / "seed model é.npz"), "numpyhelper"))


@pytest.mark.parametrize("what", DAMAGES)
def test_a_seed_that_cannot_be_loaded_is_one_line(what: str, tmp_path: Path):
    """The error says that it is the seed, which file, and why."""
    DAMAGES[what][0](tmp_path / "seed.npz")

    with pytest.raises(PackageError, match=r"^the seed model .*seed\.npz") as caught:
        load_seed(tmp_path / "seed.npz", "numpyhelper")
    assert len(str(caught.value)) <= 200


def test_a_seed_of_texts_is_refused(tmp_path: Path):
    """What FEDn's own numpyhelper makes of a dict, the names of its keys, is no model."""
    np.savez(tmp_path / "seed.npz", **{"0": np.array("fc1.weight")})

    with pytest.raises(PackageError, match=r"the seed model: array 0 holds no numbers, its dtype is <U10"):
        load_seed(tmp_path / "seed.npz", "numpyhelper")


# -- updates ----------------------------------------------------------------------------------------------------


def test_an_update_like_the_model_passes():
    """Order of names and dtypes may differ."""
    check_like(DICT, DICT, "train on node_1")
    check_like(
        {"b": np.ones(1, np.float32), "a": np.array(1.0)},
        {"a": np.array(1), "b": np.ones(1)},
        "train on node_1",
    )


@pytest.mark.parametrize(
    ("update", "model", "text"),
    [
        (
            {"fc1.weight": np.ones((10, 3))},
            {"fc1.weight": np.ones((10, 4))},
            "layer fc1.weight has shape (10, 3), the model's is (10, 4)",
        ),
        ({"a": np.ones(1)}, {"b": np.ones(1)}, "layer b is missing; it has a instead"),
        ({}, {"b": np.ones(1)}, "layer b is missing"),
        ({"a": np.ones(1), "b": np.ones(1)}, {"a": np.ones(1)}, "layer b is not in the model"),
        ([np.ones(1)], [np.ones(1)] * 2, "it has 1 arrays, the model has 2"),
        ([np.ones(1)], {"a": np.ones(1)}, "it is a list of 1 arrays, the model is 1 named arrays (a, …)"),
        ([np.array(["x"])], [np.ones(1)], "array 0 holds no numbers, its dtype is <U1"),
        ([np.ones(())], [np.ones(1)], "array 0 has shape (), the model's is (1,)"),
    ],
)
def test_an_update_unlike_the_model_names_the_array(update: object, model: object, text: str):
    """The first array that differs is named, with what it is and what the model's is."""
    with pytest.raises(PackageError) as caught:
        check_like(update, model, "train on node_1")  # type: ignore[arg-type]
    assert f"train on node_1: {text}" == str(caught.value)


def test_what_functions_return_becomes_a_model():
    """Tuples become lists, mappings dicts, tensors arrays; anything else is refused."""
    assert isinstance(as_model((1.0, 2.0), "it"), list)
    assert ["0"] == list(as_model({0: torch.ones(1)}, "it"))
    for wrong in (None, 3, "text", [{"a": 1}], [[1], [1, 2], {}]):
        with pytest.raises(PackageError, match="^it: it "):
            as_model(wrong, "it")
