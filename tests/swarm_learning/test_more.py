"""What people ask of swarm learning beside the merges: baselines, measures, repeatable runs, intervals that adapt."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from manta_nb import RunFailed, Session, swarm_learning
from manta_nb.errors import UsageError
from manta_nb.swarm_learning import ScriptRun
from tests.swarm_learning.conftest import PEER
from tests.waiting import until

pytestmark = pytest.mark.cluster

Play = Callable[..., ScriptRun]

EVALUATE = """
import numpy as np

def far(model_dir, data_dir):
    print("measuring", model_dir)
    return {"number": float(np.load(f"{model_dir}/final.npy")[0])}
"""


def test_the_same_script_alone_and_on_all_data(play: Play) -> None:
    """Alone each adds its own 4 steps; the swarm ends at their mean; each baseline is trained once."""
    run = play({f"node_{i}": {"step": i + 1.0} for i in range(3)})
    compared = run.compare(local=True, central=False)

    assert {node: each["val_number"] for node, each in compared.local.items()} == {
        "node_0": 4,
        "node_1": 8,
        "node_2": 12,
    }
    assert compared.means("val_number") == {"local": 8, "swarm": 8}
    assert "swarm val_number" in str(compared) and compared.plot("val_number").axes
    assert run.compare(central=False).local == compared.local


def test_data_of_all_in_one_place(tmp_path: Path) -> None:
    """The central baseline is one node with the rows of all, and its own line in the table."""
    for i in range(2):
        (tmp_path / "data" / f"site_{i}").mkdir(parents=True)
        np.savez(tmp_path / "data" / f"site_{i}" / "d.npz", x_train=np.full((i + 1, 2), i))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "peer.py").write_text(PEER.read_text())
    (tmp_path / "rows.py").write_text(
        "import numpy as np\ndef rows(m, d): return {'rows': len(np.load(d + '/d.npz')['x_train'])}\n"
    )
    plan = json.dumps({"step": 1.0, "batches": 2, "interval": 2, "peers": 2})
    with Session(data=tmp_path / "data", store=tmp_path / "store") as session:
        run = swarm_learning.run(
            tmp_path / "code" / "peer.py",
            session=session,
            env={"PLAN": plan, "BOARD": str(tmp_path / "board")},
            evaluate=f"{tmp_path / 'rows.py'}:rows",
            wait=True,
        )
        compared = run.compare()

    assert compared.means("rows") == {"local": 1.5, "swarm": 1.5, "central": 3}


def test_a_function_measures_each_final_model(play: Play, tmp_path: Path) -> None:
    """It is given the node's folders, what it prints is in the logs, what it returns is a metric."""
    (tmp_path / "measure.py").write_text(EVALUATE)
    run = play({}, evaluate=f"{tmp_path / 'measure.py'}:far")

    assert {row.value for row in run.metrics if row.name == "number"} == {4.0}
    assert sum(line.text.startswith("measuring") for line in run.logs) == 3


def test_a_function_that_fails_is_told(play: Play, tmp_path: Path) -> None:
    """With its last line; the models are there all the same."""
    (tmp_path / "measure.py").write_text("def far(m, d):\n    raise ValueError('no such thing')\n")
    run = play({}, evaluate=f"{tmp_path / 'measure.py'}:far")

    assert any("no such thing" in line.text for line in run.logs)
    assert {row["exit_code"] for row in run.scripts} == {0}


def test_the_interval_adapts_itself(play: Play) -> None:
    """While the loss falls it doubles, where it does not it halves; each change is in the merges and in the logs."""
    losses = [9.0, 8.0, 4.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    run = play({f"node_{i}": {"batches": 24, "adaptive": True, "losses": losses} for i in range(3)})
    intervals = [row["interval"] for row in run.merges]

    assert intervals[0] == 2 and max(intervals) > 2
    assert any("sync interval 2 → 4" in line.text for line in run.logs)


def test_a_seed_repeats_a_run(session: Session, tmp_path: Path) -> None:
    """Scripts that draw lots draw the same ones."""
    text = PEER.read_text().replace(
        'PLAN.get("start", 0.0)', "__import__('numpy').random.default_rng().random()"
    )
    text = text.replace("default_rng().random()", "rand()")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "peer.py").write_text(text)
    plan = json.dumps({"step": 1.0, "batches": 2, "interval": 2, "peers": 3})
    finals = []
    for number, seed in enumerate((3, 3, 4)):
        env = {"PLAN": plan, "BOARD": str(tmp_path / f"board_{number}")}
        run = swarm_learning.run(
            tmp_path / "code" / "peer.py", session=session, env=env, seed=seed, wait=True
        )
        finals.append(float(run.globals["model"]["w"][0]))

    assert finals[0] == finals[1] != finals[2]


def test_a_frozen_node_is_done_without_and_comes_back(play: Play, session: Session) -> None:
    """The others go on after their patience; it takes over the latest model when it moves again."""
    run = play({f"node_{i}": {"batches": 60} for i in range(3)}, wait=False, patience=0.3)
    until(lambda: len(run.merges) > 3, 30)
    session.nodes["node_2"].freeze(2)
    run.wait(60)
    rows = {row["node"]: row for row in run.scripts}

    assert any("node_2" not in row["nodes"] for row in run.merges)
    assert len({row["checksum"] for row in rows.values()}) == 1 and rows["node_2"]["exit_code"] == 0


def test_many_nodes_in_one_worker_take_turns(tmp_path: Path) -> None:
    """Four nodes in one process end as four processes would."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "peer.py").write_text(PEER.read_text())
    env = {
        "PLAN": json.dumps({"step": 1.0, "batches": 4, "interval": 2, "peers": 4}),
        "BOARD": str(tmp_path / "b"),
    }
    with Session(nodes=4, workers=1, store=tmp_path / "store") as session:
        run = swarm_learning.run(tmp_path / "code" / "peer.py", session=session, env=env, wait=True)

    assert len({row["checksum"] for row in run.scripts}) == 1
    assert float(run.globals["model"]["w"][0]) == 4


def test_a_script_without_a_callback_is_told(session: Session, tmp_path: Path) -> None:
    """It trained by itself: that is said, and is no success."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print('trained')\n")

    with pytest.raises(RunFailed, match="no SwarmCallback was made on node_0"):
        swarm_learning.run(tmp_path / "code" / "train.py", session=session, wait=True)


def test_a_script_that_cannot_begin_names_its_error(session: Session, tmp_path: Path) -> None:
    """With exit code and last line."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("import not_there\n")

    with pytest.raises(RunFailed, match=r"exit code 1: .*ModuleNotFoundError: No module named 'not_there'"):
        swarm_learning.run(tmp_path / "code" / "train.py", session=session, wait=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"min_peers": 0}, "min_peers must be a whole number ≥ 1, got 0"),
        ({"min_peers": 9}, "min_peers=9, but there are 3 nodes: lower it, or give nodes=9"),
        ({"merge": "medain"}, "no merge method 'medain' (did you mean"),
        (
            {"evaluate": "measure.py"},
            r"evaluate is FILE\.py:function\(model_dir, data_dir\), got measure\.py",
        ),
        ({"evaluate": "nowhere.py:far"}, "evaluate: cannot read nowhere.py"),
        ({"patience": -1}, "patience must be a number of seconds ≥ 0, got -1"),
        ({"node_env": {"node_9": {"A": "1"}}}, "node_env: no node 'node_9'"),
    ],
)
def test_mistakes_are_one_line(
    session: Session, tmp_path: Path, options: dict[str, object], told: str
) -> None:
    """They say what, which, and what to type, before anything runs."""
    (tmp_path / "train.py").write_text("")

    with pytest.raises(UsageError, match=told.replace("(did", r"\(did")) as caught:
        swarm_learning.run(tmp_path / "train.py", session=session, **options)
    assert len(str(caught.value)) <= 200


def test_a_stopped_run_goes_on_from_its_latest_model(play: Play) -> None:
    """Its scripts start anew, take over what was merged, and train all their batches from there."""
    run = play({f"node_{i}": {"batches": 20} for i in range(3)}, wait=False)
    until(lambda: len(run.merges) >= 3, 30)
    run.stop()
    merged, before = len(run.merges), float(run.globals["model"]["w"][0])
    run.resume()
    run.wait(60)

    assert run.merges[-1]["round"] == len(run.merges) > merged
    assert float(run.globals["model"]["w"][0]) == before + 20
    assert {row["exit_code"] for row in run.scripts} == {0}
