"""The data folders of all nodes made into one: rows add up, what is common is there once, nothing is lost."""

from __future__ import annotations

import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manta_nb.data.pooling import pool
from manta_nb.errors import DataError

#: what a node's folder holds: path → text, bytes, an array, or a dict of arrays
Files = dict[str, Any]


def lay(folder: Path, files: Files) -> Path:
    """Write a node's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            np.savez(path, **content)
        elif isinstance(content, np.ndarray):
            np.save(path, content)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.fixture
def pooled(tmp_path: Path) -> Callable[..., tuple[Path, list[str]]]:
    """Pools what each node has; returns the folder and the notes."""

    def make(*nodes: Files) -> tuple[Path, list[str]]:
        number = len(list(tmp_path.iterdir()))
        root = tmp_path / str(number)
        folders = {f"node_{k}": lay(root / f"node_{k}", files) for k, files in enumerate(nodes)}
        notes = pool(folders, root / "all")
        assert all(len(note) <= 200 for note in notes)
        return root / "all", notes

    return make


def files_in(folder: Path) -> list[str]:
    """All files, by their paths."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refusal(call: Callable[[], Any]) -> str:
    """What is said."""
    with pytest.raises(DataError) as caught:
        call()
    assert len(str(caught.value)) <= 200
    return str(caught.value)


def part(begin: int, count: int, **more: Any) -> Files:
    """An archive like mnist.npz: own training data, a common test set."""
    train = {
        "x_train": np.arange(begin, begin + count).reshape(-1, 1).astype("u1"),
        "y_train": np.arange(count),
    }
    return {"mnist.npz": {**train, "x_test": np.ones((2, 1), "u1"), "y_test": np.array([3, 4]), **more}}


# -- arrays -----------------------------------------------------------------------------------------------------


def test_training_data_add_up_and_the_test_set_is_there_once(pooled: Any) -> None:
    """Key by key, in the order of the nodes."""
    folder, notes = pooled(part(0, 3), part(10, 4), part(20, 5))
    with np.load(folder / "mnist.npz", allow_pickle=False) as found:
        assert found["x_train"][:, 0].tolist() == [0, 1, 2, 10, 11, 12, 13, 20, 21, 22, 23, 24]
        assert found["y_train"].tolist() == [0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4]
        assert (found["x_test"].shape, found["y_test"].tolist()) == ((2, 1), [3, 4])
        assert found["x_train"].dtype == "u1"
    assert notes == ["mnist.npz: the same on all nodes, taken once: x_test, y_test"]


def test_labels_that_happen_to_be_alike_are_not_taken_once(pooled: Any) -> None:
    """They belong to samples that differ; a test set of the same length is still one."""
    folder, _ = pooled(part(0, 2), part(10, 2))
    with np.load(folder / "mnist.npz") as found:
        assert found["y_train"].tolist() == [0, 1, 0, 1]
        assert found["y_test"].tolist() == [3, 4]

    files = [
        {"x.npy": np.array([[k], [k]]), "y.npy": np.array([0, 1]), "test.npy": np.ones(2)} for k in range(2)
    ]
    folder, notes = pooled(*files)
    assert np.load(folder / "y.npy").tolist() == [0, 1, 0, 1]
    assert np.load(folder / "test.npy").tolist() == [1, 1]
    assert notes == ["test.npy: the same on all nodes, taken once"]


def test_archives_that_are_the_same_are_copied(pooled: Any) -> None:
    """Nothing of them is read twice."""
    folder, notes = pooled({"a.npz": {"x": np.ones(3)}}, {"a.npz": {"x": np.ones(3)}})

    assert np.load(folder / "a.npz")["x"].tolist() == [1, 1, 1]
    assert notes == ["a.npz: the same on all nodes, taken once"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (np.array([[1, 2], [3, 4]], order="F"), np.array([[5, 6]]), [[1, 2], [3, 4], [5, 6]]),
        (np.array(["a"]), np.array(["long"]), ["a", "long"]),
        (np.array([1], "i4"), np.array([2**40]), [1, 2**40]),
        (np.array([1], ">i4"), np.array([2], "<i4"), [1, 2]),
        (np.zeros((0, 2)), np.ones((1, 2)), [[1, 1]]),
        (np.array([True]), np.array([False]), [True, False]),
    ],
)
def test_arrays_of_one_kind_fit(pooled: Any, one: Any, other: Any, expected: Any) -> None:
    """Whatever their order in memory, the size of their numbers and the length of their texts."""
    folder, _ = pooled({"a.npy": one, "b.npz": {"x": one}}, {"a.npy": other, "b.npz": {"x": other}})

    assert np.load(folder / "a.npy").tolist() == expected
    assert np.load(folder / "b.npz")["x"].tolist() == expected


def test_compressed_archives_and_keys_of_some_nodes(pooled: Any, tmp_path: Path) -> None:
    """Compression is nothing special; a key that only some nodes have is of these."""
    np.savez_compressed(tmp_path / "c.npz", x=np.arange(3), only=np.arange(2))
    folder, _ = pooled({"a.npz": (tmp_path / "c.npz").read_bytes()}, {"a.npz": {"x": np.arange(3, 5)}})
    with np.load(folder / "a.npz") as found:
        assert found["x"].tolist() == [0, 1, 2, 3, 4]
        assert found["only"].tolist() == [0, 1]


def test_single_numbers(pooled: Any) -> None:
    """They cannot be put under each other: in an archive the first is taken, and said."""
    folder, notes = pooled(
        {"a.npz": {"n": np.array(1), "x": np.ones(1)}}, {"a.npz": {"n": np.array(2), "x": np.zeros(1)}}
    )

    assert np.load(folder / "a.npz")["n"] == 1
    assert notes == ["a.npz: one number a node, that of the first is taken: n"]


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (
            np.zeros((2, 3)),
            np.zeros((2, 4)),
            "a.npy cannot be put together: float64 (2, 3) on node_0, float64 (2, 4) on node_1",
        ),
        (
            np.zeros(2),
            np.zeros(2, int),
            "a.npy cannot be put together: float64 (2,) on node_0, int64 (2,) on node_1",
        ),
        (np.zeros(2), b"\x93NUMPY\x01\x00", "cannot read a.npy of node_1: it is no array of numpy"),
        (np.zeros(2), b"", "cannot read a.npy of node_1: it is no array of numpy"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, one: Any, other: Any, says: str) -> None:
    """Both nodes are named; nothing is left behind."""
    folders = {"node_0": lay(tmp_path / "0", {"a.npy": one}), "node_1": lay(tmp_path / "1", {"a.npy": other})}

    assert refusal(lambda: pool(folders, tmp_path / "all")) == says
    assert not (tmp_path / "all").exists()


def test_pickles_and_lies_are_not_read(tmp_path: Path) -> None:
    """Objects, headers that promise more than there is, archives that are none or damaged."""
    objects = tmp_path / "objects.npy"
    np.save(objects, np.array([{}, "x"], object), allow_pickle=True)
    whole = tmp_path / "whole.npy"
    np.save(whole, np.arange(100))
    good = lay(tmp_path / "good", {"a.npy": np.zeros(2), "b.npz": {"x": np.arange(9)}})
    damaged = bytearray((good / "b.npz").read_bytes())
    damaged[150] ^= 1

    def attempt(name: str, content: bytes) -> str:
        bad = lay(tmp_path / f"bad{len(list(tmp_path.iterdir()))}", {name: content})
        return refusal(
            lambda: pool(
                {"a": lay(bad / ".." / "only", {name: (good / name).read_bytes()}), "b": bad},
                tmp_path / "all",
            )
        )

    assert "a.npy of b holds Python objects, which are not read" in attempt("a.npy", objects.read_bytes())
    assert "a.npy of b: it is not as long as its header says" in attempt("a.npy", whole.read_bytes()[:-8])
    assert "b.npz of b: it is no .npz file" in attempt("b.npz", b"PK no archive")
    assert attempt("b.npz", bytes(damaged))
    assert not (tmp_path / "all").exists()


def test_an_archive_with_something_else_in_it(tmp_path: Path) -> None:
    """What is no array is left out, and no name of a member leads anywhere."""
    for node in "ab":
        lay(tmp_path / node, {"a.npz": {"x": np.array([ord(node)])}})
        with zipfile.ZipFile(tmp_path / node / "a.npz", "a") as archive:
            archive.writestr("../../escaped.txt", "x")
    pool({node: tmp_path / node for node in "ab"}, tmp_path / "all")

    assert np.load(tmp_path / "all" / "a.npz").files == ["x"]
    assert not (tmp_path.parent / "escaped.txt").exists()


def test_large_arrays_take_little_memory(tmp_path: Path) -> None:
    """They go from file to file a part at a time."""
    folders = {
        node: lay(
            tmp_path / node,
            {
                "a.npz": {"x": np.full(3_000_000, ord(node), "f8")},
                "b.npy": np.full(3_000_000, ord(node), "f8"),
            },
        )
        for node in "ab"
    }
    tracemalloc.start()
    pool(folders, tmp_path / "all")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 10e6
    assert (
        np.load(tmp_path / "all" / "a.npz")["x"].shape
        == np.load(tmp_path / "all" / "b.npy").shape
        == (6_000_000,)
    )


# -- tables -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (["x,y\n1,2\n", "x,y\n3,4\n5,6\n"], "x,y\n1,2\n3,4\n5,6\n"),
        # the last line has no end, lines end otherwise, blanks in the header, a mark at the begin
        (["x,y\n1,2", "x, y\r\n3,4\r\n"], "x,y\n1,2\n3,4\r\n"),
        (["\ufeffx,y\n1,2\n", "\ufeffx,y\n3,4\n"], "\ufeffx,y\n1,2\n3,4\n"),
        # numbers all over: there is no header
        (["1,2\n", "3,4\n"], "1,2\n3,4\n"),
        (["0\n1\n", "0\n2\n"], "0\n1\n0\n2\n"),
        (["5.1,3.5,setosa\n", "6.2,2.9,virginica"], "5.1,3.5,setosa\n6.2,2.9,virginica"),
        # pandas' names of columns that have none
        (["0,1,2\n5,6,7\n", "0,1,2\n8,9,9\n"], "0,1,2\n5,6,7\n8,9,9\n"),
        ([",0,1\n0,5,6\n", ",0,1\n0,7,8\n"], ",0,1\n0,5,6\n0,7,8\n"),
        (['"a\nb";c\n1;2\n', '"a\nb";c\n3;4\n'], '"a\nb";c\n1;2\n3;4\n'),
        (["", "x,y\n1,2\n", "x,y\n3,4\n"], "x,y\n1,2\n3,4\n"),
        (["x,y\n", "x,y\n3,4\n"], "x,y\n3,4\n"),
    ],
)
def test_rows_add_up_below_one_header(pooled: Any, tables: list[str], expected: str) -> None:
    """With a header or without."""
    folder, notes = pooled(*({"data.csv": table} for table in tables))

    assert (folder / "data.csv").read_bytes().decode() == expected
    assert notes == []


def test_tables_that_are_the_same(pooled: Any) -> None:
    """They are taken once; but not labels beside samples that differ."""
    same, features = "x,y\n1,2\n", ["f\n1\n2\n", "f\n3\n4\n"]
    folder, notes = pooled(
        *({"test.csv": same, "f.csv": each, "labels.csv": "l\n0\n1\n"} for each in features)
    )

    assert (folder / "test.csv").read_text() == same
    assert (folder / "labels.csv").read_text() == "l\n0\n1\n0\n1\n"
    assert notes == ["test.csv: the same on all nodes, taken once"]


def test_tables_with_other_columns_stay_apart(pooled: Any) -> None:
    """Under the names of their nodes, and said."""
    folder, notes = pooled({"data.csv": "x,y\n1,2\n"}, {"data.csv": "x,z\n1,2\n"}, {"data.csv": "x\0y"})

    assert files_in(folder) == ["data_node_0.csv", "data_node_1.csv", "data_node_2.csv"]
    assert notes == ["kept once a node, as they differ under one name: data.csv"]


# -- other files ------------------------------------------------------------------------------------------------


def test_images_of_all_nodes_lie_side_by_side(pooled: Any) -> None:
    """Same name, other content: with the node before it; same content: once."""
    folder, notes = pooled(
        {"images/cat/1.png": "A", "images/cat/2.png": "B", "README": "one"},
        {"images/cat/1.png": "C", "images/cat/2.png": "B", "images/dog/1.png": "D", "README": "two"},
        {"images/cat/1.png": "A", "README": "two"},
    )

    assert {name: (folder / name).read_text() for name in files_in(folder)} == {
        "README_node_0": "one",
        "README_node_1": "two",
        "images/cat/2.png": "B",
        "images/cat/node_0_1.png": "A",
        "images/cat/node_1_1.png": "C",
        "images/dog/1.png": "D",
    }
    assert notes == [
        "kept once a node, as they differ under one name: README",
        "images/cat: kept once a node, as they differ under one name: 1.png",
    ]


def test_a_name_that_is_taken_is_not_taken_again(pooled: Any) -> None:
    """No file of a node replaces another."""
    folder, _ = pooled({"a.txt": "1", "a_node_0.txt": "mine"}, {"a.txt": "2"})

    assert files_in(folder) == ["a__node_0.txt", "a_node_0.txt", "a_node_1.txt"]
    assert (folder / "a_node_0.txt").read_text() == "mine"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a.txt", "a_node_0.txt", "d/a.txt", "d/node_1_a.txt", "e/f/x"]),
            st.sampled_from("AB"),
            max_size=5,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_no_content_is_lost_and_none_doubled(pooled: Any, nodes: list[Files]) -> None:
    """In each folder lies, for each name, each content of any node once."""
    folder, _ = pooled(*nodes)
    expected = {(os.path.dirname(name), name, content) for files in nodes for name, content in files.items()}
    found = [(os.path.dirname(name), (folder / name).read_text()) for name in files_in(folder)]

    assert sorted(found) == sorted((parent, content) for parent, _, content in expected)


# -- what is refused --------------------------------------------------------------------------------------------


def test_entries_may_be_links_to_datasets(tmp_path: Path) -> None:
    """So a session lays them out; a link inside a dataset that stays there is fine, too."""
    lay(tmp_path / "kept", {"data.csv": "x\n1\n", "images/1.png": "A"})
    (tmp_path / "kept" / "images" / "again.png").symlink_to("1.png")
    node = tmp_path / "node"
    node.mkdir()
    for name in ("data.csv", "images"):
        (node / name).symlink_to(tmp_path / "kept" / name)
    pool({"node_0": node}, tmp_path / "all")

    assert files_in(tmp_path / "all") == ["data.csv", "images/1.png", "images/again.png"]
    assert not any(path.is_symlink() for path in (tmp_path / "all").rglob("*"))


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    """Out of their dataset, or round and round."""
    (tmp_path / "secret").write_text("x")
    out, loop = lay(tmp_path / "out", {"d/x": "1"}), lay(tmp_path / "loop", {"d/e/x": "1"})
    (out / "d" / "link").symlink_to(tmp_path / "secret")
    (loop / "d" / "e" / "up").symlink_to("..")

    assert refusal(lambda: pool({"n": out}, tmp_path / "all")) == (
        "d/link in the data of n is a link that leads out of it: put the file itself there"
    )
    assert "d/e/up in the data of n is a link to a folder it lies in" in refusal(
        lambda: pool({"n": loop}, tmp_path / "all")
    )
    assert not (tmp_path / "all").exists()


def test_hidden_files_and_pipes_are_left_out(tmp_path: Path) -> None:
    """A pipe would be waited for, for ever."""
    node = lay(tmp_path / "node", {".hidden": "x", "d/.git/x": "x", "d/a": "1"})
    os.mkfifo(node / "pipe")
    os.mkfifo(node / "d" / "pipe")
    pool({"n": node}, tmp_path / "all")

    assert files_in(tmp_path / "all") == ["d/a"]


def test_targets_that_cannot_be(tmp_path: Path) -> None:
    """One that is there, and one inside the data; what was there stays."""
    node = lay(tmp_path / "node", {"a": "1", "d/b": "2"})
    full = lay(tmp_path / "full", {"mine": "1"})

    assert "is there already" in refusal(lambda: pool({"n": node}, full))
    assert "is there already" in refusal(lambda: pool({"n": node}, node / "a"))
    assert "lies in the data of n" in refusal(lambda: pool({"n": node}, node / "all"))
    assert files_in(full) == ["mine"]
    (tmp_path / "empty").mkdir()
    assert pool({"n": node}, tmp_path / "empty") == []


def test_a_file_here_and_a_folder_there(tmp_path: Path) -> None:
    """Both nodes are named."""
    folders = {"a": lay(tmp_path / "a", {"d": "1"}), "b": lay(tmp_path / "b", {"d/e/f": "2"})}

    assert refusal(lambda: pool(folders, tmp_path / "all")) == (
        "d is a file on a, a folder on b: rename one of them"
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is named."""
    assert "cannot look into gone of n: No such file or directory" in refusal(
        lambda: pool({"n": tmp_path / "gone"}, tmp_path / "all")
    )
