"""The report: one HTML file that says all of a run, needs nothing, and does nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from manta_nb.engine.records import Event, Failure
from manta_nb.session.exporting.report import MOST, report
from manta_nb.session.logs import LogRow
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.store.records import RunHead
from tests.session.fake_run import FakeRun, learning_curves
from tests.store.making import head

HOSTILE = "</pre></style><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"
_VOID = {"meta", "br", "img", "circle", "path", "rect", "polygon", "polyline"}


class Parsed(HTMLParser):
    """The document as a browser reads it: tags, and text outside of the style."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(document)
        assert self.open == [], self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


def learnt(**more: Any) -> FakeRun:
    """A run that has something of everything."""
    run = FakeRun(**{"metrics": MetricTable(learning_curves(4, 6)), **more})
    run.logs.extend([LogRow(5, "node_3", "worker", "stdout", "the last line")])
    run.events.extend([Event(3, "retry", "worker is tried again", "node_3", "worker")])
    run.end("completed", reason="all 20 iterations")
    return run


def test_all_of_a_run_is_in_it() -> None:
    """What it is, how it ended, graph, curves, numbers, nodes, Globals, events, lines, code, seed and packages."""
    text = Parsed(report(learnt())).text

    for said in (
        "fl", "completed", "all 20 iterations", "3f2a9c01", "best val_acc", "worker ×8", "next iteration", "loss",
        "By iteration", "node_7", "lr", "worker is tried again", "the last line", "def main(world=None):",
        "on one node", "seed 7", "numpy", "python",
    ):  # fmt: skip
        assert said in text, said


def test_it_needs_nothing_and_runs_nothing() -> None:
    """No script, no address, nothing to load; and a browser is told so."""
    document = report(learnt())
    found = Parsed(document)

    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in found.tags}
    assert not any(
        name.startswith("on") or name in ("src", "href") for _, attrs in found.tags for name in attrs
    )
    addresses = re.findall(r"[a-z]+://[^\s\"'<>]+", document)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"} and "url(" not in document
    policy = next(attrs for tag, attrs in found.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'")  # type: ignore[union-attr]
    assert "prefers-color-scheme: dark" in document


def test_everything_is_escaped() -> None:
    """Names, lines, errors, values and code come from outside."""
    rows = [MetricRow(i, HOSTILE, HOSTILE, HOSTILE, None, i) for i in range(3)]
    failure = Failure(HOSTILE, "error", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,))
    run = learnt(name=HOSTILE, metrics=MetricTable(rows), nodes=[HOSTILE])
    run.logs.extend([LogRow(0, HOSTILE, HOSTILE, HOSTILE, HOSTILE + "\x1b\0\ud800")])
    run.events.extend([Event(0, HOSTILE, HOSTILE, HOSTILE, HOSTILE)])
    run.end("failed", reason=HOSTILE, error=HOSTILE, failure=failure)
    document = report(run)
    found = Parsed(document)

    assert "script" not in {tag for tag, _ in found.tags} and "img" not in {tag for tag, _ in found.tags}
    assert document.encode("utf-8") and "\0" not in document and "\x1b" not in document


def test_a_failure_is_seen_at_once() -> None:
    """Its line, traceback and last output stand in the header."""
    failure = Failure(
        "node_1", "error", "ValueError: boom", "Cell In[3], line 4", "line 4, in run\n  boom", ("epoch 3",)
    )
    run = learnt()
    run.end("failed", error="worker failed on node_1: ValueError: boom", failure=failure)
    document = report(run)
    header = document[: document.index("</header>")]

    assert "ValueError: boom" in header and "line 4, in run" in header and "epoch 3" in header


def test_what_was_asked_for_is_told() -> None:
    """Where a store kept it: versions, nodes and data, the file it came from, and the run it goes on from."""
    run = learnt()
    kept: RunHead = head(
        versions={"torch": "2.13"},
        session={
            "summary": "8 nodes of digits",
            "options": {"nodes": 8, "alpha": 0.3},
            "missing": ["client"],
        },
        source="/home/me/fl.ipynb",
        parent=("aa11bb22cc33dd44", 7),
    )
    run.head = kept  # type: ignore[attr-defined]
    text = Parsed(report(run)).text

    for said in (
        "torch", "2.13", "8 nodes of digits", "Session(nodes=8, alpha=0.3)", "client", "/home/me/fl.ipynb",
        "goes on from iteration 7 of run aa11bb22",
    ):  # fmt: skip
        assert said in text, said


def test_a_run_that_did_nothing_has_a_report() -> None:
    """Without metrics, lines and events; parts that would be empty are left out."""
    document = report(FakeRun(iteration=0, iterations=None))

    assert "Metrics</h2>" not in document and "Events</h2>" not in document and Parsed(document).text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e308])
def test_numbers_may_be_anything(value: float) -> None:
    """A run that diverged is reported, too."""
    rows = [MetricRow(i, f"node_{n}", "worker", "loss", None, value) for i in range(4) for n in range(3)]

    assert Parsed(report(learnt(metrics=MetricTable(rows)))).text


def test_it_is_never_too_large() -> None:
    """Of many metrics, iterations, nodes and lines less is shown, and how much is left out is said."""
    rows = [
        MetricRow(i, f"node_{n}", "worker", f"metric_{m}", None, float(i * n))
        for m in range(60)
        for n in range(20)
        for i in range(120)
    ]
    run = learnt(metrics=MetricTable(rows), nodes=[f"node_{n}" for n in range(2_000)])
    run.logs.extend(LogRow(0, "node_0", "worker", "stdout", "x" * 5_000) for _ in range(1_000))
    document = report(run)

    assert len(document.encode()) <= MOST
    assert "more (metric_" in document and "and 1,900 more" in document


def test_a_page_without_end_is_cut() -> None:
    """Also where the code itself would be too large."""
    run = learnt()
    task = run.graph.tasks[0]
    big = {**task.module.source.files, **{f"data_{i}.py": "x = 1\n" * 100_000 for i in range(8)}}
    object.__setattr__(task.module.source, "files", big)

    document = report(run)

    assert len(document.encode()) <= MOST and "characters more" in document
