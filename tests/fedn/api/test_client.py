"""Making an `APIClient`, and what it says of what it does not have; no nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from manta_nb import fedn
from manta_nb.errors import PackageError, UsageError
from manta_nb.fedn.api import APIClient
from manta_nb.fedn.api.shapes import node_status
from manta_nb.session.node import Node
from tests.fedn.api.conftest import Said


def ready(files: Path, **options: Any) -> APIClient:
    """A client with a package and a model, in the words of 0.8."""
    client = APIClient(say=Said(), **options)
    assert client.set_package(files / "package.tgz", "numpyhelper")["success"]
    assert client.set_initial_model(files / "seed.npz")["success"]
    return client


def test_every_way_to_import_it_gives_the_same_class() -> None:
    """The names of FEDn's package and those of manta_nb are one class."""
    shim = pytest.importorskip("manta_nb.shims.fedn")
    module = pytest.importorskip("manta_nb.shims.fedn.network.api.client")

    assert shim.APIClient is APIClient
    assert module.APIClient is APIClient
    assert fedn.APIClient is APIClient


@pytest.mark.parametrize(
    ("address", "named", "place"),
    [
        (
            ("localhost", 8092),
            {"secure": False, "verify": False, "token": None, "auth_scheme": None},
            "localhost:8092",
        ),
        (
            (),
            {"host": "fedn.scaleoutsystems.com/p", "token": "s3cret", "secure": True},
            "fedn.scaleoutsystems.com/p",
        ),
    ],
)
def test_a_line_that_makes_it_may_stay_as_it_is(address: Any, named: Any, place: str) -> None:
    """The address of a server is taken, and one line says that nobody contacts it; a token is never told."""
    said = Said()
    client = APIClient(*address, **named, say=said)

    assert said == [f"{place} is not contacted: sessions run on nodes of this machine"]
    assert client.session is None
    assert "s3cret" not in repr(client) + repr(vars(client)) + str(said)


def test_without_an_address_nothing_is_said() -> None:
    """A line that was edited needs no remark."""
    said = Said()
    APIClient(nodes=3, say=said)

    assert said == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rounds": 3}, "start_session"),
        ({"seed_model": "seed.npz"}, "set_initial_model"),
        ({"node_envs": {}}, "did you mean 'node_env'"),
        ({"worker": 2}, "did you mean 'workers'"),
        ({"version": "new"}, 'such as "0.8"'),
    ],
)
def test_options_that_are_not_there(options: dict[str, Any], words: str) -> None:
    """A wrong option is told at once, with the right one."""
    with pytest.raises(UsageError, match=words):
        APIClient(**options)


def test_names_that_are_not_offered() -> None:
    """What is not there says so in one line, and does not look as if it were there."""
    client = APIClient()

    with pytest.raises(UsageError, match="no get_predictions") as caught:
        client.get_predictions()
    assert isinstance(caught.value, AttributeError)
    assert len(str(caught.value)) <= 200
    assert not hasattr(client, "start_splitlearning_session")
    with pytest.raises(AttributeError, match="did you mean 'list_validations'"):
        client.list_validation()


def test_a_session_needs_package_and_model(files: Path) -> None:
    """FEDn's refusals, in its order and words; no node starts for them."""
    client = APIClient()

    assert client.start_session(rounds=1) == {
        "success": False,
        "message": "No compute package set. Set compute package before starting session.",
    }
    assert client.set_initial_model(files / "seed.npz")["message"].startswith("Failed to add initial model.")
    client.set_package(files / "package.tgz", helper="numpyhelper")
    assert client.start_session(rounds=1) == {
        "success": False,
        "message": "No initial model set. Set initial model before starting session.",
    }
    with pytest.raises(UsageError, match="no session 'a'.*refused: No initial model set"):
        client.session_is_finished("a")
    assert client.session is None


def test_answers_where_there_is_nothing() -> None:
    """Before anything is set both generations answer as FEDn does, and all of it is JSON."""
    client = APIClient()

    assert client.get_package() == {"success": False, "message": "No compute package found."}
    assert client.get_latest_model() == {"success": False, "message": "No initial model set."}
    assert client.get_model_trail() == {"success": False, "message": "No model trail available."}
    assert client.get_round(1) == {"success": False, "message": "Round not found."}
    assert client.get_session("a") == {"success": False, "message": "Session a not found."}
    assert (
        client.download_package("p.tgz")["success"] is client.download_model("m", "m.npz")["success"] is False
    )
    assert client.list_validations() == {} and client.get_controller_status() == {"state": "idle"}
    newer = APIClient(version="0.9")
    assert newer.get_session("a") == newer.get_model("a") == {"message": "Entity with id: a not found"}
    assert newer.get_active_model() == newer.get_model_trail() == {"count": 0, "result": []}
    assert newer.get_session_status("a") == "Could not retrieve session status."


def test_a_package_is_looked_at_when_it_is_set(tmp_path: Path) -> None:
    """A file that is not there, or is no package, is told at once."""
    (tmp_path / "empty.tgz").write_bytes(b"")

    with pytest.raises(PackageError, match=r"no package at .*gone\.tgz"):
        APIClient().set_package(tmp_path / "gone.tgz", "numpyhelper")
    with pytest.raises(PackageError, match=r"empty\.tgz"):
        APIClient().set_active_package(tmp_path / "empty.tgz", "numpyhelper")


def test_a_model_that_cannot_be_read(files: Path, tmp_path: Path) -> None:
    """One that is not there is an error; of one that is damaged FEDn's answer has the reason."""
    client = ready(files)
    (tmp_path / "seed.npz").write_bytes(b"no model")

    with pytest.raises(PackageError, match=r"gone\.npz"):
        client.set_initial_model(tmp_path / "gone.npz")
    answer = client.set_initial_model(tmp_path / "seed.npz")
    assert answer["success"] is False and "seed.npz" in answer["message"]
    assert len(client.get_model_trail()) == 1


def test_models_may_come_before_the_package_from_0_9_on(files: Path) -> None:
    """`set_active_model` reads an .npz file where no package says how."""
    client = APIClient()

    assert client.set_active_model(files / "seed.npz") == {
        "success": True,
        "message": "Initial model added successfully.",
    }
    assert client.get_active_model()["parent_model"] is None


def test_the_first_names_decide_the_generation(files: Path) -> None:
    """Names that both generations have answer as the one that set the package; `version` is stronger."""
    old, new, told = ready(files), APIClient(), ready(files, version="0.33")
    new.set_active_package(files / "package.tgz", "numpyhelper", name="mine")
    new.set_active_model(files / "seed.npz")

    assert isinstance(old.get_model_trail(), dict)
    assert isinstance(new.get_model_trail(), list) and isinstance(told.get_model_trail(), list)
    assert list(old.get_combiner("combiner")) == ["combiner"]
    assert new.get_combiner("combiner")["name"] == "combiner"


def test_packages_are_given_out_as_they_came(files: Path, tmp_path: Path) -> None:
    """The archive that is downloaded is the one that was set; its checksum is known; a folder becomes an archive."""
    client = ready(files)
    assert client.download_package(tmp_path / "again.tgz")["success"]
    assert (tmp_path / "again.tgz").read_bytes() == (files / "package.tgz").read_bytes()

    client.set_package(Path(__file__).parents[2] / "fixtures/fedn_packages/good", name="folder")
    client.download_package(tmp_path / "folder.tgz")
    checksum = client.get_package_checksum()
    client.set_package(tmp_path / "folder.tgz", description="again")

    assert client.get_package_checksum() == checksum
    packages = client.list_compute_packages()
    assert packages["count"] == 3 and packages["result"][0] == client.get_package()
    assert [each["active"] for each in client.get_packages()["result"]] == [True, False, False]
    assert client.get_package(packages["result"][1]["id"])["name"] == "folder"


def test_a_model_that_was_set_is_given_out(files: Path, tmp_path: Path) -> None:
    """The first model can be downloaded before any session."""
    client = ready(files)
    model_id = client.get_initial_model()["model_id"]

    assert client.download_model(model_id, tmp_path / "new" / "model.npz")["success"]
    assert client.set_initial_model(tmp_path / "new" / "model.npz")["success"]
    assert client.get_latest_model()["model_id"] != model_id == client.get_initial_model()["model_id"]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("idle", "online"),
        ("busy", "online"),
        ("frozen", "available"),
        ("lost", "offline"),
        ("closed", "offline"),
    ],
)
def test_states_of_nodes_as_fedn_says_them(state: str, status: str) -> None:
    """A node that works is online, one that stands still is available, one that is gone is offline."""
    assert node_status(Node("node_0", state, "worker_0", 1, ())) == status


def test_every_answer_without_nodes_is_json(files: Path) -> None:
    """Whatever is returned can be written as JSON."""
    client = ready(files)
    names = [name for name in dir(client) if name.startswith(("get_", "list_"))]
    plain = [name for name in names if name not in TAKE_NODES | TAKE_ID]

    assert len(plain) > 20
    for name in plain:
        json.dumps(getattr(client, name)())


TAKE_NODES = {"list_clients", "get_clients", "get_active_clients", "get_clients_count", "get_client"}
TAKE_ID = {"get_model", "get_round", "get_session", "get_session_status", "get_status", "get_validation"}
