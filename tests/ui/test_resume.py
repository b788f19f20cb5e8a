"""`%manta resume`: a run that was stopped or failed goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from manta_nb.sdk.module import Module
from manta_nb.session.storedcode import module_record
from manta_nb.store.opening import open_store
from manta_nb.store.ports import Store
from tests.session.past import kept
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


def test_a_complete_run_is_told_how_to_get_more(ready: Shell) -> None:
    """What to type is a line of the notebook, with a number that is enough."""
    run = ready.ns["fl"]
    run.status, run.iteration = "completed", 20

    assert "fl is complete (20 iterations)" in refusal(ready, "%manta resume fl")
    assert "%manta resume fl --iterations 30" in refusal(ready, "%manta resume fl")
    assert ready.ok("%manta resume fl --iterations 30").value.iterations == 30


def ended_with_its_nodes(ready: Shell, **stored: Any) -> Any:
    """A run whose nodes are not there any more, which were started with these options."""
    run = ready.ns["fl"].stop()
    session = {"options": {"nodes": 4, "data": "digits"}, "missing": [], "nodes": {}} | stored
    run.head = SimpleNamespace(session=session)
    ready.ok("%manta shutdown")
    return run


def test_where_the_nodes_are_gone_the_like_of_them_are_started(ready: Shell) -> None:
    """Those it had, and `%manta start` with the same options knows them again."""
    usual = {"nodes": 4, "data": "digits", "partition": "iid", "seed": 0, "runner": "process"}
    run = ended_with_its_nodes(ready, options=usual)

    ready.ok("%manta resume fl")

    assert run.status == "running" and len(ready.opened) == 2
    assert ready.opened[1].options == {"nodes": 4, "data": "digits"}
    assert ready.ok("%manta start --nodes 4 --data digits --seed 0").value is ready.opened[1]


def test_other_nodes_than_it_had_are_refused(ready: Shell) -> None:
    """The first difference, with both values, and what to do; the run stays as it is."""
    run = ended_with_its_nodes(ready)
    ready.ok("%manta start --nodes 3 --data digits")
    told = refusal(ready, "%manta resume fl")

    assert "fl ran on other nodes: nodes was 4, is 3 here; %manta shutdown" in told
    assert run.status == "stopped"


def test_data_of_a_notebook_have_to_be_given_again(ready: Shell) -> None:
    """Arrays are not kept: the line says how many nodes, and what the data were called."""
    ended_with_its_nodes(ready, options={"nodes": 2, "data_name": "mine"}, missing=["data"])

    assert "%manta start --nodes 2 --data mine=$x" in refusal(ready, "%manta resume fl")
    assert len(ready.opened) == 1


@pytest.fixture
def store(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """What an earlier kernel left in the folder of the notebook."""
    monkeypatch.delenv("MANTA_HOME", raising=False)
    made = open_store(None)
    yield made
    made.close()


def left(store: Store, number: int, **more: Any) -> str:
    """A run that lost its kernel; its id."""
    source = "def main(world=None):\n    print('here')\n"
    modules = {
        alias: module_record(Module.from_source(source, name=alias)) for alias in ("worker", "aggregator")
    }
    session = {"options": {"nodes": 4}, "missing": [], "nodes": {f"node_{i}": [] for i in range(4)}}
    return kept(store, number, status="interrupted", modules=modules, session=session | more)


def test_the_first_line_says_what_is_kept(shell: Shell, store: Store) -> None:
    """At once, before anything slow; here the cells have other code than the run."""
    left(store, 1)
    shell.ok(WORKER)
    told = shell.cell("%manta resume fl")

    assert told.out.startswith("fl ") and "2 of 8 iterations are kept" in told.out
    assert "the code of worker has changed" in told.line and "--code stored" in told.line
    assert shell.opened == []


def test_one_that_goes_on_elsewhere_is_not_resumed(shell: Shell, store: Store) -> None:
    """No nodes are started for it; the line says who has it."""
    release = store.claim(left(store, 1))
    told = refusal(shell, "%manta resume fl")
    release()

    assert f"fl is running in another kernel, pid {os.getpid()}" in told
    assert shell.opened == []
