"""Pages come and go, and see what changes; what they send may be anything."""

from __future__ import annotations

import json
import logging
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from manta_nb.ui.panel.panel import MOST_VIEWS
from manta_nb.ui.panel.views import GONE, View
from tests.session.past import kept
from tests.ui.panel.fakes import LONG, Comm, FakeNodes, FakeNotebook, Kernel, LiveRun, Page
from tests.waiting import until


def test_a_page_sees_everything_at_once_and_then_what_changes(kernel: Kernel, notebook: FakeNotebook):
    """The first message is full; later ones have only the sections that changed, and count up."""
    page = Page(kernel)
    first = page.sees(lambda known: "kernel" in known)
    notebook.session = FakeNodes(3)
    notebook.traces.changed()
    page.sees(lambda known: known["session"])
    changed = page.states[-1]

    assert first["full"] and first["kernel"]["loaded"] and first["runs"] == [] and first["total"] == 0
    assert {*changed} == {"op", "seq", "full", "session"}
    assert [state["seq"] for state in page.states] == list(range(1, len(page.states) + 1))


def test_without_the_magics_the_past_runs_are_seen(kernel: Kernel):
    """A kernel that has not loaded them has no nodes, and its page is told so; loading takes over, in the same page."""
    page = Page(kernel)
    before = page.sees(lambda known: "kernel" in known)
    notebook = FakeNotebook(session=FakeNodes(2))
    kernel.panel.take(notebook)  # type: ignore[arg-type]
    after = page.sees(lambda known: known["session"])

    assert (before["kernel"]["loaded"], before["session"]) == (False, None)
    assert after["kernel"]["loaded"]
    assert not any(state["full"] for state in page.states[1:])


def test_nothing_is_sent_while_nothing_changes(kernel: Kernel, notebook: FakeNotebook):
    """A run that tells of a change which is none, and a clock that goes on, are no message."""
    run = LiveRun()
    notebook.live.append(run)
    page = Page(kernel)
    page.sees(lambda known: known["runs"])
    sent = len(page.states)
    page.says({"op": "here"})
    for elapsed in range(20, 30):
        run.move(elapsed=float(elapsed))
    run.move(iteration=9)
    page.sees(lambda known: known["runs"][0]["iteration"] == 9)

    assert len(page.states) == sent + 1
    assert page.known["runs"][0]["elapsed"] == 29.0


def test_a_run_is_followed_from_a_thread_of_its_own(kernel: Kernel, notebook: FakeNotebook):
    """The run's thread only rings; what is sent comes from the panel's."""
    run = LiveRun()
    notebook.live.append(run)
    page = Page(kernel)
    page.sees(lambda known: known["runs"])
    run.end()
    page.sees(lambda known: known["runs"][0]["status"] == "completed")

    assert page.comm.threads == {"manta-nb-panel"}
    page.comm.leaves()
    until(lambda: not run.watchers, LONG)


def test_the_thread_is_there_while_somebody_looks(kernel: Kernel, notebook: FakeNotebook):
    """It begins with the first page, ends with the last, and leaves nothing with the shell."""
    none = kernel.threads
    page, other = Page(kernel), Page(kernel, "page-2")
    page.sees(lambda known: "kernel" in known)
    other.sees(lambda known: "kernel" in known)
    during = kernel.threads
    page.comm.leaves()
    other.comm.leaves()
    until(lambda: not kernel.threads, LONG)

    assert (none, during) == ([], ["manta-nb-panel"])
    assert kernel.shell.events.callbacks["post_run_cell"] == []
    again = Page(kernel, "page-3")
    again.sees(lambda known: "kernel" in known)


def test_a_cell_that_has_run_is_looked_at(kernel: Kernel, notebook: FakeNotebook):
    """What a cell did to the store is seen after it, although the store is read seldom."""
    page = Page(kernel)
    page.sees(lambda known: "runs" in known)
    kept(notebook.store, 1, "fl")
    kernel.shell.events.trigger("post_run_cell", None)

    assert page.sees(lambda known: known["runs"])["runs"][0]["name"] == "fl"


def test_two_pages_see_the_same_and_choose_for_themselves(kernel: Kernel, notebook: FakeNotebook):
    """Each has its own count of messages and its own chosen run."""
    first, second = LiveRun("aaaa1111"), LiveRun("bbbb2222", "two", started=1_700_000_001.0)
    notebook.live += [first, second]
    one, two = Page(kernel), Page(kernel, "page-2")
    one.says({"op": "choose", "run": "aaaa1111"})
    one.sees(lambda known: known.get("chosen") and known["chosen"]["run_id"] == "aaaa1111")
    two.sees(lambda known: known.get("chosen"))

    assert two.known["chosen"]["run_id"] == "bbbb2222"
    assert one.states[0]["seq"] == two.states[0]["seq"] == 1
    one.says({"op": "choose", "run": "gone"})
    gone = one.sees(lambda known: known["chosen"]["run_id"] == "gone")["chosen"]
    assert gone["note"] == "this run is not there any more"


def test_hello_brings_everything_again(kernel: Kernel, notebook: FakeNotebook):
    """A page that lacks a message says hello, and gets a full one."""
    page = Page(kernel)
    page.sees(lambda known: "kernel" in known)
    page.says({"op": "hello"})
    until(lambda: len([state for state in page.states if state["full"]]) == 2, LONG)

    assert {"kernel", "session", "runs", "total", "modules", "chosen"} <= {*page.states[-1]}


def test_a_page_that_opens_again_takes_its_old_place(kernel: Kernel, notebook: FakeNotebook):
    """With the same token the older comm is closed, and everything goes to the new one."""
    before = Page(kernel)
    before.sees(lambda known: "kernel" in known)
    after = Page(kernel)
    after.sees(lambda known: "kernel" in known)
    after.says({"op": "hello"})
    until(lambda: len(after.states) == 2, LONG)

    assert before.comm.closed
    assert not after.comm.closed


def test_pages_that_were_left_do_not_pile_up(kernel: Kernel, notebook: FakeNotebook):
    """A reloaded page says nothing: of more than eight views the one that was silent for longest is closed."""
    pages = [Page(kernel, f"page-{number}") for number in range(MOST_VIEWS)]
    pages[0].says({"op": "here"})
    Page(kernel, "one more")

    assert [page.comm.closed for page in pages] == [False, True, *[False] * (MOST_VIEWS - 2)]


def test_a_page_that_used_to_speak_and_does_not_any_more_has_gone():
    """One that says `here` now and then is let go after minutes of silence; one that never did is not."""
    now = [0.0]
    silent, speaking = View("a", Comm(), lambda: now[0]), View("b", Comm(), lambda: now[0])
    speaking.heard("here")
    now[0] += GONE + 1
    left = (silent.gone, speaking.gone)
    speaking.excuse()

    assert left == (False, True)
    assert not speaking.gone


@pytest.mark.parametrize(
    "opening",
    [None, [], "x", {}, {"token": 5}, {"token": ""}, {"token": "x" * 101}, {"token": None, "protocol": 1}],
)
def test_an_opening_that_is_none_is_closed(kernel: Kernel, opening: object):
    """Nothing is started for it."""
    comm = Comm()
    kernel.panel.opened(comm, {"content": {"data": opening}})

    assert comm.closed
    assert kernel.threads == []


@pytest.mark.parametrize(
    "said",
    [
        None,
        3,
        "stop",
        [],
        {},
        {"op": 5},
        {"op": "eval", "ask": 1},
        {"op": "stop"},
        {"op": "stop", "ask": True},
        {"op": "stop", "ask": "1"},
        {"op": ["stop"], "ask": 1},
        {"op": "close_monitor", "model": {}},
        {"op": "choose", "run": ["x"]},
        {"op": "choose", "run": "x" * 1000},
    ],
)
def test_what_a_page_says_may_be_anything(kernel: Kernel, notebook: FakeNotebook, said: object):
    """Nothing is raised in the thread that received it, and the page is told on."""
    page = Page(kernel)
    page.says(said)
    page.says({"op": "hello"})

    assert page.sees(lambda known: "chosen" in known)["chosen"] is None
    assert [each for each in page.comm.got if each["op"] == "answer"] == []


def test_the_control_comm_may_come_first(kernel: Kernel, notebook: FakeNotebook):
    """The two comms of a page travel on shells of their own: what it says before the other one came is not lost."""
    said = []
    control = type("Control", (), {"close": lambda self: said.append("closed")})()
    kernel.board.opened(control, {"content": {"data": {"token": "early", "protocol": 1}}})
    control.handle_msg({"content": {"data": {"op": "choose", "run": "aaaa1111"}}})
    notebook.live += [LiveRun("aaaa1111"), LiveRun("bbbb2222", started=1_700_000_001.0)]
    comm = Comm()
    kernel.panel.opened(comm, {"content": {"data": {"token": "early", "protocol": 1}}})
    until(lambda: any("chosen" in each for each in comm.got), LONG)

    assert comm.got[-1]["chosen"]["run_id"] == "aaaa1111"
    assert said == []


def test_the_beacon_is_lit_once(kernel: Kernel):
    """Asked again, it is there; a page that does not know it may close it, and it can be lit anew."""
    kernel.panel.announce()
    kernel.panel.announce()
    once = len(kernel.beacons)
    kernel.beacons[0].leaves()
    kernel.panel.announce()

    assert (once, len(kernel.beacons)) == (1, 2)


def test_closing_takes_back_everything(kernel: Kernel, notebook: FakeNotebook):
    """The pages' comms and the beacon are closed, the thread has ended, and who comes later is turned away."""
    kernel.panel.announce()
    page = Page(kernel)
    page.sees(lambda known: "kernel" in known)
    kernel.panel.close()
    late = Page(kernel, "late")

    assert page.comm.closed and kernel.beacons[0].closed and late.comm.closed
    assert kernel.threads == []


def test_a_bug_of_ours_is_logged_once_and_ends_nothing(kernel: Kernel, caplog: pytest.LogCaptureFixture):
    """The other sections are sent as ever, and this one when it is mended."""
    notebook = FakeNotebook(session=FakeNodes(2))
    notebook.modules = {"worker": object()}
    kernel.panel.take(notebook)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        page = Page(kernel)
        seen = page.sees(lambda known: known.get("session"))
        notebook.live.append(LiveRun())
        notebook.traces.changed()
        page.sees(lambda known: known["runs"])
    notebook.modules.clear()
    notebook.traces.changed()

    assert "modules" not in seen
    assert page.sees(lambda known: "modules" in known)["modules"] == []
    assert len(caplog.records) == 1


def test_a_front_end_that_has_gone_does_no_harm(kernel: Kernel, notebook: FakeNotebook):
    """Where nothing can be sent to one page, the other ones still see what changes."""
    gone, page = Page(kernel), Page(kernel, "page-2")
    gone.sees(lambda known: "kernel" in known)

    def broken(data: object) -> None:
        raise BrokenPipeError

    gone.comm.send = broken  # type: ignore[method-assign]
    page.sees(lambda known: "kernel" in known)
    notebook.live.append(LiveRun())
    notebook.traces.changed()

    assert page.sees(lambda known: known["runs"])["total"] == 1


def test_many_nodes_and_many_runs_are_small_messages(kernel: Kernel):
    """10,000 nodes and 1,000 stored runs: no message is above 100 kB, and the counts are those of all."""
    notebook = FakeNotebook(session=FakeNodes(10_000))
    for number in range(1000):
        kept(notebook.store, number, f"run {number}", "failed", ago=1000 - number)
    notebook.session.store = notebook.store
    kernel.panel.take(notebook)  # type: ignore[arg-type]
    page = Page(kernel)
    known = page.sees(lambda known: known.get("total") == 1000 and known.get("chosen"))

    assert known["session"]["total"] == 10_000
    assert known["session"]["states"] == {"idle": 10_000}
    assert len(known["session"]["nodes"]) == 200
    assert len(known["runs"]) == 100
    assert known["runs"][0]["name"] == "run 999"
    assert max(len(json.dumps(message)) for message in page.comm.got) <= 100_000


def test_who_sends_to_a_page_sends_whole_messages():
    """Two threads at once: each message arrives, and none after it was closed."""
    comm = Comm()
    view = View("a", comm)
    threads = [
        threading.Thread(target=lambda: [view.send({"op": "answer", "ask": 1}) for _ in range(100)])
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    view.close()
    view.send({"op": "answer", "ask": 2})

    assert len(comm.got) == 200
    assert comm.closed


def test_a_page_without_subshells_is_not_let_go_while_a_cell_runs(
    kernel: Kernel, notebook: FakeNotebook, monkeypatch: pytest.MonkeyPatch
):
    """Whatever ipykernel could do: what comes on the main thread cannot come now, and the page is told so."""
    monkeypatch.setattr("manta_nb.ui.panel.panel.controls", lambda: "live")
    monkeypatch.setattr("manta_nb.ui.panel.pump.controls", lambda: "live")
    page, other = Page(kernel), Comm()
    opening = {"content": {"data": {"token": "page-2", "protocol": 1}}}
    thread = threading.Thread(target=kernel.panel.opened, args=(other, opening))
    thread.start()
    thread.join(LONG)
    page.says({"op": "here"})
    known = page.sees(lambda known: "kernel" in known)
    until(lambda: other.got, LONG)
    view = kernel.panel._views["page-1"]
    kernel.shell.displayhook = SimpleNamespace(exec_result=object())
    view._heard -= GONE + 1
    looking = kernel.panel._looking()
    kernel.shell.displayhook = None
    view._heard -= GONE + 1
    later = kernel.panel._looking()

    assert known["kernel"]["controls"] == "after-cell"
    assert other.got[0]["kernel"]["controls"] == "live"
    assert view in looking
    assert view not in later


def test_what_could_not_be_sent_is_sent_again(kernel: Kernel, notebook: FakeNotebook):
    """The page gets everything when its line is back, and no number is left out."""
    page = Page(kernel)
    page.sees(lambda known: "kernel" in known)
    view = kernel.panel._views["page-1"]
    sent, send = len(page.states), page.comm.send
    tried = threading.Event()

    def broken(data: object) -> None:
        tried.set()
        raise BrokenPipeError

    page.comm.send = broken  # type: ignore[method-assign]
    page.says({"op": "hello"})
    assert tried.wait(LONG)
    page.comm.send = send  # type: ignore[method-assign]
    kernel.panel._alarm.call()
    until(lambda: len(page.states) > sent, LONG)

    assert page.states[sent]["full"] and {"kernel", "runs", "modules"} <= {*page.states[sent]}
    assert [state["seq"] for state in page.states] == list(range(1, len(page.states) + 1))
    assert not view.closed


def test_a_section_that_cannot_be_sent_is_left_out(kernel: Kernel, caplog: pytest.LogCaptureFixture):
    """A number that JSON has not, or half a character: the other sections go to every page."""
    notebook = FakeNotebook(session=FakeNodes(2))
    entry: Any = SimpleNamespace(
        name="worker", module=SimpleNamespace(revision=float("nan")), refused=None, cells={}
    )
    notebook.modules = {"worker": entry}
    kernel.panel.take(notebook)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        known = Page(kernel).sees(lambda known: known.get("session"))

    assert "modules" not in known
    assert [record.getMessage() for record in caplog.records] == ["the sidebar cannot show modules"]


def test_the_control_comm_of_a_page_that_is_let_go_is_closed(kernel: Kernel, notebook: FakeNotebook):
    """It may have gone without a word; nothing was ever sent there. One that the page closed is forgotten."""
    page, other = Page(kernel), Page(kernel, "page-2")
    other.control.handle_close({})
    kernel.panel._drop(kernel.panel._views["page-1"])
    kernel.panel._drop(kernel.panel._views["page-2"])

    assert page.control.closed and not other.control.closed
    assert page.control.got == []
    assert kernel.board._comms == {}


def test_a_control_comm_that_nobody_comes_for_is_closed(kernel: Kernel):
    """Of more than sixteen whose other half never came, the oldest makes room."""
    comms = [Comm() for _ in range(17)]
    for number, comm in enumerate(comms):
        kernel.board.opened(comm, {"content": {"data": {"token": f"t{number}", "protocol": 1}}})

    assert [comm.closed for comm in comms] == [True, *[False] * 16]
