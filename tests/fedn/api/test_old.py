"""`APIClient` in the words of FEDn 0.8, on real nodes."""

from __future__ import annotations

import collections
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manta_nb.errors import UsageError
from manta_nb.fedn.api import APIClient
from manta_nb.shims.fedn.utils.helpers.helpers import get_helper
from tests.fedn.api.conftest import Make, finish, shape

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

#: what each call answers with, in types
CONFIG = {
    "session_id": str,
    "aggregator": str,
    "round_timeout": int,
    "buffer_size": int,
    "model_id": str,
    "rounds": int,
    "delete_models_storage": bool,
    "clients_required": int,
    "clients_requested": int,
    "task": str,
    "validate": bool,
    "helper_type": str,
}
COMBINED = {
    "name": str,
    "round_id": str,
    "model_id": str,
    "status": str,
    "time_exec_training": float,
    "config": {**CONFIG, "round_id": str},
    "data": {
        "nr_expected_updates": int,
        "nr_required_updates": int,
        "timeout": float,
        "time_combination": float,
        "aggregation_time": {
            "time_model_load": float,
            "time_model_aggregation": float,
            "nr_aggregated_models": int,
        },
    },
}
PARTY = {"name": str, "role": str}
VALIDATION = {
    "model_id": str,
    "data": str,
    "timestamp": str,
    "meta": str,
    "sender": PARTY,
    "receiver": PARTY,
}
EVENT = {
    "sender": PARTY,
    "status": str,
    "logLevel": str,
    "data": str,
    "correlationId": str,
    "timestamp": str,
    "type": str,
    "extra": str,
    "sessionId": str,
}
NODE = {
    "id": str,
    "combiner": str,
    "combiner_preferred": type(None),
    "ip": str,
    "status": str,
    "last_seen": str,
}
PACKAGE = {
    "id": str,
    "file_name": str,
    "helper": str,
    "committed_at": str,
    "storage_file_name": str,
    "name": type(None),
    "description": type(None),
}
COMBINER = {"address": str, "fqdn": type(None), "parent_reducer": str, "port": int, "updated_at": str}
SHAPES: dict[str, Any] = {
    "list_clients": {"count": int, "result": [NODE]},
    "list_combiners": {"count": int, "result": [{"name": str, "updated_at": str}]},
    "get_combiner": {"combiner": COMBINER},
    "get_package": PACKAGE,
    "get_package_checksum": {"checksum": str},
    "list_compute_packages": {"count": int, "result": [PACKAGE]},
    "get_initial_model": {"model_id": str},
    "get_latest_model": {"model_id": str},
    "list_models": {"count": int, "result": [{"committed_at": str, "model": str, "session_id": str}]},
    "get_client_config": {"network_id": str, "discover_host": str, "discover_port": int, "checksum": str},
    "list_sessions": {"count": int, "result": [CONFIG]},
    "get_controller_status": {"state": str},
    "get_events": {"count": int, "result": [EVENT]},
}


@pytest.fixture(scope="module")
def trained(session: Any, files: Path) -> APIClient:
    """A client with three sessions: from the first model, on from there, and from the first model again."""
    environments = {f"node_{index}": {"TARGET": str(4 * index)} for index in range(3)}
    client = APIClient(session=session, node_env=environments, say=lambda line: None)
    client.set_package(files / "package.tgz", helper="numpyhelper")
    client.set_initial_model(files / "seed.npz")
    first = client.get_initial_model()["model_id"]
    for name, options in (
        ("a", {"rounds": 2}),
        ("b", {"rounds": 1}),
        ("c", {"rounds": 1, "model_id": first}),
    ):
        assert client.start_session(session_id=name, **options)["success"]
        finish(client, name)
    return client


def test_the_calls_of_its_ci(make: Make, files: Path) -> None:
    """What FEDn 0.8 calls in its own tests, in that order, answers with something each time."""
    client = make("localhost", 8092)
    assert client.set_package(str(files / "package.tgz"), helper="numpyhelper")
    assert client.set_initial_model(str(files / "seed.npz"))
    answer = client.start_session(rounds=3)
    assert shape(answer) == {"success": bool, "message": str, "config": CONFIG}
    assert answer["success"] and client.get_controller_status() == {"state": "monitoring"}
    finish(client, answer["config"]["session_id"])

    assert client.get_controller_status() == {"state": "idle"}
    assert client.get_events()
    assert client.list_validations()
    assert client.get_model_trail()
    assert client.list_clients()
    assert client.list_combiners()
    assert client.get_combiner("combiner")
    assert client.get_initial_model()
    assert client.get_package()
    assert client.get_package_checksum()
    assert client.list_rounds()
    assert client.get_round(1)
    assert client.list_sessions()


def test_the_notebook_it_ships(make: Make, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells of FEDn's example, with another metric: the means are there, oldest first."""
    monkeypatch.chdir(files)
    client = make("localhost", 8092, node_env={"*": {"TARGET": "8"}})
    client.set_package("package.tgz", "numpyhelper")
    client.set_initial_model("seed.npz")
    seed_model = client.get_initial_model()

    session_id = "experiment_fedavg"
    session_config_fedavg = {
        "helper": "numpyhelper",
        "session_id": session_id,
        "aggregator": "fedavg",
        "model_id": seed_model["model_id"],
        "rounds": 3,
    }
    result_fedavg = client.start_session(**session_config_fedavg)
    while not client.session_is_finished(session_id):
        time.sleep(0.05)

    models = client.list_models(session_id)
    validations: Any = []
    acc: Any = collections.OrderedDict()
    for model in models["result"]:
        model_id = model["model"]
        validations = client.list_validations(modelId=model_id)
        for _, validation in validations.items():
            metrics = json.loads(validation["data"])
            try:
                acc[model_id].append(metrics["error"])
            except KeyError:
                acc[model_id] = [metrics["error"]]
    mean_acc_fedavg = []
    for _model, data in acc.items():
        mean_acc_fedavg.append(np.mean(data))
    mean_acc_fedavg.reverse()

    assert result_fedavg["success"] is True
    assert mean_acc_fedavg == [4.0, 2.0, 1.0]
    assert all(len(data) == 3 for data in acc.values())


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(trained: APIClient, name: str) -> None:
    """Keys and types of each answer are those of FEDn 0.8."""
    call = getattr(trained, name)
    answer = json.loads(json.dumps(call("combiner") if name == "get_combiner" else call()))

    assert shape(answer) == SHAPES[name]


def test_shapes_by_id(trained: APIClient) -> None:
    """Sessions, rounds and validations are dicts by their ids."""
    rounds, validations = trained.list_rounds(), trained.list_validations()

    assert list(rounds) == ["1", "2", "3", "4"]
    assert all(shape(each) == {"reducer": type(None), "combiners": [COMBINED]} for each in rounds.values())
    assert (
        trained.get_round(3)
        == trained.get_round("3")
        == {"round_id": "3", "combiners": rounds["3"]["combiners"]}
    )
    assert all(shape(each) == VALIDATION for each in validations.values()) and len(validations) == 12
    assert shape(trained.get_session("b")) == {"b": CONFIG, "status": str}
    assert trained.get_session("b")["status"] == "Finished"
    json.dumps([rounds, validations, trained.get_session("a")])


def test_the_trail_has_its_order_and_true_parents(trained: APIClient) -> None:
    """Models are in the order they came; each has the parent it was made from, also where a session named that."""
    first = trained.get_initial_model()["model_id"]
    newest = trained.list_models()["result"]
    a2, a1 = (model["model"] for model in trained.list_models("a")["result"])
    (b1,), (c1,) = ([model["model"] for model in trained.list_models(name)["result"]] for name in "bc")

    assert list(trained.get_model_trail()) == [first, a1, a2, b1, c1]
    assert [model["model"] for model in newest] == [c1, b1, a2, a1, first]
    assert [model["session_id"] for model in newest] == ["c", "b", "a", "a", None]
    parents = {each["model"]: each["parent_model"] for each in trained.get_models()["result"]}
    assert parents == {first: None, a1: first, a2: a1, b1: a2, c1: first}
    assert [each["model"] for each in trained.get_model_trail(c1)] == [first, c1]
    assert trained.get_session("b")["b"]["model_id"] == a2
    assert trained.get_round(2)["combiners"][0]["config"]["model_id"] == a1
    assert trained.get_latest_model() == {"model_id": c1}


def test_a_session_begins_with_the_model_it_is_given(trained: APIClient, tmp_path: Path) -> None:
    """From the first model again the same comes out as the first time; the models load with the helper."""
    helper = get_helper("numpyhelper")
    found = {}
    for name, count in (("a", 2), ("b", 1), ("c", 1)):
        for number, model in enumerate(trained.list_models(name)["result"][::-1]):
            path = tmp_path / f"{name}{number}.npz"
            assert trained.download_model(model["model"], str(path)) == {
                "success": True,
                "message": "Model downloaded successfully.",
            }
            found[path.stem] = helper.load(str(path))
        assert len(trained.list_models(name)["result"]) == count

    # targets 0, 4, 8: halfway to 4 from 0, from 2, from 3
    assert {name: float(point[0]) for name, (point, _) in found.items()} == {
        "a0": 2,
        "a1": 3,
        "b0": 3.5,
        "c0": 2,
    }
    assert found["b0"][1] == 3 and found["b0"][1].dtype == np.int64


def test_validations_are_found_by_model_and_sender(trained: APIClient) -> None:
    """The filters of MongoDB's names, and Python's; a wrong one is told."""
    newest = trained.get_latest_model()["model_id"]
    of_model = trained.list_validations(modelId=newest)
    of_node = trained.list_validations(**{"sender.name": "node_1"})
    event = trained.get_events(type="MODEL_VALIDATION", limit=1)

    assert {each["sender"]["name"] for each in of_model.values()} == {"node_0", "node_1", "node_2"}
    assert json.loads(next(iter(of_model.values()))["data"])["error"] == 2
    assert {each["model_id"] for each in of_model.values()} == {newest}
    assert (
        len(of_node) == 4
        and trained.list_validations(modelId=newest, sender_name="node_1").keys() <= of_node.keys()
    )
    assert len(trained.list_validations(correlationId=event["result"][0]["correlationId"])) == 1
    assert event["count"] == 12
    with pytest.raises(UsageError, match="did you mean 'modelId'"):
        trained.list_validations(modelid=newest)


def test_a_session_is_refused(trained: APIClient) -> None:
    """The id is taken; there are not enough nodes; there is no such model."""
    many = trained.start_session(session_id="d", min_clients=4)

    assert trained.start_session(session_id="a") == {"success": False, "message": "Session already exists."}
    assert many == {"success": False, "message": "Not enough clients available to start session."}
    assert trained.start_session(session_id="d", model_id="x")["message"] == "Model x not found."
    with pytest.raises(UsageError, match="rounds"):
        trained.start_session(session_id="d", rounds=0)
    assert trained.list_sessions()["count"] == 3


def test_one_session_at_a_time(make: Make, files: Path) -> None:
    """While one goes on there is no other, and no other package."""
    client = make()
    client.set_package(files / "package.tgz", "numpyhelper")
    client.set_initial_model(files / "seed.npz")
    client.start_session(session_id="long", rounds=500, validate="false")

    assert client.start_session() == {"success": False, "message": "A session is already running."}
    assert client.set_package(files / "package.tgz", "numpyhelper")["success"] is False
    assert client.get_session("long")["status"] == "Started" and not client.session_is_finished("long")
    json.dumps([client.list_rounds(), client.get_events(), client.get_rounds(), client.get_statuses()])
    assert client.terminate_session("long")["success"]
    assert client.session_is_finished("long") and client.get_session_status("long") == "Terminated"
    assert client.list_validations() == {}
