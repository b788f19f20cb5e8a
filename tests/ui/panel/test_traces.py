"""Which cell defined what, started what, and was refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import manta_nb
from manta_nb.ui.panel.digest import digest
from manta_nb.ui.panel.door import announce
from manta_nb.ui.panel.modules import ModulesSection
from tests.ui.fakes import Shell
from tests.ui.panel.fakes import LiveRun
from tests.ui.texts import AGGREGATOR, FLOW, MODEL, SCHEDULER, START, WORKER


def run_as(shell: Shell, cell_id: object, text: str) -> None:
    """Run a cell that the front end calls so."""
    shell.ip.get_parent = lambda: {"metadata": {"cellId": cell_id}}
    shell.cell(text)


def rows(shell: Shell) -> list[dict[str, Any]]:
    section = ModulesSection(shell.notebook)
    section.update()
    found: list[dict[str, Any]] = section.body
    return found


def below(text: str) -> str:
    """What stands below the magic's line."""
    return text.partition("\n")[2]


def test_a_module_knows_the_cells_of_its_files(shell: Shell):
    """The front end's id, the number and the digest of the text, of the main file and the others."""
    run_as(shell, "c-model", MODEL)
    run_as(shell, "c-main", WORKER)
    (found,) = rows(shell)

    assert (found["name"], found["revision"]) == ("worker", 2)
    assert found["text"].startswith("Worker.run (In[2]), model.py (In[1]) · every node")
    assert found["cells"] == [
        {"file": "model.py", "cell": "c-model", "number": 1, "digest": digest(below(MODEL))},
        {"file": "", "cell": "c-main", "number": 2, "digest": digest(below(WORKER))},
    ]


def test_a_refused_cell_is_named_until_it_is_mended(shell: Shell):
    """Its id and why, in one line; the text that runs stays the earlier one."""
    run_as(shell, "c-main", WORKER)
    run_as(shell, "c-main", WORKER.replace("self.world.globals", "undefined_name.globals"))
    (refused,) = rows(shell)
    run_as(shell, "c-main", WORKER.replace("lr)", "2 * lr)"))
    (mended,) = rows(shell)

    assert (refused["refused"], refused["revision"]) == ("c-main", 1)
    assert "undefined_name" in refused["error"] and "\n" not in refused["error"]
    assert refused["cells"][0]["digest"] == digest(below(WORKER))
    assert (mended["refused"], mended["error"], mended["revision"]) == ("", "", 2)


def test_a_run_knows_the_cell_that_started_it(shell: Shell):
    """And the digest of its text; a run started by a line has none."""
    shell.ok(START, WORKER, AGGREGATOR, SCHEDULER)
    run_as(shell, "c-swarm", FLOW)
    run = shell.notebook.runs()[-1]
    started = shell.notebook.traces.start_of(run.run_id)

    assert started is not None
    assert (started.id, started.digest) == ("c-swarm", digest(below(FLOW)))
    assert shell.notebook.traces.start_of("another") is None


def test_a_front_end_that_does_not_tell_is_no_error(shell: Shell):
    """No metadata, no id, or something else in its place: the cell is known by its number."""
    for told in ({}, {"metadata": None}, {"metadata": {}}, {"metadata": {"cellId": 5}}, None):
        shell.ip.get_parent = lambda told=told: told
        shell.ok(WORKER)

    assert rows(shell)[0]["cells"][0]["cell"] == ""


@pytest.mark.parametrize("told", ["x" * 65, "half \ud800", "schön", "two\nlines", "\x00"])
def test_an_id_that_is_none_is_not_taken(shell: Shell, told: str):
    """It goes into messages: up to 64 characters that can be printed anywhere."""
    run_as(shell, told, WORKER)

    assert rows(shell)[0]["cells"][0]["cell"] == ""


def test_cells_of_an_earlier_kernel_are_none_of_this_one(shell: Shell):
    """A run of the store that goes on here names cells by the numbers of its own kernel."""
    traces = shell.notebook.traces
    traces.ran(SimpleNamespace(number=3, id="c3"))  # type: ignore[arg-type]
    ours, theirs = LiveRun("aaaa"), LiveRun("bbbb")
    theirs.stored_session = {"options": {}}
    for run in (ours, theirs):
        traces.remember(run)  # type: ignore[arg-type]

    assert [traces.id_of(3, run) for run in ("aaaa", "bbbb", "cccc")] == ["c3", "", ""]


def test_starting_and_closing_nodes_is_told(shell: Shell):
    """Whoever shows them hears of nodes and runs at once, until it wants no more."""
    heard = []
    unwatch = shell.notebook.traces.watch(lambda: heard.append(shell.notebook.session is not None))
    shell.ok(START)
    started = list(heard)
    shell.notebook.close()
    unwatch()
    shell.notebook.traces.changed()

    assert started and all(started)
    assert heard[-1] is False


def test_where_there_is_no_kernel_nothing_is_announced(shell: Shell):
    """In plain IPython, or in a script, it says the version and does nothing."""
    assert announce() == manta_nb.__version__
