"""What each section says."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from manta_nb.engine.records import Failure
from manta_nb.errors import StoreError
from manta_nb.sdk.codec import encode
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.ui.cells import Cell
from manta_nb.ui.panel.chosen import ChosenSection, by_default, find_chosen
from manta_nb.ui.panel.keeping import Keeper
from manta_nb.ui.panel.nodes import NodesSection
from manta_nb.ui.panel.runs import MOST, RunsSection
from manta_nb.ui.panel.sections import Pace, Section
from manta_nb.ui.panel.texts import clean, fitting, said
from tests.session.past import kept, running
from tests.store.making import ENDING, Story, run_id
from tests.ui.panel.fakes import FakeNodes, FakeNotebook, LiveRun

FAILURE = Failure(
    "node_1", "error", "ZeroDivisionError: by zero", "Cell In[3], line 4", "  File …\n", ("out",)
)


def runs_of(notebook: FakeNotebook, loaded: bool = True) -> RunsSection:
    """The section, looked at once."""
    section = RunsSection(notebook, _keeper(notebook), loaded, lambda: None)  # type: ignore[arg-type]
    section.update()
    return section


def row(notebook: FakeNotebook, loaded: bool = True) -> dict[str, Any]:
    """The first row of it."""
    section = runs_of(notebook, loaded)
    section.close()
    found: dict[str, Any] = section.body["runs"][0]
    return found


def _keeper(notebook: FakeNotebook) -> Keeper:
    if notebook.session is None:
        notebook.session = FakeNodes(2, store=notebook.store)
    return Keeper(notebook)  # type: ignore[arg-type]


# -- nodes -----------------------------------------------------------------------------------------------------------


def test_a_node_has_its_state_task_and_data(tmp_path: Path):
    """What the node table says, the alias of what it is at, and how many samples it holds."""
    session = FakeNodes(3, tmp_path)
    session.states["node_2"] = "frozen"
    session.runs.append(LiveRun())
    section = NodesSection(FakeNotebook(session=session))  # type: ignore[arg-type]
    section.update()
    rows = section.body["nodes"]

    assert section.body["states"] == {"idle": 2, "frozen": 1}
    assert [each["task"] for each in rows] == ["", "worker", ""]
    assert rows[0]["data"] == [{"name": "digits", "samples": 30, "text": "digits: 30 train, 10 test"}]


def test_nodes_are_looked_at_once_a_second(tmp_path: Path):
    """However often something else changes; others take their place at once."""
    session, now = FakeNodes(2), [0.0]
    notebook = FakeNotebook(session=session)
    section = NodesSection(notebook, lambda: now[0])  # type: ignore[arg-type]
    for _ in range(10):
        section.update()
        now[0] += 0.2
    looked = session.looked
    notebook.session = FakeNodes(5)
    section.update()

    assert looked == 2
    assert section.body["total"] == 5
    notebook.session = None
    section.update()
    assert section.body is None


def test_data_that_cannot_be_read_are_named(tmp_path: Path):
    """A file that is gone, or none of ours, has no samples."""
    session = FakeNodes(1, tmp_path)
    session.record("node_0")
    for file in tmp_path.iterdir():
        file.write_bytes(b"no array")
    section = NodesSection(FakeNotebook(session=session))  # type: ignore[arg-type]
    section.update()

    assert section.body["nodes"][0]["data"][0]["samples"] is None


# -- runs ------------------------------------------------------------------------------------------------------------


def test_runs_of_here_and_of_the_store_are_one_list():
    """Latest first; which are live, where they were started, and what names each on a line."""
    notebook = FakeNotebook(here="a.ipynb")
    kept(notebook.store, 1, "fl", ago=60, source="a.ipynb")
    kept(notebook.store, 2, "old one", ago=50)
    notebook.live.append(LiveRun(run_id(9), started=time.time()))
    rows = runs_of(notebook).body["runs"]

    assert [each["live"] for each in rows] == [True, False, False]
    assert [each["here"] for each in rows] == [True, False, True]
    assert [each["word"] for each in rows] == ["fl", run_id(2)[:8], run_id(1)[:8]]
    assert [each["can_stop"] for each in rows] == [True, False, False]
    assert rows[1]["best"] == "acc 0.9 (highest)"


def test_the_store_is_read_seldom():
    """A run of this kernel that moves costs no look into it; after some seconds there is one."""
    notebook, now = FakeNotebook(), [0.0]
    run = LiveRun()
    notebook.live.append(run)
    section = RunsSection(notebook, _keeper(notebook), True, lambda: None, lambda: now[0])  # type: ignore[arg-type]
    for iteration in range(4, 14):
        run.move(iteration=iteration)
        section.update()
        now[0] += 0.2
    soon = notebook.listed
    kept(notebook.store, 3, "theirs")
    now[0] += 20
    section.update()
    section.close()

    assert (soon, notebook.listed) == (1, 2)
    assert section.body["total"] == 2
    assert run.watchers == []


def test_a_run_of_another_kernel_says_who_has_it():
    """It can be stopped from here, and not resumed; one of ours on a hand-made Session says that."""
    notebook = FakeNotebook()
    _, release = running(notebook.store, 4)
    found = row(notebook)
    release()

    assert (found["status"], found["can_stop"], found["can_resume"]) == ("running", True, False)
    assert found["note"] == "on a Session made by hand: %manta use NAME shows its nodes"


def test_the_best_metric_is_looked_for_seldom_and_at_the_end():
    """While a run goes on not at every change; when it is over the last word is told."""
    now = [0.0]
    run = LiveRun(metrics=MetricTable([MetricRow(0, "node_0", "worker", "acc", None, 0.4)]))
    notebook = FakeNotebook(live=[run])
    section = RunsSection(notebook, _keeper(notebook), True, lambda: None, lambda: now[0])  # type: ignore[arg-type]
    section.update()
    run.metrics.extend([MetricRow(1, "node_0", "worker", "acc", None, 0.6)])
    section.update()
    soon = section.body["runs"][0]["best"]
    run.end()
    section.update()

    assert soon == "acc 0.4 (highest)"
    assert section.body["runs"][0]["best"] == "acc 0.6 (highest)"
    section.close()


def test_an_error_is_found_in_the_cell_that_has_it():
    """By the number in its place; only of runs that began in this kernel, as others counted their own cells."""
    notebook = FakeNotebook()
    run = LiveRun(run_id(5))
    notebook.live.append(run)
    notebook.traces.ran(SimpleNamespace(number=3, id="c3"))  # type: ignore[arg-type]
    notebook.traces.remember(run)  # type: ignore[arg-type]
    run.fail(FAILURE)
    here = row(notebook)["failure"]
    notebook.live.clear()
    story = Story(notebook.store, 5)
    notebook.store.finish(story.run_id, replace(ENDING, status="failed", failure=FAILURE, task="worker"))
    later = row(notebook)["failure"]
    other = Story(notebook.store, 6)
    notebook.store.finish(other.run_id, replace(ENDING, status="failed", failure=FAILURE, task="worker"))
    notebook.store.prune([story.run_id])
    theirs = row(notebook)["failure"]

    assert (here["cell"], here["line"], here["task"], here["node"]) == ("c3", 4, "worker", "node_1")
    assert here["message"] == "ZeroDivisionError: by zero"
    assert later == here
    assert theirs == {**here, "cell": ""}


@pytest.mark.parametrize(
    "where", ["", "worker.py, line 12", "Cell In[], line 4", "Cell In[99999999999], line 1"]
)
def test_an_error_elsewhere_has_no_cell(where: str):
    """A file, or a text that is no place."""
    run = LiveRun()
    run.fail(replace(FAILURE, where=where))
    found = row(FakeNotebook(live=[run]))["failure"]

    assert (found["cell"], found["line"]) == ("", None)


def test_a_run_that_failed_before_it_knows_why_says_nothing_yet():
    """The moment between its end and the reason is not shown."""
    run = LiveRun()
    run.end("failed")

    assert row(FakeNotebook(live=[run]))["failure"] is None


def test_a_run_whose_nodes_are_there_can_go_on():
    """Stopped or failed, on a session of the notebook; a completed one cannot."""
    run = LiveRun()
    run.end("stopped")
    notebook = FakeNotebook(live=[run], session=FakeNodes(2))
    notebook.session.runs.append(run)
    stopped = row(notebook)
    run.end("completed")

    assert (stopped["can_resume"], stopped["note"]) == (True, "")
    assert not row(notebook)["can_resume"]


@pytest.mark.parametrize(
    ("stored", "nodes", "expected"),
    [
        (
            {"options": {"nodes": 2}, "missing": []},
            None,
            (True, "its nodes have ended; Resume starts the like of them"),
        ),
        ({"options": {}, "missing": ["data"]}, None, (False, "it ran on data of a notebook: %manta start")),
        ({"options": {"nodes": 2}, "missing": []}, 2, (True, "")),
        (
            {"options": {"nodes": 3}, "missing": []},
            2,
            (False, "it ran on other nodes: nodes was 3, is 2 here"),
        ),
    ],
)
def test_a_past_run_goes_on_where_nodes_can_be_had(
    stored: dict[str, Any], nodes: int | None, expected: tuple[bool, str], tmp_path: Path, monkeypatch: Any
):
    """On the like of those it had; where these cannot be started, or others are there, it says so."""
    monkeypatch.chdir(tmp_path)
    notebook = FakeNotebook()
    kept(notebook.store, 7, status="stopped", session=stored)
    if nodes is not None:
        notebook.session = FakeNodes(nodes, store=notebook.store)
        keeper: Any = Keeper(notebook)  # type: ignore[arg-type]
    else:
        keeper = SimpleNamespace(past=notebook.past, store=lambda: notebook.store)
    section = RunsSection(notebook, keeper, True, lambda: None)  # type: ignore[arg-type]
    section.update()
    found = section.body["runs"][0]

    assert found["can_resume"] == expected[0]
    assert found["note"].startswith(expected[1])
    assert bool(expected[1]) == bool(found["note"])


@pytest.mark.parametrize("status", ["interrupted", "stopped", "failed"])
def test_without_the_magics_nothing_can_go_on(status: str):
    """And a run that could otherwise says what is missing."""
    notebook = FakeNotebook()
    kept(notebook.store, 8, status=status, session={"options": {}, "missing": []})
    found = row(notebook, loaded=False)

    assert not found["can_resume"]
    assert "%load_ext manta_nb first" in found["note"]


def test_long_tracebacks_do_not_crowd_out_runs():
    """100 failed runs with long ones are all told of; the latest keep theirs."""
    notebook = FakeNotebook()
    for number in range(MOST):
        run = LiveRun(f"{number:08x}", started=float(number))
        run.fail(replace(FAILURE, traceback="x" * 9_000))
        notebook.live.append(run)
    section = runs_of(notebook)
    section.close()
    rows = section.body["runs"]

    assert len(rows) == MOST
    assert len(rows[0]["failure"]["traceback"]) > 3_000
    assert rows[-1]["failure"]["traceback"] == ""
    assert section.size < 95_000


# -- values ----------------------------------------------------------------------------------------------------------


class _Values(Story):
    """A run whose values are real ones."""

    def segment(self, what: str, nbytes: int) -> Any:
        made = super().segment(what, nbytes)
        if what.startswith("w"):
            self.values[made.key] = b"".join(encode(np.zeros((3, 4), np.float32)).buffers)
            made = replace(made, nbytes=len(self.values[made.key]))
        return made

    def ref(self, what: str, nbytes: int) -> Any:
        segment = self.segment(what, nbytes)
        return replace(super().ref(what, nbytes), segment=segment, nbytes=segment.nbytes)


def test_values_of_a_stored_run_are_described_without_opening_it():
    """Type, size, the iteration that changed a Global, who wrote a Result, and the code that reads each."""
    notebook = FakeNotebook(namespace={"manta_nb": object()})
    story = _Values(notebook.store, 3)
    story.commit(2)
    notebook.store.finish(story.run_id, ENDING)
    past = notebook.past().entries()
    section = ChosenSection(notebook, _keeper(notebook))  # type: ignore[arg-type]
    section.update(story.run_id, find_chosen(past, story.run_id))
    word = story.run_id[:8]

    assert section.body["globals"] == [
        {
            "tag": "w",
            "type": "float32 (3, 4)",
            "nbytes": section.body["globals"][0]["nbytes"],
            "iteration": 1,
            "code": f'manta_nb.runs["{word}"].globals["w"]',
        }
    ]
    (result,) = section.body["results"]
    assert (result["tag"], result["iteration"], result["total"]) == ("model", 1, 4)
    assert result["nodes"] == ["node_0", "node_1", "node_2", "node_3"]
    assert result["code"] == f'manta_nb.runs["{word}"].results.select("model")'
    before = section.revision
    section.update(story.run_id, find_chosen(past, story.run_id))
    assert section.revision is before


def test_the_run_that_is_shown_by_itself():
    """The latest of this kernel, else of this notebook, else of all; "" where there is none."""
    notebook = FakeNotebook(here="a.ipynb")
    none = by_default(notebook.past().entries(), notebook.here)
    any_other = kept(notebook.store, 1, ago=10)
    of_all = by_default(notebook.past().entries(), notebook.here)
    ours = kept(notebook.store, 2, ago=60, source="a.ipynb")
    of_here = by_default(notebook.past().entries(), notebook.here)
    notebook.live.append(LiveRun(run_id(9), started=1.0))

    assert (none, of_all, of_here) == ("", any_other, ours)
    assert by_default(notebook.past().entries(), notebook.here) == run_id(9)


def test_values_that_could_not_be_read_once_are_read_again():
    """An error that passes is not shown until the run changes."""
    notebook, now = FakeNotebook(namespace={"manta_nb": object()}), [0.0]
    story = _Values(notebook.store, 3)
    story.commit(2)
    notebook.store.finish(story.run_id, ENDING)
    keeper = _keeper(notebook)
    section = ChosenSection(notebook, keeper, lambda: now[0])  # type: ignore[arg-type]
    found = find_chosen(notebook.past().entries(), story.run_id)
    store, failing = keeper.store, [True]

    def sometimes() -> Any:
        if failing[0]:
            raise StoreError("the disk is busy")
        return store()

    keeper.store = sometimes  # type: ignore[method-assign]
    section.update(story.run_id, found)
    note = section.body["note"]
    failing[0] = False
    now[0] += 20
    section.update(story.run_id, found)

    assert note == "the disk is busy"
    assert (section.body["note"], len(section.body["globals"])) == ("", 1)


def test_one_huge_tag_does_not_hide_the_others():
    """It is left out, and the note says that something was."""
    notebook = FakeNotebook()
    run = LiveRun(run_id(9))
    notebook.live.append(run)
    section = ChosenSection(notebook, _keeper(notebook))  # type: ignore[arg-type]
    ref: Any = SimpleNamespace(segment=SimpleNamespace(key="k"), offset=0, nbytes=8)
    values: Any = SimpleNamespace(
        globals=lambda: dict.fromkeys(("x" * 40000, "w", "b"), (ref, None)),
        results=dict,
        kind=lambda tag, ref: "float",
    )
    made = section._body(values, notebook.past().entries()[0], "fl")

    assert [each["tag"] for each in made["globals"]] == ["w", "b"]
    assert made["note"] == "1 more value is not listed here"


def test_what_a_foreign_store_says_is_made_fit():
    """Times that are no numbers, names and cells with halves of characters: the row can be sent."""
    notebook = FakeNotebook()
    run = LiveRun("a\ud800", "n\ud800", started=float("nan"))
    run.move(elapsed=float("inf"))
    notebook.live.append(run)
    notebook.traces.began(run.run_id, Cell(1, "\nx", "c\ud800"))
    found = row(notebook)

    assert (found["started"], found["elapsed"], found["cell"], found["word"]) == (0.0, 0.0, "c?", "a?")
    assert json.dumps(found, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    "body", [{"a": float("nan")}, {"a": float("inf")}, {"a": ["x\udc00"]}, {"\ud800": 1}]
)
def test_what_cannot_be_sent_is_refused(body: dict[str, Any]):
    """It is not weighed, and a section stays what it was; whole characters of any kind are fine."""
    section = Section()
    section.put({"a": "\U0001f41f"})
    before = section.revision
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        section.put(body)

    assert section.revision is before


# -- texts and pace --------------------------------------------------------------------------------------------------


def test_texts_fit_into_a_message():
    """Long ones are cut, halves of characters replaced, lines joined; rows are taken while there is room."""
    assert len(clean("x" * 10_000)) == 200
    assert clean("a\ud800b") == "a?b"
    assert said("two\nlines") == "two lines"
    assert fitting([{"a": "x" * 10}] * 10, 60) == [{"a": "x" * 10}] * 2


def test_what_takes_long_is_done_seldom():
    """After work of t seconds there is a pause of a hundred t, ten seconds at most."""
    now, spent = [0.0], [0.0]
    pace = Pace(1.0, lambda: now[0], lambda: spent[0])
    assert pace.due()
    spent[0] += 0.05
    pace.done()
    due = []
    for second in (1.0, 4.9, 5.0):
        now[0] = second
        due.append(pace.due())

    assert due == [False, False, True]
    pace.hurry()
    assert pace.due()
