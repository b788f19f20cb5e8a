"""Where monitors are shown, and what becomes of their outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from manta_nb.session.metrics import MetricTable
from manta_nb.session.summary import MIME
from manta_nb.ui.live import RunDisplay
from manta_nb.ui.monitor.opening import busy, controls, open_monitor, somebody_looks
from manta_nb.ui.outputs import WIDGET
from tests.session.fake_run import FakeRun, learning_curves
from tests.waiting import until

LONG = 20.0


class Screen:
    """What a front end shows, and in what order things happened to it."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], str, bool]] = []
        self.story: list[str] = []

    def __call__(self, data: dict[str, Any], display_id: str, update: bool) -> None:
        self.sent.append((data, display_id, update))
        self.story.append("replaced" if update else "shown")

    @property
    def outputs(self) -> list[dict[str, Any]]:
        return list({display_id: data for data, display_id, _ in self.sent}.values())


class FakeMonitor:
    """A monitor that has a view and nothing behind it."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.view: Mapping[str, Any] = {"model_id": "m1"}
        self.why, self.held = "", False
        self.notes: list[str] = []
        self.stayed: Mapping[str, Any] | None = None

    def trouble(self) -> str:
        return self.why

    def tell(self, note: str) -> None:
        self.notes.append(note)

    def holds(self) -> bool:
        return self.held

    def close(self, stays: Mapping[str, Any] | None = None) -> None:
        self.stayed = stays
        self.screen.story.append("closed")


class Desk:
    """A display whose monitors a test can look at."""

    def __init__(self, mode: Any = "widget", pause: float = 0.0) -> None:
        self.screen = Screen()
        self.opened: list[FakeMonitor] = []
        self.owners: list[object] = []
        self.display = RunDisplay(mode, self.screen, pause, self._open)

    def _open(self, run: Any, owner: Callable[[], object], before_resume: object) -> FakeMonitor:
        self.opened.append(FakeMonitor(self.screen))
        self.owners.append(owner())
        return self.opened[-1]


def learning() -> FakeRun:
    return FakeRun(metrics=MetricTable(learning_curves(4, 4)))


def test_the_first_output_is_the_monitor_and_later_ones_are_summaries():
    """`%%swarm` shows the monitor; `fl` in a later cell the one-screen summary."""
    desk, run = Desk(pause=LONG), learning()
    desk.display.show(run)
    desk.display.show(run)
    first, second = desk.screen.outputs
    run.end()
    desk.display.settle(run)

    assert first[WIDGET] == {"model_id": "m1"}
    assert WIDGET not in second
    assert len(desk.opened) == 1


def test_saved_in_mid_run_the_output_says_where_it_stood():
    """Beside the view there is HTML and text, with the way to reopen it."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    data = desk.screen.outputs[0]
    run.end()
    desk.display.settle(run)

    for form in ("text/plain", "text/html"):
        assert "was running at iteration 3; %manta monitor fl shows the rest" in data[form]


def test_at_the_end_the_view_is_replaced_and_then_closed():
    """The output holds the static bundle before its model goes, and nothing of a widget."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    run.end()
    until(lambda: "closed" in desk.screen.story, LONG)

    assert desk.screen.story == ["shown", "replaced", "closed"]
    assert set(desk.screen.outputs[0]) == {"text/plain", "text/html", "image/png", MIME}
    assert desk.opened[0].stayed == desk.screen.outputs[0]


def test_a_view_is_not_replaced_while_it_lives():
    """The monitor updates itself; a new output in its place would throw away what a person did in it."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    for iteration in range(4, 20):
        run.move(iteration=iteration)
    until(lambda: desk.opened[0].notes, LONG)
    desk.display.settle(run)
    story = list(desk.screen.story)
    run.end()
    desk.display.settle(run)

    assert story == ["shown"]
    assert "was running at iteration" in desk.opened[0].notes[-1]


def test_asked_for_there_is_one_more_monitor():
    """`run.monitor()` shows one where it is asked for; at the end every output is static."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    desk.display.monitor(run)
    views = [WIDGET in data for data in desk.screen.outputs]
    run.end()
    desk.display.settle(run)

    assert views == [True, True]
    assert all(MIME in data and WIDGET not in data for data in desk.screen.outputs)


def test_a_run_that_is_over_has_a_monitor_when_asked():
    """Shown it is static; its monitor is the live view, with the static forms beside it, and stays."""
    desk, run = Desk(), learning()
    run.end()
    desk.display.show(run)
    desk.display.monitor(run)
    desk.display.settle(run)
    static, live = desk.screen.outputs

    assert WIDGET not in static
    assert {WIDGET, MIME, "text/html"} <= set(live)
    assert desk.screen.story == ["shown", "shown"]


def test_a_run_that_ends_while_its_monitor_opens_leaves_no_view():
    """The first monitor of a notebook takes a moment to make; a short run may be over by then."""
    desk, run = Desk(), learning()
    opened = desk.display._open_monitor

    def slow(run: Any, *more: Any) -> FakeMonitor:
        run.end()
        return opened(run, *more)

    desk.display._open_monitor = slow
    desk.display.show(run)

    assert WIDGET not in desk.screen.outputs[0]
    assert desk.opened[0].stayed is not None


def test_another_monitor_of_a_run_that_is_over_takes_the_first_ones_place():
    """At most one is alive: the one before becomes what stays."""
    desk, run = Desk(), learning()
    run.end()
    desk.display.monitor(run)
    desk.display.monitor(run)

    assert [WIDGET in output for output in desk.screen.outputs] == [False, True]
    assert [each.stayed is not None for each in desk.opened] == [True, False]


def test_a_run_that_goes_on_from_such_a_monitor_is_followed_to_its_end():
    """Its output is then replaced by what stays, as it is at that time."""
    desk, run = Desk(), learning()
    run.status = "interrupted"
    desk.display.monitor(run)
    run.move(status="running", iteration=4)
    story = list(desk.screen.story)
    run.end()
    until(lambda: "closed" in desk.screen.story, LONG)

    assert story == ["shown"]
    assert "iteration 20 of 20" in desk.screen.outputs[0]["text/plain"]
    assert WIDGET not in desk.screen.outputs[0]


def test_one_that_nobody_can_see_gives_way_to_the_summary():
    """Where the front end has no anywidget the output becomes live HTML, with one line that says why."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    desk.opened[0].why = "the monitor <b>needs</b> anywidget"
    run.move(iteration=4)
    until(lambda: "replaced" in desk.screen.story, LONG)
    data = desk.screen.outputs[0]
    run.end()
    desk.display.settle(run)

    assert WIDGET not in data
    assert "the monitor &lt;b&gt;needs&lt;/b&gt; anywidget" in data["text/html"]
    assert "needs" not in desk.screen.outputs[0]["text/html"]


def test_a_reason_stands_for_a_monitor():
    """Where there can be none the first output is the summary with one line, and the next has none."""
    screen, run = Screen(), learning()
    display = RunDisplay("widget", screen, LONG, lambda *given: "the bundle is missing")
    display.show(run)
    display.show(run)
    first, second = screen.outputs
    run.end()
    display.settle(run)

    assert "the bundle is missing" in first["text/html"]
    assert "the bundle is missing" not in second["text/html"]


def test_static_opens_no_monitor():
    """`MANTA_NB_LIVE=static` makes no widget, for `run.monitor()` neither."""
    desk, run = Desk("static"), learning()
    desk.display.show(run)
    desk.display.monitor(run)
    run.end()
    desk.display.monitor(run)
    desk.display.settle(run)

    assert desk.opened == []


def test_stopped_from_its_screen_it_can_be_resumed_there():
    """The view stays for a while, and goes on with the run."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    desk.opened[0].held = True
    run.end("stopped", iteration=5)
    desk.opened[0].held = False
    run.move(status="running")
    run.move(iteration=6)
    during = list(desk.screen.story)
    run.end()
    until(lambda: "closed" in desk.screen.story, LONG)

    assert during == ["shown"]
    assert desk.screen.story == ["shown", "replaced", "closed"]


def test_whoever_waits_ends_the_holding():
    """A cell that waits for a run that was stopped finds its output static at once."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    desk.opened[0].held = True
    run.end("stopped", iteration=5)
    desk.display.settle(run)

    assert desk.screen.story == ["shown", "replaced", "closed"]


def test_a_resumed_run_is_shown_anew():
    """What was final stays so; a new output follows the run that goes on."""
    desk, run = Desk(), learning()
    desk.display.show(run)
    run.end("stopped", iteration=5)
    until(lambda: "closed" in desk.screen.story, LONG)
    run.move(status="running")
    desk.display.show(run)
    views = [WIDGET in data for data in desk.screen.outputs]
    run.end()
    desk.display.settle(run)

    assert views == [False, True]
    assert [data["text/plain"].split(" · ")[1] for data in desk.screen.outputs] == ["stopped", "completed"]


def test_a_monitor_is_told_whose_run_it_shows():
    """The session that owns the run is found among those that are known."""

    class Session:
        def __init__(self, *runs: object) -> None:
            self.runs, self.nodes, self.closed = runs, {}, False

    desk, run = Desk(), learning()
    mine, other = Session(run), Session()
    desk.display.know(other)
    desk.display.know(mine)
    desk.display.show(run)
    run.end()
    desk.display.settle(run)

    assert desk.owners == [mine]


@pytest.mark.parametrize(
    ("parent", "somebody"),
    [
        ({"content": {"allow_stdin": True}}, True),
        ({"content": {"allow_stdin": False}}, False),
        ({"content": {}}, True),
        ({}, True),
    ],
)
def test_nobody_looks_where_nobody_can_type(parent, somebody):
    """nbclient, nbmake and papermill allow no input: a widget there is a hole in the saved notebook."""
    shell = SimpleNamespace(kernel=object(), get_parent=lambda: parent)

    assert somebody_looks(shell) is somebody


def test_without_a_kernel_there_is_no_monitor():
    """A shell in a script has no browser, and no line says so."""
    assert open_monitor(learning()) == ""
    assert not somebody_looks(SimpleNamespace())
    assert not busy(None)


@pytest.mark.parametrize(
    ("version", "act"), [((7, 4, 0), "live"), ((6, 31, 0), "after-cell"), (None, "after-cell")]
)
def test_buttons_act_at_once_from_ipykernel_7_on(version, act):
    """Older ones, and kernels that are none, hear a button when the cell has ended."""
    kernel = SimpleNamespace() if version is None else SimpleNamespace(version_info=version)

    assert controls(kernel) == act
