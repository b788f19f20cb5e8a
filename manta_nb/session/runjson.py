"""A run that is over as plain data: `application/vnd.manta-nb.run+json`, what a viewer without a kernel draws from.

Text and numbers only. Every text comes from outside and is to be shown as text. Version 1:

```
{"version": 1,
 "run": {"run_id", "name", "status", "reason", "error": str, "iteration": int, "iterations": int | null,
         "elapsed": seconds, "started": seconds since 1970, "seed": int | null, "nodes": int, "bytes_moved": int},
 "graph": {"tasks": [{"alias", "layer", "row", "label", "may_stop"}], "edges": [[from, to]],
           "bends": [{"source", "target", "layer", "row"}], "layers": int, "height": int},
 "tasks": [{"alias", "state": "pending|running|done|failed", "placed", "running", "done", "failed": int}],
 "metrics": [{"name": str, "lower": bool (lower is better),
              "band": {"x", "mean", "low", "high": NUMBERS, "n": NUMBERS (how many nodes; one number where it is
                       always the same; not in the first notebooks)},
              "grids": [NUMBERS], "lines": [{"node": str, "grid": index into grids, "y": NUMBERS}]}],
 "nodes": TABLE of node, seconds, bytes_out        "globals": TABLE of tag, type, changed (null: start), nbytes
 "results": TABLE of tag, iteration, nodes (how many), nbytes
 "events": TABLE of iteration, kind, message, node, task
 "logs": TABLE of iteration, node, task, level, text
 "failure": {"node", "kind", "message", "where", "traceback": str, "output": [str]} | null}
NUMBERS = "0 0.25 nan inf": one text, as a notebook's file gives each element of a list a line of its own
TABLE = {"columns": [str], "rows": [[…]], "more": how many rows were left out}
```
`lines` are there for up to 16 nodes; `band` is the mean, lowest and highest node in each iteration. A curve has at
most 1,000 points, fewer where `most` bytes would not do. `graph` is null where it would take too much.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from manta_nb.errors import MantaError
from manta_nb.sdk.describe import describe
from manta_nb.session.curves import Curve
from manta_nb.session.digest import RunLike, Summary, summarise
from manta_nb.session.drawing import GraphView, task_state
from manta_nb.session.layout import Bend
from manta_nb.session.nodeuse import RunNodes
from manta_nb.session.thinning import thin_curve, thin_line
from manta_nb.session.views import GlobalsView, ResultsView

__all__ = ["MIME", "VERSION", "lower_is_better", "run_json", "size"]

MIME = "application/vnd.manta-nb.run+json"
VERSION = 1
#: more lines are a cloud: the band says it better
MOST_LINES = 16
#: points a line and rows a table, tried in this order until it fits
_POINTS = (1_000, 600, 350, 200, 120, 70, 40, 20, 8)
_ROWS = (100, 40, 15, 5, 0)
_METRICS = 30
_NAME, _TEXT, _TRACE = 100, 300, 4_000
#: spaces before each line of what an output holds, beyond its own indentation
_DEEP = 7
#: a larger value is not decoded only to say what it is
_DECODED = 50_000_000

Table = dict[str, Any]


def run_json(run: RunLike, most: int = 40_000) -> dict[str, Any]:
    """The run as data of at most `most` bytes, written as ASCII; see the module for its form."""
    head, tables = _head(run, summarise(run)), _tables(run)
    for rows in _ROWS:
        told = head | {name: _cut(table, rows) for name, table in tables.items()}
        if size(told) <= most * 0.6:
            break
    if size(told) > most * 0.8:
        told |= {"graph": None, "tasks": []}
    for metrics in _curves(run):
        whole = told | {"metrics": metrics}
        if size(whole) <= most:
            return whole
    return told


def size(data: object) -> int:
    """Bytes of `data` in a notebook's file, where it is indented; no writer makes it longer."""
    text = json.dumps(data, allow_nan=False, indent=1)
    return len(text) + _DEEP * text.count("\n")


def lower_is_better(metric: str) -> bool:
    """Whether a metric of that name is meant to fall."""
    return any(word in metric.lower() for word in ("loss", "error"))


def _head(run: RunLike, summary: Summary) -> dict[str, Any]:
    """Everything but the tables and the curves."""
    return {
        "version": VERSION,
        "run": _run(run, summary),
        "graph": _graph(run.graph),
        "tasks": [
            {"alias": _text(task.alias, _NAME), "state": task_state(task), **_counts(task)}
            for task in run.progress.tasks
        ],
        "metrics": [],
        "failure": _failure(summary),
    }


def _tables(run: RunLike) -> dict[str, Table]:
    """The tables with as many rows as may be kept: the first of things, the last of what happened."""
    events, most = list(run.events), _ROWS[0]
    happened = [[e.iteration, e.kind, e.message, e.node_id, e.task] for e in events[-most:]]
    lines = [list(row) for row in run.logs.tail(most)]
    return {
        "nodes": _table(["node", "seconds", "bytes_out"], _nodes(run), len(run.nodes)),
        "globals": _table(["tag", "type", "changed", "nbytes"], _globals(run.globals), len(run.globals)),
        "results": _table(["tag", "iteration", "nodes", "nbytes"], _results(run.results), len(run.results)),
        "events": _table(["iteration", "kind", "message", "node", "task"], happened, len(events)),
        "logs": _table(["iteration", "node", "task", "level", "text"], lines, len(run.logs)),
    }


def _table(columns: Sequence[str], rows: Iterable[list[Any]], total: int) -> Table:
    taken = [[_clean(cell) for cell in row] for row in islice(rows, _ROWS[0])]
    return {"columns": list(columns), "rows": taken, "more": total - len(taken)}


def _cut(table: Table, most: int) -> Table:
    """The table with at most so many rows: the last where it says what happened, else the first."""
    rows = table["rows"]
    if len(rows) <= most:
        return table
    late = table["columns"][0] == "iteration"
    kept = rows[len(rows) - most :] if late else rows[:most]
    return table | {"rows": kept, "more": table["more"] + len(rows) - most}


def _run(run: RunLike, summary: Summary) -> dict[str, Any]:
    return {
        "run_id": _text(run.run_id, _NAME),
        "name": _text(run.name, _NAME),
        "status": summary.status,
        "reason": _text(summary.reason),
        "error": _text(summary.error),
        "iteration": summary.iteration,
        "iterations": summary.iterations,
        "elapsed": round(summary.elapsed, 2),
        "started": round(run.started, 2),
        "seed": run.seed,
        "nodes": len(run.nodes),
        "bytes_moved": sum(run.bytes_moved.values()),
    }


def _counts(task: Any) -> dict[str, int]:
    return {name: getattr(task, name) for name in ("placed", "running", "done", "failed")}


def _graph(graph: GraphView) -> dict[str, Any]:
    """The layout of the graph; rows are half steps, as in `session.layout`."""
    layout = graph._layout
    tasks, bends = [], []
    for at, layer in enumerate(layout.layers):
        for place in layer:
            where = {"layer": at, "row": layout.rows[place]}
            if isinstance(place, Bend):
                bends.append({"source": place.source, "target": place.target, **where})
            else:
                tasks.append({"alias": place, "label": place, "may_stop": place in graph._stops, **where})
    edges = [[source, target] for target, sources in graph._inputs.items() for source in sources]
    size = {"layers": len(layout.layers), "height": layout.height}
    made: dict[str, Any] = _clean({"tasks": tasks, "edges": edges, "bends": bends, **size}, _NAME)
    return made


def _nodes(run: RunLike) -> Iterator[list[Any]]:
    used = run.nodes if isinstance(run.nodes, RunNodes) else RunNodes(run.nodes, {}, {})
    for node in used:
        yield [node, round(used.seconds.get(node, 0.0), 3), used.bytes_out.get(node, 0)]


def _globals(globals: GlobalsView) -> Iterator[list[Any]]:
    for tag, info in globals._tags().items():
        yield [tag, _described(globals, tag, info.nbytes), info.iteration, info.nbytes]


def _described(globals: GlobalsView, tag: str, nbytes: int) -> str:
    if nbytes > _DECODED:
        return ""
    try:
        return describe(globals._read(tag))
    except MantaError as error:
        return f"({error})"


def _results(results: ResultsView) -> Iterator[list[Any]]:
    for tag, info in results._tags().items():
        yield [tag, info.iteration, len(info.nodes), info.nbytes]


def _failure(summary: Summary) -> dict[str, Any] | None:
    failure = summary.failure
    if failure is None:
        return None
    return {
        "node": _text(failure.node_id, _NAME),
        "kind": failure.kind,
        "message": _text(failure.message),
        "where": _text(failure.where),
        "traceback": _text(failure.traceback, _TRACE),
        "output": [_text(line) for line in failure.output],
    }


def _curves(run: RunLike) -> Iterator[list[dict[str, Any]]]:
    """All metrics, each time with fewer points; then without the nodes, then ever fewer metrics."""
    names, each = run.metrics.names()[:_METRICS], len(run.nodes) <= MOST_LINES
    bands = {name: run.metrics.by_iteration(name) for name in names}
    lines = {name: run.metrics.series(name) for name in names if each}
    for some in (lines, {}):
        for most in _POINTS:
            yield [_metric(name, bands[name], some.get(name, {}), most) for name in names]
    for count in range(len(names) - 1, 0, -1):
        yield [_metric(name, bands[name], {}, _POINTS[-1]) for name in names[:count]]


def _metric(name: str, band: Curve, series: Mapping[str, tuple[Any, Any]], most: int) -> dict[str, Any]:
    grids: list[str] = []
    lines = []
    for node, (x, y) in series.items():
        grid, values = thin_line(x, y, most)
        if grid not in grids:
            grids.append(grid)
        lines.append({"node": _text(node, _NAME), "grid": grids.index(grid), "y": values})
    told = {"name": _text(name, _NAME), "lower": lower_is_better(name)}
    return told | {"band": thin_curve(band, most), "grids": grids, "lines": lines}


def _clean(data: Any, most: int = _TEXT) -> Any:
    """The same with texts cut short and free of what cannot be written."""
    if isinstance(data, str):
        return _text(data, most)
    if isinstance(data, dict):
        return {key: _clean(value, most) for key, value in data.items()}
    return [_clean(each, most) for each in data] if isinstance(data, list) else data


def _text(text: str, most: int = _TEXT) -> str:
    # A lone surrogate (an undecodable file name) would make the whole notebook impossible to save.
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return short.encode("utf-8", "replace").decode("utf-8")
