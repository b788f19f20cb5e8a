"""Nodes that are late, leave, are killed, or come back: the others go on, and whoever comes back is up to date."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from manta_nb import RunFailed, Session
from manta_nb.swarm_learning import ScriptRun
from tests.waiting import until

pytestmark = pytest.mark.cluster

Play = Callable[..., ScriptRun]


def board(run: ScriptRun) -> list[str]:
    return run.board.read_text().splitlines() if run.board.exists() else []


def assert_same_end(run: ScriptRun, *nodes: str) -> None:
    """These scripts ended well and with the same parameters."""
    rows = {row["node"]: row for row in run.scripts}
    assert {rows[node]["exit_code"] for node in nodes} == {0}
    assert len({rows[node]["checksum"] for node in nodes}) == 1
    assert rows[nodes[0]]["checksum"]


def test_a_late_node_is_left_out_and_catches_up(play: Play) -> None:
    """It misses a merge, drops what it had trained, and is a peer again in a later one."""
    run = play(
        {
            "node_0": {"batches": 12},
            "node_1": {"batches": 12},
            "node_2": {"batches": 12, "step": 100.0, "wait_at": [3, 4]},
        },
        patience=0.3,
    )
    took_part = ["node_2" in row["nodes"] for row in run.merges]
    missed = took_part.index(False)

    assert run.merges[missed]["left_out"] == ["node_2"] and any(took_part[missed:])
    # what it had trained alone is in no model
    assert float(run.globals["model"]["w"][0]) < 100 * sum(took_part)
    assert_same_end(run, "node_0", "node_1", "node_2")


def test_a_script_that_fails_has_left(play: Play) -> None:
    """The others go on, its exit code and last lines are kept, and it is said once or twice, not in every round."""
    run = play({"node_1": {"crash_at": 3}, **{node: {"batches": 12} for node in ("node_0", "node_2")}})
    rows = {row["node"]: row for row in run.scripts}

    assert run.status == "completed"
    assert rows["node_1"]["exit_code"] == 3
    assert rows["node_1"]["tail"][-1] == "crashed on purpose"
    assert_same_end(run, "node_0", "node_2")
    assert sum("exit code 3" in event.message for event in run.events) <= 2


def test_an_exit_without_a_word_stops_nobody(play: Play) -> None:
    """With exit code 0 it stays a peer that contributes nothing: two of two go on, though one has gone."""
    run = play(
        {"node_0": {"batches": 8}, "node_1": {"leave_at": 3}, "node_2": {"leave_at": 1}},
        deadline=15,
    )

    assert run.status == "completed"
    assert run.merges[-1]["nodes"] == {"node_0": 1, "node_1": 0, "node_2": 0}
    assert_same_end(run, "node_0")


def test_below_the_quorum_it_ends_and_names_who_is_missing(play: Play) -> None:
    """A peer that still trains, and does not come, is waited for until the deadline."""
    with pytest.raises(RunFailed, match="node_1"):
        play(
            {
                "node_0": {"peers": 2},
                "node_1": {"wait_at": [1, 99]},
                "node_2": {"crash_at": 1},
            },
            deadline=1.5,
        )


def test_more_peers_than_nodes_is_told_at_once(play: Play) -> None:
    """With what to give."""
    with pytest.raises(
        RunFailed, match=r"min_peers=4 in the script, but this run has 3 nodes: give --nodes 4"
    ):
        play({f"node_{i}": {"peers": 4} for i in range(3)})


def test_a_killed_node_comes_back_and_ends_alike(play: Play, session: Session) -> None:
    """Its script starts anew, takes over the latest model, and all end with the same parameters."""
    run = play({f"node_{i}": {"batches": 100, "interval": 2} for i in range(3)}, wait=False, patience=0.2)
    until(lambda: any("merge 5" in line for line in board(run)), 30)
    session.nodes["node_1"].kill()
    run.wait(60)
    rounds = [row["round"] for row in run.merges if "node_1" not in row["nodes"]]

    assert board(run).count("node_1 began") == 2
    assert rounds and run.merges[-1]["nodes"].keys() == {"node_0", "node_1", "node_2"}
    assert_same_end(run, "node_0", "node_1", "node_2")


def test_weight_and_mode_can_be_changed_while_it_runs(play: Play) -> None:
    """From a later merge on, whatever the scripts say."""
    run = play({f"node_{i}": {"batches": 40} for i in range(3)}, wait=False)
    until(lambda: run.merges, 30)
    run.set_weight("node_1", 5).set_mode("node_2", "inactive")
    run.wait(60)
    weights = [row["nodes"] for row in run.merges]

    assert weights[0] == {"node_0": 1, "node_1": 1, "node_2": 1}
    assert weights[-1] == {"node_0": 1, "node_1": 5, "node_2": 0}
    assert any("knobs" in event.message for event in run.events)


def test_all_weights_zero_names_the_nodes(play: Play) -> None:
    """It is an error, not a model full of NaN."""
    with pytest.raises(RunFailed, match="node_0, node_1, node_2 are all 0"):
        play({f"node_{i}": {"weight": 0} for i in range(3)})


def test_a_stopped_run_leaves_no_script(play: Play) -> None:
    """Nor any other process of it."""
    import psutil

    run = play({f"node_{i}": {"wait_at": [1, 99]} for i in range(3)}, wait=False)
    until(lambda: sum("began" in line for line in board(run)) == 3, 30)
    scripts = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "peer.py" in (process.info["cmdline"] or [])
    ]
    run.stop()

    assert len(scripts) >= 3
    until(lambda: not any(process.is_running() and process.status() != "zombie" for process in scripts), 10)
    assert run.status == "stopped"
