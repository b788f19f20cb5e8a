"""What a page asks, and what it is answered."""

from __future__ import annotations

import threading
import weakref
from types import SimpleNamespace
from typing import Any

import pytest

from manta_nb.errors import UsageError
from manta_nb.store.opening import open_store
from manta_nb.ui.complete import find
from manta_nb.ui.monitor.monitor import Monitor
from manta_nb.ui.panel.desk import Desk
from manta_nb.ui.panel.monitors import Monitors
from manta_nb.ui.panel.sources import Bare
from tests.session.fake_run import FakeRun
from tests.session.past import kept, running
from tests.store.making import run_id
from tests.ui.monitor.fakes import Browser, Buttons, CountingFeed
from tests.ui.panel.fakes import LONG, FakeNodes, FakeNotebook, Kernel, LiveRun, Page
from tests.waiting import until


@pytest.fixture
def page(kernel: Kernel, notebook: FakeNotebook) -> Page:
    """A page that looks at a notebook with a run."""
    notebook.live.append(LiveRun(run_id(9)))
    notebook.session = FakeNodes(2, store=notebook.store)
    return Page(kernel)


def test_a_run_is_stopped(page: Page, notebook: FakeNotebook):
    """It says after how many iterations, and the row of the run follows; once more it is over."""
    told = page.asks("stop", run=run_id(9))
    again = page.asks("stop", run=run_id(9))

    assert (told["ok"], told["text"]) == (True, "fl is stopped after 3 iterations")
    assert page.sees(lambda known: known["runs"][0]["status"] == "stopped")
    assert (again["ok"], again["text"]) == (False, "fl is over: stopped")


def test_a_run_that_does_not_stop_at_once_is_no_long_answer(page: Page, notebook: FakeNotebook):
    """The answer does not wait for the end: it says that it is on its way."""
    asked = []
    notebook.live[0].stop = lambda timeout: asked.append(timeout)

    assert page.asks("stop", run=run_id(9))["text"] == "fl is being stopped"
    assert asked[0] < 1


def test_a_run_of_another_kernel_is_asked_to_stop(page: Page, notebook: FakeNotebook):
    """Through the store, without opening it; one that is over cannot be."""
    other, release = running(notebook.store, 4, "theirs")
    over = kept(notebook.store, 5)
    told = page.asks("stop", run=other)
    refused = page.asks("stop", run=over)
    reason = notebook.store.asked_to_stop(other)
    release()

    assert told["ok"] and told["text"].startswith("theirs is asked to stop, in another kernel (pid ")
    assert reason == "stopped by the user"
    assert (refused["ok"], refused["text"]) == (False, "fl is over: completed")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"op": "stop", "run": "nobody"}, "this run is not there any more"),
        ({"op": "stop"}, "the question has no run"),
        ({"op": "stop", "run": ["x"]}, "the question has no run"),
        ({"op": "resume", "run": "x" * 10_000}, "the question has no run"),
        ({"op": "monitor", "run": run_id(9)}, "no front end is there to show a monitor"),
        ({"op": "complete", "text": "x"}, "at must be a whole number"),
        ({"op": "complete", "text": "x", "at": True}, "at must be a whole number"),
        ({"op": "complete", "text": None, "at": 1}, "the question has no text"),
        ({"op": "value", "run": run_id(9), "kind": "global"}, "the question has no tag"),
    ],
)
def test_what_cannot_be_done_is_an_answer(page: Page, question: dict[str, Any], expected: str):
    """One line says why, whatever was asked."""
    told = page.asks(question.pop("op"), **question)

    assert (told["ok"], told["text"]) == (False, expected)


def test_a_bug_of_ours_is_an_answer(page: Page, notebook: FakeNotebook):
    """The page does not wait for ever, and learns what kind of error it was."""

    def broken(timeout: float) -> None:
        raise ZeroDivisionError("division by zero")

    notebook.live[0].stop = broken
    told = page.asks("stop", run=run_id(9))

    assert told["text"] == "stop failed: ZeroDivisionError: division by zero"


def test_without_the_magics_nothing_goes_on(kernel: Kernel):
    """The page is told what is missing, and completion knows the options at least."""
    page = Page(kernel)
    resumed = page.asks("resume", run="x")
    offered = page.asks("complete", text="%%swarm fl --it", at=15)

    assert resumed["text"] == "%load_ext manta_nb first: then it can go on"
    assert (offered["start"], offered["end"]) == (11, 15)
    assert [each["text"] for each in offered["completions"]] == ["--iterations"]
    assert {*offered["completions"][0]} == {"text", "kind", "help"}


def test_questions_cannot_pile_up_threads(page: Page, notebook: FakeNotebook):
    """More than sixteen at once are refused, each by the answer that its asker waits for."""
    held = threading.Event()
    notebook.live[0].stop = lambda timeout: held.wait(LONG)
    for ask in range(100, 120):
        page.says({"op": "stop", "ask": ask, "run": run_id(9)})
    refused = [each for each in page.comm.got if each["op"] == "answer"]
    held.set()
    until(lambda: len([each for each in page.comm.got if each["op"] == "answer"]) == 20, LONG)

    assert [each["ask"] for each in refused] == [116, 117, 118, 119]
    assert {each["text"] for each in refused} == {"too much is asked for at once: try again in a moment"}


def test_a_question_does_not_hold_up_the_thread_that_hears(page: Page, notebook: FakeNotebook):
    """While one takes its time another is answered."""
    held = threading.Event()
    notebook.live[0].stop = lambda timeout: held.wait(LONG)
    page.says({"op": "stop", "ask": 50, "run": run_id(9)})
    told = page.asks("complete", text="%manta sto", at=10)
    waits = [each for each in page.comm.got if each.get("ask") == 50]
    held.set()
    until(lambda: [each for each in page.comm.got if each.get("ask") == 50], LONG)

    assert [each["text"] for each in told["completions"]] == ["stop"]
    assert waits == []


class Tabs:
    """Monitors that were opened in tabs."""

    def __init__(self) -> None:
        self.monitors = Monitors(None)
        self.browsers: list[Browser] = []

    def opens(self, view: str) -> str:
        run, browser = FakeRun(), Browser()
        browser.model_id = f"m{len(self.browsers)}"
        self.browsers.append(browser)
        board: Any = SimpleNamespace(connect=lambda *_: None, disconnect=lambda *_: None)
        made = Monitor(run, CountingFeed(run), Buttons(run), lambda token: browser, board, lambda: False)
        self.monitors._open[browser.model_id] = (view, made)
        return browser.model_id

    @property
    def closed(self) -> list[bool]:
        return [browser.closed for browser in self.browsers]


def test_a_monitor_stays_until_its_tab_is_closed():
    """Also where the page lost its line for a moment; with the last page all are closed."""
    tabs = Tabs()
    first, _ = tabs.opens("a"), tabs.opens("b")
    tabs.monitors.leave("a")
    left = tabs.closed
    tabs.monitors.close(first)
    tabs.monitors.close("nobody knows it")
    one = tabs.closed
    tabs.monitors.close_all()

    assert (left, one, tabs.closed) == ([False, False], [True, False], [True, True])


def test_tabs_of_pages_that_have_gone_make_room():
    """Of too many the oldest that nobody has any more is closed; where all are in use, another one is refused."""
    tabs = Tabs()
    for _ in range(12):
        tabs.opens("a")
    with pytest.raises(UsageError, match="12 monitors are open"):
        tabs.monitors.open("a", FakeRun())  # type: ignore[arg-type]
    tabs.monitors.leave("a")
    with pytest.raises(UsageError, match="no front end"):
        tabs.monitors.open("b", FakeRun())  # type: ignore[arg-type]

    assert tabs.closed == [True, *[False] * 11]
    tabs.monitors.close_all()


def test_a_monitor_that_is_opened_while_the_sidebar_closes_is_closed(monkeypatch: pytest.MonkeyPatch):
    """Nobody would ever close it: the one under way is closed, and no other is opened."""
    desk, opening, go_on, closed = Desk(Bare(), None), threading.Event(), threading.Event(), []

    def slow(*_: object) -> Any:
        opening.set()
        go_on.wait(LONG)
        return SimpleNamespace(view={"model_id": "m1"}, close=lambda: closed.append("m1"))

    monkeypatch.setattr("manta_nb.ui.panel.monitors.open_monitor", slow)
    _, monitors = desk._open()
    refused: list[str] = []

    def ask() -> None:
        try:
            monitors.open("a", FakeRun())
        except UsageError as error:
            refused.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    opening.wait(LONG)
    desk.close()
    go_on.set()
    thread.join(LONG)

    assert (closed, refused, len(monitors)) == (["m1"], ["nobody looks at this kernel any more"], 0)
    with pytest.raises(UsageError, match="was unloaded"):
        desk._open()


def test_a_desk_that_was_left_alone_can_be_asked_again():
    """A page that comes back later gets new monitors."""
    desk = Desk(Bare(), None)
    before = desk._open()[1]
    desk.let_go()

    assert desk._open()[1] is not before
    desk.close()


def test_a_run_opened_before_the_magics_goes_on_with_the_nodes_of_the_notebook(
    monkeypatch: pytest.MonkeyPatch,
):
    """Resume in its monitor's tab: the notebook gives the nodes, has the run from then on, and shows it in its cell."""
    remembered: list[object] = []
    expected: list[object] = []
    display = SimpleNamespace(expect=expected.append)
    notebook: Any = SimpleNamespace(
        _home=lambda run: ("nodes for", run), display=display, remember=remembered.append, modules={}
    )
    monkeypatch.setattr("manta_nb.ui.goingon.choose", lambda notebook, run: [])
    monitors = Monitors(None)
    run: Any = SimpleNamespace(_session=None, _home=None, display=None)
    with pytest.raises(UsageError, match="%load_ext manta_nb"):
        monitors.before_resume(run)
    monitors.notebook = notebook
    monitors.before_resume(run)
    own: Any = SimpleNamespace(_session="its own", _home=None, display=None)
    monitors.before_resume(own)

    assert run._home() == ("nodes for", run)
    assert run.display is display
    assert own._home is None
    assert remembered == expected == [run, own]


class Stores:
    """Counts the stores that keepers open and close."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.closed = 0, 0
        monkeypatch.setattr("manta_nb.ui.panel.keeping.default_store", self._open)

    def _open(self) -> Any:
        self.opened += 1
        store = open_store("memory")
        kept(store, 1, "fl")
        end = store.close

        def close() -> None:
            self.closed += 1
            end()

        store.close = close  # type: ignore[method-assign]
        return store


def test_questions_share_a_store_that_is_closed_with_the_desk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    """However many are asked; while a run that was opened is still there, the store is left to it."""
    monkeypatch.chdir(tmp_path)
    stores, desk = Stores(monkeypatch), Desk(Bare(), None)
    questions = desk._open()[0]
    for _ in range(5):
        questions._find(run_id(1))
    opened = stores.opened
    desk.let_go()
    closed = stores.closed
    questions = desk._open()[0]
    questions._opened.append(weakref.ref(held := FakeRun()))
    questions._find(run_id(1))
    desk.close()

    assert (opened, closed) == (1, 1)
    assert (held.name, stores.opened, stores.closed) == ("fl", 2, 1)


def test_completing_past_runs_leaves_no_store_open(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    """Each time it is closed, by the page's question as by IPython's Tab."""
    monkeypatch.chdir(tmp_path)
    stores = Stores(monkeypatch)
    found = [find('manta_nb.runs["', 15, Bare()) for _ in range(3)]

    assert all(each is not None and "fl" in str(each.items) for each in found)
    assert stores.opened == stores.closed == 3
