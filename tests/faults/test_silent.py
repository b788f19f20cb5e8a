"""Nodes that stand still or are slow: noticed, named, not waited for too long (faults.md §4, rows 8, 9, 44)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

from manta_nb import Session
from manta_nb.runtime import silence
from manta_nb.runtime.capabilities import host_tag
from manta_nb.runtime.cluster import SETTINGS
from manta_nb.runtime.courier import Host
from manta_nb.runtime.runners.request import BatchRequest, Policy
from manta_nb.runtime.silence import Expected, Silence
from tests.cluster.parts import Gate, module, waiting
from tests.faults.parts import adding, told, took
from tests.waiting import until

# the fast tier: the watch itself


class Told:
    """A `Hearer` that remembers."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def silent(self, host: Host, seconds: float) -> None:
        """See `Hearer.silent`."""
        self.said.append(("silent", host.worker_id))

    def heard(self, host: Host) -> None:
        """See `Hearer.heard`."""
        self.said.append(("heard", host.worker_id))

    def over(self, expected: Expected, seconds: float) -> None:
        """See `Hearer.over`."""
        self.said.append(("over", expected.batch_id))


class Watched:
    """Two workers whose heartbeats a test gives, looked at every half second."""

    def __init__(self) -> None:
        self.hosts = [Host(f"w{i}", (f"node_{i}",), host_tag(False), 1, f"tcp://{i}") for i in range(2)]
        workers = {host.address: SimpleNamespace(last_seen=100.0) for host in self.hosts}
        self.scheduler = SimpleNamespace(workers=workers)
        self.told = Told()
        self.silence = Silence(self.scheduler, lambda: self.hosts, self.told)
        self.silence.look(0.5)

    def beat(self, *workers: int, to: float | None = None) -> None:
        """A heartbeat of these came; `to` is what the clock says."""
        for number in workers:
            state = self.scheduler.workers[f"tcp://{number}"]
            state.last_seen = state.last_seen + 0.5 if to is None else to

    def pass_by(self, seconds: float, *speaking: int) -> None:
        """Time passes in which these are heard."""
        for _ in range(round(2 * seconds)):
            self.beat(*speaking)
            self.silence.look(0.5)


@pytest.fixture
def watched() -> Watched:
    """Both were just heard."""
    return Watched()


def batch(timeout: float) -> BatchRequest:
    """One with a time limit."""
    return BatchRequest("", "run", 0, "t", 0, Policy(timeout=timeout), ("node_0",), {})


def test_a_silent_worker_is_told_once_and_when_it_speaks_again(watched: Watched) -> None:
    """After five seconds; another one beside it is not."""
    watched.pass_by(4.5, 1)
    early = list(watched.told.said)
    watched.pass_by(20, 1)
    watched.pass_by(3, 0, 1)

    assert early == []
    assert watched.told.said == [("silent", "w0"), ("heard", "w0")]


def test_a_clock_that_jumps_silences_nobody(watched: Watched) -> None:
    """An hour back and a day ahead: what counts is that something came, not when."""
    for clock in (100.0 - 3600, 100.0 + 86400):
        watched.beat(0, 1, to=clock)
        watched.pass_by(4, 0, 1)

    assert watched.told.said == []


def test_a_kernel_that_stood_still_blames_nobody(watched: Watched) -> None:
    """A cell that held the GIL for a minute counts for one second: the heartbeats of that time lie unread."""
    watched.pass_by(2)
    watched.silence.look(min(60.0, silence.LONGEST_TICK))
    watched.pass_by(1, 0, 1)

    assert watched.told.said == []


def test_a_silent_worker_is_over_the_time_of_its_batch(watched: Watched) -> None:
    """What has been there for so long, and is still expected; each batch once."""
    watched.silence.expect("a", watched.hosts[0], batch(8), 8)
    watched.silence.expect("b", watched.hosts[1], batch(8), 8)
    watched.silence.expect("c", watched.hosts[0], batch(8), 8)
    watched.silence.settled("c")
    watched.pass_by(7.5, 1)
    early = list(watched.told.said)
    watched.pass_by(6, 1)
    watched.silence.expect("d", watched.hosts[0], batch(1), 1)
    watched.pass_by(4.5, 1)

    assert ("over", "a") not in early
    assert [said for said in watched.told.said if said[0] == "over"] == [("over", "a")]
    watched.pass_by(1, 1)
    assert ("over", "d") in watched.told.said


def test_a_worker_that_is_gone_or_back_is_not_silent(watched: Watched) -> None:
    """Its loss is told by others; a new process begins anew."""
    watched.pass_by(4, 1)
    watched.hosts[0].alive = False
    watched.pass_by(4, 1)
    watched.hosts[0].alive, watched.hosts[0].address = True, "tcp://9"
    watched.scheduler.workers["tcp://9"] = SimpleNamespace(last_seen=1.0)
    watched.pass_by(4, 1)

    assert watched.told.said == []


# on real nodes


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three seconds are silence."""
    monkeypatch.setattr(silence, "SILENT", 3.0)


def indented(text: str) -> str:
    """One level deeper."""
    return "\n".join(f"    {line}" for line in text.strip().splitlines())


@pytest.mark.cluster
@pytest.mark.timeout(90)
def test_a_frozen_node_is_not_waited_for_beyond_its_time(
    session: Session, gate: Gate, impatient: None
) -> None:
    """The others go on with `min_nodes`; what it says when it is back is too late, and it takes part again."""
    body = f"if world.iteration == 1:\n{indented(gate.wait)}"
    run = session.run(adding(body, min_nodes=2, timeout=4), iterations=4)
    until(lambda: waiting(run) == {"node_0", "node_1", "node_2"}, 30)
    node = session.nodes["node_2"]
    node.freeze(60)
    gate.open()
    until(lambda: run.iteration >= 2, 20, "the run waits for a node that stands still")
    frozen = session.nodes["node_2"].state
    session._actions.freezer.thaw(node.pid)
    run.wait(30)

    assert frozen == "frozen"
    assert run.globals["nodes"][:2] == [3, 2] and run.globals["nodes"][-1] == 3
    [failure, *_] = [event for event in run.events if event.kind == "failure"]
    assert failure.node_id == "node_2"
    assert "over its time limit of 4 s; its process has not answered for" in failure.message
    assert session.nodes["node_2"].pid == node.pid


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_who_waits_for_a_frozen_node_sees_its_name(session: Session, gate: Gate, impatient: None) -> None:
    """Without a time limit there is an event that names it, and another one when it answers again; nothing is lost."""
    end = Gate(gate.path.parent / "end")
    end.path.parent.mkdir()
    run = session.run(adding(gate.wait) >> module(end.wait, "hold"), iterations=1)
    until(lambda: len(waiting(run)) == 3, 30)
    node = session.nodes["node_1"]
    node.freeze(60)
    gate.open()
    until(lambda: told(run, "away"), 10, "nobody says whom the run waits for")
    session._actions.freezer.thaw(node.pid)
    until(lambda: told(run, "back"), 5)
    end.open()
    run.wait(20)

    assert told(run, "away", "back", "lost") == [("away", "node_1"), ("back", "node_1")]
    assert "has not answered for" in next(e.message for e in run.events if e.kind == "away")
    assert run.globals["total"] == 3.0


@pytest.fixture
def short_lived(nothing_left: None) -> Iterator[Session]:
    """Two nodes that are taken for dead after five seconds without a word."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "distributed.scheduler.worker-ttl", "5s")
        with Session(nodes=2) as started:
            yield started


@pytest.mark.cluster
@pytest.mark.timeout(90)
def test_a_node_that_stays_frozen_is_started_again(short_lived: Session, gate: Gate) -> None:
    """Nobody has to do anything: its turn is done again in a new process, and counts once."""
    run = short_lived.run(adding(gate.wait), iterations=1)
    until(lambda: len(waiting(run)) == 2, 30)
    node = short_lived.nodes["node_1"]
    for process in (psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)):
        process.suspend()
    gate.open()
    run.wait(50)

    assert run.globals["total"] == 2.0
    assert told(run, "lost") == [("lost", "node_1")]
    assert short_lived.nodes["node_1"].pid != node.pid


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_a_slow_node_is_waited_for_until_its_deadline(session: Session) -> None:
    """Then the iteration goes on with the quorum, and says who was left out; as fast as ever, it counts again."""
    session.nodes["node_1"].slow(1000)
    work = adding("time.sleep(0.1)", min_nodes=2, timeout=1.5)
    run = session.run(work, iterations=2).wait(30)
    session.nodes["node_1"].slow(1)
    after = session.run(work, iterations=1).wait(30)

    assert run.globals["nodes"] == [2, 2]
    assert run.elapsed >= 3
    assert told(run, "failure") == [("failure", "node_1")] * 2
    assert all("over its time limit of 1.5 s" in e.message for e in run.events if e.kind == "failure")
    assert after.globals["nodes"] == [3]


@pytest.mark.cluster
@pytest.mark.timeout(60)
def test_too_small_a_quorum_fails_by_name(session: Session) -> None:
    """One slow node more than `min_nodes` allows: one line says which, and how many must succeed."""
    session.nodes["node_1"].slow(1000)
    run = session.run(adding("time.sleep(0.1)", timeout=1), iterations=2).wait(30, check=False)

    assert run.status == "failed"
    assert "worker ran out of time on node_1: over its time limit of 1 s" in run.error
    assert "3 must succeed" in run.error


@pytest.mark.cluster
@pytest.mark.timeout(90)
def test_a_frozen_node_keeps_nobody_where_values_travel(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value on its way to a node that stands still does not hold up the run's own thread: a stop is heard."""
    monkeypatch.setenv("MANTA_NB_VALUES", "transfer")
    writer = module("world.globals['g'] = np.zeros(2_000_000)", "writer", specified_ids=["node_0"])
    hold = module(gate.wait, "hold", specified_ids=["node_0"])
    reader = module("world.results.add('x', world.globals['g'].sum())", "reader")
    with Session(nodes=2) as session:
        run = session.run(writer >> hold >> reader, iterations=1)
        until(lambda: waiting(run), 30)
        node = session.nodes["node_1"]
        node.freeze(60)
        gate.open()
        until(lambda: run.progress.tasks[2].placed or run.finished, 10)
        seconds = took(run.stop)
        session._actions.freezer.thaw(node.pid)

    assert run.status == "stopped", run.error
    assert seconds < 4


def test_what_comes_after_its_time_is_freed(watched: Watched) -> None:
    """The segment of an outcome that nobody waits for any more is named, once; odd messages name none."""
    outcome = {"head": '{"segment": ["key", 1, 2, 64]}'}
    for name in ("a", "b", "c"):
        watched.silence.expect(name, watched.hosts[0], batch(1), 1)
    before = watched.silence.left_behind("a", outcome)
    watched.pass_by(6, 1)

    assert before is None
    assert watched.silence.left_behind("a", {"lines": "[]"}) is None
    assert watched.silence.left_behind("a", outcome) == ("w0", "key")
    assert watched.silence.left_behind("a", outcome) is None
    assert watched.silence.left_behind("b", {"head": "no JSON"}) is None
    assert watched.silence.left_behind("c", {"head": '{"segment": null}'}) is None
