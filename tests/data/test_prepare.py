"""`prepare` names the nodes and lays their datasets out on disk."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.data import DataPlan, load, prepare
from manta_nb.errors import DataError, MantaError, NodeError, UsageError

X, Y = np.arange(200.0).reshape(100, 2), np.arange(100) % 5


def read(plan: DataPlan, node: str, name: str, key: str) -> Any:
    """One array of one dataset of one node, from its file."""
    arrays = plan.datasets[node][name].arrays
    assert arrays is not None
    return np.load(arrays[key], allow_pickle=False)


def test_a_bundled_set_is_split(tmp_path: Path) -> None:
    """Digits over 8 nodes: all training samples once, the whole test set on each node, one line says it."""
    plan = prepare("digits", 8, tmp_path, partition="dirichlet", alpha=0.3)

    assert plan.summary == "8 nodes · digits: 1437 train, 360 test (the same on each node) · dirichlet 0.3"
    assert plan.node_ids == [f"node_{index}" for index in range(8)]
    x = np.concatenate([read(plan, node, "digits", "x_train") for node in plan.node_ids])
    assert np.array_equal(np.sort(x.ravel()), np.sort(load("digits").x_train.ravel()))
    y = read(plan, "node_3", "digits", "y_test")
    assert np.array_equal(y, load("digits").y_test)
    assert y.dtype == np.int64


def test_samples_keep_their_labels(tmp_path: Path) -> None:
    """On each node, x and y belong together."""
    plan = prepare((X, Y), 3, tmp_path, partition="shards", test="local")

    for node in plan.node_ids:
        for part in ("train", "test"):
            x, y = read(plan, node, "data", f"x_{part}"), read(plan, node, "data", f"y_{part}")
            assert np.array_equal(x[:, 0] / 2 % 5, y)


def test_private_and_shared_files(tmp_path: Path) -> None:
    """Training data lie in the node's own folder, closed to others; the common test set lies there once."""
    plan = prepare("digits", 3, tmp_path)

    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.npy"))
    assert files == [
        *(f"node_{index}/data/digits/{key}_train.npy" for index in range(3) for key in "xy"),
        "shared/digits/x_test.npy",
        "shared/digits/y_test.npy",
    ]
    assert stat.S_IMODE((tmp_path / "node_0").stat().st_mode) == 0o700
    first, second = (plan.datasets[node]["digits"].arrays for node in ("node_0", "node_1"))
    assert first is not None
    assert second is not None
    assert first["x_test"] == second["x_test"]


def test_local_test_data_are_private(tmp_path: Path) -> None:
    """With `test="local"` every test sample is on exactly one node, and nothing is shared."""
    plan = prepare("digits", 5, tmp_path, test="local")

    assert sum(len(read(plan, node, "digits", "y_test")) for node in plan.node_ids) == 360
    assert not (tmp_path / "shared").exists()
    assert plan.summary == "5 nodes · digits: 1437 train, 360 test (split likewise) · iid"


def test_preparing_again_leaves_readers_alone(tmp_path: Path) -> None:
    """A task that has mapped an array keeps its values when the folder is laid out anew."""
    mapped = np.load(
        prepare("digits", 2, tmp_path).datasets["node_0"]["digits"].arrays["x_train"],  # type: ignore[index]
        mmap_mode="r",
    )
    before = mapped.copy()
    prepare("digits", 2, tmp_path, seed=1)

    assert np.array_equal(mapped, before)


def test_seed_decides_the_split(tmp_path: Path) -> None:
    """The default seed repeats the histogram, another seed changes it."""
    first, again, other = (
        prepare("digits", 4, tmp_path / str(index), partition="dirichlet", seed=seed).histogram
        for index, seed in enumerate((0, 0, 1))
    )

    assert first is not None
    assert again is not None
    assert other is not None
    assert np.array_equal(first.counts, again.counts)
    assert not np.array_equal(first.counts, other.counts)


@pytest.mark.parametrize(
    ("nodes", "options", "names", "how"),
    [
        (None, {}, ["node_0", "node_1", "node_2", "node_3"], "iid"),
        (None, {"sizes": [1, 2, 7]}, ["node_0", "node_1", "node_2"], "sizes 1, 2, 7"),
        (["Élève_1", "b c"], {}, ["Élève_1", "b c"], "iid"),
        (1, {"partition": "dirichlet"}, ["node_0"], "dirichlet 0.5"),
        (
            5,
            {"partition": "shards", "labels_per_node": 1},
            [f"node_{i}" for i in range(5)],
            "shards, 1 label a node",
        ),
    ],
)
def test_nodes_and_their_names(
    tmp_path: Path, nodes: int | list[str] | None, options: dict[str, Any], names: list[str], how: str
) -> None:
    """Nodes are counted, named, or follow from the sizes; four where nothing says."""
    plan = prepare((X, Y), nodes, tmp_path, **options)

    assert plan.node_ids == names
    assert plan.summary.endswith(f"test (the same on each node) · {how}")
    assert (tmp_path / names[0] / "data" / "data" / "x_train.npy").exists()


def test_dataset_name(tmp_path: Path) -> None:
    """`NAME=…` and `name=` call the dataset so; a file calls it after itself."""
    np.savez(tmp_path / "patients.npz", x=X, y=Y)

    assert list(prepare("mnist_part=digits", 2, tmp_path / "a").datasets["node_0"]) == ["mnist_part"]
    assert list(prepare((X, Y), 2, tmp_path / "b", name="mine").datasets["node_0"]) == ["mine"]
    assert list(prepare(tmp_path / "patients.npz", 2, tmp_path / "c").datasets["node_0"]) == ["patients"]
    assert list(prepare(f"p={tmp_path}/patients.npz", 2, tmp_path / "d").datasets["node_0"]) == ["p"]


def test_no_data(tmp_path: Path) -> None:
    """Nodes without data are nodes all the same."""
    plan = prepare(None, 3, tmp_path)

    assert plan.datasets == {"node_0": {}, "node_1": {}, "node_2": {}}
    assert plan.summary == "3 nodes · no data"
    assert plan.histogram is None


def test_one_mapping_a_node(tmp_path: Path) -> None:
    """A list of mappings is laid out as given, dtypes and keys included, with a histogram of its labels."""
    plan = prepare([{"x": X.astype("f8"), "y": Y[:7]}, {"x": X, "y": Y[:3]}], None, tmp_path)

    assert plan.node_ids == ["node_0", "node_1"]
    assert read(plan, "node_0", "data", "x").dtype == np.float64
    assert plan.summary == "2 nodes · data: x, y"
    assert plan.histogram is not None
    assert plan.histogram.counts.tolist() == [[2, 2, 1, 1, 1], [1, 1, 1, 0, 0]]


def test_options_that_do_nothing_are_said(tmp_path: Path) -> None:
    """Data that come in parts are not split again, and a note says which options had no effect."""
    plan = prepare([{"x": X}] * 3, 2, tmp_path, partition="dirichlet", alpha=0.1, test="local")

    assert plan.notes == [
        "the first 2 of 3 mappings are used",
        "not used, as no data are split here: partition, test",
    ]


@pytest.mark.parametrize(
    ("data", "nodes", "options", "error", "line"),
    [
        ("digits", -3, {}, UsageError, "nodes must be a whole number ≥ 1 or a list of names, got -3"),
        ("digits", 2.5, {}, UsageError, "nodes must be a whole number ≥ 1 or a list of names, got 2.5"),
        ("digits", "ab", {}, UsageError, "nodes must be a whole number ≥ 1 or a list of names, got 'ab'"),
        ("digits", ["a", "A"], {}, NodeError, "two nodes are called alike: a, A"),
        ("digits", ["a/b"], {}, NodeError, "'a/b' cannot be the name of a node: it holds '/'"),
        (
            "digits",
            ["shared"],
            {},
            NodeError,
            "'shared' cannot be the name of a node: the folder of the common test data has it",
        ),
        ("digits", 4, {"sizes": [1, 2, 7]}, DataError, "4 nodes and 3 sizes: give one size a node"),
        ("digits", 4, {"alpha": 0.3}, DataError, "alpha belongs to partition 'dirichlet', this is 'iid'"),
        (
            "digits",
            4,
            {"partition": "dirichlt"},
            DataError,
            "there is no partition 'dirichlt' (did you mean 'dirichlet'?): give dirichlet, iid, shards, sizes",
        ),
        (
            "digits",
            300,
            {"partition": "dirichlet"},
            DataError,
            (
                "300 nodes asked, digits has 1437 training samples and --min-size 10 needs 3000: "
                "at most 143 nodes, or --min-size 4"
            ),
        ),
        ("digits", 4, {"test": "no"}, DataError, "test must be 'shared' or 'local', got 'no'"),
        ("digits", 4, {"seed": -1}, DataError, "seed must be a whole number from 0, got -1"),
        ([{"x": X}] * 3, 5, {}, DataError, "5 nodes asked, the list has 3: give one mapping a node"),
        (
            [X, Y],
            None,
            {},
            DataError,
            (
                "item 0 of the list is ndarray: give one mapping of arrays a node, or a tuple (X, y) "
                "to split over the nodes"
            ),
        ),
        ([{"a/b": X}], None, {}, DataError, "'a/b' cannot be the name of a dataset: it holds '/'"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, data: object, nodes: Any, options: dict[str, Any], error: type[MantaError], line: str
) -> None:
    """What cannot be laid out says what, which, and what to do."""
    with pytest.raises(error) as caught:
        prepare(data, nodes, tmp_path, **options)

    assert str(caught.value) == line


def test_a_thousand_nodes(tmp_path: Path) -> None:
    """A thousand nodes get their files, and the plan still displays on one screen."""
    plan = prepare((np.zeros((5000, 4)), np.arange(5000) % 10), 1000, tmp_path)

    assert len(plan.datasets) == 1000
    assert "1,000 nodes together" in str(plan)
    assert len(str(plan).splitlines()) <= 24
    assert len(plan._repr_html_()) < 50_000
