"""`%manta resume`: a run that was stopped or failed goes on."""

from __future__ import annotations

import pytest

from tests.ui.fakes import Shell
from tests.ui.test_verbs import refusal
from tests.ui.texts import AGGREGATOR, FLOW, SCHEDULER, START, WORKER


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Nodes, modules and a run that goes on."""
    shell.ok(START, WORKER, AGGREGATOR, SCHEDULER, FLOW)
    return shell


def test_the_latest_that_ended_goes_on(ready: Shell) -> None:
    """Without a name: the run that was stopped, not the one that was started after it."""
    first = ready.ns["fl"].stop()
    later = ready.opened[0].run(first.swarm, 3, name="later")

    assert ready.ok("%manta resume").value is first
    assert (first.status, later.status) == ("running", "running")


def test_a_run_is_named_and_gets_more_iterations(ready: Shell) -> None:
    """By name or by id, with another number of iterations or forever."""
    run = ready.ns["fl"].stop()
    ready.ok("%manta resume fl --iterations 30")
    thirty = run.iterations
    run.stop()
    ready.ok(f"%manta resume {run.run_id[:6]} --iterations forever")

    assert (thirty, run.iterations, run.status) == (30, "forever", "running")


def test_it_is_waited_for_where_all_runs_are(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With MANTA_NB_BLOCK=1 the cell ends with the run."""
    monkeypatch.setenv("MANTA_NB_BLOCK", "1")
    run = ready.ns["fl"].stop()
    ready.ok("%manta resume")

    assert (run.status, run.waits) == ("completed", 1)


def test_what_cannot_go_on_is_said(ready: Shell, shell: Shell) -> None:
    """A run that goes on, one that is not there, a number that is none: one line each."""
    assert "fl is running (3 of 20): it goes on by itself" in refusal(ready, "%manta resume")
    assert "no run f2; there are: fl" in refusal(ready, "%manta resume f2")
    assert "--iterations must be a whole number" in refusal(ready, "%manta resume --iterations 0")


def test_without_a_run_the_way_to_one_is_said(shell: Shell) -> None:
    """As with the other verbs."""
    assert "%%swarm fl --iterations 5" in refusal(shell, "%manta resume")


def test_help_names_the_option(shell: Shell) -> None:
    """What to type, with its example."""
    told = str(shell.ok("%manta resume --help").value)

    assert "--iterations N|forever" in told and "%manta resume fl --iterations 30" in told
