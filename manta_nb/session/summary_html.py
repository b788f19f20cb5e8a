"""The one-screen summary as HTML: inline styles only, dark and light, and it reads without any style."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from manta_nb.engine.records import Failure, Status
from manta_nb.render import Shown, Table, esc
from manta_nb.session.curves import Curve
from manta_nb.session.digest import Summary
from manta_nb.session.drawing import counts_text
from manta_nb.session.logs import LogRow
from manta_nb.session.svggraph import STATE_COLORS

__all__ = ["Spark", "final_html", "live_html", "short_html"]

_COLORS: Mapping[Status, str] = {
    "pending": STATE_COLORS["pending"],
    "running": STATE_COLORS["running"],
    "stopping": "#d08700",
    "completed": STATE_COLORS["done"],
    "stopped": "#d08700",
    "failed": STATE_COLORS["failed"],
    "interrupted": "#d08700",
}
_FAINT = "opacity:.7"
_PRE = (
    "margin:2px 0 0;padding:4px 8px;max-height:13em;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;"
    "background:rgba(128,128,128,.1);color:inherit;font-size:12px;line-height:1.35;border-radius:4px"
)


class Spark(Shown):
    """A curve the size of a word."""

    def __init__(self, curve: Curve, width: int = 90, height: int = 18) -> None:
        points = [
            (x, y) for x, y in zip(curve.x.tolist(), curve.mean.tolist(), strict=True) if abs(y) < 1e300
        ]
        every = max(1, len(points) // 60)
        self._points = [*points[:-1][::every], *points[-1:]]
        self._size = width, height

    def __str__(self) -> str:
        marks = "▁▂▃▄▅▆▇█"
        heights = [y for _, y in self._points]
        if not heights:
            return ""
        low, span = min(heights), (max(heights) - min(heights)) or 1
        return "".join(marks[round((y - low) / span * 7)] for y in heights[-12:])

    def _repr_html_(self) -> str:
        if len(self._points) < 2:
            return ""
        width, height = self._size
        xs, ys = zip(*self._points, strict=True)
        across, up = max(xs) - min(xs) or 1, max(ys) - min(ys) or 1
        drawn = " ".join(
            f"{(x - min(xs)) / across * (width - 6) + 3:.1f},{height - 3 - (y - min(ys)) / up * (height - 6):.1f}"
            for x, y in self._points
        )
        last = drawn.rsplit(" ", 1)[-1].split(",")
        return (
            f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true" '
            f'style="vertical-align:middle"><polyline points="{drawn}" fill="none" '
            f'stroke="{STATE_COLORS["running"]}" stroke-width="1.5"/>'
            f'<circle cx="{last[0]}" cy="{last[1]}" r="2.2" fill="{STATE_COLORS["running"]}"/></svg>'
        )


def live_html(summary: Summary, graph: Shown, curves: Mapping[str, Curve]) -> str:
    """A run that goes on (or had to be left behind): header, graph, counts, latest metrics, last lines."""
    note = (
        f'<div style="{_FAINT};font-size:11px">if this is a saved notebook: {esc(summary.left_behind)}</div>'
    )
    return _page(
        _header(summary),
        _failed(summary.error, summary.failure),
        _block(graph._repr_html_()),
        _tasks(summary),
        _metrics(summary, curves),
        _lines(summary.lines),
        _events(summary),
        note if summary.left_behind else "",
    )


def final_html(summary: Summary, graph: Shown, table: Shown | None, picture: bytes) -> str:
    """A run that is over: header, error, graph, curves, the table of its iterations, last lines."""
    encoded = base64.b64encode(picture).decode()
    image = f'<img alt="curves of the metrics" style="max-width:100%" src="data:image/png;base64,{encoded}">'
    return _page(
        _header(summary),
        _failed(summary.error, summary.failure),
        _block(graph._repr_html_()),
        _tasks(summary) if summary.status != "completed" else "",
        _block(image if picture else ""),
        _block(table._repr_html_() if table is not None else ""),
        _lines(summary.lines, folded=summary.status == "completed"),
        _events(summary),
    )


def short_html(summary: Summary) -> str:
    """A run that would not fit: its header and its error."""
    note = f'<div style="{_FAINT};font-size:11px">{esc(summary.left_behind)}</div>'
    more = (
        f'<div style="{_FAINT}">too large to be shown here: its views, such as .metrics, have all of it</div>'
    )
    return _page(_header(summary), _failed(summary.error, None), more, note if summary.left_behind else "")


def _page(*parts: str) -> str:
    style = "max-width:720px;color:var(--jp-ui-font-color1, inherit);background:transparent;line-height:1.5"
    return f'<div style="{style}">{"".join(filter(None, parts))}</div>'


def _block(html: str) -> str:
    return f'<div style="margin:8px 0">{html}</div>' if html else ""


def _header(summary: Summary) -> str:
    color = _COLORS[summary.status]
    badge = (
        f'<span style="color:{color};border:1px solid {color};border-radius:9px;padding:0 8px;font-size:12px">'
        f"{esc(summary.status)}</span>"
    )
    why = f" · {esc(summary.reason)}" if summary.finished and summary.reason and not summary.error else ""
    line = (
        f'<div><b style="font-size:15px">{esc(summary.name)}</b> {badge} {esc(summary.counted)} · '
        f'{esc(summary.times)}{why} <span style="{_FAINT};font-size:11px"> · run {esc(summary.run_id)}</span></div>'
    )
    if summary.fraction is None:
        return line
    done = f"width:{100 * min(1.0, summary.fraction):.1f}%;height:4px;border-radius:2px;background:{color}"
    track = "max-width:600px;height:4px;border-radius:2px;margin:4px 0;background:rgba(128,128,128,.25)"
    return f'{line}<div style="{track}"><div style="{done}"></div></div>'


def _tasks(summary: Summary) -> str:
    parts = [
        f'<b style="font-weight:600">{esc(task.alias)}</b> '
        f'<span style="{_FAINT}">{esc(counts_text(task))}</span>'
        for task in summary.tasks
    ]
    return f"<div>{' · '.join(parts)}</div>" if parts else ""


def _metrics(summary: Summary, curves: Mapping[str, Curve]) -> str:
    if not summary.metrics:
        return ""
    columns = ["metric", "so far", "mean", "lowest", "highest", "nodes"]
    rows: list[list[object]] = [
        [name, Spark(curves[name]) if name in curves else None, *spread] for name, spread in summary.metrics
    ]
    if all(spread.n < 2 for _, spread in summary.metrics):
        columns, rows = columns[:3], [row[:3] for row in rows]
    more = f"and {summary.more_metrics} more metrics" if summary.more_metrics else ""
    return _block(
        Table(columns, rows)._repr_html_() + (f'<div style="{_FAINT}">{more}</div>' if more else "")
    )


def _lines(lines: Sequence[LogRow], folded: bool = False) -> str:
    if not lines:
        return ""
    text = "\n".join(f"{row.node}  {row.text}" for row in lines)
    summary = f'<summary style="{_FAINT};cursor:pointer">last lines printed</summary>'
    return f'<details{"" if folded else " open"}>{summary}<pre style="{_PRE}">{esc(text)}</pre></details>'


def _events(summary: Summary) -> str:
    lines = [
        f'<div><span style="color:#d08700">⚠</span> <span style="{_FAINT}">iteration {event.iteration}</span> '
        f"{esc(event.message)}</div>"
        for event in summary.events
    ]
    earlier = f'<div style="{_FAINT}">{summary.earlier_events} earlier events: see .events</div>'
    return "".join([earlier, *lines] if summary.earlier_events else lines)


def _failed(error: str, failure: Failure | None) -> str:
    """The error in full, and the user's own lines of the traceback, open."""
    if not error:
        return ""
    color = STATE_COLORS["failed"]
    inner = f'<div style="overflow-wrap:anywhere"><b style="color:{color}">✗</b> {esc(error)}</div>'
    if failure is not None and failure.traceback:
        inner += (
            f'<details open><summary style="cursor:pointer">traceback of {esc(failure.node_id)}</summary>'
            f'<pre style="{_PRE};max-height:20em">{esc(failure.traceback)}</pre></details>'
        )
    if failure is not None and failure.output:
        said = "\n".join(failure.output)
        inner += (
            f'<details open><summary style="cursor:pointer">what {esc(failure.node_id)} printed last</summary>'
            f'<pre style="{_PRE}">{esc(said)}</pre></details>'
        )
    return f'<div style="border-left:3px solid {color};padding:2px 0 2px 10px;margin:6px 0">{inner}</div>'
