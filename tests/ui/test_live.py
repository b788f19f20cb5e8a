from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import nbformat
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from traitlets.config import Config

from manta_nb.errors import UsageError
from manta_nb.session.metrics import MetricTable
from manta_nb.session.summary import MIME
from manta_nb.ui.live import RunDisplay, display_mode
from manta_nb.ui.outputs import LiveDisplay
from manta_nb.ui.terminal import TerminalDisplay
from tests.session.fake_run import FakeRun, learning_curves
from tests.waiting import until

LONG = 20.0
FINAL = {"text/plain", "text/html", "image/png", MIME}


class Screen:
    """What a front end shows: the latest data of each output, and everything that was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, str], str, bool]] = []
        self.threads: list[str] = []

    def __call__(self, data: dict[str, str], display_id: str, update: bool) -> None:
        self.sent.append((data, display_id, update))
        self.threads.append(threading.current_thread().name)

    @property
    def outputs(self) -> dict[str, dict[str, str]]:
        return {display_id: data for data, display_id, _ in self.sent}


def learning(**changes: object) -> FakeRun:
    return FakeRun(metrics=MetricTable(learning_curves(4, 4)), **changes)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("not a real terminal")


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Iterator[InteractiveShell]:
    """A shell in this process whose displays are kept in a list."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config, display_pub_class=CapturingDisplayPublisher)
    yield shell
    InteractiveShell.clear_instance()


def test_a_run_is_shown_at_once_and_ends_static():
    """One output: first the run at this moment, at the end the bundle with table and picture, no widget."""
    screen, run = Screen(), learning()
    display = LiveDisplay(run, screen, pause=0)
    display.add()
    first = screen.sent[0]
    run.end()

    assert display.follower.join(LONG)
    assert first[2] is False
    assert "running" in first[0]["text/html"]
    assert len(screen.outputs) == 1
    assert set(screen.sent[-1][0]) == FINAL
    assert "completed" in screen.sent[-1][0]["text/plain"]


def test_many_changes_are_few_updates():
    """A thousand changes within one pause become one or two updates and the end."""
    screen, run = Screen(), learning()
    display = LiveDisplay(run, screen, pause=LONG)
    display.add()
    for step in range(1_000):
        run.move(elapsed=float(step))
    run.end()

    assert display.follower.join(LONG)
    assert len(screen.sent) <= 3


def test_the_end_does_not_wait_for_the_pause():
    """A run that ends during the pause between two updates is shown as over at once."""
    screen, run = Screen(), learning()
    display = LiveDisplay(run, screen, pause=10 * LONG)
    display.add()
    run.move(iteration=4)
    run.end()

    assert display.follower.join(LONG)
    assert "completed" in screen.sent[-1][0]["text/plain"]


def test_the_thread_of_the_run_draws_nothing():
    """Updates come from the display's own thread, so the run is not held up."""
    screen, run = Screen(), learning()
    display = LiveDisplay(run, screen, pause=0)
    display.add()
    run.move(iteration=5)
    run.end()

    assert display.follower.join(LONG)
    assert set(screen.threads[1:]) == {"manta-nb-display-fl"}
    assert run.watchers == []


def test_all_displays_of_a_run_are_updated_until_it_ends():
    """Each output has its own id and all of them end static."""
    screen, run = Screen(), learning()
    shows = RunDisplay("widget", screen, pause=0)
    shows.show(run)
    shows.show(run)
    shows(run)
    run.end()
    shows.settle(run)

    assert len(screen.outputs) == 3
    assert all("completed" in data["text/plain"] for data in screen.outputs.values())
    assert [update for *_, update in screen.sent].count(False) == 3


def test_a_view_is_kept_up_to_date_too():
    """`fl.metrics` in a cell follows the run as the run's own display does."""
    screen, run = Screen(), learning()
    shows = RunDisplay("widget", screen, pause=0)
    run.metrics.live = lambda view: shows.show(run, view)
    run.metrics._ipython_display_()
    run.metrics.extend(learning_curves(4, 20)[-8:])
    run.end()
    shows.settle(run)

    (last,) = screen.outputs.values()
    assert "\n19 " in last["text/plain"]
    assert last["text/html"] == run.metrics._repr_html_()


def test_settling_publishes_the_end_from_the_calling_thread():
    """nbclient keeps only what the waiting cell publishes: `settle` sends the end again, from there."""
    screen, run = Screen(), learning()
    shows = RunDisplay("widget", screen, pause=0)
    shows.show(run)
    run.end()
    shows.settle(run)
    here = [
        data for (data, *_), name in zip(screen.sent, screen.threads, strict=True) if name == "MainThread"
    ]

    assert "completed" in here[-1]["text/plain"]
    assert "image/png" in here[-1]


def test_settling_a_run_that_goes_on_brings_it_up_to_date():
    """A wait that timed out leaves the display live, and a settled run is forgotten."""
    screen, run = Screen(), learning()
    shows = RunDisplay("widget", screen, pause=LONG)
    shows.show(run)
    run.iteration = 7
    shows.settle(run)
    middle = screen.sent[-1][0]["text/plain"]
    run.end()
    shows.settle(run)
    shows.settle(run)

    assert "iteration 7 of 20" in middle
    assert "completed" in screen.sent[-1][0]["text/plain"]


def test_what_nobody_waited_for_is_settled_after_a_later_cell():
    """`settle_ended` is for IPython's post_run_cell: it settles what is over and leaves what goes on."""
    screen, over, on = Screen(), learning(), learning(run_id="other")
    shows = RunDisplay("widget", screen, pause=LONG)
    shows.show(over)
    shows.show(on)
    over.end()
    shows.settle_ended()

    assert sum("completed" in data["text/plain"] for data in screen.outputs.values()) == 1
    on.end()


def test_what_was_final_goes_on_with_a_run_resumed_elsewhere():
    """A stopped run that the sidebar resumes is live again in its own cell, and ends there as it ends."""
    screen, run = Screen(), learning()
    shows = RunDisplay("widget", screen, pause=0)
    shows.show(run)
    run.end("stopped", iteration=5)
    shows.settle(run)
    stopped = len(screen.sent)
    shows.expect(run)
    run.move(status="running", iteration=6)
    until(lambda: len(screen.sent) > stopped, LONG)
    live = screen.sent[-1][0]["text/plain"]
    run.end()
    shows.settle(run)

    assert "iteration 6 of 20" in live
    assert [data["text/plain"].split(" · ")[1] for data in screen.outputs.values()] == ["completed"]
    assert all(set(data) == FINAL for data in screen.outputs.values())


def test_what_is_not_resumed_stays_final():
    """A run that is expected to go on and does not leaves its outputs alone; so does one that nobody showed."""
    screen, run, other = Screen(), learning(), learning(run_id="other")
    shows = RunDisplay("widget", screen, pause=0)
    shows.show(run)
    run.end("stopped", iteration=5)
    shows.settle(run)
    sent = len(screen.sent)
    shows.expect(run)
    shows.expect(other)
    run.move()
    shows.settle_ended()

    assert {data["text/plain"].split(" · ")[1] for data, *_ in screen.sent[sent:]} <= {"stopped"}
    assert len(screen.outputs) == 1
    other.end()


def test_a_finished_run_is_shown_as_a_bundle_at_once():
    """No thread, one message, everything in it."""
    screen, run = Screen(), learning()
    run.end()
    shows = RunDisplay("widget", screen)
    shows.show(run)

    assert len(screen.sent) == 1
    assert set(screen.sent[0][0]) == FINAL
    assert screen.sent[0][2] is False


def test_static_shows_nothing_while_the_run_goes_on():
    """`MANTA_NB_LIVE=static`: one line of text that says where the rest is, then the bundle."""
    screen, run = Screen(), learning()
    shows = RunDisplay("static", screen, pause=0)
    shows.show(run)
    for iteration in range(4, 10):
        run.move(iteration=iteration)
    during = list(screen.sent)
    run.end()
    shows.settle(run)

    assert len(during) == 1
    assert set(during[0][0]) == {"text/plain"}
    assert "was running at iteration 3; %manta monitor fl shows the rest" in during[0][0]["text/plain"]
    assert "image/png" in screen.sent[-1][0]


def test_a_front_end_that_has_gone_does_no_harm():
    """Where nothing can be sent any more the run goes on, and ends, undisturbed."""
    run = learning()
    calls: list[bool] = []

    def broken(data: dict[str, str], display_id: str, update: bool) -> None:
        calls.append(update)
        if update:
            raise BrokenPipeError

    display = LiveDisplay(run, broken, pause=0)
    display.add()
    run.move(iteration=4)
    run.end()

    assert display.follower.join(LONG)
    assert calls.count(True) == 1


def test_a_shell_gets_one_output_that_is_updated(shell):
    """In IPython: one display message with an id, then updates with the same id."""
    run = learning()
    shows = RunDisplay("widget")
    shows.show(run)
    run.end()
    shows.settle(run)
    sent = shell.display_pub.outputs

    assert sent[0]["update"] is False
    assert all(each["update"] for each in sent[1:])
    assert len({each["transient"]["display_id"] for each in sent}) == 1
    assert "image/png" in sent[-1]["data"]


def test_a_terminal_has_one_line_that_is_written_over():
    """To a terminal the progress is one line, the end is the summary."""
    stream, run = Tty(), learning()
    display = TerminalDisplay(run, stream, pause=0)
    display.add()
    run.move(iteration=4)
    run.end()
    display.refresh()
    lines = stream.getvalue().split("\n")

    assert lines[0].startswith("\rfl · running · iteration 3 of 20")
    assert all(len(part) < 80 + len("\x1b[K") for part in lines[0].split("\r")[:-1])
    assert "\r\x1b[Kfl · completed · iteration 20 of 20" in lines[0]
    assert stream.getvalue().count("completed") == 1


def test_a_file_gets_a_line_an_iteration():
    """Where nothing can be written over, each iteration is one line, and the end comes once."""
    stream, run = io.StringIO(), learning()
    display = TerminalDisplay(run, stream, pause=LONG)
    display.add()
    display.refresh()
    run.iteration = 4
    display.refresh()
    run.end()
    display.refresh()
    assert display.follower.join(LONG)
    lines = stream.getvalue().splitlines()

    assert [line[:30] for line in lines[:2]] == [
        "fl · running · iteration 3 of ",
        "fl · running · iteration 4 of ",
    ]
    assert lines[2].startswith("fl · completed")
    assert stream.getvalue().count("completed") == 1


@pytest.mark.parametrize(
    ("asked", "has_shell", "mode"),
    [("", True, "widget"), ("auto", True, "widget"), ("static", True, "static"), ("", False, "terminal")],
)
def test_the_mode_follows_the_environment_and_the_front_end(asked, has_shell, mode):
    """A notebook is live unless it shall be static; without a notebook there is text."""
    assert display_mode({"MANTA_NB_LIVE": asked}, object() if has_shell else None) == mode


def test_an_unknown_mode_is_named():
    """A misspelt setting is one line."""
    with pytest.raises(UsageError, match="MANTA_NB_LIVE must be widget, static or auto, got 'liev'"):
        display_mode({"MANTA_NB_LIVE": "liev"}, object())


def test_a_notebook_keeps_the_end(monkeypatch):
    """Executed by nbclient, the cell that showed the run holds table and picture, no widget and no stale text."""
    monkeypatch.delenv("MANTA_NB_LIVE", raising=False)
    source = (
        "import threading\n"
        "from manta_nb.ui.live import RunDisplay\n"
        "from manta_nb.session.metrics import MetricTable\n"
        "from tests.session.fake_run import FakeRun, learning_curves\n"
        "display = RunDisplay()\n"
        "run = FakeRun(metrics=MetricTable(learning_curves(4, 4)))\n"
        "display.show(run)\n"
    )
    wait = "thread = threading.Thread(target=run.end)\nthread.start()\nthread.join()\ndisplay.settle(run)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (source, wait)])
    NotebookClient(notebook, timeout=50).execute()

    (output,) = notebook.cells[0].outputs
    assert set(output["data"]) == FINAL
    assert "completed" in output["data"]["text/plain"]
    assert notebook.cells[1].outputs == []
    assert len(nbformat.writes(notebook)) < 100_000
