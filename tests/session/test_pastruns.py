"""The runs of a store and those of this kernel as one list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manta_nb.errors import MissingTag, UsageError
from manta_nb.session.metrics import MetricRow, MetricTable
from manta_nb.session.pastlist import when_text
from manta_nb.session.pastopening import default_store
from manta_nb.store.opening import open_store
from manta_nb.store.ports import Store
from tests.session.fake_run import FakeRun
from tests.session.past import kept, past, running
from tests.store.making import run_id

HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Both kinds of store."""
    made = open_store("memory" if request.param == "memory" else tmp_path / "kept")
    yield made
    made.close()


def rows(shown: object) -> list[str]:
    """The lines of a table below its heading."""
    lines = str(shown).splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("─")) + 1 :]


def live(**more: Any) -> FakeRun:
    metrics = MetricTable([MetricRow(0, "node_0", "worker", "acc", None, 0.4)])
    return FakeRun(**{"run_id": run_id(9), "started": time.time(), "metrics": metrics, **more})


def test_a_run_of_both_appears_once(store: Store) -> None:
    """It is the live one that is shown and given; what it takes on disk is known all the same."""
    kept(store, 9, ago=5)
    run = live()
    runs = past(store, run)

    assert len(runs) == 1 and runs[-1] is run
    assert runs.entries()[0].nbytes and "running" in str(runs)


def test_runs_are_found_by_place_name_and_id(store: Store) -> None:
    """Oldest first; of several of one name the latest; an id from its first four characters on."""
    first, second = kept(store, 1, ago=20), kept(store, 2, ago=10)
    other = kept(store, 3, name="other", ago=30)
    runs = past(store)

    assert [run.run_id for run in runs] == [other, first, second]
    assert runs["fl"].run_id == runs[-1].run_id == second
    assert runs[other[:4]].run_id == other and "other" in runs._ipython_key_completions_()
    assert [run.run_id for run in runs[1:]] == [first, second]


def test_what_is_not_there_is_said(store: Store) -> None:
    """With what there is, and what was probably meant; three characters are no id."""
    kept(store, 1, name="federated")
    runs = past(store)

    with pytest.raises(MissingTag, match="no run federate.*there are: federated"):
        runs["federate"]
    with pytest.raises(MissingTag):
        runs[run_id(1)[:3]]
    with pytest.raises(IndexError):
        runs[5]


def test_a_run_is_opened_once_as_long_as_somebody_has_it(store: Store) -> None:
    """Asked for again, also through a slice, it is the same object; the list itself opens none."""
    kept(store, 1)
    runs = past(store)
    str(runs), runs._repr_html_()
    opened = runs._open.opened  # type: ignore[attr-defined]
    assert opened == []

    first = runs["fl"]
    again, of_slice = runs["fl"], runs[:][-1]

    assert first is again is of_slice and len(opened) == 1


def test_a_run_that_went_on_is_opened_anew(store: Store) -> None:
    """What is shown is what the store has now; one that was resumed in this kernel is ahead of the store."""
    kept(store, 1, status="stopped")
    runs = past(store)
    first: Any = runs["fl"]
    first.iteration = 1
    second: Any = runs["fl"]
    second.status, second.iteration = "running", 5

    assert second is not first and runs["fl"] is second


def test_the_table_says_what_there_is(store: Store) -> None:
    """Name, id, status, iterations, best metric, when, how long, size; the latest first."""
    kept(store, 1, ago=3 * HOUR, status="failed")
    kept(store, 2, name="later", ago=70)
    first, second = rows(past(store))

    assert first.split("  ")[0] == "later" and run_id(2)[:8] in first and "completed" in first
    assert "2 of 8" in first and "acc 0.9 (highest)" in first and "1 min ago" in first and "12 s" in first
    assert first.rstrip().endswith("B") and "failed" in second and "3 h ago" in second


def test_this_notebook_comes_first(store: Store) -> None:
    """Then those of others, with the name of their file."""
    kept(store, 1, name="mine", ago=100, source="/home/me/a.ipynb")
    kept(store, 2, name="other", ago=1, source="/home/me/b.ipynb")
    mine, other = rows(past(store, here="/home/me/a.ipynb"))

    assert mine.startswith("mine") and mine.rstrip().endswith("here")
    assert other.startswith("other") and other.rstrip().endswith("b.ipynb")


def test_an_interrupted_run_says_how_to_go_on(store: Store) -> None:
    """By its name, where that means it; else by its id. Its best metric is looked up, as nobody noted it."""
    kept(store, 1, status="interrupted", ago=20)
    (only,) = rows(past(store))
    kept(store, 2, ago=10)
    _, older = rows(past(store))

    assert "interrupted" in only and only.endswith("%manta resume fl") and "acc 0.5 (highest)" in only
    assert older.endswith(f"%manta resume {run_id(1)[:8]}")
    assert f"manta-nb runs resume {run_id(1)[:8]}" in str(past(store).table(resume="manta-nb runs resume"))


def test_a_run_that_somebody_has_says_who(store: Store) -> None:
    """Another kernel, or this one without a run of it."""
    _, release = running(store, 1)
    shown = str(past(store))
    release()

    assert "running, " in shown and "interrupted" not in shown


def test_the_best_metric_is_the_one_that_was_set(store: Store) -> None:
    """Of a loss the lowest; a run without it says what it has."""
    kept(store, 1)

    assert "loss 0.2 (lowest)" in str(past(store, metric="loss"))
    assert "no f1; there are: acc, loss" in str(past(store, metric="f1"))


def test_a_fork_names_its_parent(store: Store) -> None:
    """By name where that is known, else by id; a repeat, too."""
    kept(store, 1, ago=9)
    kept(store, 2, name="fork", parent=(run_id(1), 7), ago=8)
    kept(store, 3, name="again", parent=(run_id(77), None), ago=7)
    again, fork, _ = rows(past(store))

    assert "fork of fl at 7" in fork and f"repeat of {run_id(77)[:8]}" in again


def test_long_lists_are_cut(store: Store) -> None:
    """To the latest twenty, or as many as asked for; the caption counts all."""
    for number in range(23):
        kept(store, number, name=f"run_{number}", ago=100 - number)
    runs = past(store)

    assert str(runs).startswith("23 runs · ") and len(rows(runs)) == 21 and "and 3 more" in str(runs)
    assert len(rows(runs.table(None))) == 23 and len(rows(runs.table(5))) == 6


def test_an_empty_store_says_so(store: Store) -> None:
    """Nothing else could be shown."""
    assert str(past(store)) == "no runs yet" and len(past(store)) == 0


def test_what_is_shown_is_escaped(store: Store) -> None:
    """Names and files come from outside."""
    kept(store, 1, name="<b>\x1b[2J", source="/x/<i>")

    assert (
        "<b>" not in past(store, here="a")._repr_html_() and "<i>" not in past(store, here="a")._repr_html_()
    )
    assert "\x1b" not in str(past(store))


def test_runs_of_a_store_are_compared(store: Store) -> None:
    """All of them, or those of a slice; of this notebook if it has any."""
    kept(store, 1, name="a", ago=30, source="/a.ipynb")
    kept(store, 2, name="b", ago=20)
    kept(store, 3, name="c", ago=10)

    assert [run.name for run in past(store).compare().runs] == ["a", "b", "c"]
    assert [run.name for run in past(store)[-2:].compare().runs] == ["b", "c"]
    assert [run.name for run in past(store, here="/a.ipynb").compare().runs] == ["a"]
    assert [run.name for run in past(store).only(["c", "a"]).compare().runs] == ["a", "c"]


def test_the_latest_run_is_that_of_this_notebook(store: Store) -> None:
    """Where it has none, the latest of all; without any it says so."""
    with pytest.raises(MissingTag, match="no run yet"):
        past(store).latest()
    kept(store, 1, name="mine", ago=30, source="/a.ipynb")
    kept(store, 2, name="later", ago=20)

    assert (past(store, here="/a.ipynb").latest().name, past(store).latest().name) == ("mine", "later")


def test_pruning_first_says_what_would_go(store: Store) -> None:
    """Which runs, how many bytes, and what is left; nothing is gone."""
    kept(store, 1, ago=40 * DAY)
    kept(store, 2, name="young", ago=DAY)
    told = past(store).prune(older=30)

    assert [run.run_id for run in told.runs] == [run_id(1)] and told.dry
    assert "1 run, " in str(told) and "would be deleted; 1 run and " in str(told) and "dry=False" in str(told)
    assert len(past(store)) == 2


def test_pruning_deletes_what_it_said(store: Store) -> None:
    """And the list is without it."""
    kept(store, 1, ago=20)
    kept(store, 2, name="young", ago=10)
    said = past(store).prune(keep=1)
    told = past(store).prune(keep=1, dry=False)

    assert said.pruned.run_ids == told.pruned.run_ids == (run_id(1),)
    assert "is deleted; 1 run" in str(told) and [run.name for run in past(store).entries()] == ["young"]


def test_what_is_chosen_has_to_fit_everything(store: Store) -> None:
    """Old enough, not among the latest, and named, if any is; 0 keeps none."""
    for number, days in enumerate([50, 40, 1]):
        kept(store, number, name=f"run_{number}", ago=days * DAY)
    runs = past(store)

    def chosen(*names: str, **more: Any) -> list[str]:
        return [run.name for run in runs.prune(*names, **more).runs]

    assert chosen(older=30) == ["run_0", "run_1"] and chosen(keep=2) == ["run_0"]
    assert chosen(older=30, keep=2) == ["run_0"] and chosen(keep=0) == ["run_0", "run_1", "run_2"]
    assert chosen("run_1", "run_2", older=30) == ["run_1"] and chosen("run_2") == ["run_2"]
    assert chosen() == ["run_0", "run_1", "run_2"]


def test_running_runs_are_never_deleted(store: Store) -> None:
    """Not those of this kernel, not those of another; by name it is a mistake that says what to do."""
    kept(store, 9, name="here")
    _, release = running(store, 1, "there")
    runs = past(store, live(name="here"))

    assert runs.prune(keep=0, dry=False).runs == ()
    for name in ("here", "there"):
        with pytest.raises(UsageError, match=f"{name} is running.*stop it"):
            runs.prune(name, dry=False)
    release()
    assert len(runs) == 2


def test_a_run_in_memory_only_cannot_be_deleted(store: Store) -> None:
    """It says why; it is no part of what is counted."""
    run = live(name="here", status="completed")

    with pytest.raises(UsageError, match="in no store"):
        past(store, run).prune("here")
    assert "in memory" in str(past(store, run)) and past(store, run).prune(keep=0).runs == ()


def test_deleting_everything_has_to_be_said(store: Store) -> None:
    """Without a word that chooses nothing is deleted; numbers are checked."""
    kept(store, 1)

    with pytest.raises(UsageError, match="say which runs"):
        past(store).prune(dry=False)
    with pytest.raises(UsageError, match="number of days"):
        past(store).prune(older=-1)
    with pytest.raises(UsageError, match="number of runs"):
        past(store).prune(keep=-1)
    assert len(past(store)) == 1


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (0, "0 s ago"),
        (-1, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (7200, "2 h ago"),
    ],
)
def test_what_was_lately_is_told_in_words(ago: float, said: str) -> None:
    """As people say it."""
    assert when_text(1_000_000 - ago, 1_000_000) == said


@pytest.mark.parametrize("ago", [DAY, 400 * DAY, -HOUR])
def test_what_is_old_or_in_the_future_has_a_date(ago: float) -> None:
    """A clock may have been set back."""
    now = 1_790_000_000.0

    assert when_text(now - ago, now) == time.strftime("%Y-%m-%d %H:%M", time.localtime(now - ago))
    assert when_text(1e300, now) == ""


def test_looking_makes_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none yet the list is empty, and the folder as it was; one that is there is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MANTA_HOME", raising=False)
    assert default_store().runs() == [] and list(tmp_path.iterdir()) == []

    made = open_store(None)
    kept(made, 1)
    found = default_store()

    assert [info.name for info in found.runs()] == ["fl"]
    made.close()
    found.close()
