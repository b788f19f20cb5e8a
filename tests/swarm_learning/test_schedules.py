"""Random schedules of late, leaving, failing, killed and early-finishing nodes against a model of the protocol."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from manta_nb import Session
from manta_nb.swarm_learning import ScriptRun
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

NODES = ("node_0", "node_1", "node_2")


def schedule(seed: int) -> tuple[dict[str, dict[str, Any]], str | None]:
    """A plan for each node, and a node that is killed in the middle, if any."""
    draw = random.Random(seed)
    plans: dict[str, dict[str, Any]] = {}
    troubled = draw.choice([*NODES, None])
    for node in NODES:
        plan = {
            "step": float(draw.randint(1, 5)),
            "start": float(draw.randint(0, 9)),
            "batches": draw.choice([2, 5, 8, 12]),
            "interval": 2,
            "weight": draw.randint(1, 3),
            "mode": draw.choice(["snapshot", "active", "inactive"]),
        }
        if node == troubled:
            kind = draw.choice(["late", "leave", "crash", "kill"])
            at = draw.randint(1, plan["batches"])
            if kind == "late":
                plan["wait_at"] = [at, draw.randint(1, 3)]
            elif kind in ("leave", "crash"):
                plan[f"{kind}_at"] = at
            plan["kill"] = kind == "kill"
        plans[node] = plan
    # somebody contributes to the last merge
    plans[next(node for node in NODES if node != troubled)]["mode"] = "snapshot"
    return plans, troubled if troubled and plans[troubled].pop("kill", False) else None


def expected(run: ScriptRun, plans: dict[str, dict[str, Any]]) -> float:
    """The final number, from who took part in which merge: the model of the protocol.

    Who takes part goes on from the latest merged model, whether it was in that merge or has just taken it over, adds
    `step` for each batch of an interval, and contributes that. At its end it contributes what it then has, and goes on
    doing so; one that missed a merge has nothing but the merged model.
    """
    ended: dict[str, float] = {}
    model, before = 0.0, set(NODES)
    for row in run.globals["merges"]:
        shares = {}
        for node, weight in row["nodes"].items():
            kind, plan = row["kinds"][node], plans[node]
            if kind == "begin":
                own = plan["start"]
            elif kind == "batch":
                own = model + plan["step"] * plan["interval"]
                ended.pop(node, None)
            elif kind == "end":
                left = plan["batches"] % plan["interval"] if node in before else 0
                if node not in ended or node not in before:
                    ended[node] = model + plan["step"] * left
                own = model if plan["mode"] == "active" else ended[node]
            if weight:
                shares[node] = (weight, own)
        if shares:
            total = sum(weight for weight, _ in shares.values())
            model = sum(weight * value for weight, value in shares.values()) / total
        before = set(row["nodes"])
    return model


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(20))
def test_a_schedule_ends_as_the_protocol_says(
    play: Callable[..., ScriptRun], session: Session, seed: int
) -> None:
    """None hangs, every merge has its quorum, and all scripts that end well end with the same parameters."""
    plans, killed = schedule(seed)
    calm = killed is None and not any("wait_at" in plan for plan in plans.values())
    run = play(plans, wait=False, patience=30 if calm else 0.3)
    if killed is not None:
        until(lambda: run.merges or run.finished, 30)
        session.nodes[killed].kill()
    run.wait(90)
    reports = {row["node"]: row for row in run.scripts}
    well = [node for node, row in reports.items() if row["exit_code"] == 0 and row["checksum"]]

    assert run.status == "completed", run.reason
    assert all(len(row["nodes"]) >= 2 for row in run.merges)
    assert [row["round"] for row in run.merges] == list(range(1, len(run.merges) + 1))
    finals = {reports[node]["checksum"] for node in well if "leave_at" not in plans[node]}
    assert len(finals) == 1
    assert float(run.globals["model"]["w"][0]) == pytest.approx(expected(run, plans))
