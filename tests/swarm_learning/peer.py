"""A training script in miniature, without torch: it trains one number by adding to it, and tells what it did.

PLAN (JSON): `step` what a batch adds · `batches` · `interval` · `peers` · `weight` · `mode` · `start` the number it
begins with · `leave_at` the batch after which it exits with code 0 and without a word · `crash_at` the same with
code 3 · `wait_at` [batch, merge]: before that batch it waits until some peer has taken over that merge.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np

# the wire of the shims, which stand first on the path
from swarm._wire import checksum, receive, send

PLAN = json.loads(os.environ["PLAN"])
BOARD = Path(os.environ["BOARD"])
LINE = socket.socket(fileno=int(os.environ["MANTA_NB_SWARM_FD"]))
ALONE = os.environ.get("SWARM_LOOPBACK") == "true"
model = {"w": np.array([PLAN.get("start", 0.0)]), "n": np.array(0)}
state = {"interval": PLAN["interval"], "over": False}


def note(word: str) -> None:
    with BOARD.open("a", encoding="utf-8") as board:
        board.write(f"{os.environ['NODE_ID']} {word}\n")


def say_loaded(number: int) -> None:
    losses = PLAN.get("losses", [None])
    answer = {
        "op": "loaded",
        "round": number,
        "checksum": checksum(model),
        "loss": losses[number % len(losses)],
    }
    send(LINE, {**answer, "metrics": {"number": float(model["w"][0])}})


def take() -> dict:
    """Load what comes, answer, and return what was said beside it."""
    told, arrays = receive(LINE)
    if told["op"] == "refused":
        sys.exit(told["message"])
    if arrays:
        model.update({name: np.array(array) for name, array in arrays.items()})
    state["over"] = state["over"] or told["over"]
    state["interval"] = told["interval"] or state["interval"]
    say_loaded(told["round"])
    note(f"merge {told['round']}")
    return told


def check_in(kind: str, batch: int) -> dict:
    if ALONE:
        return {"over": True}
    mode, weight = PLAN.get("mode", "snapshot"), PLAN.get("weight", 1)
    header = {"op": "check_in", "kind": kind, "step": batch, "epochs": 0, "mode": mode, "weight": weight}
    send(LINE, header, model)
    return take()


def wait_for(merge: int) -> None:
    while f" merge {merge}\n" not in (BOARD.read_text() if BOARD.exists() else ""):
        time.sleep(0.005)


if not ALONE:
    send(
        LINE,
        {
            "op": "hello", "family": "swarm", "platform": "PYTORCH", "sync_interval": PLAN["interval"],
            "min_peers": PLAN["peers"], "adaptive": PLAN.get("adaptive", False), "mode": PLAN.get("mode", "snapshot"),
            "weight": PLAN.get("weight", 1), "merge_method": PLAN.get("method", "mean"), "total_epochs": 0,
            "validates": False,
        },
    )  # fmt: skip
print("began", os.environ["NODE_ID"], flush=True)
note("began")
check_in("begin", 0)
left = state["interval"]
for batch in range(1, PLAN["batches"] + 1):
    if PLAN.get("wait_at", [0])[0] == batch:
        wait_for(PLAN["wait_at"][1])
    model["w"] += PLAN["step"]
    model["n"] += 1
    left -= 1
    if batch == PLAN.get("leave_at"):
        sys.exit(0)
    if batch == PLAN.get("crash_at"):
        print("crashed on purpose", flush=True)
        sys.exit(3)
    if left == 0 and not state["over"]:
        check_in("batch", batch)
        left = state["interval"]
told = check_in("end", PLAN["batches"]) if not state["over"] else {"over": True}
while not told["over"]:
    told = check_in("end", PLAN["batches"]) if told["adopted"] else take()
if ALONE:
    say_loaded(0)
np.save(Path(os.environ["MODEL_DIR"]) / "final.npy", model["w"])
print("ended", float(model["w"][0]), flush=True)
