"""What a run of a package has brought: its validations, its failures, the trail of its models."""

from __future__ import annotations

import math
import os
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from manta_nb.compat.fedn.models import files
from manta_nb.compat.fedn.rounds.reports import TIMES, read_failure
from manta_nb.errors import UsageError
from manta_nb.sdk.names import shorten
from manta_nb.sdk.parse import one_line
from manta_nb.session.records import Records

if TYPE_CHECKING:
    from manta_nb.session.metrics import MetricRow
    from manta_nb.session.run import Run

__all__ = ["as_json", "failures", "first_round", "model_id", "model_of", "save_model", "trail", "validations"]

#: lines of a failed program that are shown
TAIL = 20


def validations(run: Run) -> Records:
    """What `validate` reported, by round and node: `{"round", "node", "metrics"}`; rounds count from 1.

    Only numbers are kept; those inside of lists and dicts are called `list.0` and `dict.key`.
    """
    found: dict[tuple[int, str], dict[str, float]] = {}
    for row in _reported(run):
        found.setdefault((row.iteration + 1, row.node), {})[row.name] = row.value
    rows = [{"round": at[0], "node": at[1], "metrics": metrics} for at, metrics in sorted(found.items())]
    return Records("validations", rows)


def failures(run: Run) -> Records:
    """The calls that failed: `{"round", "node", "entry_point", "exit_code", "message", "tail"}`.

    `exit_code` is 0 where the program ended well and what it left could not be used, and None where it never
    came to its end (it ran out of time, or its node was lost). `tail`: the last lines it printed.
    """
    rows: list[dict[str, Any]] = []
    told: set[tuple[int, str, str]] = set()
    lines: dict[tuple[int, str, str], list[str]] = {}
    for line in run.logs:
        key = line.iteration, line.node, line.task
        note = read_failure(line.text) if line.level == "ERROR" else None
        if line.level in ("stdout", "stderr"):
            lines.setdefault(key, []).append(line.text)
        elif note is not None:
            told.add(key)
            rows.append(_failure(key, note.entry_point, note.exit_code, note.message, lines.pop(key, [])))
    for event in run.events:
        key = event.iteration, event.node_id, event.task
        if event.kind == "failure" and event.node_id and key not in told:
            rows.append(_failure(key, event.task, None, event.message, lines.get(key, [])))
    return Records("failures", sorted(rows, key=lambda row: (row["round"], row["node"])))


def trail(run: Run) -> Records:
    """The models of a run, from the one it began with: id, parent, of how many examples, how good it is.

    The numbers behind `clients` and `examples` are means over the nodes that validated the model.
    """
    scores: dict[int, dict[str, list[float]]] = {}
    for row in _reported(run):
        scores.setdefault(row.iteration + 1, {}).setdefault(row.name, []).append(row.value)
    first, history = first_round(run), run.globals["history"] if run.iteration else []
    rows: list[dict[str, Any]] = [{"round": first, "model": model_id(run, first), "parent": None}]
    for number in range(first + 1, run.iteration + 1):
        means = {name: fmean(values) for name, values in scores.get(number, {}).items()}
        parent = rows[-1]["model"]
        line = {"round": number, "model": model_id(run, number), "parent": parent}
        if number <= len(history):
            line |= {"clients": history[number - 1][0], "examples": history[number - 1][1]}
        rows.append({**line, **means})
    return Records("models", rows)


def first_round(run: Run) -> int:
    """The round whose model the run began with: 0, or where a fork left its parent."""
    return 0 if run.parent is None or run.parent[1] is None else run.parent[1] + 1


def model_id(run: Run, number: int) -> str:
    """The id of the model that round `number` left: the same one for whoever asks, in any kernel."""
    of_parent = run.parent is not None and number <= first_round(run) > 0
    owner = run.parent[0] if run.parent is not None and of_parent else run.run_id
    return str(uuid5(NAMESPACE_URL, f"manta-nb/{owner}/{number}"))


def model_of(run: Run, number: int | None = None) -> Any:
    """The model that round `number` left, as a list or dict of arrays; None: the latest."""
    if number is None or number == run.iteration:
        return run.globals["model"]
    if not first_round(run) < number < run.iteration:
        raise UsageError(
            f"{run.name} has no model of round {number}: there are {first_round(run) + 1} to {run.iteration}"
        )
    return run.global_at("model", number - 1)


def save_model(run: Run, path: str | os.PathLike[str], number: int | None = None) -> Path:
    """Write a model of the run as its package reads it; returns the whole path.

    Args:
        path: the file, which is replaced; its folder is made.
        number: the round that left the model; None: the latest.
    """
    # where a link leads, and nothing that is no file
    target = Path(path).absolute().resolve()
    if target.exists() and not target.is_file():
        raise UsageError(one_line(f"{shorten(str(target), 120)} is no file: name another one for the model"))
    target.parent.mkdir(parents=True, exist_ok=True)
    # a helper may look at the suffix
    draft = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        files.save_model(model_of(run, number), draft, run.globals["fedn"]["helper"])
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def as_json(run: Run, model: Path | None) -> dict[str, Any]:
    """What `manta-nb fedn run --json` prints; numbers that JSON has not are None."""
    return {
        "run_id": run.run_id,
        "status": run.status,
        "reason": run.reason,
        "rounds": run.iteration,
        "model": None if model is None else str(model),
        "validations": [{**row, "metrics": _finite(row["metrics"])} for row in validations(run)],
        "failures": list(failures(run)),
    }


def _reported(run: Run) -> list[MetricRow]:
    """The metrics that a package's `validate` reported of models that are committed."""
    committed = run.iteration
    return [
        row
        for row in run.metrics
        if row.task == "validate" and row.name not in TIMES and row.iteration < committed
    ]


def _failure(
    key: tuple[int, str, str], entry_point: str, exit_code: int | None, message: str, lines: list[str]
) -> dict[str, Any]:
    told = {"round": key[0] + 1, "node": key[1], "entry_point": entry_point, "exit_code": exit_code}
    return {**told, "message": message, "tail": lines[-TAIL:]}


def _finite(metrics: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}
