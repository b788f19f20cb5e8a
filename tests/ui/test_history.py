"""`%manta runs` and `%manta export`: also what earlier kernels did."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import manta_nb
from manta_nb.session.describing import kept_where
from manta_nb.store.opening import open_store
from manta_nb.store.ports import Store
from manta_nb.ui.complete import suggestions
from tests.session.past import kept
from tests.store.making import ENDING, run_id
from tests.ui.fakes import Shell
from tests.ui.test_resume import left
from tests.ui.test_verbs import refusal
from tests.ui.texts import AGGREGATOR, FLOW, SCHEDULER, START, WORKER
from tests.waiting import until


@pytest.fixture
def store(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """What an earlier kernel left in the folder of the notebook."""
    monkeypatch.delenv("MANTA_HOME", raising=False)
    made = open_store(None)
    yield made
    made.close()


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Nodes and a run that goes on."""
    shell.ok(START, WORKER, AGGREGATOR, SCHEDULER, FLOW)
    return shell


def test_without_nodes_the_runs_of_earlier_kernels_are_there(shell: Shell, store: Store) -> None:
    """After a restart the first line shows them, and how to go on."""
    kept(store, 1, status="interrupted")
    shown = str(shell.ok("%manta runs").value)

    assert "interrupted" in shown and "%manta resume fl" in shown and "acc 0.5" in shown


def test_a_run_that_is_looked_at_gets_its_name(shell: Shell, store: Store) -> None:
    """Where that is free, and it is the same run whoever asks for it; a variable of the person stays."""
    left(store, 1)
    run = shell.ok("%manta monitor fl").value
    shell.ok("other = fl; fl = 3")
    again = shell.ok("%manta monitor fl").value

    assert shell.ns["other"] is run is again is shell.notebook.past()["fl"]
    assert shell.ns["fl"] == 3


def test_a_run_of_another_kernel_is_stopped_by_name(shell: Shell, store: Store) -> None:
    """Through the store: it is asked, and what is shown is how it ended there."""
    stopped = left(store, 1)
    release = store.claim(stopped)

    def other_kernel() -> None:
        until(lambda: store.asked_to_stop(stopped) is not None, 20)
        store.finish(stopped, replace(ENDING, status="stopped", reason="stopped by the user"))
        release()

    unnamed = refusal(shell, "%manta stop")
    owner = threading.Thread(target=other_kernel)
    owner.start()
    told = shell.ok("%manta stop fl")
    owner.join(20)

    assert "in another kernel" in unnamed and "%manta stop fl stops it there" in unnamed
    assert "asking it to stop" in told.out
    assert (told.value.status, told.value.reason) == ("stopped", "stopped by the user")


@pytest.mark.parametrize("where", ["memory", "kept"])
def test_a_line_says_where_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """From the working directory, with the size; or that they end with the kernel."""
    monkeypatch.chdir(tmp_path)
    store = open_store(where)
    line = kept_where(store)
    store.close()

    assert line.startswith("runs are kept in memory" if where == "memory" else "runs are kept in kept · ")
    assert "not kept" in kept_where(store, off=True)


def test_looking_makes_no_store(shell: Shell, tmp_path: Path) -> None:
    """No folder is left behind by a question."""
    assert "no runs yet" in str(shell.ok("%manta runs").value)
    assert not (tmp_path / ".manta").exists()


def test_a_run_of_this_kernel_is_there(ready: Shell) -> None:
    """With its best metric, as it is now."""
    shown = str(ready.ok("%manta runs").value)

    assert "fl" in shown and "val_acc 0.6667 (highest)" in shown and "in memory" in shown
    assert "loss -1 (lowest)" in str(ready.ok("%manta runs --metric loss").value)


def test_the_list_can_be_cut(shell: Shell, store: Store) -> None:
    """To so many, or not at all."""
    for number in range(22):
        kept(store, number, ago=number)

    assert "and 2 more" in str(shell.ok("%manta runs").value)
    assert "and 19 more" in str(shell.ok("%manta runs --limit 3").value)
    assert "more" not in str(shell.ok("%manta runs --all").value)


def test_runs_are_compared(ready: Shell) -> None:
    """All of them, or those that are named, by the metric that was asked for."""
    second = ready.opened[0].run(ready.ns["fl"].swarm, 3, name="second")
    both = ready.ok("%manta runs --compare --metric loss").value
    one = ready.ok("%manta runs second --compare").value

    assert [run.name for run in both.runs] == ["fl", "second"] and both.metric == "loss"
    assert one.runs == [second] and one.metric == "val_acc"


def test_pruning_takes_two_lines(shell: Shell, store: Store) -> None:
    """The first says what would go and what to type; the second does it."""
    kept(store, 1, ago=40 * 86_400)
    kept(store, 2, name="young")
    said = str(shell.ok("%manta runs --prune --older 30").value)
    line = next(line for line in said.splitlines() if "%manta runs" in line).partition(": ")[2]
    left = [run.run_id for run in store.runs()]
    done = str(shell.ok(line).value)

    assert line == "%manta runs --prune --older 30 --yes" and left == [run_id(1), run_id(2)]
    assert "is deleted" in done and [run.name for run in store.runs()] == ["young"]


def test_runs_are_pruned_by_name(shell: Shell, store: Store) -> None:
    """Several, also with options between them."""
    for number, name in enumerate("abc"):
        kept(store, number, name=name, ago=9 - number)
    shell.ok("%manta runs --prune a --yes c")

    assert [run.name for run in store.runs()] == ["b"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%manta runs --prune --yes", "say which runs to delete"),
        ("%manta runs --yes", "--yes says which runs to delete: %manta runs --prune --yes"),
        ("%manta runs --older 3", "--older says which runs to delete"),
        ("%manta runs --compare --prune", "one after the other"),
        ("%manta runs fl", "%manta runs fl --compare"),
        ("%manta runs --prune fl2", "no run fl2 (did you mean 'fl'?); there are: fl"),
        ("%manta runs --limit 0", "--limit must be a whole number"),
        ("%manta runs --keep x --prune", "--keep must be a whole number"),
        ("%manta export", "%manta export fl fl.html"),
        ("%manta export fl", "%manta export fl fl.html"),
        ("%manta export fl2 a.csv", "no run fl2 (did you mean 'fl'?); there are: fl"),
        ("%manta export a.csv b.txt", "no known suffix"),
    ],
)
def test_mistakes_are_one_line(shell: Shell, store: Store, line: str, said: str) -> None:
    """And nothing is written or deleted."""
    kept(store, 1)

    assert said in refusal(shell, line)
    assert len(store.runs()) == 1


def test_a_run_is_exported(ready: Shell, tmp_path: Path) -> None:
    """The latest, or the one that is named; several files at once."""
    told = str(ready.ok("%manta export fl a.csv b.npz").value)
    ready.ok("%manta export c.csv")

    assert {path.name for path in tmp_path.glob("?.*")} == {"a.csv", "b.npz", "c.csv"}
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "c.csv").read_bytes() and "a.csv" in told


def test_export_without_a_run_says_how_to_make_one(shell: Shell, tmp_path: Path) -> None:
    """And leaves no file."""
    assert "%%swarm fl --iterations 5" in refusal(shell, "%manta export a.csv")
    assert list(tmp_path.iterdir()) == []


def test_in_python_they_are_those_of_the_notebook(
    ready: Shell, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`manta_nb.runs` has the runs of this kernel, too."""
    monkeypatch.setattr(type(ready.ip), "_instance", ready.ip)

    assert manta_nb.runs["fl"] is ready.ns["fl"]


def test_in_python_they_are_those_of_the_folder(shell: Shell, store: Store) -> None:
    """Where there is no notebook."""
    kept(store, 1)

    assert [run.name for run in manta_nb.runs.entries()] == ["fl"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%manta runs --pr", ["--prune"]),
        ("%manta runs --prune old", ["older"]),
        ("%manta runs --prune older yo", ["young"]),
        ("%manta export you", ["young"]),
        ("%manta exp", ["export"]),
    ],
)
def test_completion(shell: Shell, store: Store, line: str, offered: list[str]) -> None:
    """Options, verbs, and the names of all runs, one after the other."""
    kept(store, 1, name="older")
    kept(store, 2, name="young")

    assert suggestions(line, shell.notebook) == offered


def test_metrics_are_offered(ready: Shell) -> None:
    """Those of the runs of this kernel."""
    assert suggestions("%manta runs --metric ", ready.notebook) == ["loss", "val_acc"]


def test_help_has_every_option(shell: Shell) -> None:
    """With its default, and an example of the verb."""
    runs, export = str(shell.ok("%manta runs --help").value), str(shell.ok("%manta export --help").value)

    for option in (
        "RUN",
        "--all",
        "--limit N",
        "--compare",
        "--metric NAME",
        "--prune",
        "--older DAYS",
        "--keep N",
    ):
        assert option in runs
    assert "%manta runs --compare --metric val_acc" in runs and "(default: 20)" in runs
    assert "%manta export [RUN] [FILE …]" in export and ".safetensors" in export
