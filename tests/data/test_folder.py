"""A folder with one subfolder a node is taken as it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from manta_nb.data import prepare
from manta_nb.errors import DataError, NodeError


@pytest.fixture
def hospitals(tmp_path: Path) -> Path:
    """Three nodes with a file and a folder of images each."""
    root = tmp_path / "hospitals"
    for node in ("site_10", "site_2", "Élève_1"):
        (root / node / "images").mkdir(parents=True)
        (root / node / "mnist_part.npz").write_bytes(b"x")
        (root / node / ".DS_Store").write_bytes(b"x")
    (root / "README.md").write_text("who gave what")
    (root / ".git").mkdir()
    return root


def test_subfolders_are_the_nodes(hospitals: Path, tmp_path: Path) -> None:
    """Nodes are named after the subfolders, in natural order; hidden things are left out, nothing is copied."""
    plan = prepare(str(hospitals), None, tmp_path / "out")

    assert plan.node_ids == ["site_2", "site_10", "Élève_1"]
    assert list(plan.datasets["site_2"]) == ["images", "mnist_part"]
    assert plan.datasets["site_2"]["mnist_part"].path == hospitals / "site_2" / "mnist_part.npz"
    assert plan.summary == "3 nodes · hospitals: images, mnist_part on each node"
    assert plan.notes == []
    assert not (tmp_path / "out").exists()


def test_fewer_nodes_are_the_first_ones(hospitals: Path, tmp_path: Path) -> None:
    """Asked for fewer, the first subfolders are used, and a note says which are not."""
    plan = prepare(hospitals, 2, tmp_path)

    assert plan.node_ids == ["site_2", "site_10"]
    assert plan.notes == ["2 of 3 subfolders of hospitals used, without Élève_1"]


def test_more_nodes_are_an_error(hospitals: Path, tmp_path: Path) -> None:
    """Asked for more, the error says the numbers and the names."""
    with pytest.raises(DataError) as caught:
        prepare(hospitals, 8, tmp_path)

    assert str(caught.value) == "8 nodes asked, hospitals has 3: site_2, site_10, Élève_1"


def test_nodes_by_name(hospitals: Path, tmp_path: Path) -> None:
    """Subfolders can be chosen by name; a misspelt one is answered with the nearest."""
    assert prepare(hospitals, ["Élève_1"], tmp_path).node_ids == ["Élève_1"]
    with pytest.raises(NodeError) as caught:
        prepare(hospitals, ["site_3"], tmp_path)

    assert str(caught.value) == (
        "hospitals has no subfolder 'site_3' (did you mean 'site_2'?): it has site_2, site_10, Élève_1"
    )


def test_a_name_for_what_each_node_has(hospitals: Path, tmp_path: Path) -> None:
    """`NAME=FOLDER` calls the only file NAME, or the whole subfolder where there is more."""
    (hospitals / "site_2" / "images").rmdir()
    plan = prepare(f"mnist={hospitals}", None, tmp_path)

    assert plan.datasets["site_2"]["mnist"].path == hospitals / "site_2" / "mnist_part.npz"
    assert plan.datasets["site_10"]["mnist"].path == hospitals / "site_10"


def test_same_stem_keeps_the_suffix(hospitals: Path, tmp_path: Path) -> None:
    """Two files with one stem go by their full names, and no dataset is lost."""
    for name in ("mnist_part.csv", "mnist_part.npz.bak"):
        (hospitals / "site_2" / name).write_text("a")
    plan = prepare(hospitals, ["site_2"], tmp_path)

    assert sorted(plan.datasets["site_2"]) == [
        "images",
        "mnist_part.csv",
        "mnist_part.npz",
        "mnist_part.npz.bak",
    ]


def test_links_out_are_left_out(hospitals: Path, tmp_path: Path) -> None:
    """A link that leads out of a node's folder, even to another node, is not used, and a note says so."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (hospitals / "linked").symlink_to(secret)
    (hospitals / "site_2" / "etc").symlink_to("/etc")
    (hospitals / "site_2" / "neighbour.npz").symlink_to("../site_10/mnist_part.npz")
    (hospitals / "site_2" / "alias.npz").symlink_to("mnist_part.npz")
    plan = prepare(hospitals, None, tmp_path)

    assert "linked" not in plan.node_ids
    assert list(plan.datasets["site_2"]) == ["alias", "images", "mnist_part"]
    assert plan.notes == [
        "not used, a link that leads out of hospitals: linked",
        "not used, a link that leads out of site_2: etc, neighbour.npz",
    ]


def test_uneven_datasets_are_counted(hospitals: Path, tmp_path: Path) -> None:
    """The summary says which datasets only some nodes have; an empty node is noted."""
    (hospitals / "empty").mkdir()
    (hospitals / "site_2" / "extra.csv").write_text("a")
    plan = prepare(hospitals, None, tmp_path)

    assert plan.summary == "4 nodes · hospitals: images on 3, mnist_part on 3, extra on 1"
    assert plan.notes == ["empty is empty: this node has no data"]


def test_a_folder_without_subfolders(tmp_path: Path) -> None:
    """Files alone are no nodes: the error says what to do."""
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.npz").write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        prepare(tmp_path / "flat", None, tmp_path)

    assert str(caught.value) == (
        "flat has no subfolders: make one for each node, or give a file to split over the nodes (1 file here)"
    )


def test_bad_names_are_refused(hospitals: Path, tmp_path: Path) -> None:
    """A subfolder or file whose name could not be typed after `--nodes` or `--needs` is an error."""
    (hospitals / "a,b").mkdir()
    with pytest.raises(NodeError, match="'a,b' cannot be the name of a node: it holds ','"):
        prepare(hospitals, None, tmp_path)
