"""The one-screen summary of a run: as text, as it is displayed while the run goes on, and as it is kept.

* `summary_text`: the text form, and `progress_line` one line of it;
* `live_bundle`: what a notebook shows of a run that goes on;
* `bundle`: what stays in the notebook when it is over; it needs no kernel, no widget and no style.
"""

from __future__ import annotations

import base64

from manta_nb.render import bar, plain
from manta_nb.session.digest import RunLike, Summary, summarise
from manta_nb.session.drawing import counts_text
from manta_nb.session.iterations import iteration_table
from manta_nb.session.plotting import png
from manta_nb.session.summary_html import final_html, live_html
from manta_nb.session.views import spread_text

__all__ = ["bundle", "live_bundle", "progress_line", "summarise", "summary_text"]

#: bytes of the picture, which a bundle holds twice in base64: `text/html` is what notebooks choose, and PDF the PNG
MOST_PICTURE = 28_000
_ROWS = 20
_LINES = 8


def bundle(run: RunLike) -> dict[str, str]:
    """The run as it stays in a saved notebook, at most 100 kB: `{mime type: data}`, the PNG in base64.

    A run that still goes on gives what `live_bundle` gives, with a text that says where to find the rest.
    """
    if not run.finished:
        return live_bundle(run)
    summary = summarise(run)
    picture = png(run.metrics, MOST_PICTURE)
    table = iteration_table(run.metrics, _ROWS) if len(run.metrics) else None
    text = summary_text(summary)
    data = {
        "text/plain": f"{text}\n\n{table}" if table is not None else text,
        "text/html": final_html(summary, run.graph, table, picture),
    }
    return data | ({"image/png": base64.b64encode(picture).decode()} if picture else {})


def live_bundle(run: RunLike) -> dict[str, str]:
    """The run at this moment: `text/plain` and `text/html`."""
    summary = summarise(run)
    curves = {name: run.metrics.by_iteration(name) for name, _ in summary.metrics}
    text = "\n".join(filter(None, [summary_text(summary), summary.left_behind]))
    return {"text/plain": text, "text/html": live_html(summary, run.graph, curves)}


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
