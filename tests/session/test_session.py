"""A session: nodes that are checked before they start, shown while they are there, and gone afterwards."""

from __future__ import annotations

import gc
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from manta_nb import Session
from manta_nb.errors import MantaError, MissingTag, NodeError
from manta_nb.session.table import Node, NodeTable
from tests.cluster.parts import Gate, module, waiting
from tests.waiting import until

cluster = pytest.mark.cluster
pytestmark = pytest.mark.timeout(60)

#: where named shared memory would lie
SHARED = "/dev/shm"  # noqa: S108 - nothing is written there


def children() -> set[int]:
    """Processes of this one, without Python's own two helpers, which stay for the next nodes."""
    helpers = {
        getattr(multiprocessing.forkserver._forkserver, "_forkserver_pid", None),
        getattr(multiprocessing.resource_tracker._resource_tracker, "_pid", None),
    }
    found = psutil.Process().children(recursive=True)
    return {
        each.pid for each in found if each.is_running() and each.status() != psutil.STATUS_ZOMBIE
    } - helpers


def folders() -> set[Path]:
    """Folders that sessions of this process have made."""
    owners = Path(tempfile.gettempdir()).glob("manta-nb-*/owner")
    return {path.parent for path in owners if path.read_text(encoding="ascii").split()[0] == str(os.getpid())}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"nodes": 0}, "0"),
    ({"nodes": -3}, "-3"),
    ({"nodes": True}, "True"),
    ({"nodes": 2.5}, "2.5"),
    ({"nodes": []}, "node"),
    ({"nodes": ["a", "b", "a"]}, "called alike: a, a"),
    ({"nodes": ["../x"]}, "'../x'"),
    ({"nodes": [""]}, "''"),
    ({"nodes": ["node-1 "]}, "'node-1 '"),
    ({"nodes": ["x" * 300]}, "300 characters"),
    ({"nodes": ["a/b"]}, "'a/b'"),
    ({"nodes": ["."]}, "'.'"),
    ({"nodes": ["a\nb"]}, "cannot be the name of a node"),
    ({"nodes": [5]}, "5"),
    ({"nodes": 2, "workers": 0}, "workers must be a whole number ≥ 1, got 0"),
    ({"nodes": 2, "workers": "2"}, "workers must be a whole number ≥ 1, got '2'"),
    ({"nodes": 2, "memory_limit": "much"}, "'much'"),
    ({"nodes": 2, "memory_limit": -1}, "'-1'"),
    ({"nodes": 2, "runner": "thread"}, "runner must be"),
    ({"nodes": 2, "images": "require"}, "images must be"),
    ({"nodes": 2, "data": "digitz"}, "digitz"),
    ({"nodes": 5000, "data": "digits"}, "5000"),
]


@pytest.mark.parametrize(("options", "says"), BAD, ids=[str(options)[:40] for options, _ in BAD])
def test_a_mistake_is_told_before_anything_starts(options: dict[str, Any], says: str) -> None:
    """One line of at most 200 characters names the word; no process is started, no folder left."""
    before = children(), folders(), set(os.listdir("."))
    with pytest.raises(MantaError) as caught:
        Session(**options)

    assert says in str(caught.value)
    assert len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)
    assert (children(), folders(), set(os.listdir("."))) == before


def test_an_unknown_node_of_a_table_is_told() -> None:
    """The nearest name is offered, and the nodes there are."""
    table = NodeTable({f"node_{k}": Node(f"node_{k}", "idle", "worker-0", 7, ("digits",)) for k in range(9)})

    with pytest.raises(NodeError, match=r"no node 'node3' \(did you mean 'node_3'\?\); there are: node_0, "):
        table["node3"]
    assert len(table) == 9
    assert "node_8" in str(table)
    assert "digits" in table._repr_html_()


@cluster
def test_it_shows_its_nodes(session: Session) -> None:
    """Names, states, processes and datasets; as text and as HTML."""
    nodes = session.nodes

    assert list(nodes) == ["node_0", "node_1", "node_2"]
    assert {node.state for node in nodes.values()} == {"idle"}
    assert len({node.pid for node in nodes.values()}) == 3
    assert all(psutil.pid_exists(node.pid) for node in nodes.values())
    assert {node.datasets for node in nodes.values()} == {("breast_cancer",)}
    for text in (str(session), repr(session), session._repr_html_(), str(nodes), nodes._repr_html_()):
        assert "breast_cancer" in text
    assert session.summary.startswith("3 nodes · breast_cancer: ")


@cluster
def test_nodes_are_busy_while_a_run_uses_them(session: Session, gate: Gate) -> None:
    """The state of a node says whether a run may use it now."""
    run = session.run(module(gate.wait), iterations=1, nodes=["node_1"])
    until(lambda: waiting(run) == {"node_1"})
    states = {node_id: node.state for node_id, node in session.nodes.items()}
    active = session.active
    gate.open()
    run.wait(30)

    assert states == {"node_0": "idle", "node_1": "busy", "node_2": "idle"}
    assert active == [run]
    assert session.active == []


@cluster
def test_runs_are_found_by_name_and_id(session: Session) -> None:
    """By position, by name (the latest of it), by the beginning of its id."""
    first, second = (session.run(module("print(1)"), iterations=1, name="twin").wait(30) for _ in range(2))

    assert session.runs["twin"] is second
    assert session.runs[-1] is second
    assert session.runs[-2:][0] is first
    assert session.runs[first.run_id[:8]] is first
    assert first.run_id[:8] in str(session.runs)
    assert "twin" in session.runs._repr_html_()
    with pytest.raises(MissingTag, match=r"no run 'twins' \(did you mean 'twin'\?\); there are: "):
        session.runs["twins"]


@cluster
def test_what_a_session_leaves_behind() -> None:
    """After close: values can be read; no process, thread, descriptor, folder or shared memory is left."""
    environment, where = dict(os.environ), os.getcwd()
    gc.collect()
    before = children(), folders(), shared_files(), open_files(), threads()
    lines: list[str] = []
    with Session(nodes=2, data={"x": np.arange(8.0), "y": np.arange(8) % 2}, say=lines.append) as session:
        inside = dict(os.environ), os.getcwd()
        body = "world.results.add('x', np.arange(100_000.0))\nworld.globals['g'] = {'n': world.iteration}"
        run = session.run(module(body), iterations=3, wait=True)
        held = session.run(module("time.sleep(1e6)"), iterations=1)
        until(lambda run=held: run.progress.tasks[0].running == 2)
    session.close()

    assert (held.status, held.reason) == ("stopped", "the session was closed")
    assert run.globals["g"] == {"n": 2}
    assert run.results.select("x")["node_1"][-1] == 99_999
    assert (session.closed, repr(session).endswith("closed")) == (True, True)
    with pytest.raises(NodeError, match="this session is closed"):
        session.run(module("print(1)"), iterations=1)
    with pytest.raises(NodeError, match="this session is closed"):
        session.try_on(module("print(1)"), "node_0")
    assert inside == (environment, where)
    assert dict(os.environ) == environment
    assert lines[0] == "starting 2 nodes …"
    assert lines[1] == session.summary
    until(lambda: children() <= before[0], what="processes are left")
    until(lambda: threads() <= before[4], what="threads are left")
    assert (folders(), shared_files()) == (before[1], before[2])
    del run, held, session
    gc.collect()
    until(lambda: gc.collect() is not None and open_files() <= before[3] + 3, what="descriptors are left")


def shared_files() -> set[str]:
    """Named shared memory, without the semaphores of whatever else runs on this machine."""
    return {name for name in os.listdir(SHARED) if not name.startswith("sem.")}


def threads() -> set[threading.Thread]:
    """Threads of manta_nb."""
    return {thread for thread in threading.enumerate() if "manta" in thread.name}


def open_files() -> int:
    """Descriptors of this process that are open, without those of Python's own helpers and of event loops."""
    kinds = []
    for name in os.listdir("/proc/self/fd"):
        try:
            kinds.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue
    return len([kind for kind in kinds if "memfd" in kind or kind.startswith("socket") or "manta-nb" in kind])


@cluster
def test_a_session_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    """Where the workers come up but do not answer as they should, all of them are ended again."""
    before = children(), folders()
    with pytest.raises(MantaError), Session(nodes=1, client=object()):  # type: ignore[arg-type]
        pass

    until(lambda: children() <= before[0])
    assert folders() == before[1]


@cluster
def test_an_error_inside_the_with_closes_it() -> None:
    """Leaving the block by an exception ends the nodes, too."""
    before = children()
    with pytest.raises(ZeroDivisionError), Session(nodes=1) as session:
        1 / 0  # noqa: B018 - raises

    assert session.closed
    until(lambda: children() <= before)


@cluster
def test_many_nodes_share_few_processes() -> None:
    """A hundred nodes in two processes: each has its name, its folder, its state and its turn."""
    with Session(nodes=100, workers=2) as session:
        body = (
            "local.state['n'] = local.state.get('n', 0) + 1\nopen('mine', 'w').write(world.node_id)\n"
            "world.results.add('x', [world.node_id, open('mine').read(), local.state['n']])"
        )
        run = session.run(module(body), iterations=3).wait(50)
        found = run.results.select("x")
        pids = {node.pid for node in session.nodes.values()}

    assert found == {f"node_{k}": [f"node_{k}"] * 2 + [3] for k in range(100)}
    assert list(found) == [f"node_{k}" for k in range(100)]
    assert len(pids) == 2
