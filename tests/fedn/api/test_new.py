"""`APIClient` in the words of FEDn from 0.9 on, on real nodes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from manta_nb import fedn
from manta_nb.fedn.api import APIClient
from manta_nb.session.session import Session
from tests.fedn.api.conftest import Make, Said, finish, shape
from tests.fedn.api.test_old import COMBINED, CONFIG, PARTY
from tests.fedn.packages import PACKAGES
from tests.fedn.packages import client as client_folder

ORACLE = Path(sys.prefix) / "oracle" / "fedn"
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

KWARGS = {"serveropt": str, "learning_rate": float, "beta1": float, "beta2": float, "tau": float}
MODEL = {
    "id": str,
    "key": str,
    "model": str,
    "model_id": str,
    "name": type(None),
    "parent_model": str,
    "session_id": str,
    "committed_at": str,
}
VALIDATION = {
    "id": str,
    "model_id": str,
    "data": str,
    "correlation_id": str,
    "timestamp": str,
    "session_id": str,
    "meta": str,
    "sender": PARTY,
    "receiver": PARTY,
}
STATUS = {
    "id": str,
    "status": str,
    "timestamp": str,
    "log_level": str,
    "data": str,
    "correlation_id": str,
    "type": str,
    "extra": str,
    "session_id": str,
    "sender": PARTY,
}
SESSION = {
    "id": str,
    "session_id": str,
    "name": str,
    "status": str,
    "session_config": {**CONFIG, "aggregator_kwargs": KWARGS, "server_functions": type(None)},
    "committed_at": str,
}
ROUND = {
    "id": str,
    "round_id": str,
    "status": str,
    "round_config": {**CONFIG, "round_id": str},
    "combiners": [COMBINED],
    "round_data": {
        "reduce": {"time_fetch_model": float, "time_load_model": float, "time_aggregate_model": float},
        "time_commit": float,
    },
}
PACKAGE = {
    "id": str,
    "key": str,
    "active": bool,
    "committed_at": str,
    "description": type(None),
    "file_name": str,
    "helper": str,
    "name": str,
    "storage_file_name": str,
}
NODE = {
    "id": str,
    "client_id": str,
    "name": str,
    "combiner": str,
    "combiner_preferred": type(None),
    "ip": str,
    "status": str,
    "updated_at": str,
    "last_seen": str,
}
#: plural → the shape of one, and the call for one
ENTITIES: dict[str, Any] = {
    "get_clients": (NODE, "get_client"),
    "get_models": (MODEL, "get_model"),
    "get_packages": (PACKAGE, "get_package"),
    "get_rounds": (ROUND, "get_round"),
    "get_sessions": (SESSION, "get_session"),
    "get_statuses": (STATUS, "get_status"),
    "get_validations": (VALIDATION, "get_validation"),
}


@pytest.fixture(scope="module")
def trained(session: Session, files: Path) -> APIClient:
    """A client with a session of fedavg and one of fedopt, both from the first model."""
    client = APIClient(session=session, node_env={"*": {"TARGET": "8"}}, say=lambda line: None)
    client.set_active_package(str(files / "package.tgz"), "numpyhelper", "good")
    client.set_active_model(str(files / "seed.npz"))
    seed_model = client.get_active_model()
    adam = {"serveropt": "adam", "learning_rate": 1e-2, "beta1": 0.9, "beta2": 0.99, "tau": 1e-4}
    for options in ({}, {"aggregator": "fedopt", "aggregator_kwargs": adam}):
        answer = client.start_session(
            id=f"session_{len(options)}",
            name=f"my {len(options)}",
            model_id=seed_model["model"],
            rounds=2,
            **options,
        )
        assert answer["success"], answer
        finish(client, answer["session_id"])
    return client


def test_the_notebook_it_ships(trained: APIClient) -> None:
    """Validations of a session, and of each model of the trail, as FEDn's notebooks read them."""
    by_model: dict[str, list[float]] = {}
    for validation in trained.get_validations("session_0")["result"]:
        by_model.setdefault(validation["model_id"], []).append(json.loads(validation["data"])["error"])
    scores = [fmean(values) for values in by_model.values()]
    scores.reverse()
    trail = trained.get_model_trail()

    assert scores == [4.0, 2.0]
    assert [model["session_id"] for model in trail] == [None, "session_2", "session_2"]
    assert trained.get_validations(model_id=trail[-1]["model"])["count"] == 3
    assert trained.get_validations(model_id=trail[0]["model"]) == {"count": 0, "result": []}


@pytest.mark.parametrize("plural", ENTITIES)
def test_shapes(trained: APIClient, plural: str) -> None:
    """Lists are `{"count", "result"}`, `n_max` shortens them, one of them is found by its id."""
    one, singular = ENTITIES[plural]
    answer = json.loads(json.dumps(getattr(trained, plural)()))
    first = answer["result"][0]

    assert shape(answer) == {"count": int, "result": [one]}
    assert getattr(trained, f"{plural}_count")() == answer["count"] == len(answer["result"])
    assert getattr(trained, plural)(n_max=1)["count"] == answer["count"]
    assert len(getattr(trained, plural)(n_max=1)["result"]) == 1
    found = getattr(trained, singular)(first["id"])
    assert {**found, "last_seen": 0, "updated_at": 0} == {**first, "last_seen": 0, "updated_at": 0}
    assert getattr(trained, singular)("nobody") == {"message": "Entity with id: nobody not found"}


def test_the_latest_come_first(trained: APIClient) -> None:
    """Models, rounds, sessions and validations are listed from the latest on."""
    models = trained.get_models()["result"]

    assert [each["session_id"] for each in models] == ["session_2"] * 2 + ["session_0"] * 2 + [None]
    assert [each["round_id"] for each in trained.get_rounds()["result"]] == ["4", "3", "2", "1"]
    assert [each["id"] for each in trained.get_sessions()["result"]] == ["session_2", "session_0"]
    assert trained.get_validations()["result"][0]["model_id"] == trained.get_active_model()["model"]
    assert trained.get_models(session_id="session_0")["count"] == 2
    assert trained.get_session("my 2") == trained.get_session("session_2")


def test_the_trail_goes_where_it_is_asked_to(trained: APIClient) -> None:
    """It ends with the latest model or a given one, with it or without, from either end, and as long as asked."""
    newest = [each["model"] for each in trained.get_models()["result"]]
    seed, last, before = newest[4], newest[0], newest[1]

    def ids(**options: Any) -> list[str]:
        return [each["model"] for each in trained.get_model_trail(**options)]

    assert ids() == [seed, before, last]
    assert ids(reverse=False) == [last, before, seed]
    assert ids(include_self=False) == [seed, before]
    assert ids(n_max=2) == [before, last]
    assert ids(id=newest[2]) == [seed, newest[3], newest[2]]
    assert trained.session is not None
    # what `fedn.trail(run)` calls the model that a session began with is known, too
    first = fedn.trail(trained.session.runs["my 2"])[0]["model"]
    assert trained.get_model(first)["model"] == seed


def test_who_is_there(trained: APIClient) -> None:
    """Nodes are clients that are online, of one combiner."""
    assert trained.get_active_clients("combiner")["count"] == trained.get_active_clients()["count"] == 3
    assert trained.get_active_clients("another") == {"count": 0, "result": []}
    assert trained.get_combiners()["result"][0] == trained.get_combiner("combiner")
    assert trained.get_combiners_count() == 1
    assert trained.get_active_package() == trained.get_packages()["result"][0]
    assert (
        trained.get_statuses(session_id="session_0", event_type="MODEL_UPDATE", sender_name="node_1")["count"]
        == 2
    )


def test_a_session_ends_and_goes_on(make: Make, files: Path) -> None:
    """One that was terminated goes on from its last model; its rounds get new numbers."""
    client = make()
    client.set_active_package(files / "package.tgz", "numpyhelper", "good")
    client.set_active_model(files / "seed.npz")
    client.start_session(id="first", rounds=1)
    finish(client, "first")
    again = client.continue_session("first", rounds=1)
    finish(client, "first")

    assert again["success"] and client.get_session_status("first") == "Finished"
    assert [each["status"] for each in client.get_rounds()["result"]] == ["Finished"] * 2
    assert len(client.get_model_trail()) == 3
    assert client.terminate_session("first") == {"success": False, "message": "Session first is not running."}


def failing(make: Make, environments: dict[str, Any]) -> APIClient:
    client = make(node_env=environments)
    client.set_active_package(client_folder("failing"), "numpyhelper", "failing")
    client.set_active_model(PACKAGES / "zeros.npz")
    return client


def test_a_client_that_fails_is_an_event(make: Make) -> None:
    """The round goes on with the others, whatever `min_clients` says; who failed, how and why is in the events."""
    client = failing(make, {"node_1": {"FAIL": "exit"}})
    client.start_session(id="a", rounds=1, min_clients=3)
    finish(client, "a")

    (round_,) = client.get_rounds()["result"]
    assert round_["combiners"][0]["data"]["aggregation_time"]["nr_aggregated_models"] == 2
    (event,) = (each for each in client.get_statuses()["result"] if each["log_level"] == "ERROR")
    data = json.loads(event["data"])
    assert event["sender"] == {"name": "node_1", "role": "WORKER"} and event["type"] == "MODEL_UPDATE"
    assert data["exit_code"] == 3 and data["tail"][-1] == "the scales are broken"


def test_a_session_that_fails_is_over(make: Make, said: Said) -> None:
    """Where nobody sends an update there is no model: a loop that waits for the session ends, and one line says why."""
    client = failing(make, {"*": {"FAIL": "exit"}})
    client.start_session(id="a", rounds=3)
    finish(client, "a")

    assert client.session_is_finished("a") and client.get_session_status("a") == "Failed"
    assert [each["status"] for each in client.get_rounds()["result"]] == ["Failed"]
    assert len([line for line in said if line.startswith("session a failed: ")]) == 1
    assert client.get_models_count() == 1
    json.dumps([client.get_statuses(), client.get_rounds(), client.list_rounds(), client.get_round("1")])


def test_server_functions_come_along(make: Make) -> None:
    """A class `ServerFunctions`, as text, chooses nodes; the session tells its text."""
    client = make()
    client.set_active_package(client_folder("settings"), "numpyhelper", "settings")
    client.set_active_model(PACKAGES / "zeros.npz")
    text = (client_folder("settings").parent / "server_functions.py").read_text()
    answer = client.start_session(id="a", rounds=1, server_functions=text)
    finish(client, "a")

    assert "class ServerFunctions" in json.loads(json.dumps(answer))["config"]["server_functions"]
    assert (
        client.get_rounds()["result"][0]["combiners"][0]["data"]["aggregation_time"]["nr_aggregated_models"]
        == 2
    )


class Shown:
    """A screen that keeps what it is to show."""

    def __init__(self) -> None:
        self.runs: list[Any] = []

    def show(self, run: Any, view: Any = None) -> None:
        self.runs.append(run)

    def monitor(self, run: Any) -> Any:
        return run

    def settle(self, run: Any) -> None:
        pass


def test_nodes_start_when_they_are_needed(files: Path, tmp_path: Path) -> None:
    """Not before somebody asks for them; where there is a notebook, a session is shown as it starts."""
    said = Said()
    client = APIClient("localhost", nodes=["left", "right"], store=tmp_path / "store", say=said)
    client.set_package(files / "package.tgz")
    client.set_initial_model(files / "seed.npz")
    assert client.session is None

    assert [each["id"] for each in client.list_clients()["result"]] == ["left", "right"]
    assert client.session is not None
    client.session.display = screen = Shown()
    client.start_session(session_id="a", rounds=1)
    finish(client, "a")
    client.session.close()

    assert screen.runs == [client.session.runs[-1]]
    assert len(client.list_validations()) == 2
    # others take their place, for another session
    assert client.list_clients()["count"] == 2 and client.session.closed is False
    client.session.close()


@pytest.mark.skipif(not ORACLE.is_dir(), reason="make test installs FEDn 0.11.1 there")
def test_a_model_loads_with_fedns_own_helper(trained: APIClient, tmp_path: Path) -> None:
    """What is downloaded is a file as FEDn's numpyhelper reads it: a list of arrays, with their dtypes."""
    averaged = trained.get_models(session_id="session_0")["result"][0]
    trained.download_model(averaged["id"], tmp_path / "model.npz")
    program = """
import sys
from fedn.utils.helpers.helpers import get_helper
point, trained = get_helper("numpyhelper").load(sys.argv[1])
print(point.dtype, point.shape, trained)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model.npz")],
        env={**os.environ, "PYTHONPATH": str(ORACLE)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split("\n")[0] == "float32 (3,) 2", done.stderr


def test_reports_are_told_as_they_were_written(make: Make, files: Path, tmp_path: Path) -> None:
    """`data` is the JSON of the program, with lists, dicts and texts; NaN stays NaN."""
    report = {"confusion": [[3, 1], [0, 4]], "verdict": "gut", "scores": {"loss": float("nan")}}
    package = tmp_path / "package"
    shutil.copytree(client_folder("good"), package)
    (package / "validate.py").write_text(
        f"import sys, json\nfrom math import nan\njson.dump({report}, open(sys.argv[2], 'w'))\n"
    )
    client = make()
    client.set_active_package(package, "numpyhelper", "reports")
    client.set_active_model(files / "seed.npz")
    client.start_session(id="a", rounds=1)
    finish(client, "a")

    texts = {each["data"] for each in client.get_validations()["result"]}
    assert texts == {json.dumps(report)}


CELLS = [
    "%load_ext manta_nb\n%manta start --nodes 2 --workers 1",
    "from fedn import APIClient\nimport time\nclient = APIClient('localhost', 8092)",
    "client.set_package('package.tgz', 'numpyhelper')\nclient.set_initial_model('seed.npz')",
    "answer = client.start_session(session_id='first', rounds=2)",
    "while not client.session_is_finished('first'):\n    time.sleep(0.1)",
    "print(len(client.list_clients()['result']), len(client.list_validations()), client.nothing)",
]


@pytest.mark.slow
def test_a_kernel_with_the_magics(files: Path, tmp_path: Path) -> None:
    """The unedited cells use the nodes of the notebook; the session is shown in the cell that started it."""
    for name in ("package.tgz", "seed.npz"):
        shutil.copy(files / name, tmp_path)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(
        notebook, timeout=100, kernel_name="python3", resources=resources, allow_errors=True
    ).execute()

    outputs = [cell.outputs for cell in notebook.cells]
    assert "is not contacted" in outputs[1][0]["text"]
    assert "first · completed · iteration 2 of 2" in outputs[3][0]["data"]["text/plain"]
    assert "'success': True" in outputs[2][0]["data"]["text/plain"] and outputs[4] == []
    assert outputs[5][0]["traceback"][0].startswith("NotOffered: APIClient of manta_nb has no nothing")
