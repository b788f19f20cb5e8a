"""A monitor's kernel side, with a browser and a run that are fakes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from manta_nb.ui.monitor.monitor import PATIENCE
from tests.session.fake_run import FakeRun
from tests.ui.monitor.fakes import LONG, Comm, Desk
from tests.waiting import until


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A monitor of a run that goes on."""
    made = Desk(FakeRun())
    yield made
    made.feed.held.set()
    made.monitor.close()
    assert made.monitor.join(LONG)


def test_what_changes_is_sent_from_a_thread_of_its_own(desk):
    """A change becomes a delta; the run's own thread sends nothing."""
    desk.browser.wait("delta")
    desk.run.move(iteration=4)

    assert desk.browser.wait("delta", 2)["iteration"] == 4
    assert set(desk.browser.threads) == {"manta-nb-monitor"}


def test_nothing_is_sent_while_nothing_changes(desk):
    """A run that tells of a change which is none costs no message."""
    desk.browser.wait("delta")
    for _ in range(100):
        before = desk.feed.rest
        desk.run.move()
        desk.run.move()

    assert desk.feed.rest >= before
    assert desk.browser.ops() == ["delta"]


def test_after_sending_there_is_time_for_the_rest(desk):
    """The feed's own work comes after a message, on the same thread."""
    desk.browser.wait("delta")
    desk.run.move(iteration=5)
    desk.browser.wait("delta", 2)
    desk.run.move(iteration=6)
    desk.browser.wait("delta", 3)

    assert desk.feed.rest >= 2


@pytest.mark.parametrize("command", [{"op": "hello", "view": "v"}, {"op": "gap", "have": 3}])
def test_a_screen_that_lacks_something_gets_everything(desk, command):
    """`hello` and `gap` on a control comm are answered with all there is, on the data model."""
    desk.comm().says(command)

    assert desk.browser.wait("full")["iteration"] == 3


def test_a_screen_without_control_comm_may_use_the_model(desk):
    """Front ends without comms of their own send on the data model."""
    desk.browser.says({"op": "hello", "view": "v"})

    assert desk.browser.wait("full")["iteration"] == 3


def test_a_comm_for_a_monitor_that_is_gone_is_closed(desk):
    """The screen then knows that nobody listens; so it is after the monitor was closed."""
    stranger = Comm(desk.comms, token="nobody")  # noqa: S106 - it names a screen
    late = desk.comm()
    desk.monitor.close()
    late.says({"op": "stop"})

    assert stranger.closed
    assert desk.run.status == "running"
    assert desk.comm().closed


def test_one_switchboard_serves_all_monitors_of_a_kernel(desk):
    """A second monitor uses the target that is there, and each hears its own screen only."""
    second = Desk(FakeRun(name="two"))
    second.comms.targets.update(desk.comms.targets)
    desk.comm().says({"op": "stop"})
    desk.browser.wait("told")
    second.monitor.close()

    assert desk.run.status == "stopped"
    assert second.run.status == "running"


def test_stop_and_resume_do_it_and_say_so(desk):
    """Each is told in one line; resumed, the run is followed on."""
    comm = desk.comm()
    comm.says({"op": "stop"})
    stopped = desk.browser.wait("told")
    held = desk.monitor.holds()
    comm.says({"op": "resume"})
    resumed = desk.browser.wait("told", 2)
    desk.run.move(iteration=9)

    assert (stopped["ok"], stopped["text"], held) == (True, "fl is stopped", True)
    assert (resumed["ok"], resumed["text"], desk.monitor.holds()) == (True, "fl goes on", False)
    until(lambda: desk.browser.got[-1].get("iteration") == 9, LONG)


def test_a_node_is_dealt_with_as_asked(desk):
    """Action, node and numbers arrive; numbers that are none are left out."""
    desk.comm().says({"op": "node", "action": "slow", "node": "node_1", "factor": 3, "seconds": "x"})
    told = desk.browser.wait("told")

    assert desk.buttons.done == [("slow", "node_1", 3.0, None)]
    assert told["text"] == "slow node_1"


@pytest.mark.parametrize(
    "command",
    [{"op": "node", "action": "eval", "node": "node_1"}, {"op": "node", "action": "kill", "node": ["x"]}],
)
def test_what_cannot_be_done_to_a_node_is_said(desk, command):
    """A command that names no action or no node is refused in one line."""
    desk.comm().says(command)
    told = desk.browser.wait("told")

    assert not told["ok"]
    assert "no such thing can be done" in told["text"]
    assert desk.buttons.done == []


def test_a_question_is_answered_while_another_takes_its_time(desk):
    """What takes long holds up neither the thread that receives nor other commands."""
    desk.feed.held.clear()
    comm = desk.comm()
    comm.says({"op": "value", "ask": 1, "kind": "global", "tag": "a"})
    comm.says({"op": "hello", "view": "v"})
    desk.browser.wait("full")
    before = desk.browser.ops()
    desk.feed.held.set()

    assert "answer" not in before
    assert desk.browser.wait("answer")["text"] == "a"


def test_a_bug_in_an_answer_is_an_answer(desk):
    """The screen does not wait for ever, and learns what kind of error it was."""
    desk.comm().says({"op": "value", "ask": 7, "kind": "global", "tag": "broken"})

    assert desk.browser.wait("answer") == {
        "op": "answer",
        "ask": 7,
        "ok": False,
        "text": "value failed: ZeroDivisionError: division by zero",
    }


def test_commands_cannot_pile_up_threads(desk):
    """More than sixteen at once are refused, each by the answer that its asker waits for."""
    desk.feed.held.clear()
    comm = desk.comm()
    for ask in range(20):
        comm.says({"op": "value", "ask": ask, "kind": "global", "tag": "a"})
    refused = desk.browser.wait("answer", 4)
    desk.feed.held.set()
    desk.browser.wait("answer", 20)

    assert "too much is asked for at once" in refused["text"]
    assert not refused["ok"]
    assert refused["ask"] == 19


@pytest.mark.parametrize("command", [None, 3, "stop", [], {}, {"op": 5}, {"op": "eval", "x": "<b>"}])
def test_what_is_unknown_is_left_out_with_a_log_line(desk, caplog, command):
    """Nothing is done and nothing raised, whatever a screen sends."""
    with caplog.at_level(logging.WARNING):
        desk.comm().says(command)

    assert "sent something unknown" in caplog.text


def test_the_thread_ends_with_the_run():
    """The last change is sent, then the thread is gone; closing says so to the screen."""
    desk = Desk(FakeRun())
    desk.run.end()

    assert desk.monitor.join(LONG)
    assert desk.browser.got[-1]["iteration"] == 20
    desk.monitor.close({"text/plain": "fl completed"})
    assert desk.browser.got[-1] == {"op": "end", "model": "m1", "output": {"text/plain": "fl completed"}}
    assert desk.browser.closed
    assert desk.run.watchers == []


def test_a_run_that_is_over_can_be_looked_at():
    """Opened later, a screen that says hello gets everything, and no thread stays."""
    run = FakeRun()
    run.end()
    desk = Desk(run)
    desk.comm().says({"op": "hello", "view": "v"})

    assert desk.browser.wait("full")["iteration"] == 20
    assert desk.monitor.join(LONG)
    desk.monitor.close()


def test_a_screen_that_never_asks_is_missed(desk):
    """Without a hello for eight idle seconds somebody is told why there is nothing to see."""
    early = desk.monitor.trouble()
    for _ in range(int(PATIENCE) + 1):
        desk.now += 1
        late = desk.monitor.trouble()

    assert early == ""
    assert "needs anywidget" in late


def test_a_busy_kernel_hears_no_screen(desk):
    """While a cell runs its silence means nothing, and a screen that asked is there for good."""
    desk.busy = True
    for _ in range(60):
        desk.now += 1
        waiting = desk.monitor.trouble()
    desk.busy = False
    desk.browser.says({"op": "hello", "view": "v"})
    desk.now += 60

    assert waiting == ""
    assert desk.monitor.trouble() == ""


def test_a_bug_of_ours_ends_the_monitor_and_not_the_run(desk, caplog):
    """The thread ends, and whoever owns the output learns why."""
    desk.browser.wait("delta")
    desk.feed.broken = KeyError("x")
    desk.run.move(iteration=5)

    assert desk.monitor.join(LONG)
    assert desk.monitor.trouble() == "the live monitor stopped (KeyError: 'x')"


def test_the_note_for_a_screen_without_kernel_is_seldom_sent(desk):
    """Where it stood is part of the state, and changes every five seconds at most."""
    desk.monitor.tell("at 3")
    desk.monitor.tell("at 4")
    soon = desk.browser.note
    desk.now += 6
    desk.monitor.tell("at 5")

    assert (soon, desk.browser.note) == ("at 3", "at 5")


def test_a_front_end_that_has_gone_does_no_harm():
    """Where nothing can be sent any more, the thread ends quietly."""
    desk = Desk(FakeRun())
    desk.browser.wait("delta")

    def broken(content: object, buffers: object = None) -> None:
        raise BrokenPipeError

    desk.browser.send = broken
    desk.run.move(iteration=4)

    assert desk.monitor.join(LONG)
    desk.monitor.close()


def test_commands_run_beside_the_thread_that_receives_them(desk):
    """Nothing a screen asks for runs on the thread of its comm."""
    desk.comm().says({"op": "stop"})
    desk.browser.wait("told")

    assert threading.current_thread().name not in desk.browser.threads
