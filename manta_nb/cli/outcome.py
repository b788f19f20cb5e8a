"""What is left of a run: a JSON object or a table on stdout, its end in words on stderr."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from manta_nb.cli.console import Console
from manta_nb.render import Table
from manta_nb.session.digest import summarise
from manta_nb.session.summary import progress_line, summary_text

if TYPE_CHECKING:
    from manta_nb.session.run import Run

__all__ = ["as_json", "final_table", "report"]


def report(run: Run, console: Console, as_object: bool) -> None:
    """Give the metrics of a run that is over, and say how it ended."""
    summary = summarise(run)
    if run.status == "completed":
        console.say(progress_line(summary))
        for event in summary.events:
            console.say(f"  ! iteration {event.iteration}: {event.message}")
    else:
        console.say(summary_text(summary))
    if as_object:
        console.give(json.dumps(as_json(run), ensure_ascii=False, allow_nan=False))
    elif len(run.metrics):
        console.give(str(final_table(run)))


def as_json(run: Run) -> dict[str, Any]:
    """The run as plain data; NaN and infinite numbers, which JSON has not, are None.

    Example:
        >>> as_json(run)["metrics"][0]
        {'iteration': 0, 'node': 'node_0', 'task': 'worker', 'name': 'loss', 'step': None, 'value': 2.25}
    """
    return {
        "run_id": run.run_id,
        "status": run.status,
        "reason": run.reason,
        "iterations": run.iteration,
        "metrics": [{**row._asdict(), "value": _finite(row.value)} for row in run.metrics],
    }


def final_table(run: Run) -> Table:
    """The last value of each metric over the nodes."""
    names = run.metrics.names()
    rows = [[name, *run.metrics.last(name)] for name in names]
    return Table(["metric", "mean", "lowest", "highest", "nodes"], rows, "last values", limit=len(rows))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
