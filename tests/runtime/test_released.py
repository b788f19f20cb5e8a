"""A turn that the run has gone on without: it can know, and a batch of it that has not begun never does."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest

from manta_nb.engine.instructions import RunTask
from manta_nb.engine.records import Quorum
from manta_nb.engine.results import ResultIndex
from manta_nb.runtime.batches import OpenBatch
from manta_nb.runtime.capabilities import HostTag
from manta_nb.runtime.courier import Host
from manta_nb.runtime.released import Released
from manta_nb.runtime.runners.channel import ChannelClosed, Message, SocketChannel
from manta_nb.runtime.runners.ledger import Kind
from manta_nb.runtime.runners.outcome import Story, settle_batch
from manta_nb.runtime.runners.release import Release
from manta_nb.runtime.runners.request import BatchRequest, Policy
from manta_nb.runtime.runners.storage import BytesSegment
from manta_nb.runtime.runners.supervisor import Supervisor
from manta_nb.runtime.workplace import Fence, Refused
from tests.runtime.site import Site
from tests.runtime.test_supervisor import Scripted, request, row

pytestmark = pytest.mark.timeout(60)

#: says that it is there, and waits until it is released
WAITS = """
import time
w.metric("there", 1)
while not w.released:
    time.sleep(0.002)
w.metric("released", 1)
"""


def fence(iteration: int, run_id: str = "run", nodes: tuple[str, ...] = ("a",)) -> Fence:
    """The first attempt of a batch."""
    return run_id, iteration, "t", 0, nodes


def play_until(site: Site, source: str, name: str, **options: Any) -> tuple[threading.Thread, list[Any]]:
    """Play in the background until the task has reported a metric of this name."""
    there = threading.Event()

    def hear(lines: list[list[Any]]) -> None:
        if any(line[0] == "m" and line[2] == name for line in lines):
            there.set()

    thread, ended = site.in_background(source, hear=hear, **options)
    assert there.wait(30)
    return thread, ended


def test_a_turn_sees_that_it_was_released(site: Site) -> None:
    """In the middle of it; what it wrote before and after is there, and the child goes on with the next batch."""
    iteration = next(site.numbers)
    thread, ended = play_until(
        site, WAITS + "w.results.add('x', 1)", "there", nodes=["a"], iteration=iteration
    )
    site.workplace.release([fence(iteration)])
    thread.join(30)
    [played] = ended

    assert [name for _, name, _, _ in played.metrics()] == ["there", "released"]
    assert played.results("x") == {"a": 1}
    assert site.play("print(w.released)", nodes=["a"]).texts() == ["False"]


def test_the_turns_after_it_in_the_batch_see_it_too(site: Site) -> None:
    """The nodes of a batch are released together."""
    iteration = next(site.numbers)
    source = "import time\nif w.node_id != 'a': print(w.released)\nelse:\n    w.metric('there', 1)\n"
    source += "    while not w.released: time.sleep(0.002)"
    thread, ended = play_until(site, source, "there", iteration=iteration)
    site.workplace.release([fence(iteration, nodes=("a", "b", "c"))])
    thread.join(30)

    assert (ended[0].texts(node_id="b"), ended[0].texts(node_id="c")) == (["True"], ["True"])


def test_a_release_that_nobody_reads_is_passed_over(site: Site) -> None:
    """It lies in the channel when the batch ends, and is taken neither for the next batch nor for its release."""
    site.play("pass", nodes=["a"])
    site.workplace.child("run", fresh=False).channel.send({"op": "release"})

    assert site.play("print(w.released)", nodes=["a"]).texts() == ["False"]


def test_a_batch_that_comes_after_its_release_is_refused(site: Site) -> None:
    """A worker that was away gets what was sent to it long ago: nobody's code runs; the next attempt does."""
    site.workplace.release([fence(6_000_000, "late")])

    with pytest.raises(Refused, match="nobody waits for attempt 0 of t any more"):
        site.play("print(1)", nodes=["a"], iteration=6_000_000, run_id="late")
    assert site.play(
        "print(w.released)", nodes=["a"], iteration=6_000_000, run_id="late", attempt=1
    ).texts() == ["False"]
    site.workplace.forget("late", ())


def test_a_forked_helper_hears_nothing_new(killer: Site) -> None:
    """A process that the task forked may ask, and takes no message from the task."""
    source = "import os\npid = os.fork()\nif pid == 0:\n    os._exit(7 + w.released)\n"
    source += "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), w.released)"

    assert killer.play(source, nodes=["a"]).texts() == ["7 False"]


def test_many_threads_of_a_task_may_ask(site: Site) -> None:
    """One of them gets the message, all get the answer."""
    iteration = next(site.numbers)
    source = """
import threading, time
def wait():
    while not w.released: time.sleep(0.001)
threads = [threading.Thread(target=wait) for _ in range(8)]
[thread.start() for thread in threads]
w.metric("there", 1)
[thread.join() for thread in threads]
"""
    thread, ended = play_until(site, source, "there", nodes=["a"], iteration=iteration)
    site.workplace.release([fence(iteration)])
    thread.join(30)

    assert ended[0].batch.nodes == ("a",)


def test_a_child_that_takes_over_is_told_again() -> None:
    """The first child dies after it heard: the next one gets the rest of the batch as released."""
    children, heard = Scripted(), list[Any]()

    def first(message: Message, channel: SocketChannel) -> None:
        channel.send(row(Kind.TURN, message["turns"][0][0]))
        children.given_up = True
        heard.append((message["released"], channel.receive()["op"]))
        channel.close()

    def second(message: Message, channel: SocketChannel) -> None:
        heard.append(message["released"])
        for position, _ in message["turns"]:
            channel.send(row(Kind.TURN, position))
            channel.send(row(Kind.DONE, position))
        channel.send({"op": "end"})

    children.scripts = [first, second]
    Supervisor(request(), children, BytesSegment(), {}, lambda lines: None).run()
    children.discard("run")

    assert heard == [(False, "release"), True]


def test_another_message_in_the_middle_of_a_batch_is_an_error() -> None:
    """Nothing but a release is ever said then."""

    class Talking(SocketChannel):
        def __init__(self) -> None:
            """Without a socket."""

        def poll(self, timeout: float) -> bool:
            return True

        def receive(self) -> Message:
            return Message({"op": "batch"})

    with pytest.raises(ChannelClosed, match="'batch' in the middle of a batch"):
        Release(Talking()).look()


def test_what_a_turn_says_of_a_quorum_comes_home(site: Site) -> None:
    """The last call of each node counts, of all nodes together, and not of those that failed."""
    source = """
if w.node_id == "a":
    w.quorum(9, 9, 9)
    w.quorum(nodes=2, patience=1.5, deadline=60)
if w.node_id == "b":
    w.quorum(nodes=1, patience=float("inf"), deadline=70, away=True)
if w.node_id == "c":
    w.quorum(nodes=3, patience=0, deadline=1000)
    1 / 0
"""

    assert site.play(source).batch.quorum == Quorum(2, 1.5, 70, away=False)
    assert site.play(source, nodes=["b"]).batch.quorum == Quorum(1, float("inf"), 70, away=True)
    assert site.play(source, nodes=["c"]).batch.quorum is None
    assert site.play("pass").batch.quorum is None


LIVE = """
live = self.local.live
live["times"] = live.get("times", 0) + 1
live.setdefault("lock", __import__("threading").Lock())
print(live["times"], w.node_id, type(live["lock"]).__name__)
"""


def test_objects_stay_in_the_process_of_a_node(site: Site) -> None:
    """From turn to turn of a run, each node's own, whatever they are; another run has its own."""
    first, second = site.play(LIVE, run_id="one"), site.play(LIVE, run_id="one")
    other = site.play(LIVE, run_id="two", nodes=["a"])
    again = site.play(LIVE, run_id="one", nodes=["b"])

    assert first.texts() == ["1 a lock", "1 b lock", "1 c lock"]
    assert second.texts() == ["2 a lock", "2 b lock", "2 c lock"]
    assert (other.texts(), again.texts()) == (["1 a lock"], ["3 b lock"])
    for run_id in ("one", "two"):
        site.workplace.forget(run_id, ())


def test_objects_go_with_the_process(killer: Site) -> None:
    """A turn that kills it, and a module that wants a process of its own."""
    killer.play(LIVE, nodes=["a"], run_id="short")
    killer.play("import os; os._exit(3)", nodes=["a"], run_id="short")

    assert killer.play(LIVE, nodes=["a"], run_id="short").texts() == ["1 a lock"]
    assert killer.play(LIVE, nodes=["a"], run_id="short", policy=Policy(isolate=True)).texts() == ["1 a lock"]
    killer.workplace.forget("short", ())


class Told:
    """As much of a fleet as `Released` asks for: remembers what workers are told, what is taken back and freed."""

    def __init__(self) -> None:
        self.book = self.courier = self
        self.told: list[tuple[set[str], list[Any]]] = []
        self.cancelled: list[Any] = []
        self.forsaken: list[tuple[str, str]] = []
        self.viewed: list[str] = []

    def broadcast(self, op: str, workers: set[str], run_id: str, batches: list[Any]) -> None:
        """Remember."""
        assert (op, run_id) == ("manta_nb_release", "run.1")
        self.told.append((workers, batches))

    def cancel(self, futures: list[Any]) -> None:
        """Remember."""
        self.cancelled += futures

    def forsake(self, worker_id: str, key: str) -> None:
        """Remember."""
        self.forsaken.append((worker_id, key))

    def view(self, keys: tuple[str, ...]) -> None:
        """Remember."""
        self.viewed += keys


def given_up(*numbers: int, alive: bool = True) -> tuple[Released, Told, Host, list[Any]]:
    """Batches of these numbers on a worker that were released, and the lines that come of them."""
    host = Host("w7", ("a",), HostTag("here", "", 0, True), 4711, alive=alive)
    fleet, lines = Told(), list[Any]()
    released = Released(fleet, "run.1", lambda *heard: lines.append(heard))  # type: ignore[arg-type]
    released.add(
        {
            f"run.1/{n}": OpenBatch(RunTask(n, "t", 0, ("a",), {}, ResultIndex(), {}), host, ("a",))
            for n in numbers
        }
    )
    return released, fleet, host, lines


def outcome(segment: str = "") -> dict[str, Any]:
    """The outcome of a batch of one node, with a segment of that key."""
    request = BatchRequest("", "run.1", 3, "t", 0, Policy(), ("a",))
    story = Story(kept=["held"])
    message = settle_batch(request, np.empty((0, 6), dtype=np.int64), story, None).message()
    head = json.loads(message["head"]) | {"segment": [segment, 1, 2, 64] if segment else None}
    return message | {"head": json.dumps(head)}


def test_a_worker_is_told_which_batches_and_again_when_it_is_back() -> None:
    """One that stood still may have missed it; one that is gone has nothing under way any more."""
    released, fleet, host, _ = given_up(3)
    released.joined(host)
    released.lost(host)
    released.joined(host)

    assert fleet.told == [({"w7"}, [[3, "t", 0, ["a"]]])] * 2
    assert released.workers() == set()


def test_a_worker_that_is_away_has_nothing_under_way() -> None:
    """What was to wait for it is taken back: no memory is kept from use because of it."""
    released, _, _, _ = given_up(3, alive=False)

    assert released.workers() == set()
    assert released.hear("run.1/3", {"status": "lost"}) is False


def test_lines_are_shown_and_the_outcome_is_freed() -> None:
    """Of the turn that goes on; Dask's word that it was taken back ends nothing."""
    released, fleet, _, lines = given_up(3)
    heard = [
        released.hear("run.1/3", message)
        for message in ({"status": "cancelled"}, {"lines": '[["l", 0, "stdout", "x"]]'}, outcome("key"))
    ]

    assert heard == [True, True, True]
    assert lines == [(3, "t", ("a",), [["l", 0, "stdout", "x"]])]
    assert (fleet.forsaken, fleet.viewed, released.workers()) == ([("w7", "key")], ["held"], set())
    assert released.hear("run.1/3", outcome("key")) is False


def test_an_outcome_ends_what_its_worker_was_given_before() -> None:
    """It runs one batch after the other: those before never began, or are over; those behind may begin yet."""
    released, _, host, _ = given_up(3, 4, 6)
    released.ended(host, "run.1/5")

    assert [released.hear(f"run.1/{n}", {"refused": "nobody waits"}) for n in (3, 4, 6)] == [
        False,
        False,
        True,
    ]
    assert released.workers() == set()
