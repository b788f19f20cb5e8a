"""A run as one HTML document: to read, to print, to send to a colleague. At most 2 MB, without script or network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from manta_nb.sdk.names import listed as some
from manta_nb.sdk.refusal import size_text
from manta_nb.session.compare import best, chosen_metric
from manta_nb.session.digest import RunLike, seconds_text
from manta_nb.session.exporting.charts import chart
from manta_nb.session.exporting.facts import Code, Facts, facts_of
from manta_nb.session.exporting.page import badge, code, facts, listed, page, section, table, text
from manta_nb.session.iterations import iteration_table
from manta_nb.session.runjson import run_json
from manta_nb.session.views import spread_text

__all__ = ["MOST", "report", "write_html"]

#: bytes of a report
MOST = 2_000_000


@dataclass(frozen=True)
class _Budget:
    """How much of what grows is shown."""

    metrics: int
    #: of a line
    points: int
    #: lines of the nodes
    nodes: bool
    #: characters of a file's text, and of all of them
    file: int
    source: int
    #: bytes of the tables
    tables: int
    #: of the table of the iterations
    rows: int


#: tried in this order, until a report is small enough
_BUDGETS = (
    _Budget(40, 400, True, 120_000, 400_000, 300_000, 60),
    _Budget(24, 200, True, 40_000, 200_000, 150_000, 30),
    _Budget(12, 100, False, 15_000, 60_000, 60_000, 20),
    _Budget(4, 40, False, 4_000, 12_000, 30_000, 10),
)
_LONGEST_GRAPH = 300_000


def write_html(run: RunLike, file: BinaryIO) -> list[str]:
    """Write the report."""
    file.write(report(run).encode("utf-8", "replace"))
    return []


def report(run: RunLike) -> str:
    """The run as HTML of at most 2 MB; of very large runs less is shown, and that is said."""
    known, style = facts_of(run), Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    made = ""
    for budget in _BUDGETS:
        body = "\n".join(filter(None, _parts(run, known, budget)))
        made = page(f"{run.name} · {run.status}", style, body)
        if len(made.encode("utf-8", "replace")) <= MOST:
            break
    return made


def _parts(run: RunLike, known: Facts, budget: _Budget) -> Iterator[str]:
    data = run_json(run, budget.tables)
    yield _header(run, known, data)
    yield section("Graph", _graph(run))
    yield section("Metrics", _charts(run, budget))
    yield section("By iteration", _iterations(run, budget))
    yield section("Nodes", _nodes(data))
    yield section("Globals", _table(data["globals"], ["name", "value", "changed in", "size"], _global))
    yield section("Results", _table(data["results"], ["name", "iteration", "nodes", "size"], _result))
    yield section(
        "Events", _table(data["events"], ["iteration", "kind", "what happened", "node", "task"], list)
    )
    yield section("Last lines printed", _logs(data))
    yield section("Code", _code(known.code, budget))
    yield section("To run it again", _again(run, known))
    yield (
        f"<footer>Run {text(run.run_id)} · written by manta_nb on {_day(time.time())}. "
        "This file needs no network and runs no script.</footer>"
    )


def _header(run: RunLike, known: Facts, data: dict[str, Any]) -> str:
    of = f"of {run.iterations}" if run.iterations else ""
    moved = sum(run.bytes_moved.values())
    figures = [
        ("iterations", str(run.iteration), of),
        ("took", seconds_text(run.elapsed), ""),
        ("nodes", str(len(run.nodes)), ""),
        ("left the nodes", size_text(moved), ""),
        ("seed", str(run.seed), ""),
    ]
    if judged := _judged(run):
        figures.insert(0, judged)
    why = f'<p class="faint">{text(run.reason)}</p>' if run.reason and not run.error else ""
    begun = " · ".join(filter(None, [f"started {_day(run.started)}", _origin(known)]))
    return (
        f'<header>\n<div class="title"><h1>{text(run.name)}</h1>{badge(run.status)}</div>\n'
        f'<p class="faint">{text(begun)}</p>{why}{facts(figures)}{_failure(run, data)}\n</header>'
    )


def _judged(run: RunLike) -> tuple[str, str, str] | None:
    """The best of the metric that runs are judged by."""
    name = chosen_metric(run.metrics.names())
    found = best(run.metrics, name) if name else None
    if found is None:
        return None
    value = str(found).partition(" ")[0]
    return f"best {name}", value, f"iteration {found.iteration}"


def _origin(known: Facts) -> str:
    source = f"from {known.source}" if known.source else ""
    if known.parent is None:
        return source
    parent, at = known.parent
    went = f"repeats run {parent[:8]}" if at is None else f"goes on from iteration {at} of run {parent[:8]}"
    return " · ".join(filter(None, [went, source]))


def _failure(run: RunLike, data: dict[str, Any]) -> str:
    if not run.error:
        return ""
    failure = data["failure"] or {}
    trace = code(failure["traceback"], wrap=True) if failure.get("traceback") else ""
    output = "\n".join(failure.get("output", ()))
    said = f'<p class="faint small">{text(failure.get("node", ""))} printed last</p>' if output else ""
    said += code(output, wrap=True) if output else ""
    return f'<div class="error"><b>Failed.</b> {text(run.error)}{trace}{said}</div>'


def _graph(run: RunLike) -> str:
    drawn = run.graph._repr_html_()
    return drawn if len(drawn) <= _LONGEST_GRAPH else '<p class="faint">too large to be drawn here</p>'


def _charts(run: RunLike, budget: _Budget) -> str:
    names = run.metrics.names()
    if not names:
        return ""
    drawn = "".join(_figure(run, name, budget) for name in names[: budget.metrics])
    left = names[budget.metrics :]
    more = f"not shown: {len(left)} more ({some(left, 5)})" if left else ""
    note = f'<p class="faint small">{text(more)}</p>' if more else ""
    thick = "thick: mean of the nodes · thin: each node · band: from the lowest to the highest"
    several = any(run.metrics.by_iteration(name).n.max(initial=0) > 1 for name in names[: budget.metrics])
    said = f'<p class="faint small">{thick}</p>' if several else ""
    return f'{said}<div class="charts">{drawn}</div>{note}'


def _figure(run: RunLike, name: str, budget: _Budget) -> str:
    found, last = best(run.metrics, name), run.metrics.last(name)
    told = f"best {found}" if found is not None else "NaN on every node, always"
    head = f"<h3>{text(name)}</h3><b>{text(spread_text(last))}</b><span>{text(told)}</span>"
    drawn = chart(run.metrics, name, budget.points, budget.nodes)
    return f"<figure><figcaption>{head}</figcaption>{drawn}</figure>"


def _iterations(run: RunLike, budget: _Budget) -> str:
    if not len(run.metrics):
        return ""
    shown = iteration_table(run.metrics, budget.rows)
    return table(shown.columns, shown.rows, shown.caption)


def _nodes(data: dict[str, Any]) -> str:
    return _table(data["nodes"], ["node", "in tasks", "bytes out"], _node)


def _node(row: list[Any]) -> list[object]:
    name, seconds, nbytes = row
    return [name, f"{seconds:.2f} s", size_text(nbytes)]


def _global(row: list[Any]) -> list[object]:
    tag, kind, changed, nbytes = row
    return [tag, kind, "start" if changed is None else str(changed), size_text(nbytes)]


def _result(row: list[Any]) -> list[object]:
    tag, iteration, nodes, nbytes = row
    return [tag, iteration, nodes, size_text(nbytes)]


def _table(data: dict[str, Any], columns: list[str], cells: Any) -> str:
    """One of the tables of `runjson`."""
    if not data["rows"]:
        return ""
    more = f"and {data['more']:,} more" if data["more"] else ""
    return table(columns, [cells(row) for row in data["rows"]], more)


def _logs(data: dict[str, Any]) -> str:
    rows = data["logs"]["rows"]
    width = max((len(row[1]) for row in rows), default=0)
    return (
        code("\n".join(f"{row[0]:>4}  {row[1]:<{width}}  {row[4]}" for row in rows), wrap=True)
        if rows
        else ""
    )


def _code(modules: tuple[Code, ...], budget: _Budget) -> str:
    left, parts = budget.source, []
    for module in modules:
        inner = ""
        for path, content in module.files.items():
            shown = content[: min(budget.file, left)]
            left -= len(shown)
            cut = f'<p class="faint small">{len(content) - len(shown):,} characters more</p>'
            where = module.origins.get(path, "")
            label = path if where in ("", path) else f"{path} · {where}"
            inner += f'<p class="faint small">{text(label)}</p>{code(shown)}{cut if len(shown) < len(content) else ""}'
        said = (
            f'<b>{text(", ".join(module.tasks))}</b> <span class="faint">on {text(module.placement)}</span>'
        )
        parts.append(f"<details><summary>{said}</summary>{inner}</details>")
    return "".join(parts)


def _again(run: RunLike, known: Facts) -> str:
    lines = [f"seed {run.seed}", *known.nodes]
    return "".join(f"<p>{text(line)}</p>" for line in lines) + listed(known.versions)


def _day(seconds: float) -> str:
    try:
        return time.strftime("%d %B %Y, %H:%M", time.localtime(seconds)).lstrip("0")
    except (OverflowError, ValueError, OSError):
        return "on an unknown day"
