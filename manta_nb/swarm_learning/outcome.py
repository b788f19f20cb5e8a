"""What a run of scripts has brought: its merges, and what became of each node."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from manta_nb.errors import MantaError
from manta_nb.sdk.world import LAST
from manta_nb.session.records import Records

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["as_json", "merges", "nodes"]

#: lines of a script that are shown
TAIL = 20
_EXIT = re.compile(r"exit code (-?\d+)")


def merges(run: Run) -> Records:
    """Every merge: `{"round", "nodes": {node: weight}, "interval", "method", "left_out"}`; rounds count from 1.

    `nodes` are those that were counted as peers; a weight of 0 contributes nothing. `interval`: batches that were
    trained up to the merge. `left_out`: nodes that were away, late, or have left.
    """
    found = run.globals["merges"] if run.iteration and "merges" in run.globals else []
    names = ("round", "nodes", "interval", "method", "left_out")
    return Records("merges", [{name: each[name] for name in names} for each in found])


def nodes(run: Run) -> Records:
    """What became of each node's script: `{"node", "exit_code", "model_dir", "checksum", "epochs", "tail"}`.

    `exit_code` is None where the script was ended together with its node or the run. `checksum`: of the parameters
    of the final merged model as they are in the script.
    """
    reports, latest = _latest(run, "node"), _latest(run, "check_in")
    rows = []
    for node in run.nodes:
        # a script that was ended with the run has left what it had checked in with
        report = {
            **{name: latest.get(node, {}).get(name) for name in ("model_dir", "epochs")},
            **reports.get(node, {}),
        }
        rows.append(
            {
                "node": node,
                "exit_code": report.get("exit_code", _exit_code(run, node)),
                "model_dir": report.get("model_dir"),
                "checksum": report.get("checksum"),
                "epochs": report.get("epochs"),
                "tail": report.get("tail") or _last_lines(run, node),
            }
        )
    return Records("nodes", rows)


def as_json(run: Run) -> dict[str, Any]:
    """What `manta-nb swarm-learning run --json` prints."""
    found = {row["node"]: {key: row[key] for key in row if key != "node"} for row in nodes(run)}
    evaluations = {node: report.get("evaluation") for node, report in _latest(run, "node").items()}
    for node, row in found.items():
        if evaluations.get(node):
            row["evaluation"] = evaluations[node]
    return {
        "run_id": run.run_id,
        "status": run.status,
        "reason": _reason(run),
        "merges": list(merges(run)),
        "nodes": found,
    }


def _reason(run: Run) -> str:
    """In the words of a script's user: the merge that was the last one ends the run."""
    return "all nodes are through" if run.status == "completed" and "stop_swarm" in run.reason else run.reason


def _latest(run: Run, tag: str) -> dict[str, dict[str, Any]]:
    try:
        return dict(run.results.select(tag, method=LAST))
    except MantaError:
        # a run that ended before any node was through
        return {}


def _exit_code(run: Run, node: str) -> int | None:
    """From what was said of the node when it failed."""
    for event in run.events:
        if event.kind == "failure" and event.node_id == node and (found := _EXIT.search(event.message)):
            return int(found[1])
    return None


def _last_lines(run: Run, node: str) -> list[str]:
    lines = [row.text for row in run.logs if row.node == node and row.level in ("stdout", "stderr")]
    return lines[-TAIL:]
