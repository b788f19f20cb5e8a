from __future__ import annotations

import base64
import json
from html.parser import HTMLParser

import pytest

from manta_nb.engine.progress import TaskProgress
from manta_nb.engine.records import Event, Failure
from manta_nb.session.digest import seconds_text, summarise
from manta_nb.session.logs import EventTable, LogRow, LogTable
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.summary import MIME, bundle, live_bundle, progress_line, summary_text
from tests.session.fake_run import FakeRun, learning_curves

HOSTILE = "<img src=x onerror=alert(1)>"
FAILURE = Failure(
    "node_2",
    "error",
    "ValueError: bad",
    "Cell In[3], line 14",
    "Cell In[3], line 14, in run\n    x / 0",
    ("epoch 0",),
)


class Text(HTMLParser):
    """What a reader sees where every style and picture is stripped; and whether all tags are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(html: str) -> str:
    parsed = Text(html)
    assert parsed.open == []
    return " ".join(" ".join(parsed.words).split())


def running() -> FakeRun:
    lines = [LogRow(3, f"node_{i % 8}", "worker", "stdout", f"epoch {i // 8}") for i in range(80)]
    return FakeRun(
        metrics=MetricTable(learning_curves(8, 4)),
        logs=LogTable(lines),
        events=EventTable([Event(2, "nan", "loss of node_3 is NaN", "node_3")]),
    )


def failed() -> FakeRun:
    run = running()
    run.move(
        status="failed",
        error="worker failed on node_2 at Cell In[3], line 14: ValueError: bad",
        failure=FAILURE,
        tasks=(TaskProgress("worker", 8, 0, 7, 1),),
    )
    return run


def test_one_line_says_how_far():
    """Name, status, k of n, elapsed, the rest that is expected, and the first metrics, accuracies before others."""
    line = progress_line(summarise(running()))

    assert line.startswith("fl · running · iteration 3 of 20 · 12 s · about 1 min 8 s left · val_acc 0.5")
    assert "loss 1.2" in line


def test_a_running_run_says_everything_on_one_screen():
    """Counts of each task, the latest metrics, the last lines and events are in the text and in the HTML."""
    data = live_bundle(running())
    html = read(data["text/html"])

    for word in ("iteration 3 of 20", "6 done, 2 running", "val_acc", "epoch 9", "loss of node_3 is NaN"):
        assert word in data["text/plain"]
        assert word in html
    assert data["text/plain"].count("\n") < 25
    assert "image/png" not in data


def test_five_lines_of_each_of_a_few_nodes():
    """Few nodes show their own last five lines each; of many nodes the last lines of all are shown."""
    few, many = running(), running()
    many.nodes = [f"node_{number}" for number in range(100)]

    assert len(summarise(few).lines) == 40
    assert [line.text for line in summarise(few).lines[:5]] == [
        "epoch 5",
        "epoch 6",
        "epoch 7",
        "epoch 8",
        "epoch 9",
    ]
    assert len(summarise(many).lines) == 9


def test_a_failed_run_shows_its_error_without_opening_anything():
    """The whole line, the user's traceback in an open fold, and what the node printed last."""
    data = bundle(failed())
    html = data["text/html"]

    assert failed().error in data["text/plain"]
    assert "x / 0" in data["text/plain"]
    assert failed().error in read(html)
    assert '<details open><summary style="cursor:pointer">traceback of node_2' in html
    assert "x / 0" in read(html)
    assert "7 done, 1 failed" in read(html)


def test_the_end_is_a_table_and_a_picture():
    """The bundle of a run that is over reads without CSS and holds the curves as PNG."""
    run = running()
    run.end(reason="all 20 iterations")
    data = bundle(run)

    assert set(data) == {"text/plain", "text/html", "image/png", MIME}
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "completed iteration 20 of 20 · 12 s · all 20 iterations" in read(data["text/html"])
    assert "0.5406 (0.516–0.552)" in read(data["text/html"])
    assert "0.5406 (0.516–0.552)" in data["text/plain"]
    assert "was running" not in data["text/html"]


def test_the_bundle_of_a_large_run_stays_below_100_kb():
    """100 nodes, 200 iterations, 12 metrics, long output: still small enough for a notebook."""
    rows = [
        MetricRow(i, f"node_{n}", "worker", f"metric_{m}", None, (i * 31 + n * 17 + m * 7) % 101 / 101)
        for i in range(200)
        for n in range(100)
        for m in range(12)
    ]
    run = FakeRun(metrics=MetricTable(rows), nodes=[f"node_{n}" for n in range(100)])
    run.logs.extend(LogRow(0, f"node_{n}", "worker", "stdout", "x" * 5_000) for n in range(100))
    failure = Failure("node_1", "error", "E", "", "frame\n" * 9_000, ("y" * 9_000,) * 20)
    run.end("failed", error="e" * 200, failure=failure)

    assert len(json.dumps(bundle(run))) <= 100_000


def test_a_notebook_saved_in_mid_run_says_where_the_rest_is():
    """Text and HTML of a run that goes on name the iteration and the way to its rest."""
    run = running()
    run.run_id = "3f2a9c01aaaabbbbcccc"
    data = bundle(run)
    told = "was running at iteration 3; %manta monitor fl shows the rest"

    assert told in data["text/plain"]
    assert told in read(data["text/html"])


def test_without_a_number_of_iterations_there_is_no_bar_and_no_rest():
    """A run until something stops it counts up."""
    run = running()
    run.iterations = None
    line = progress_line(summarise(run))

    assert line.startswith("fl · running · iteration 3 · 12 s · val_acc")
    assert summarise(run).fraction is None
    assert "height:4px" not in live_bundle(run)["text/html"]


def test_what_comes_from_outside_is_escaped():
    """Names, output, events and errors cannot bring HTML into the page, nor control codes into a terminal."""
    failure = Failure(HOSTILE, "error", HOSTILE, HOSTILE, HOSTILE, (HOSTILE, "\x1b[2J"))
    run = FakeRun(
        name=HOSTILE,
        nodes=[HOSTILE],
        metrics=MetricTable([MetricRow(0, HOSTILE, HOSTILE, HOSTILE, None, 1.0)]),
        logs=LogTable([LogRow(0, HOSTILE, "worker", "stdout", HOSTILE + "\x1b[2J")]),
        events=EventTable([Event(0, "x", HOSTILE)]),
    )
    before = bundle(run)
    run.end("failed", error=HOSTILE, failure=failure)
    after = bundle(run)

    for data in (before, after):
        assert "<img src=x" not in data["text/html"]
        assert "\x1b" not in data["text/plain"]


def test_a_run_that_has_not_begun_is_shown():
    """Nothing recorded yet is no error."""
    run = FakeRun(status="pending", iteration=0, iterations=None, elapsed=0.0, tasks=())

    assert summary_text(summarise(run)) == "fl · pending · iteration 0 · 0.0 s"
    assert "pending" in read(bundle(run)["text/html"])


def test_accents_and_broken_text_can_be_saved():
    """French names and a lone surrogate end in JSON that can be written."""
    run = running()
    run.nodes = ["Élève_1"]
    run.logs = LogTable([LogRow(0, "Élève_1", "worker", "stdout", "déjà \udcff")])

    assert "Élève_1" in bundle(run)["text/html"]
    json.dumps(bundle(run), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8 s"),
        (12.3, "12 s"),
        (65, "1 min 5 s"),
        (60, "1 min"),
        (1200, "20 min"),
        (7380, "2 h 3 min"),
    ],
)
def test_times_in_words(seconds, text):
    """Short and with two units at most."""
    assert seconds_text(seconds) == text
