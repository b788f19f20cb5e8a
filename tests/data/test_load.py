"""`load` gives float32 features and int64 labels, whatever the data come from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from manta_nb.data import load
from manta_nb.data.split import DataSplit
from manta_nb.errors import DataError

X = np.random.default_rng(0).random((50, 4))
Y = np.arange(50) % 3


class Pairs(Dataset[tuple[Any, int]]):
    """A map-style dataset of `(x, y)`, as torchvision's are."""

    def __len__(self) -> int:
        """Fifty samples."""
        return len(X)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """One sample."""
        return torch.tensor(X[index]), int(Y[index])


def sorted_rows(split: DataSplit) -> Any:
    """All features, train and test, in an order that does not depend on the cut."""
    return np.sort(np.concatenate([split.x_train, split.x_test]), axis=0)


@pytest.mark.parametrize(
    ("name", "train", "test", "labels"),
    [
        ("digits", (1437, 8, 8), (360, 8, 8), np.int64),
        ("breast_cancer", (455, 30), (114, 30), np.int64),
        ("wine", (142, 13), (36, 13), np.int64),
        ("diabetes", (353, 10), (89, 10), np.float32),
    ],
)
def test_bundled_sets(name: str, train: tuple[int], test: tuple[int], labels: type) -> None:
    """A bundled set is float32 within 0…1 with int64 classes, or float32 values to predict."""
    split = load(name)

    assert (split.name, split.x_train.shape, split.x_test.shape) == (name, train, test)
    assert {array.dtype for array in (split.x_train, split.x_test)} == {np.dtype(np.float32)}
    assert {array.dtype for array in (split.y_train, split.y_test)} == {np.dtype(labels)}
    assert split.x_train.min() == 0
    assert split.x_train.max() == 1
    assert split.x_test.min() >= 0
    assert split.x_test.max() <= 1


def test_loading_twice_gives_the_same() -> None:
    """The cut into train and test is the same each time, and the classes are mixed in both."""
    first, again = load("digits"), load("digits")

    assert np.array_equal(first.x_train, again.x_train)
    assert len(set(first.y_test[:60].tolist())) == 10
    x, y = first.test
    assert (x.shape, y.shape) == ((360, 8, 8), (360,))


def test_resize_scales_images() -> None:
    """Digits at 28 keep range and mean; at 8 they stay what they are."""
    small, large = load("digits"), load("digits", resize=28)

    assert large.x_train.shape == (1437, 28, 28)
    assert large.x_train.dtype == np.float32
    assert large.x_train.min() >= 0
    assert large.x_train.max() <= 1
    assert large.x_train.mean() == pytest.approx(small.x_train.mean(), rel=0.03)
    assert np.array_equal(load("digits", resize=8).x_train, small.x_train)


def test_every_source_gives_the_same_arrays(tmp_path: Path) -> None:
    """A file, a mapping, a tuple, a frame and a torch Dataset of the same data load alike."""
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(label=Y)
    frame.to_csv(tmp_path / "a.csv", index=False)
    torch.save({"x": torch.tensor(X), "y": torch.tensor(Y)}, tmp_path / "dict.pt")
    torch.save((torch.tensor(X), torch.tensor(Y)), tmp_path / "tuple.pt")
    files = [tmp_path / name for name in ("a.npz", "a.csv", "dict.pt", "tuple.pt")]
    tensors = TensorDataset(torch.tensor(X), torch.tensor(Y))
    sources = [
        *files,
        *map(str, files),
        {"X": X, "Y": Y},
        (X, Y),
        (X.tolist(), Y.tolist()),
        frame,
        tensors,
        Pairs(),
    ]

    for source in sources:
        split = load(source)
        assert (len(split.y_train), len(split.y_test)) == (40, 10)
        assert [str(array.dtype) for array in split.train] == ["float32", "int64"]
        assert np.allclose(sorted_rows(split), np.sort(X, axis=0))


def test_own_test_set_is_kept(tmp_path: Path) -> None:
    """`x_train … y_test` are taken as they are, in their order."""
    np.savez(tmp_path / "mnist_part.npz", x_train=X, y_train=Y, x_test=X[:7], y_test=Y[:7])
    split = load(tmp_path / "mnist_part.npz")

    assert split.name == "mnist_part"
    assert np.array_equal(split.y_train, Y)
    assert np.allclose(split.x_test, X[:7])


def test_pixels_as_bytes_come_to_unit_range() -> None:
    """uint8 images are divided by 255, which a note says; 0/1 indicators as bytes are not."""
    images = load((np.full((10, 2, 2), 255, np.uint8), np.arange(10)))
    indicators = load((np.ones((10, 2), np.uint8), np.arange(10)))

    assert images.x_train.max() == 1
    assert images.notes == ("data: x is uint8, divided by 255",)
    assert indicators.x_train.max() == 1
    assert indicators.notes == ()


def test_text_labels_are_coded_in_sorted_order() -> None:
    """Labels that are text become int64, and their names are kept."""
    split = load((X, np.array(["sain", "maladé"] * 25)))

    assert split.classes == ("maladé", "sain")
    assert split.y_train.dtype == np.int64
    assert set(split.y_train.tolist()) == {0, 1}


def test_labels_in_a_column_of_their_own() -> None:
    """`y` of shape (n, 1) is made (n,); measured values stay float32."""
    assert load((X, Y[:, None])).y_train.shape == (40,)
    assert load((X, Y / 7)).y_train.dtype == np.float32


@pytest.mark.parametrize(
    ("columns", "label", "found"),
    [
        (["a", "Target", "b"], None, "Target"),
        (["y", "a", "label"], None, "y"),
        (["a", "b", "quality"], None, "quality"),
        (["a", "age", "label"], "age", "age"),
    ],
)
def test_label_column(tmp_path: Path, columns: list[str], label: str | None, found: str) -> None:
    """The labels are the column asked for, one with a usual name, or the last."""
    frame = pd.DataFrame({name: np.full(10, index) for index, name in enumerate(columns)})
    frame.to_csv(tmp_path / "a.csv", index=False)
    split = load(tmp_path / "a.csv", label=label)

    assert set(split.y_train.tolist()) == {columns.index(found)}
    assert split.x_train.shape == (8, 2)


def test_guesses_are_said(tmp_path: Path) -> None:
    """An index column is dropped and the last column taken for the labels, each with a note."""
    pd.DataFrame({"a": X[:, 0], "kind": Y}).to_csv(tmp_path / "a.csv")
    split = load(tmp_path / "a.csv")

    assert split.x_train.shape == (40, 1)
    assert split.notes == (
        "a.csv: the first column, without a name, is taken for an index",
        "a.csv: the last column, kind, is the labels (or --label NAME)",
    )


def test_label_names_a_key_of_a_mapping() -> None:
    """`label` may name a key, and what is not used is said."""
    split = load({"x": X, "y": Y, "age": Y + 20}, label="age")

    assert split.y_train.min() >= 20
    assert split.notes == ("data: not used: y",)


def test_a_name_can_be_given() -> None:
    """`NAME=…` renames whatever follows."""
    assert load("mnist_part=digits").name == "mnist_part"


def test_it_displays_itself() -> None:
    """Text and HTML say the sizes, shapes and classes."""
    split = load("breast_cancer")

    for form in (str(split), split._repr_html_()):
        assert "breast_cancer: 455 train, 114 test" in form
        assert "2 classes: malignant, benign" in form


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            "digit",
            (
                "there is no dataset 'digit' (did you mean 'digits'?): bundled are breast_cancer, diabetes, "
                "digits, wine; else give a file or a folder"
            ),
        ),
        (
            "mnist",
            "mnist is not bundled: digits with resize=28 (--resize 28) stands in for it, or give a file",
        ),
        ("a,b=digits", "'a,b' cannot be the name of a dataset: it holds ','"),
        ((X, Y[:3]), "train: x of data is (50, 4), y is (3,): give as many rows of both, at least one"),
        ((X, Y, X), "the tuple holds 3 things: give (X, y) or (x_train, y_train, x_test, y_test)"),
        ({"x": X}, "data has x: give x_train, y_train, x_test, y_test; or x, y"),
        (([[1.0]], [1]), "data has one sample: at least two are needed, one to train and one to test"),
        ((np.array(["a", "b"]), [0, 1]), "x of data is text (<U1): numbers are needed"),
        (
            (X, np.array([None, 1] * 25)),
            "y_train of data must hold numbers or text in rows of equal length; it is object",
        ),
        (
            pd.DataFrame({"city": ["Bern"] * 9, "y": range(9)}),
            "the frame: not numbers: city; drop or encode these columns (labels: y)",
        ),
        (
            pd.DataFrame({"a": [1.0, None], "y": [0, 1]}),
            "the frame: values are missing in a; fill or drop them first",
        ),
        ([1, 2], "each item of list must be a pair (x, y), and there must be some"),
    ],
)
def test_mistakes_are_one_line(source: object, line: str) -> None:
    """What cannot be loaded says what, which, and what to do."""
    with pytest.raises(DataError) as caught:
        load(source)

    assert str(caught.value) == line


@pytest.mark.parametrize(
    "source", ["", "a\0b", "x" * 5000, "x/" + "y" * 5000, Path("digits"), "~nobody_/x.npz", X, 5]
)
def test_odd_sources_are_one_short_line(source: object) -> None:
    """Nonsense of any kind is a `DataError` of at most 200 printable characters."""
    with pytest.raises(DataError) as caught:
        load(source)

    assert len(str(caught.value)) <= 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a.npz", "a.pt", "a.csv", "a.txt", "folder"])
@pytest.mark.parametrize("content", [b"", b"\x80\x02}.", b"PK\x03\x04 cut off", bytes(range(256))])
def test_broken_files_are_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    """A file that is empty, cut off, a pickle or noise is a `DataError`, as is a folder."""
    if name == "folder":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(DataError) as caught:
        load(tmp_path / name)

    assert len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)


def test_pickles_are_never_executed(tmp_path: Path) -> None:
    """An object array, and a saved torch Dataset, are refused unread."""
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object), y=[1])
    torch.save(Pairs(), tmp_path / "a.pt")

    for name in ("a.npz", "a.pt"):
        with pytest.raises(DataError, match=f"cannot read {name}"):
            load(tmp_path / name)


def test_resize_needs_images() -> None:
    """Tables cannot be resized, nor images to nothing."""
    with pytest.raises(DataError, match=r"resize needs images .* x of wine is \(142, 13\)"):
        load("wine", resize=28)
    with pytest.raises(DataError, match="resize must be a whole number from 1 to 4096, got 0"):
        load("digits", resize=0)


def test_import_is_light() -> None:
    """Importing the data layer loads none of the heavy libraries it may use."""
    code = (
        "import manta_nb.data, sys; "
        "print([m for m in ('torch', 'pandas', 'sklearn', 'matplotlib', 'dask', 'IPython') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert out.stdout.strip() == "[]"
