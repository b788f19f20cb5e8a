"""Requests travel as text and come out as they went in."""

from __future__ import annotations

from pathlib import Path

import pytest

from manta_nb.errors import UsageError
from manta_nb.runtime.capabilities import probe
from manta_nb.runtime.hosting import spread, write_setups
from manta_nb.runtime.runners.request import NodeRecord, Policy, SharedRequest, load_nodes, save_nodes
from manta_nb.runtime.runners.segments import Place, have_memfd
from manta_nb.runtime.workplace import WorkerSetup
from manta_nb.sdk.context import Dataset
from manta_nb.sdk.source import source_from_text


def test_a_shared_request_survives_its_journey() -> None:
    """Every field, tuples as tuples, comes back from JSON."""
    request = SharedRequest(
        run_id="r",
        iteration=3,
        task="t · é",
        attempt=1,
        seed=2**70,
        source=source_from_text("def main():\n    print('\\ud800')", "w", {"m.py": "x = 1"}),
        policy=Policy(timeout=0.5, isolate=True, on_nan="refuse", trace=True),
        segments=(Place("ab" * 16, 12, 5, 100), Place("cd" * 16, 0, -1, 7)),
        globals={"lr": (0, 64, 8)},
        results=((2, 1, ("w", "v")),),
        dropped={"w": 0},
        aliases=("t · é", "u"),
        known_nodes=("a", "b"),
    )

    assert SharedRequest.from_json(request.to_json()) == request


def test_a_request_of_defaults_survives_too() -> None:
    """None and empty fields stay what they are."""
    request = SharedRequest("r", 0, "t", 0, 0, source_from_text("def main():\n    print(1)", "w"), Policy())

    assert SharedRequest.from_json(request.to_json()) == request


def test_nodes_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Folders and datasets of both kinds; only the asked ones where names are given."""
    nodes = {
        "a": NodeRecord(tmp_path / "a", {"x": Dataset(path=tmp_path / "x.csv")}),
        "b": NodeRecord(tmp_path / "b", {"d": Dataset(arrays={"k": tmp_path / "k.npy"})}),
    }
    save_nodes(tmp_path / "nodes.json", nodes)

    assert load_nodes(tmp_path / "nodes.json") == nodes
    assert load_nodes(tmp_path / "nodes.json", ["b"]) == {"b": nodes["b"]}


@pytest.mark.parametrize("worker_id", ["worker-0", "tcp://127.0.0.1:4321", "../up", "a b/c"])
def test_setups_lie_in_the_sessions_folder(tmp_path: Path, worker_id: str) -> None:
    """Whatever somebody else's worker is called, its files lie in the folder, and hold its own nodes only."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    records = {node: NodeRecord(folder / node, {}) for node in ("x", "y")}
    capabilities = probe()
    [setup] = write_setups(
        {worker_id: ["x"]}, records, folder, capabilities, threads=2, memory=5, path=["p"]
    ).values()

    assert list(load_nodes(Path(setup.nodes))) == ["x"]
    assert {path.parent for path in tmp_path.rglob("*.json")} == {folder}
    [saved] = [path for path in folder.glob("*.json") if "nodes" not in path.name]
    assert WorkerSetup.load(saved).nodes == setup.nodes


@pytest.mark.parametrize(
    ("nodes", "workers", "sizes"),
    [(4, 4, [1, 1, 1, 1]), (5, 2, [3, 2]), (100, 3, [34, 33, 33]), (2, 5, [1, 1])],
)
def test_nodes_are_spread_evenly(nodes: int, workers: int, sizes: list[int]) -> None:
    """Each node once, in order, no worker without any, none with two more than another."""
    hosted = spread([f"n{k}" for k in range(nodes)], [f"w{k}" for k in range(workers)])

    assert [len(each) for each in hosted.values()] == sizes
    assert [node for each in hosted.values() for node in each] == [f"n{k}" for k in range(nodes)]


def test_ways_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment chooses how children start and how values travel, as far as that goes together."""
    found = []
    for start, values in (("exec", "shared"), ("fork", "transfer"), ("spawn", "shared")):
        monkeypatch.setenv("MANTA_NB_START", start)
        monkeypatch.setenv("MANTA_NB_VALUES", values)
        capabilities = probe()
        found.append((capabilities.start, capabilities.shared_values))

    assert found == [("exec", have_memfd()), ("fork", False), ("spawn", False)]
    assert probe("inline").start == "inline"


@pytest.mark.parametrize("variable", ["MANTA_NB_START", "MANTA_NB_VALUES"])
def test_an_unknown_way_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A misspelt value is named with what is allowed."""
    monkeypatch.setenv(variable, "forkk")

    with pytest.raises(UsageError, match=f"{variable} must be .*, got 'forkk'"):
        probe()
