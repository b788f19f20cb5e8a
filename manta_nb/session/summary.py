"""The one-screen summary of a run: as text, as it is displayed while the run goes on, and as it is kept.

* `summary_text`: the text form, and `progress_line` one line of it;
* `live_bundle`: what a notebook shows of a run that goes on;
* `bundle`: what stays in the notebook when it is over; it needs no kernel, no widget and no style.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from manta_nb.render import bar, plain
from manta_nb.session.digest import RunLike, Summary, summarise
from manta_nb.session.drawing import counts_text
from manta_nb.session.iterations import iteration_table
from manta_nb.session.plotting import png
from manta_nb.session.runjson import MIME, run_json, size
from manta_nb.session.summary_html import final_html, live_html, short_html
from manta_nb.session.views import spread_text

__all__ = ["MIME", "MOST", "Bundle", "bundle", "live_bundle", "progress_line", "summarise", "summary_text"]

#: bytes of a whole bundle, written as ASCII, and of those what the data for viewers may always have
MOST, RESERVED = 100_000, 24_000
#: bytes of the picture, tried in this order; a bundle holds it twice in base64: `text/html` is what notebooks
#: choose, and PDF the PNG
_PICTURES = (20_000, 12_000, 7_000, 0)
_ROWS = 20
#: characters of a metric's name, above which its title leaves no room for the curves
_LONGEST_NAME = 200
_LINES = 8

Bundle = dict[str, Any]


def bundle(run: RunLike) -> Bundle:
    """The run as it stays in a saved notebook, at most 100 kB: `{mime type: data}`, the PNG in base64.

    A run that still goes on gives what `live_bundle` gives, with a text that says where to find the rest.
    """
    if not run.finished:
        return live_bundle(run)
    summary = summarise(run)
    data = _forms(run, summary)
    return data | {MIME: run_json(run, MOST - size(data) - len(MIME) - 10)}


def live_bundle(run: RunLike) -> Bundle:
    """The run at this moment: `text/plain` and `text/html`."""
    summary = summarise(run)
    curves = {name: run.metrics.by_iteration(name) for name, _ in summary.metrics}
    text = "\n".join(filter(None, [summary_text(summary), summary.left_behind]))
    data = {"text/plain": text, "text/html": live_html(summary, run.graph, curves)}
    return data if size(data) <= MOST else _short(summary)


def _forms(run: RunLike, summary: Summary) -> Bundle:
    """Text, HTML and picture of a run that is over, small enough to leave room for its data."""
    table = iteration_table(run.metrics, _ROWS) if len(run.metrics) else None
    text = summary_text(summary)
    plain_text = f"{text}\n\n{table}" if table is not None else text
    for most in _PICTURES:
        picture = _picture(run, most) if most else b""
        data = {"text/plain": plain_text, "text/html": final_html(summary, run.graph, table, picture)}
        data |= {"image/png": base64.b64encode(picture).decode()} if picture else {}
        if size(data) <= MOST - RESERVED:
            return data
    return _short(summary)


def _picture(run: RunLike, most: int) -> bytes:
    """The curves as PNG; empty where they do not fit, or matplotlib finds no axes for them (values of 1e308)."""
    if any(len(name) > _LONGEST_NAME for name in run.metrics.names()):
        return b""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            picture = png(run.metrics, most)
    except (ValueError, OverflowError):
        return b""
    return picture if len(picture) <= most else b""


def _short(summary: Summary) -> Bundle:
    """What is left of a run whose names or tasks are too many for a notebook: its first lines."""
    lines = [*summary_text(summary)[:6_000].split("\n"), *filter(None, [summary.left_behind])]
    return {"text/plain": "\n".join(lines), "text/html": short_html(summary)}


def progress_line(summary: Summary) -> str:
    """`fl · running · iteration 3 of 20 · 12 s · about 1 min left · val_acc 0.91 (0.88–0.94)`."""
    metrics = [f"{name} {spread_text(spread)}" for name, spread in summary.metrics[:3]]
    parts = [summary.name, summary.status, summary.counted, summary.times, *metrics]
    return plain(" · ".join(parts))


def summary_text(summary: Summary) -> str:
    """The summary as lines of text."""
    why = f" · {summary.reason}" if summary.finished and summary.reason and not summary.error else ""
    shown = f" {bar(summary.fraction)}" if summary.fraction is not None and not summary.finished else ""
    lines = [f"{summary.name} · {summary.status} · {summary.counted}{shown} · {summary.times}{why}"]
    if summary.status != "completed" and summary.tasks:
        lines.append("  " + " · ".join(f"{task.alias} {counts_text(task)}" for task in summary.tasks))
    lines += [f"  {name} {spread_text(spread)}" for name, spread in summary.metrics]
    lines += [f"  and {summary.more_metrics} more metrics"] if summary.more_metrics else []
    lines += [f"  {line.node} │ {line.text}" for line in summary.lines[-_LINES:]]
    lines += [f"  ! iteration {event.iteration}: {event.message}" for event in summary.events]
    return "\n".join([*map(plain, lines), *_error_lines(summary)])


def _error_lines(summary: Summary) -> list[str]:
    if not summary.error:
        return []
    trace = summary.failure.traceback if summary.failure is not None else ""
    output = summary.failure.output if summary.failure is not None else ()
    return [
        plain(summary.error),
        *(f"  {plain(line)}" for line in trace.splitlines()),
        *(f"  │ {plain(line)}" for line in output),
    ]
