"""The same numbers in every way of hosting nodes, starting children and moving values; and who may join."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import psutil
import pytest
from distributed import Client, LocalCluster, Security

from manta_nb import MantaError, Session
from tests.cluster.parts import mean_swarm, module, same

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

Foreign = Callable[[ExitStack], Any]


def numbers(session: Session) -> Any:
    """What a run with a seed ends in."""
    return session.run(mean_swarm(), iterations=4, seed=7).wait(60).globals["at"]


@pytest.fixture(scope="module")
def expected(session: Session) -> Any:
    """The numbers of the ordinary way."""
    return numbers(session)


def test_a_thread_of_the_worker(expected: Any) -> None:
    """`runner="inline"`."""
    with Session(nodes=4, runner="inline") as inline:
        assert same(numbers(inline), expected)


@pytest.mark.parametrize(
    "environment",
    [
        {"MANTA_NB_START": "exec"},
        {"MANTA_NB_START": "spawn"},
        {"MANTA_NB_VALUES": "transfer"},
        {"MANTA_NB_START": "exec", "MANTA_NB_VALUES": "transfer"},
    ],
    ids=lambda environment: " ".join(environment.values()),
)
def test_poorer_machines(environment: dict[str, str], expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fork, without shared memory: the numbers are the same."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with Session(nodes=4, workers=2) as session:
        assert same(numbers(session), expected)


def _processes(parts: ExitStack) -> Any:
    return parts.enter_context(
        LocalCluster(n_workers=4, threads_per_worker=1, dashboard_address="127.0.0.1:0")
    )


def _threads(parts: ExitStack) -> Any:
    return parts.enter_context(LocalCluster(n_workers=2, processes=False, dashboard_address="127.0.0.1:0"))


def _client(parts: ExitStack) -> Any:
    return parts.enter_context(Client(_threads(parts), set_as_default=False))


@contextmanager
def foreign(start: Foreign) -> Iterator[Session]:
    """A session on a cluster that is not ours."""
    with ExitStack() as parts:
        given = start(parts)
        client = (
            given if isinstance(given, Client) else parts.enter_context(Client(given, set_as_default=False))
        )
        with Session(nodes=4, client=client) as session:
            yield session
        # it is not ours to close
        assert client.submit(lambda: 5).result(timeout=10) == 5


@pytest.mark.parametrize("start", [_processes, _threads, _client], ids=["processes", "threads", "client"])
def test_somebody_elses_cluster(start: Foreign, expected: Any) -> None:
    """A plain LocalCluster of either kind, or a Client: equal Globals; what does not hold is one line each."""
    with foreign(start) as session:
        found = numbers(session)
        notes = session.notes
        after = session.run(module("1 / 0"), iterations=1).wait(30, check=False)

    assert same(found, expected)
    assert "line 11: ZeroDivisionError" in after.error
    assert len(notes) == 4 and all(len(note) <= 200 and "\n" not in note for note in notes)
    for promise in ("interrupt", "encrypted", "folders", "child processes"):
        assert sum(promise in note for note in notes) >= 1, promise


def test_a_plain_cluster_is_a_client_too() -> None:
    """`Session(client=LocalCluster())` is taken as well."""
    with (
        LocalCluster(n_workers=2, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Session(client=cluster) as session,
    ):
        run = session.run(module("world.results.add('x', 1)"), iterations=1).wait(30)

        assert list(run.results.select("x")) == list(session.nodes)
        assert len(session.nodes) == 2


def test_what_is_no_cluster_is_refused() -> None:
    """In one line."""
    with pytest.raises(MantaError, match="client must be a Dask Client or cluster, got str"):
        Session(client="tcp://127.0.0.1:1")  # type: ignore[arg-type]


def test_torch_inline_then_in_a_process(session: Session) -> None:
    """An operation of two threads in a worker does not hang the children that come after it."""
    body = """
    import torch
    torch.set_num_threads(2)
    x = torch.randn(300, 300, requires_grad=True)
    (x @ x).exp().sum().backward()
    world.metric("done", 1)
    """
    with Session(nodes=2, runner="inline") as inline:
        assert len(inline.run(module(body), iterations=1).wait(30).metrics) == 2
    for _ in range(2):
        assert len(session.run(module(body), iterations=1).wait(30).metrics) == 4


def test_a_stranger_is_refused(session: Session, tmp_path: Any) -> None:
    """Without a certificate of the session nobody connects, to the scheduler or to a worker."""
    workers = session.client.scheduler_info(n_workers=-1)["workers"]
    for address in (session.cluster.scheduler_address, next(iter(workers))):
        assert address.startswith("tls://127.0.0.1:")
        with pytest.raises((OSError, TypeError, ValueError)):
            Client(address.replace("tls://", "tcp://"), timeout=1, set_as_default=False)
        with pytest.raises((OSError, TypeError, ValueError)):
            Client(address, security=Security.temporary(), timeout=1, set_as_default=False)

    assert len(session.run(module("world.metric('m', 1)"), iterations=1).wait(30).metrics) == 4


def test_everything_listens_on_loopback_only(session: Session) -> None:
    """No port of this process, of a worker or of a child is open to others."""
    session.run(module("pass"), iterations=1).wait(30)
    family = (psutil.Process(), *psutil.Process().children(recursive=True))
    found = [address for process in family for address in _listening(process)]

    assert len(found) >= 5
    assert {address for address in found if not ipaddress.ip_address(address).is_loopback} == set()


def _listening(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess):
        sockets = process.net_connections(kind="inet")
        return [each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN]
    return []


def test_a_folder_of_a_session_is_private(session: Session) -> None:
    """Only its owner can open it, and the certificates are in no file."""
    folder = session.record("node_0").folder.parent

    assert os.stat(folder).st_mode & 0o077 == 0
    assert [path for path in folder.rglob("*") if path.suffix in (".pem", ".key", ".crt")] == []
