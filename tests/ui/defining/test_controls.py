"""The fields of a run: what is typed and pressed becomes changes, runs and stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from manta_nb import Session
from manta_nb.session.run import Run
from manta_nb.ui.defining.controls import ControlPanel, rebind
from tests.session.test_controls import swarm
from tests.ui.fakes import Shell
from tests.waiting import until

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """Three nodes in this process's own workers."""
    with Session(nodes=3, data="breast_cancer") as started:
        yield started


@pytest.fixture
def finished(session: Session) -> Run:
    """A run that is over."""
    return session.run(swarm(), iterations=2, seed=5).wait(30)


def said(panel: ControlPanel) -> str:
    text: str = panel.said.value
    return text


def test_a_field_and_a_slider_for_each_number(finished: Run) -> None:
    """They show the same value; the slider gives a short number, a typed one may be out of its range."""
    panel = ControlPanel(finished.controls())
    lr = panel.fields["hyper.lr"]

    lr.slider.value = 0.123456
    assert (lr.field.value, panel.controls.changed) == (0.123, {"hyper.lr": 0.123})
    lr.field.value = 5.0

    assert panel.controls.changed == {"hyper.lr": 5.0}
    assert "hyper.lr is 5.0 at the next Run" in said(panel)


def test_run_starts_it_again_with_what_is_in_the_fields(finished: Run) -> None:
    """Iterations, seed and nodes too; who made the panel hears of the new run."""
    started: list[tuple[Run, Run]] = []
    panel = ControlPanel(finished.controls(), lambda before, run: started.append((before, run)))
    panel.fields["hyper.lr"].field.value = 0.5
    panel.iterations.value, panel.seed.value, panel.nodes.value = "3", "9", "2"

    panel.run_button.click()

    [(before, run)] = started
    run.wait(30)
    assert before is finished
    assert (run.iteration, run.seed, list(run.nodes)) == (3, 9, ["node_0", "node_1"])
    assert run.globals["hyper"] == {"lr": 0.5, "round": 3}
    # the run tells who watches after it has told who waits
    until(lambda: "completed" in said(panel), 10)


@pytest.mark.parametrize(
    ("field", "text", "line"),
    [
        ("iterations", "0", "iterations"),
        ("seed", "x", "seed"),
        ("nodes", "9", "nodes: there are 3, got 9"),
        ("nodes", "node_7", "no node"),
    ],
)
def test_what_cannot_be_is_one_line(finished: Run, field: str, text: str, line: str) -> None:
    """Nothing starts."""
    panel = ControlPanel(finished.controls())
    getattr(panel, field).value = text

    panel.run_button.click()

    assert line in said(panel)
    assert panel.controls.run is finished


def test_stop_stops_and_says_when_there_is_nothing_to_stop(session: Session) -> None:
    """Run is refused meanwhile, in one line."""
    run = session.run(swarm(), iterations="forever")
    panel = ControlPanel(run.controls())

    panel.run_button.click()
    assert "fl still runs" in said(panel)
    panel.stop_button.click()
    assert run.status == "stopped"
    panel.stop_button.click()

    assert "fl is over (stopped)" in said(panel)


def test_tags_and_errors_are_text(session: Session) -> None:
    """A tag called like an element is a label; so is what is said of it."""
    hostile = "<img src=x onerror=alert(1)>"
    flow = swarm()
    flow.set_global(hostile, 0.5)
    panel = ControlPanel(session.run(flow, iterations=1).wait(30).controls())

    panel.fields[hostile].field.value = 0.7

    assert "<img" not in said(panel) and "&lt;img" in said(panel)
    assert panel.fields[hostile].box.children[0].value == hostile


def test_a_cell_shows_them_by_us(finished: Run, shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell that ends in `fl.controls()` is shown by us; where there is no notebook it says what it would offer."""
    assert shell.ip.display_formatter is not None
    shower = shell.ip.display_formatter.ipython_display_formatter.lookup(finished.controls())

    shower(finished.controls())

    assert "hyper.lr" in capsys.readouterr().out


def test_the_new_run_is_the_variable(finished: Run, shell: Shell) -> None:
    """After Run `fl` is the run that was started, as after a cell that is run again; a variable of yours stays."""
    other = finished.controls().start(iterations=1).wait(30)
    shell.ns["fl"] = finished

    rebind(shell.ip, finished, other)
    assert shell.ns["fl"] is other
    shell.ns["fl"] = "mine"
    rebind(shell.ip, other, finished)

    assert shell.ns["fl"] == "mine"
